"""Low-rank adapters (Hu et al. 2021) on a large encoder: it learns by few weights, and little is shipped.

Beside each linear layer of the upper layers stands a detour through a narrow one; only the detours and the
outputs learn. The encoder itself stays as it is, its matrices in 16 bits.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.errors import ModelError
from chatbot.reading.passage_reader import OUTPUTS, load_base
from chatbot.reading.weights import DOWN_SUFFIX, SCALE_SUFFIX, UP_SUFFIX, read_weights

if TYPE_CHECKING:
    import torch
    from peft import PeftModel

FROZEN_LAYERS = 4
"""So many of the lowest layers get no adapters: faster, and less to ship."""
RANK, ALPHA = 16, 32
SCALE = ALPHA / RANK
"""What peft multiplies an adapter's product with."""
LINEAR_LAYERS = ("q", "k", "v", "o", "intermediate.dense", "output.dense")

# How peft names what it adds.
PREFIX, UP, DOWN, COPY = "base_model.model.", ".lora_B.default", ".lora_A.default", ".modules_to_save.default"


def make_adapted_student(base: Path) -> PeftModel:
    """An MPNet with adapters and new outputs, ready to learn, without dropout.

    :raises ModelError: where peft is not installed.
    """
    import torch

    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ModelError(
            "The large reading model is trained with peft, which is not installed.",
            "Install it with: pip install 'chatbot[train]', or train --base small.",
        ) from error
    model = load_base(base)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    options = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        target_modules=list(LINEAR_LAYERS),
        modules_to_save=[OUTPUTS],
        layers_to_transform=list(range(FROZEN_LAYERS, model.config.num_hidden_layers)),
        layers_pattern="layer",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that is going
        adapted = get_peft_model(model, options)
    for weights in adapted.parameters():
        if not weights.requires_grad and weights.ndim > 1:
            weights.data = weights.data.to(torch.bfloat16)
    adapted.train()
    return adapted


def pack_adapters(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What to write of a model with adapters, by its weights as peft names them.

    :param state: the learned ones at least; others are left out.
    """
    import torch

    packed = {}
    for key, weights in state.items():
        if UP in key:
            name = key.removeprefix(PREFIX).replace(UP, "")
            packed[name + UP_SUFFIX] = weights.detach().half().contiguous()
            packed[name + DOWN_SUFFIX] = state[key.replace(UP, DOWN)].detach().half().contiguous()
            packed[name + SCALE_SUFFIX] = torch.tensor(SCALE)
        elif COPY in key:
            packed[key.removeprefix(PREFIX).replace(COPY, "")] = weights.detach().float().contiguous()
    return packed


def load_adapters(model: PeftModel, weights: Path, *, base_sha256: str) -> None:
    """Let a student go on from packed weights.

    :raises ModelError: for weights that are missing, damaged or do not fit.
    """
    import torch

    own = model.state_dict()
    packed = read_weights(weights, base_sha256=base_sha256).tensors
    found = {}
    for key in own:
        name = key.removeprefix(PREFIX)
        if UP in name:
            bare = name.replace(UP, "")
            if bare + UP_SUFFIX in packed:
                found[key] = packed[bare + UP_SUFFIX].float() * packed[bare + SCALE_SUFFIX] / SCALE
                found[key.replace(UP, DOWN)] = packed[bare + DOWN_SUFFIX].float()
        elif COPY in name and name.replace(COPY, "") in packed:
            found[key] = packed[name.replace(COPY, "")]
    learned = {name for name, one in model.named_parameters() if one.requires_grad}
    fits = learned == set(found) and all(own[name].shape == one.shape for name, one in found.items())
    if not fits:
        raise ModelError(
            f"The weights {weights} have other adapters than these.", "Train without --start, or from others."
        )
    with torch.no_grad():
        model.load_state_dict(found, strict=False)
