"""Texts to vectors with sentence-transformers; the only module that imports it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chatbot.errors import ModelError
from chatbot.token_counting import TokenCounter, TokenizingEmbedder
from chatbot.types import PassageVectors, Span, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH_SIZE = 8
"""Small batches keep the activations in the processor's cache: on two cores 8 texts at a time are
1.2 times as fast as 32."""

TEXTS_AT_ONCE = 64
"""The vectors of all tokens of so many texts are in memory at a time: about 20 MB."""


class SentenceTransformerEmbedder(TokenizingEmbedder):
    """An embedding model in this process; bfloat16 where the processor computes in it.

    Safe to call from several threads. Load it with `load_embedder`.
    """

    def __init__(self, model: SentenceTransformer, *, fingerprint: str) -> None:
        tokenizer = model.tokenizer.backend_tokenizer
        counter = TokenCounter(tokenizer, max_tokens=int(model.max_seq_length))
        super().__init__(counter, fingerprint=fingerprint)
        self._model = model
        self._lock = threading.Lock()
        self._pools_mean = pools_mean(model)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), each of length 1.

        :raises ValueError: for a text that the model would silently cut.
        """
        self._counter.encode(texts)
        if not texts:
            return self._make_empty()
        with self._lock:
            vectors = self._model.encode_document(
                list(texts),
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return scale_to_unit(np.asarray(vectors, dtype=np.float32))

    def embed_passages(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> PassageVectors:
        """The vectors of texts, and those of stretches `text[start:end]` of each, from one reading.

        A stretch's vector is the mean of its tokens' vectors, each of which knows the whole text (late
        chunking, Günther et al. 2024). A model whose vectors are no such means reads stretches alone.

        :param spans: for each text the stretches in it; one without a token has the text's own vector.
        :raises ValueError: for a text that the model would silently cut.
        """
        encodings = self._counter.encode(texts)
        if not texts:
            return PassageVectors(self._make_empty(), ())
        if not self._pools_mean:
            return self._read_apart(texts, spans)
        whole: list[Vectors] = []
        parts: list[Vectors] = []
        for first in range(0, len(texts), TEXTS_AT_ONCE):
            some = texts[first : first + TEXTS_AT_ONCE]
            for offset, tokens in enumerate(self._read_tokens(some)):
                encoding, own = encodings[first + offset], spans[first + offset]
                whole.append(scale_to_unit(tokens.mean(axis=0)))
                parts.append(pool_spans(encoding.offsets, tokens, own, whole[-1]))
        return PassageVectors(np.stack(whole), tuple(parts))

    def _read_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """For each text the vectors of its tokens, of shape (tokens, dimension)."""
        with self._lock:
            outputs = self._model.encode_document(
                list(texts), batch_size=BATCH_SIZE, output_value=None, show_progress_bar=False
            )
        return [
            output["token_embeddings"][output["attention_mask"].bool()].float().cpu().numpy()
            for output in outputs
        ]

    def _read_apart(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> PassageVectors:
        pieces = [text[start:end] for text, own in zip(texts, spans, strict=True) for start, end in own]
        vectors = self.embed_documents(pieces)
        ends = np.cumsum([len(own) for own in spans])
        return PassageVectors(self.embed_documents(texts), tuple(np.split(vectors, ends[:-1])))

    def _make_empty(self) -> Vectors:
        return np.empty((0, self._model.get_embedding_dimension() or 0), dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question; a longer one than the model reads is embedded in parts and averaged."""
        with self._lock:
            vectors = self._model.encode_query(
                self._counter.split(text),
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return scale_to_unit(np.asarray(vectors, dtype=np.float32).mean(axis=0))


def load_embedder(location: Path | str, *, offline: bool) -> SentenceTransformerEmbedder:
    """Load an embedding model from a folder or, by its id, from the hub's local cache or the hub.

    :raises ModelError: when it is not there or is no sentence embedding model.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = SentenceTransformer(
            str(location),
            device=device,
            local_files_only=offline,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"The embedding model {location} could not be loaded.",
            "Check the setting embedder; a model from a hub needs offline = false the first time.",
        ) from error
    fingerprint = compute_fingerprint(model)
    if device == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        model.bfloat16()
    return SentenceTransformerEmbedder(model.eval(), fingerprint=fingerprint)


def pool_spans(offsets: Sequence[Span], tokens: Vectors, spans: Sequence[Span], whole: Vectors) -> Vectors:
    """The vectors of stretches of a text, of shape (len(spans), dimension): the means of their tokens.

    :param offsets: the characters of each token.
    :param tokens: the vectors of the tokens.
    :param whole: the vector of the text, for stretches without a token.
    """
    places = np.array(offsets).reshape(-1, 2)
    pooled = []
    for start, end in spans:
        inside = (places[:, 1] > start) & (places[:, 0] < end) & (places[:, 1] > places[:, 0])
        pooled.append(scale_to_unit(tokens[inside].mean(axis=0)) if inside.any() else whole)
    return np.stack(pooled) if pooled else np.empty((0, tokens.shape[1]), np.float32)


def scale_to_unit(vectors: Vectors) -> Vectors:
    """The vectors with length 1; bfloat16 leaves lengths that are off by 0.2 %."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def pools_mean(model: SentenceTransformer) -> bool:
    """Whether a text's vector is the mean of its own tokens' vectors, scaled and not changed further."""
    modules = list(model)
    config = modules[1].get_config_dict() if len(modules) > 1 else {}
    is_plain = all(type(module).__name__ == "Normalize" for module in modules[2:])
    # Those that `encode_document` puts in front of a text, whose tokens are then not its own alone.
    names = ("document", "passage", "corpus", model.default_prompt_name or "document")
    has_prompt = any(model.prompts.get(name) for name in names)
    return is_plain and config.get("pooling_mode") == "mean" and not has_prompt


def compute_fingerprint(model: SentenceTransformer) -> str:
    """Twelve hex digits that change with the weights, the pooling, the prompts or the text limit."""
    import torch

    digest = hashlib.sha256()
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weights.detach().cpu().flatten().view(torch.uint8).numpy().data)
    settings = [str(model.max_seq_length), str(sorted(model.prompts.items()))]
    settings += [
        str(sorted(module.get_config_dict().items()))
        for module in list(model)[1:]
        if hasattr(module, "get_config_dict")
    ]
    digest.update("\0".join(settings).encode())
    return digest.hexdigest()[:12]
