"""The weights of a reading model: what training changed in an encoder, small enough to come with the chatbot.

Of a matrix that was trained whole its differences are kept, a byte each with a scale for every row (a
difference is small, so a byte is exact enough). Of one that was trained by adapters (Hu et al. 2021) the two
narrow matrices are kept, in 16 bits, whose product times a scale is the difference. The few new weights are
kept as they are. The file names the weights that it belongs to, and how its odds are to be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from chatbot.errors import ModelError
from chatbot.reading.reading import UNCHANGED, OddsScale

if TYPE_CHECKING:
    import torch

AnyTensor = Any
"""A tensor of PyTorch or an array of NumPy; one call has one kind."""

STEPS = 127
"""A difference is kept as -127 to 127 times its row's scale."""
SCALE_SUFFIX = ".scale"
UP_SUFFIX, DOWN_SUFFIX = ".up", ".down"
"""Of the two matrices of an adapter, of shapes (outputs, rank) and (rank, inputs)."""
BASE_KEY = "base_sha256"
SCALE_KEYS = {"odds_offset": 0.0, "odds_factor": 1.0}
"""How odds are read, and what holds where the file does not say."""
NEXT_STEP = "Train them again, or set reader to large, small or off."


@dataclass(frozen=True, slots=True)
class ReaderWeights:
    """The changed weights by name, what the file says of itself, and how the model's odds are read."""

    tensors: Mapping[str, AnyTensor]
    description: Mapping[str, str]
    odds_scale: OddsScale = UNCHANGED


def pack_differences(
    trained: Mapping[str, torch.Tensor], base: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """What to write for trained weights: those that equal the base are left out.

    :param trained: the reading model's weights by name.
    :param base: those that it began with; weights of other names are new.
    """
    import torch

    packed: dict[str, torch.Tensor] = {}
    for name, weights in trained.items():
        if name not in base:
            packed[name] = weights.detach().float().contiguous()
            continue
        difference = weights.detach().float() - base[name].float()
        if not difference.any():
            continue
        if difference.ndim < 2:
            packed[name] = difference.contiguous()
            continue
        scale = difference.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / STEPS
        packed[name] = (difference / scale).round().to(torch.int8).contiguous()
        packed[name + SCALE_SUFFIX] = scale.contiguous()
    return packed


def apply_differences(packed: Mapping[str, AnyTensor], base: Mapping[str, AnyTensor]) -> dict[str, AnyTensor]:
    """The weights that were packed, but for the rounding; of 32 bits, as the base is.

    :raises KeyError: for a part of an adapter without its other parts or its base.
    """
    weights = dict(base)
    for key, tensor in packed.items():
        name = key.removesuffix(UP_SUFFIX)
        scale = packed.get(name + SCALE_SUFFIX)
        if name != key:
            narrow = _widen(packed[name + DOWN_SUFFIX])
            weights[name] = base[name] + (_widen(tensor) @ narrow) * packed[name + SCALE_SUFFIX]
        elif not key.endswith((SCALE_SUFFIX, DOWN_SUFFIX)):
            difference = tensor if scale is None else tensor * scale
            weights[name] = base[name] + difference if name in base else difference
    return weights


def _widen(tensor: AnyTensor) -> AnyTensor:
    """The same numbers in 32 bits."""
    return tensor.float() if hasattr(tensor, "float") else tensor.astype("float32")


def write_weights(path: Path, packed: Mapping[str, torch.Tensor], description: Mapping[str, str]) -> None:
    """Write packed weights and what is to be said of them."""
    from safetensors.torch import save_file

    temporary = path.with_suffix(".partial")
    save_file(dict(packed), temporary, metadata=dict(description))
    temporary.replace(path)


def write_odds_scale(path: Path, scale: OddsScale) -> None:
    """Write into a file of weights how its odds are to be read.

    :raises ModelError: for a file that is missing or damaged.
    """
    weights = open_weights(path)
    said = dict(zip(SCALE_KEYS, (f"{scale.offset:.4f}", f"{scale.factor:.4f}"), strict=True))
    write_weights(path, weights.tensors, {**weights.description, **said})


def read_weights(path: Path, *, base_sha256: str, framework: Literal["pt", "np"] = "pt") -> ReaderWeights:
    """Read packed weights.

    :param base_sha256: of the weights that they will be added to.
    :param framework: as tensors of PyTorch or as arrays of NumPy.
    :raises ModelError: when the file is missing, damaged or belongs to other weights.
    """
    weights = open_weights(path, framework=framework)
    if weights.description.get(BASE_KEY) != base_sha256:
        raise ModelError(f"The reading model's weights {path} belong to another embedding model.", NEXT_STEP)
    return weights


def read_base_sha256(path: Path) -> str:
    """The hash of the weights that packed weights belong to.

    :raises ModelError: when the file is missing or damaged.
    """
    return open_weights(path, framework="np").description.get(BASE_KEY, "")


def open_weights(path: Path, *, framework: Literal["pt", "np"] = "pt") -> ReaderWeights:
    """Read packed weights, whatever base they belong to.

    :raises ModelError: when the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework=framework) as file:
            description = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        said = (float(description.get(key, usual)) for key, usual in SCALE_KEYS.items())
        return ReaderWeights(tensors, description, OddsScale(*said))
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(
            f"The reading model's weights {path} cannot be read.",
            "Install the chatbot again, or set reader to off.",
        ) from error
