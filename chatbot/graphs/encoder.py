"""What the encoders of this package share: layers of attention and a wide step, each added and normalised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chatbot.graphs.operations import (
    Weights,
    join_heads,
    make_bfloat16_weights,
    make_constant,
    make_indices,
    multiply_matrix,
    split_heads,
)

if TYPE_CHECKING:
    import openvino as ov

MASKED = -1e9
"""Added to the attention score of padding: nothing is left of it after the softmax."""


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """What of an encoder's config.json decides its graph."""

    layers: int
    heads: int
    size: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class LayerNames:
    """What a kind of encoder calls the parts of a layer that others call otherwise."""

    query: str
    key: str
    value: str
    mixed: str
    mixed_norm: str


@dataclass(frozen=True, slots=True)
class Encoder:
    """The weights of an encoder, by the names that it has for them, and how they are put together.

    `in_16_bits` keeps the matrices in bfloat16: for weights that are not more exact than that, and where
    nothing more exact is computed.
    """

    shape: EncoderShape
    weights: Mapping[str, Weights]
    names: LayerNames
    in_16_bits: bool = False

    def add_layers(self, hidden: ov.Output, bias: ov.Output) -> ov.Output:
        """All layers; `bias` is added to the attention scores, and fits (texts, heads, tokens, tokens)."""
        for layer in range(self.shape.layers):
            hidden = self._add_layer(hidden, bias, f"encoder.layer.{layer}.")
        return hidden

    def _add_layer(self, hidden: ov.Output, bias: ov.Output, prefix: str) -> ov.Output:
        from openvino import opset13 as ops

        shape, names = self.shape, self.names
        query, key, value = (
            split_heads(self.apply_linear(hidden, prefix + name), shape.heads, shape.size // shape.heads)
            for name in (names.query, names.key, names.value)
        )
        attended = ops.scaled_dot_product_attention(query, key, value, bias, causal=False)
        mixed = self.apply_linear(join_heads(attended.output(0), shape.size), prefix + names.mixed)
        hidden = self.normalize(ops.add(mixed, hidden).output(0), prefix + names.mixed_norm)
        inner = ops.gelu(self.apply_linear(hidden, f"{prefix}intermediate.dense"), "erf").output(0)
        outer = self.apply_linear(inner, f"{prefix}output.dense")
        return self.normalize(ops.add(outer, hidden).output(0), f"{prefix}output.LayerNorm")

    def look_up(self, name: str, rows: ov.Output) -> ov.Output:
        """The rows of a table of embeddings."""
        from openvino import opset13 as ops

        table = self._make_matrix(f"embeddings.{name}_embeddings.weight")
        return ops.gather(table, rows, ops.constant(np.int64(0))).output(0)

    def apply_linear(self, values: ov.Output, name: str) -> ov.Output:
        """A linear layer."""
        return multiply_matrix(values, self._make_matrix(f"{name}.weight"), self.weights[f"{name}.bias"])

    def normalize(self, values: ov.Output, name: str) -> ov.Output:
        """A layer normalisation."""
        from openvino import opset13 as ops

        centred = ops.mvn(values, make_indices([-1]), True, self.shape.epsilon, "inside_sqrt")
        scaled = ops.multiply(centred, make_constant(self.weights[f"{name}.weight"]))
        return ops.add(scaled, make_constant(self.weights[f"{name}.bias"])).output(0)

    def _make_matrix(self, name: str) -> ov.Output:
        make = make_bfloat16_weights if self.in_16_bits else make_constant
        return make(self.weights[name])


def mask_padding(mask: ov.Output) -> ov.Output:
    """What to add to attention scores for a mask of shape (texts, tokens) that is 1 where there is text."""
    from openvino import opset13 as ops

    wide = ops.unsqueeze(ops.convert(mask, "f32"), make_indices([1, 2]))
    hidden = ops.subtract(wide, make_constant(np.float32(1)))
    return ops.multiply(hidden, make_constant(np.float32(-MASKED))).output(0)


def count_places(ids: ov.Output) -> ov.Output:
    """The places 0, 1, 2 … of the tokens of texts of shape (texts, tokens)."""
    from openvino import opset13 as ops

    axis = make_indices([0])
    length = ops.gather(ops.shape_of(ids), make_indices([1]), axis)
    return ops.range(
        ops.constant(np.int64(0)), ops.squeeze(length, axis), ops.constant(np.int64(1)), output_type="i64"
    ).output(0)
