"""The weights of the reading model: what training changed in the packaged embedding model, in 8 bits.

Only the differences are kept, a byte each with a scale for every row (a difference is small, so a
byte is exact enough), and the few new weights as they are. The file names the weights it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from chatbot.errors import ModelError

if TYPE_CHECKING:
    import torch

AnyTensor = Any
"""A tensor of PyTorch or an array of NumPy; one call has one kind."""

STEPS = 127
"""A difference is kept as -127 to 127 times its row's scale."""
SCALE_SUFFIX = ".scale"
BASE_KEY = "base_sha256"


@dataclass(frozen=True, slots=True)
class ReaderWeights:
    """The changed weights by name, the base they are added to, and what the file says of itself."""

    tensors: Mapping[str, AnyTensor]
    description: Mapping[str, str]


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
    """The weights that `pack_differences` was given, but for the rounding; of 32 bits, as the base is."""
    weights = dict(base)
    for name, tensor in packed.items():
        if name.endswith(SCALE_SUFFIX):
            continue
        scale = packed.get(name + SCALE_SUFFIX)
        difference = tensor if scale is None else tensor * scale
        weights[name] = base[name] + difference if name in base else difference
    return weights


def write_weights(path: Path, packed: Mapping[str, torch.Tensor], description: Mapping[str, str]) -> None:
    """Write packed weights and what is to be said of them."""
    from safetensors.torch import save_file

    temporary = path.with_suffix(".partial")
    save_file(dict(packed), temporary, metadata=dict(description))
    temporary.replace(path)


def read_weights(path: Path, *, base_sha256: str, framework: Literal["pt", "np"] = "pt") -> ReaderWeights:
    """Read packed weights.

    :param base_sha256: of the weights that they will be added to.
    :param framework: as tensors of PyTorch or as arrays of NumPy.
    :raises ModelError: when the file is missing, damaged or belongs to other weights.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework=framework) as file:
            description = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"The reading model's weights {path} cannot be read.",
            "Install the chatbot again, or set reader to off.",
        ) from error
    if description.get(BASE_KEY) != base_sha256:
        raise ModelError(
            f"The reading model's weights {path} belong to another embedding model.",
            "Train them again, or set reader to packaged or off.",
        )
    return ReaderWeights(tensors, description)
