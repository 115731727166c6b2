"""Runs the encoder of `bert` over tokenized texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chatbot.graphs.bert import BERT_INPUTS

if TYPE_CHECKING:
    import openvino as ov
    from tokenizers import Encoding

FIELDS = ("ids", "attention_mask", "type_ids")
"""Of a tokenizer's encoding, in the order of the encoder's inputs."""


Inputs = dict[str, npt.NDArray[np.int64]]


def run_bert(graph: ov.CompiledModel, encodings: Sequence[Encoding]) -> npt.NDArray[np.float32]:
    """What the encoder makes of texts, of shape (texts, tokens of the longest, values a token)."""
    output: npt.NDArray[np.float32] = graph(make_inputs(encodings))[0]
    return output


def make_inputs(encodings: Sequence[Encoding]) -> Inputs:
    """What the encoder takes of texts, each of shape (texts, tokens of the longest)."""
    longest = max(sum(encoding.attention_mask) for encoding in encodings)
    inputs: Inputs = {}
    for name, field in zip(BERT_INPUTS, FIELDS, strict=True):
        values = np.zeros((len(encodings), longest), np.int64)
        for row, encoding in enumerate(encodings):
            own = getattr(encoding, field)[:longest]
            values[row, : len(own)] = own
        inputs[name] = values
    return inputs
