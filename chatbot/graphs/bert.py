"""BERT encoders (Devlin et al. 2019) as OpenVINO graphs: the embedding model and the small reading model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chatbot.graphs.encoder import Encoder, EncoderShape, LayerNames, count_places, mask_padding
from chatbot.graphs.operations import Weights

if TYPE_CHECKING:
    import openvino as ov

NAMES = LayerNames(
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    mixed="attention.output.dense",
    mixed_norm="attention.output.LayerNorm",
)


def read_bert_shape(config: Mapping[str, Any]) -> EncoderShape | None:
    """The shape of the encoder that a config.json describes; None where it is none of this kind."""
    is_plain = (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
    )
    if not is_plain:
        return None
    return EncoderShape(
        layers=int(config["num_hidden_layers"]),
        heads=int(config["num_attention_heads"]),
        size=int(config["hidden_size"]),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
    )


def build_bert(
    shape: EncoderShape, weights: Mapping[str, Weights], *, output: str = "", in_16_bits: bool = False
) -> ov.Model:
    """An encoder that takes `input_ids`, `attention_mask` and `token_type_ids`, each (texts, tokens).

    :param weights: by the names of transformers' BertModel, without a prefix.
    :param output: the name of a last linear layer; without one, the vectors of the tokens come out.
    :param in_16_bits: keep the matrices in bfloat16, for a processor that computes in it.
    :raises KeyError: where a weight is missing.
    """
    import openvino as ov
    from openvino import opset13 as ops

    inputs = [
        ops.parameter([-1, -1], np.int64, name=name)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    ids, mask, types = (node.output(0) for node in inputs)
    encoder = Encoder(shape, weights, NAMES, in_16_bits)
    kinds = ops.add(encoder.look_up("word", ids), encoder.look_up("token_type", types))
    total = ops.add(kinds, encoder.look_up("position", count_places(ids)))
    hidden = encoder.normalize(total.output(0), "embeddings.LayerNorm")
    hidden = encoder.add_layers(hidden, mask_padding(mask))
    if output:
        hidden = encoder.apply_linear(hidden, output)
    return ov.Model([ops.result(hidden)], inputs, "bert")
