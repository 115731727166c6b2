"""Texts to vectors with a BERT encoder on OpenVINO: the same vectors as `embedding`, in less time.

Only models of the plain kind are read so: a BERT, the mean of its tokens' vectors, scaled to length 1,
no words put in front. `load_graph_embedder` gives None for others.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chatbot.embedding import pool_spans, scale_to_unit
from chatbot.engines import compile_graph, computes_in_bfloat16
from chatbot.graphs.bert import build_bert, read_bert_shape
from chatbot.graphs.operations import Weights
from chatbot.graphs.running import make_inputs
from chatbot.graphs.weights import read_arrays
from chatbot.token_counting import TokenCounter, TokenizingEmbedder
from chatbot.types import PassageVectors, Span, Vectors

if TYPE_CHECKING:
    import openvino as ov
    from tokenizers import Encoding, Tokenizer

BATCH_TOKENS = 1024
"""So many tokens, padding included, are read at a time: the activations stay in the processor's cache."""

STREAMS = min(os.cpu_count() or 1, 8)
"""So many batches are read at the same time, each by its own share of the cores: none waits for another,
as the cores do for each other where they share a batch."""

KEPT_SHAPES = 32
"""Batches differ in length and in number of texts: what OpenVINO keeps for their shapes grows by 0.22 GB over
5,000 chunks if it is let, by 0.14 GB with so many, in the same time."""

MODULES = ("Transformer", "Pooling", "Normalize")


class GraphEmbedder(TokenizingEmbedder):
    """An embedding model on OpenVINO. Safe to call from several threads.

    Load it with `load_graph_embedder`.
    """

    def __init__(
        self, graph: ov.CompiledModel, tokenizer: Tokenizer, *, max_tokens: int, fingerprint: str
    ) -> None:
        super().__init__(TokenCounter(tokenizer, max_tokens=max_tokens), fingerprint=fingerprint)
        self._dimension = int(graph.output(0).partial_shape[2].get_length())
        # One more than an ingest takes, so that a question never waits for more than a batch.
        self._requests: queue.SimpleQueue[ov.InferRequest] = queue.SimpleQueue()
        for _ in range(STREAMS + 1):
            self._requests.put(graph.create_infer_request())

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), each of length 1.

        :raises ValueError: for a text that the model would silently cut.
        """
        vectors = np.empty((len(texts), self._dimension), np.float32)

        def use(row: int, tokens: Vectors) -> None:
            vectors[row] = tokens.mean(axis=0)

        self._read(self._counter.encode(texts), use)
        return scale_to_unit(vectors)

    def embed_passages(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> PassageVectors:
        """The vectors of texts, and those of stretches `text[start:end]` of each, from one reading.

        :raises ValueError: for a text that the model would silently cut.
        """
        encodings = self._counter.encode(texts)
        whole = np.empty((len(texts), self._dimension), np.float32)
        parts: list[Vectors] = [whole[:0]] * len(texts)

        def use(row: int, tokens: Vectors) -> None:
            whole[row] = scale_to_unit(tokens.mean(axis=0))
            parts[row] = pool_spans(encodings[row].offsets, tokens, spans[row], whole[row])

        self._read(encodings, use)
        return PassageVectors(whole, tuple(parts))

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question; a longer one than the model reads is embedded in parts and averaged."""
        mean: Vectors = self.embed_documents(self._counter.split(text)).mean(axis=0)
        return scale_to_unit(mean)

    def _read(self, encodings: Sequence[Encoding], use: Callable[[int, Vectors], None]) -> None:
        """Hand on the place of each text and the vectors of its tokens, of shape (tokens, dimension).

        :param use: called by several threads.
        """

        def read_batch(rows: Sequence[int]) -> None:
            request = self._requests.get()
            try:
                hidden = request.infer(make_inputs(request.model_inputs, [encodings[row] for row in rows]))[0]
            finally:
                self._requests.put(request)
            for row, tokens in zip(rows, hidden, strict=True):
                use(row, tokens[: len(encodings[row].ids)])

        batches = list(batch_by_length([len(encoding.ids) for encoding in encodings]))
        if len(batches) == 1:
            read_batch(batches[0])
            return
        with ThreadPoolExecutor(STREAMS) as pool:
            list(pool.map(read_batch, reversed(batches)))


def batch_by_length(lengths: Sequence[int], *, batch_tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Places of texts, those of like length together, so that a batch with its padding holds the budget."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        # In this order the next text is the longest of its batch.
        if batch and (len(batch) + 1) * lengths[row] > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def load_graph_embedder(folder: Path) -> GraphEmbedder | None:
    """The embedding model of a folder on OpenVINO; None where it is not of the kind that this reads."""
    from tokenizers import Tokenizer

    try:
        config, max_tokens = read_plain_model(folder)
        shape = read_bert_shape(config)
        if shape is None:
            return None
        weights = read_arrays(folder / "model.safetensors")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        model = build_bert(shape, weights, in_16_bits=computes_in_bfloat16())
        graph = compile_graph(model, streams=STREAMS, kept_shapes=KEPT_SHAPES)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fingerprint = compute_fingerprint(weights, max_tokens, shape.size)
    return GraphEmbedder(graph, tokenizer, max_tokens=max_tokens, fingerprint=fingerprint)


def read_plain_model(folder: Path) -> tuple[dict[str, Any], int]:
    """The config of a model whose text vectors are scaled means, and the most tokens that it reads.

    :raises ValueError: for any other model.
    """
    kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in _read_json(folder / "modules.json")]
    pooling = _read_json(folder / "1_Pooling" / "config.json")
    chosen = {name for name, value in pooling.items() if name.startswith("pooling_mode_") and value is True}
    prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    reading = _read_json(folder / "sentence_bert_config.json")
    is_plain = (
        tuple(kinds) == MODULES and chosen == {"pooling_mode_mean_tokens"} and not any(prompts.values())
    )
    if not is_plain:
        raise ValueError("its vectors are not scaled means of its tokens' vectors")
    return _read_json(folder / "config.json"), int(reading["max_seq_length"])


def compute_fingerprint(weights: Mapping[str, Weights], max_tokens: int, dimension: int) -> str:
    """What `embedding.compute_fingerprint` gives for the same model, so that either engine may be used."""
    digest = hashlib.sha256()
    for name, values in sorted(weights.items()):
        digest.update(f"0.model.{name}".encode())
        digest.update(np.ascontiguousarray(values).data)
    pooling = {"embedding_dimension": dimension, "pooling_mode": "mean", "include_prompt": True}
    scaling = {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}
    settings = [str(max_tokens), str([("document", ""), ("query", "")])]
    settings += [str(sorted(module.items())) for module in (pooling, scaling)]
    digest.update("\0".join(settings).encode())
    return digest.hexdigest()[:12]


def _read_json(path: Path) -> Any:  # noqa: ANN401 - what a file holds
    return json.loads(path.read_text(encoding="utf-8"))
