"""Loads the reading model to run on OpenVINO, without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.engines import compile_graph, computes_in_bfloat16
from chatbot.errors import ModelError
from chatbot.graphs.bert import build_bert, read_bert_shape
from chatbot.graphs.mpnet import build_mpnet, read_mpnet_shape
from chatbot.graphs.running import run_encoder
from chatbot.graphs.saving import GRAPH_FILE, locate_weights
from chatbot.graphs.weights import read_arrays
from chatbot.memory import give_back_file
from chatbot.reading.passage_reader import OUTPUTS, PassageReader, set_window
from chatbot.reading.reading import Numbers
from chatbot.reading.weights import NEXT_STEP, ReaderWeights, apply_differences, read_weights

if TYPE_CHECKING:
    import openvino as ov
    from tokenizers import Encoding

BATCH_TOKENS = 2048
"""So many tokens, padding included, are read at a time."""
LONGEST_SHARE = 1.25
"""So much longer may a window be than the shortest of its batch."""
WARM_UP_TEXT = "what is this about? " * 20
"""For a first run, before anybody waits for one."""


def load_graph_reader(
    base: Path, *, base_sha256: str, weights: Path, graph_folder: Path | None = None
) -> PassageReader:
    """Load the reading model; see `load_passage_reader`.

    :param graph_folder: what `graph_files` wrote of it; without, its graph is put together now.
    :raises ModelError: when the weights are missing, damaged, or belong to another base.
    """
    from tokenizers import Tokenizer

    packed = read_weights(weights, base_sha256=base_sha256, framework="np")
    try:
        graph = compile_graph(graph_folder / GRAPH_FILE if graph_folder else build_reader(base, packed))
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ModelError(f"The reading model's weights {weights} do not fit.", NEXT_STEP) from error
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    set_window(tokenizer)
    run_encoder(graph, [tokenizer.encode(WARM_UP_TEXT, WARM_UP_TEXT)])
    if graph_folder:
        # The first run has arranged the weights for this processor.
        give_back_file(locate_weights(graph_folder))
    return PassageReader(partial(run_alike, graph), tokenizer, packed.odds_scale)


def run_alike(graph: ov.CompiledModel, windows: Sequence[Encoding]) -> list[Numbers]:
    """The logits of windows, those of like length together, so that little padding is computed."""
    lengths = [sum(window.attention_mask) for window in windows]
    logits: dict[int, Numbers] = {}
    for rows in batch_alike(lengths):
        logits |= zip(rows, run_encoder(graph, [windows[row] for row in rows]), strict=True)
    return [logits[row] for row in range(len(windows))]


def batch_alike(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of windows, by length; in a batch the longest is little longer than the shortest."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        longest = lengths[row]
        if batch and (
            longest > LONGEST_SHARE * lengths[batch[0]] or (len(batch) + 1) * longest > BATCH_TOKENS
        ):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def build_reader(base: Path, packed: ReaderWeights) -> ov.Model:
    """The graph of a BERT or an MPNet with what training changed.

    :raises ValueError: for another kind of encoder, and weights of another shape.
    :raises KeyError: where a weight is missing.
    """
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    prefix = f"{config.get('model_type')}."
    before = {prefix + name: values for name, values in read_arrays(base / "model.safetensors").items()}
    after = apply_differences(packed.tensors, before)
    named = {name.removeprefix(prefix): values for name, values in after.items()}
    if shape := read_bert_shape(config):
        return build_bert(shape, named, output=OUTPUTS, in_16_bits=computes_in_bfloat16())
    if shape := read_mpnet_shape(config):
        return build_mpnet(shape, named, output=OUTPUTS)
    raise ValueError("neither a BERT nor an MPNet")
