"""BERT encoders (Devlin et al. 2019) as OpenVINO graphs: the embedding model and the reading model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chatbot.graphs.operations import (
    Weights,
    join_heads,
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
class BertShape:
    """What of a BERT's config.json decides its graph."""

    layers: int
    heads: int
    size: int
    epsilon: float


def read_bert_shape(config: Mapping[str, Any]) -> BertShape | None:
    """The shape of the encoder that a config.json describes; None where it is none of this kind."""
    is_plain = (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
    )
    if not is_plain:
        return None
    return BertShape(
        layers=int(config["num_hidden_layers"]),
        heads=int(config["num_attention_heads"]),
        size=int(config["hidden_size"]),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
    )


def build_bert(shape: BertShape, weights: Mapping[str, Weights], *, output: str = "") -> ov.Model:
    """An encoder that takes `input_ids`, `attention_mask` and `token_type_ids`, each (texts, tokens).

    :param weights: by the names of transformers' BertModel, without a prefix.
    :param output: the name of a last linear layer; without one, the vectors of the tokens come out.
    :raises KeyError: where a weight is missing.
    """
    import openvino as ov
    from openvino import opset13 as ops

    inputs = [ops.parameter([-1, -1], np.int64, name=name) for name in BERT_INPUTS]
    ids, mask, types = (node.output(0) for node in inputs)
    hidden = _embed(ids, types, shape, weights)
    wide = ops.unsqueeze(ops.convert(mask, "f32"), make_indices([1, 2]))
    bias = ops.multiply(ops.subtract(wide, make_constant(np.float32(1))), make_constant(np.float32(-MASKED)))
    for layer in range(shape.layers):
        hidden = _add_layer(hidden, bias.output(0), shape, weights, f"encoder.layer.{layer}.")
    if output:
        hidden = _apply_linear(hidden, weights, output)
    return ov.Model([ops.result(hidden)], inputs, "bert")


BERT_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def _embed(ids: ov.Output, types: ov.Output, shape: BertShape, weights: Mapping[str, Weights]) -> ov.Output:
    from openvino import opset13 as ops

    axis = make_indices([0])
    length = ops.gather(ops.shape_of(ids), make_indices([1]), axis)
    places = ops.range(
        ops.constant(np.int64(0)), ops.squeeze(length, axis), ops.constant(np.int64(1)), output_type="i64"
    )
    tables = [make_constant(weights[f"embeddings.{name}_embeddings.weight"]) for name in EMBEDDINGS]
    words, positions, kinds = (
        ops.gather(table, rows, ops.constant(np.int64(0)))
        for table, rows in zip(tables, (ids, places.output(0), types), strict=True)
    )
    total = ops.add(ops.add(words, kinds), positions)
    return _normalize(total.output(0), shape, weights, "embeddings.LayerNorm")


EMBEDDINGS = ("word", "position", "token_type")


def _add_layer(
    hidden: ov.Output, bias: ov.Output, shape: BertShape, weights: Mapping[str, Weights], prefix: str
) -> ov.Output:
    from openvino import opset13 as ops

    query, key, value = (
        split_heads(
            _apply_linear(hidden, weights, f"{prefix}attention.self.{name}"),
            shape.heads,
            shape.size // shape.heads,
        )
        for name in ("query", "key", "value")
    )
    attended = ops.scaled_dot_product_attention(query, key, value, bias, causal=False)
    mixed = join_heads(attended.output(0), shape.size)
    mixed = _apply_linear(mixed, weights, f"{prefix}attention.output.dense")
    mixed = ops.add(mixed, hidden).output(0)
    hidden = _normalize(mixed, shape, weights, f"{prefix}attention.output.LayerNorm")
    inner = ops.gelu(_apply_linear(hidden, weights, f"{prefix}intermediate.dense"), "erf").output(0)
    outer = _apply_linear(inner, weights, f"{prefix}output.dense")
    return _normalize(ops.add(outer, hidden).output(0), shape, weights, f"{prefix}output.LayerNorm")


def _apply_linear(values: ov.Output, weights: Mapping[str, Weights], name: str) -> ov.Output:
    return multiply_matrix(values, make_constant(weights[f"{name}.weight"]), weights[f"{name}.bias"])


def _normalize(values: ov.Output, shape: BertShape, weights: Mapping[str, Weights], name: str) -> ov.Output:
    from openvino import opset13 as ops

    centred = ops.mvn(values, make_indices([-1]), True, shape.epsilon, "inside_sqrt")
    scaled = ops.multiply(centred, make_constant(weights[f"{name}.weight"]))
    return ops.add(scaled, make_constant(weights[f"{name}.bias"])).output(0)
