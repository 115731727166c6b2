"""Language models of Llama's kind (Touvron et al. 2023; SmolLM2 is one) as OpenVINO graphs with a memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chatbot.graphs.operations import (
    Weights,
    join_heads,
    make_bfloat16_weights,
    make_constant,
    make_index,
    make_indices,
    multiply_matrix,
    split_heads,
)

if TYPE_CHECKING:
    import openvino as ov


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """What of a Llama's config.json decides its graph."""

    layers: int
    heads: int
    key_heads: int
    head_size: int
    size: int
    epsilon: float
    rope_theta: float
    is_tied: bool


def read_llama_shape(config: Mapping[str, Any]) -> LlamaShape | None:
    """The shape of the model that a config.json describes; None where it is none of this kind."""
    rope = config.get("rope_parameters") or {}
    scaling = config.get("rope_scaling") or {}
    kinds = {rope.get("rope_type", "default"), scaling.get("rope_type", scaling.get("type", "default"))}
    is_plain = (
        config.get("model_type") == "llama"
        and "quantization_config" not in config
        and config.get("hidden_act") == "silu"
        and not config.get("attention_bias", False)
        and not config.get("mlp_bias", False)
        and kinds == {"default"}
    )
    if not is_plain:
        return None
    heads, size = int(config["num_attention_heads"]), int(config["hidden_size"])
    return LlamaShape(
        layers=int(config["num_hidden_layers"]),
        heads=heads,
        key_heads=int(config.get("num_key_value_heads") or heads),
        head_size=int(config.get("head_dim") or size // heads),
        size=size,
        epsilon=float(config["rms_norm_eps"]),
        rope_theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0),
        is_tied=bool(config.get("tie_word_embeddings", False)),
    )


def build_llama(shape: LlamaShape, weights: Mapping[str, Weights]) -> ov.Model:
    """A model that continues token ids and remembers keys and values, as openvino-genai expects one.

    :param weights: by the names of transformers' LlamaForCausalLM.
    :raises KeyError: where a weight is missing.
    """
    return _Builder(shape, weights).build()


