"""Reads weights from safetensors files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from chatbot.graphs.operations import Weights

LONGEST_HEADER_BYTES = 100_000_000


class Readable(Protocol):
    """A file or a stream of bytes."""

    def read(self, count: int, /) -> bytes:
        """The next bytes."""


def read_header(source: Readable) -> dict[str, Any]:
    """What the beginning of a safetensors file says of its tensors, by name; their data follow.

    :raises ValueError: for something else.
    """
    length = int.from_bytes(source.read(8), "little")
    if not 0 < length <= LONGEST_HEADER_BYTES:
        raise ValueError("this is no safetensors file")
    header = json.loads(source.read(length))
    if not isinstance(header, dict):
        raise ValueError("this is no safetensors file")
    return header


def read_arrays(path: Path) -> dict[str, Weights]:
    """The weights of a file as 32-bit floats, by name, without tables that are no weights.

    NumPy knows no bfloat16, so safetensors cannot give such weights to it.

    :raises ValueError: for weights of another kind than 32-bit floats and bfloat16, and a damaged file.
    """
    weights: dict[str, Weights] = {}
    with path.open("rb") as file:
        header = read_header(file)
        data = np.memmap(file, np.uint8, "r", offset=file.tell())
        for name, entry in header.items():
            if name == "__metadata__" or name.endswith("position_ids"):
                continue
            first, last = entry["data_offsets"]
            weights[name] = widen(data[first:last], entry["dtype"]).reshape(entry["shape"])
    return weights


def widen(data: Weights, kind: str) -> Weights:
    """Bytes of a safetensors file as 32-bit floats.

    :raises ValueError: for another kind than F32 and BF16.
    """
    if kind == "F32":
        return np.array(data).view(np.float32)
    if kind == "BF16":
        return (np.array(data).view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    raise ValueError("the weights are neither of 32 bits nor bfloat16")
