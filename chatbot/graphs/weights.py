"""Reads weights from safetensors files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chatbot.graphs.operations import Weights


def read_arrays(path: Path) -> dict[str, Weights]:
    """The weights of 32 bits of a file, by name, without tables that are no weights.

    :raises ValueError: for weights of another width.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            names = [name for name in file.keys() if not name.endswith("position_ids")]  # noqa: SIM118
            weights = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, TypeError) as error:
        raise ValueError(f"{path} cannot be read") from error
    if any(values.dtype != np.float32 for values in weights.values()):
        raise ValueError("the weights are not of 32 bits")
    return weights
