"""Texts to vectors with sentence-transformers; the only module that imports it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chatbot.errors import ModelError
from chatbot.sentences import split_sentences
from chatbot.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH_SIZE = 8
"""Small batches keep the activations in the processor's cache: on two cores 8 texts at a time are
1.2 times as fast as 32."""


class SentenceTransformerEmbedder:
    """An embedding model in this process; bfloat16 where the processor computes in it.

    Safe to call from several threads. Load it with `load_embedder`.
    """

    def __init__(self, model: SentenceTransformer, *, fingerprint: str) -> None:
        from tokenizers import Tokenizer

        self._model = model
        self._fingerprint = fingerprint
        # A copy of its own: a tokenizer that truncates and one that counts must not be the same object.
        self._counter = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
        self._counter.no_truncation()
        self._counter.no_padding()
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def max_tokens(self) -> int:
        return int(self._model.max_seq_length)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(encoding.ids) for encoding in self._counter.encode_batch_fast(list(texts))]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), each of length 1.

        :raises ValueError: for a text that the model would silently cut.
        """
        if not texts:
            return np.empty((0, self._model.get_embedding_dimension() or 0), dtype=np.float32)
        longest = max(self.count_tokens(texts))
        if longest > self.max_tokens:
            raise ValueError(f"a text has {longest} tokens, the embedding model reads {self.max_tokens}")
        with self._lock:
            vectors = self._model.encode_document(
                list(texts),
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        exact = np.asarray(vectors, dtype=np.float32)  # bfloat16 leaves lengths that are off by 0.2 %
        lengths = np.linalg.norm(exact, axis=1, keepdims=True)
        return np.asarray(exact / np.maximum(lengths, 1e-12), dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question; a longer one than the model reads is embedded in parts and averaged."""
        with self._lock:
            vectors = self._model.encode_query(
                self._split_query(text),
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        mean = np.asarray(vectors, dtype=np.float32).mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)

    def _split_query(self, text: str) -> list[str]:
        if self.count_tokens([text])[0] <= self.max_tokens:
            return [text]
        spans = split_sentences(text)
        if len(spans) < 2:
            middle = len(text) // 2
            return [*self._split_query(text[:middle]), *self._split_query(text[middle:])]
        cut = spans[len(spans) // 2][0]
        return [*self._split_query(text[:cut]), *self._split_query(text[cut:])]


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
