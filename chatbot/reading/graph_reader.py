"""Loads the reading model to run on OpenVINO, without PyTorch."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from chatbot.engines import compile_graph
from chatbot.errors import ModelError
from chatbot.graphs.bert import build_bert, read_bert_shape
from chatbot.graphs.running import run_bert
from chatbot.graphs.weights import read_arrays
from chatbot.reading.passage_reader import PassageReader, set_window
from chatbot.reading.weights import apply_differences, read_weights

OUTPUTS = "qa_outputs"
PREFIX = "bert."


def load_graph_reader(base: Path, *, base_sha256: str, weights: Path) -> PassageReader:
    """Load the reading model; see `load_passage_reader`.

    :raises ModelError: when the weights are missing, damaged, or belong to another base.
    """
    from tokenizers import Tokenizer

    packed = read_weights(weights, base_sha256=base_sha256, framework="np")
    try:
        before = {PREFIX + name: values for name, values in read_arrays(base / "model.safetensors").items()}
        after = apply_differences(packed.tensors, before)
        shape = read_bert_shape(json.loads((base / "config.json").read_text(encoding="utf-8")))
        if shape is None:
            raise ValueError("no plain BERT")
        named = {name.removeprefix(PREFIX): values for name, values in after.items()}
        graph = compile_graph(build_bert(shape, named, output=OUTPUTS))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"The reading model's weights {weights} do not fit.",
            "Train them again, or set reader to packaged or off.",
        ) from error
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    set_window(tokenizer)
    # Windows are padded already; the encoder cuts what is padding in all of them.
    return PassageReader(partial(run_bert, graph), tokenizer)
