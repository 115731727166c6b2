"""The few operations that the graphs of this package share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import openvino as ov

Weights = npt.NDArray[Any]
"""A matrix or vector of weights in 32-bit floats."""


def make_constant(values: Weights | np.float32) -> ov.Output:
    """Weights as they are, in 32-bit floats."""
    from openvino import opset13 as ops

    return ops.constant(np.ascontiguousarray(values, dtype=np.float32)).output(0)


def make_indices(values: list[int]) -> ov.Output:
    """Whole numbers: a shape, axes, places."""
    from openvino import opset13 as ops

    return ops.constant(np.array(values, dtype=np.int64)).output(0)


def make_index(value: int) -> ov.Output:
    """One whole number without a dimension."""
    from openvino import opset13 as ops

    return ops.constant(np.int64(value)).output(0)


def round_to_bfloat16(values: Weights) -> npt.NDArray[np.uint16]:
    """The upper 16 bits of 32-bit floats, rounded to the nearest, halves to even, as PyTorch does."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def make_bfloat16_weights(matrix: Weights) -> ov.Output:
    """A matrix kept in 16 bits (bfloat16) and used as 32-bit floats; exact for weights of 16 bits."""
    import openvino as ov
    from openvino import opset13 as ops

    rounded = round_to_bfloat16(matrix)
    tensor = ov.Tensor(rounded, rounded.shape, ov.Type.bf16)
    return ops.convert(ops.constant(tensor, shared_memory=False), "f32").output(0)


def multiply_matrix(values: ov.Output, weights: ov.Output, bias: Weights | None = None) -> ov.Output:
    """`values` times the transpose of weights of shape (outputs, inputs), as linear layers keep them."""
    from openvino import opset13 as ops

    product = ops.matmul(values, weights, transpose_a=False, transpose_b=True)
    return (product if bias is None else ops.add(product, make_constant(bias))).output(0)


def split_heads(values: ov.Output, heads: int, head_size: int) -> ov.Output:
    """From (texts, tokens, heads * head_size) to (texts, heads, tokens, head_size)."""
    from openvino import opset13 as ops

    apart = ops.reshape(values, make_indices([0, 0, heads, head_size]), special_zero=True)
    return ops.transpose(apart, make_indices([0, 2, 1, 3])).output(0)


def join_heads(values: ov.Output, size: int) -> ov.Output:
    """From (texts, heads, tokens, head_size) to (texts, tokens, size)."""
    from openvino import opset13 as ops

    together = ops.transpose(values, make_indices([0, 2, 1, 3]))
    return ops.reshape(together, make_indices([0, 0, size]), special_zero=True).output(0)
