"""MPNet encoders (Song et al. 2020) as OpenVINO graphs: the large reading model.

Two things set it apart from BERT: its attention scores get a bias that depends on how far two tokens stand
apart (Raffel et al. 2020), the same in every layer, and its positions are counted from 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chatbot.graphs.encoder import Encoder, EncoderShape, LayerNames, count_places, mask_padding
from chatbot.graphs.operations import Weights, make_constant, make_indices

if TYPE_CHECKING:
    import openvino as ov

NAMES = LayerNames(
    query="attention.attn.q",
    key="attention.attn.k",
    value="attention.attn.v",
    mixed="attention.attn.o",
    mixed_norm="attention.LayerNorm",
)
FIRST_POSITION = 2
"""The rows before it in the table of positions stand for padding."""
FAR = 128
"""Tokens that stand this far apart or farther have one bias."""
BIASES = "encoder.relative_attention_bias.weight"


def read_mpnet_shape(config: Mapping[str, Any]) -> EncoderShape | None:
    """The shape of the encoder that a config.json describes; None where it is none of this kind."""
    if config.get("model_type") != "mpnet" or config.get("hidden_act") != "gelu":
        return None
    return EncoderShape(
        layers=int(config["num_hidden_layers"]),
        heads=int(config["num_attention_heads"]),
        size=int(config["hidden_size"]),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
    )


def build_mpnet(shape: EncoderShape, weights: Mapping[str, Weights], *, output: str) -> ov.Model:
    """An encoder that takes `input_ids` and `attention_mask`, each (texts, tokens).

    :param weights: by the names of transformers' MPNetModel, without a prefix.
    :param output: the name of a last linear layer.
    :raises KeyError: where a weight is missing.
    """
    import openvino as ov
    from openvino import opset13 as ops

    inputs = [ops.parameter([-1, -1], np.int64, name=name) for name in ("input_ids", "attention_mask")]
    ids, mask = (node.output(0) for node in inputs)
    encoder = Encoder(shape, weights, NAMES, in_16_bits=True)
    places = count_places(ids)
    positions = ops.add(places, ops.constant(np.int64(FIRST_POSITION))).output(0)
    total = ops.add(encoder.look_up("word", ids), encoder.look_up("position", positions))
    hidden = encoder.normalize(total.output(0), "embeddings.LayerNorm")
    bias = ops.add(_look_up_biases(places, weights), mask_padding(mask)).output(0)
    hidden = encoder.apply_linear(encoder.add_layers(hidden, bias), output)
    return ov.Model([ops.result(hidden)], inputs, "mpnet")


def _look_up_biases(places: ov.Output, weights: Mapping[str, Weights]) -> ov.Output:
    """The bias of each pair of tokens, of shape (1, heads, tokens, tokens)."""
    from openvino import opset13 as ops

    longest = len(weights["embeddings.position_embeddings.weight"]) - FIRST_POSITION
    distances = np.arange(-longest, longest + 1)
    table = weights[BIASES][put_in_buckets(distances, len(weights[BIASES]))]
    by_head = make_constant(np.ascontiguousarray(table.T))
    apart = ops.subtract(ops.unsqueeze(places, make_indices([0])), ops.unsqueeze(places, make_indices([1])))
    rows = ops.add(apart, ops.constant(np.int64(longest)))
    return ops.unsqueeze(ops.gather(by_head, rows, ops.constant(np.int64(1))), make_indices([0])).output(0)


def put_in_buckets(distances: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    """The row of the table of biases for each distance from a token to another: exact near by, coarse afar.

    Half of the rows are for tokens behind, half for those before; of each half, one half is for single
    distances and the other for ever wider ranges of them up to `FAR` (Raffel et al. 2020, section 2.1).
    """
    half = buckets // 2
    exact = half // 2
    apart = np.abs(distances)
    share = np.log(np.maximum(apart, 1).astype(np.float32) / exact) / np.float32(np.log(FAR / exact))
    coarse = np.minimum(exact + (share * (half - exact)).astype(np.int64), half - 1)
    return np.where(distances > 0, half, 0) + np.where(apart < exact, apart, coarse)