class _Builder:
    """One model being put together; the graph's variables and sinks gather here."""

    def __init__(self, shape: LlamaShape, weights: Mapping[str, Weights]) -> None:
        self._shape = shape
        self._weights = weights
        self._variables: list[Any] = []
        self._sinks: list[Any] = []

    def build(self) -> ov.Model:
        import openvino as ov
        from openvino import opset13 as ops

        inputs = [ops.parameter([-1, -1], np.int64, name=name) for name in INPUTS]
        inputs.append(ops.parameter([-1], np.int32, name="beam_idx"))
        ids, mask, positions, self._beam = (node.output(0) for node in inputs)
        for node in inputs:
            node.output(0).get_tensor().set_names({node.get_friendly_name()})
        table = make_bfloat16_weights(self._weights["model.embed_tokens.weight"])
        hidden = ops.gather(table, ops.convert(ids, "i32"), ops.constant(np.int32(0))).output(0)
        self._texts = ops.gather(ops.shape_of(ids), make_indices([0]), make_index(0)).output(0)
        self._mask = self._make_mask(mask, positions)
        self._cosines, self._sines = self._make_rotation(positions)
        for layer in range(self._shape.layers):
            hidden = self._add_layer(hidden, layer)
        hidden = self._normalize(hidden, "model.norm")
        head = table
        if not self._shape.is_tied:
            head = make_bfloat16_weights(self._weights["lm_head.weight"])
        logits = multiply_matrix(hidden, head)
        logits.get_tensor().set_names({"logits"})
        return ov.Model([ops.result(logits, name="logits")], self._sinks, inputs, self._variables, "llama")

    def _make_mask(self, mask: ov.Output, positions: ov.Output) -> ov.Output:
        """Which keys each token may see: those at and before its own place."""
        from openvino import opset13 as ops

        total = ops.gather(ops.shape_of(mask), make_index(1), make_index(0))
        places = ops.range(make_index(0), total, make_index(1), output_type="i64")
        allowed = ops.less_equal(
            ops.unsqueeze(places, make_indices([0, 1, 2])), ops.unsqueeze(positions, make_indices([1, 3]))
        )
        zero, never = make_constant(np.float32(0)), make_constant(np.float32(-65504))
        return ops.select(allowed, zero, never).output(0)

    def _make_rotation(self, positions: ov.Output) -> tuple[ov.Output, ov.Output]:
        """Cosines and sines of the rotary positions (Su et al. 2021), of shape (texts, 1, tokens, size)."""
        from openvino import opset13 as ops

        steps = np.arange(0, self._shape.head_size, 2, dtype=np.float32) / self._shape.head_size
        frequencies = (1.0 / self._shape.rope_theta**steps).reshape(1, 1, -1)
        angles = ops.multiply(
            ops.convert(ops.unsqueeze(positions, make_indices([2])), "f32"), make_constant(frequencies)
        )
        both = ops.unsqueeze(ops.concat([angles, angles], axis=-1), make_indices([1]))
        return ops.cos(both).output(0), ops.sin(both).output(0)

    def _add_layer(self, hidden: ov.Output, layer: int) -> ov.Output:
        from openvino import opset13 as ops

        prefix = f"model.layers.{layer}."
        mixed = self._attend(self._normalize(hidden, f"{prefix}input_layernorm"), layer, prefix)
        hidden = ops.add(hidden, mixed).output(0)
        inner = self._normalize(hidden, f"{prefix}post_attention_layernorm")
        gate = ops.swish(self._apply(inner, f"{prefix}mlp.gate_proj")).output(0)
        product = ops.multiply(gate, self._apply(inner, f"{prefix}mlp.up_proj")).output(0)
        return ops.add(hidden, self._apply(product, f"{prefix}mlp.down_proj")).output(0)

    def _attend(self, hidden: ov.Output, layer: int, prefix: str) -> ov.Output:
        from openvino import opset13 as ops

        shape = self._shape
        query, key, value = (
            split_heads(self._apply(hidden, f"{prefix}self_attn.{name}_proj"), heads, shape.head_size)
            for name, heads in (("q", shape.heads), ("k", shape.key_heads), ("v", shape.key_heads))
        )
        keys = self._remember(self._rotate(key), f"past_key_values.{layer}.keypresent.{layer}.key")
        values = self._remember(value, f"past_key_values.{layer}.valuepresent.{layer}.value")
        attended = ops.scaled_dot_product_attention(
            self._rotate(query), self._repeat(keys), self._repeat(values), self._mask, causal=False
        )
        mixed = join_heads(attended.output(0), shape.heads * shape.head_size)
        return self._apply(mixed, f"{prefix}self_attn.o_proj")

    def _rotate(self, values: ov.Output) -> ov.Output:
        from openvino import opset13 as ops

        half = self._shape.head_size // 2
        axis, step = make_indices([3]), make_indices([1])
        first = ops.slice(values, make_indices([0]), make_indices([half]), step, axis)
        second = ops.slice(values, make_indices([half]), make_indices([2**63 - 1]), step, axis)
        minus = ops.multiply(second, make_constant(np.full((1, 1, 1, 1), -1)))
        turned = ops.concat([minus, first], axis=-1)
        return ops.add(ops.multiply(values, self._cosines), ops.multiply(turned, self._sines)).output(0)

    def _remember(self, values: ov.Output, name: str) -> ov.Output:
        """The values of all tokens so far, kept for the next call."""
        import openvino as ov
        from openvino import opset13 as ops
        from openvino.op.util import Variable, VariableInfo

        info = VariableInfo()
        info.data_shape = ov.PartialShape([-1, self._shape.key_heads, -1, self._shape.head_size])
        info.data_type = ov.Type.f32
        info.variable_id = name
        variable = Variable(info)
        sizes = [make_indices([size]) for size in (self._shape.key_heads, 0, self._shape.head_size)]
        nothing = ops.broadcast(make_constant(np.float32(0)), ops.concat([self._texts, *sizes], axis=0))
        past = ops.read_value(nothing, variable)
        own = ops.gather(past, self._beam, make_index(0))
        total = ops.concat([own, values], axis=2)
        self._variables.append(variable)
        self._sinks.append(ops.assign(total, variable))
        return total.output(0)

    def _repeat(self, values: ov.Output) -> ov.Output:
        """Keys or values once for each query head that shares them (Ainslie et al. 2023)."""
        from openvino import opset13 as ops

        shape = self._shape
        groups = shape.heads // shape.key_heads
        if groups == 1:
            return values
        tokens = ops.gather(ops.shape_of(values), make_indices([2]), make_index(0))
        heads, size = make_indices([shape.key_heads, groups]), make_indices([shape.head_size])
        target = ops.concat([self._texts, heads, tokens, size], axis=0)
        wide = ops.broadcast(ops.unsqueeze(values, make_index(2)), target, "bidirectional")
        return ops.reshape(
            wide, make_indices([0, shape.heads, -1, shape.head_size]), special_zero=True
        ).output(0)

    def _apply(self, values: ov.Output, name: str) -> ov.Output:
        return multiply_matrix(values, make_bfloat16_weights(self._weights[f"{name}.weight"]))

    def _normalize(self, values: ov.Output, name: str) -> ov.Output:
        """Root mean square normalisation (Zhang & Sennrich 2019)."""
        from openvino import opset13 as ops

        squares = ops.power(values, make_constant(np.full((1, 1, 1), 2)))
        mean = ops.reduce_mean(squares, make_indices([-1]), keep_dims=True)
        root = ops.sqrt(ops.add(mean, make_constant(np.full((1, 1, 1), self._shape.epsilon))))
        scale = ops.divide(make_constant(np.full((1, 1, 1), 1)), root)
        scaled = ops.multiply(scale, values)
        return ops.multiply(scaled, make_constant(self._weights[f"{name}.weight"].reshape(1, 1, -1))).output(
            0
        )


INPUTS = ("input_ids", "attention_mask", "position_ids")
