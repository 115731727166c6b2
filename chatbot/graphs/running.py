"""Runs an encoder over tokenized texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import openvino as ov
    from tokenizers import Encoding

FIELDS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
"""Of a tokenizer's encoding, by the names of the inputs that encoders have."""


SHAPE_TOKENS = 8
"""Lengths are rounded up to a multiple: what is compiled for a shape is kept, about 1 MB each."""

Inputs = dict[str, npt.NDArray[np.int64]]


def run_encoder(graph: ov.CompiledModel, encodings: Sequence[Encoding]) -> npt.NDArray[np.float32]:
    """What the encoder makes of texts, of shape (texts, tokens of the longest and a few, values a token)."""
    output: npt.NDArray[np.float32] = graph(make_inputs(graph.inputs, encodings))[0]
    return output


def make_inputs(nodes: Sequence[ov.ConstOutput], encodings: Sequence[Encoding]) -> Inputs:
    """What an encoder with these inputs takes of texts, of shape (texts, tokens of the longest and a few)."""
    longest = max(sum(encoding.attention_mask) for encoding in encodings)
    longest = -(-longest // SHAPE_TOKENS) * SHAPE_TOKENS
    inputs: Inputs = {}
    for name in (node.any_name for node in nodes):
        values = np.zeros((len(encodings), longest), np.int64)
        for row, encoding in enumerate(encodings):
            own = getattr(encoding, FIELDS[name])[:longest]
            values[row, : len(own)] = own
        inputs[name] = values
    return inputs
