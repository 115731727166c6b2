"""A corpus folder and a library over it, made of the real parts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chatbot.ingest import Ingestor
from chatbot.library import Library
from chatbot.retrieval.search import search_passages
from chatbot.types import Chunk, Embedder, IngestReport, ParsedDocument, Passage, SearchResult
from chatbot.vectors import VectorIndex
from tests.fakes import HashingEmbedder

CORPUS = "notes"
ReadDocument = Callable[[Path], ParsedDocument]


def round_vector(vector: np.ndarray) -> list[int]:
    """A vector without the last bits, which Chroma changes when it makes the length 1 once more."""
    return np.rint(np.asarray(vector, np.float64) * 1e5).astype(int).tolist()


class Bench:
    """Files in `documents`, a library and an index in `data`; all calls speak of the corpus "notes"."""

    def __init__(
        self,
        folder: Path,
        read_document: ReadDocument,
        *,
        embedder: Embedder | None = None,
        chunk_tokens: int = 64,
    ) -> None:
        self.documents = folder / "corpora" / CORPUS / "documents"
        self.data = folder / "data"
        self.documents.mkdir(parents=True, exist_ok=True)
        self.embedder = embedder or HashingEmbedder()
        self.files_read: list[str] = []
        self.library = Library(self.data / "library.sqlite3")
        self.vectors = VectorIndex(
            self.data / "vectors",
            fingerprint=self.embedder.fingerprint,
            read_vectors=self.library.chunks.read_vectors,
        )

        def read(path: Path) -> ParsedDocument:
            self.files_read.append(path.relative_to(self.documents).as_posix())
            return read_document(path)

        self.ingestor = Ingestor(self.library, self.vectors, self.embedder, read, chunk_tokens)

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file; its time stamp always differs from that of the file it replaces."""
        location = self.documents / path
        location.parent.mkdir(parents=True, exist_ok=True)
        before = location.stat().st_mtime_ns if location.exists() else 0
        location.write_bytes(text if isinstance(text, bytes) else text.encode())
        if location.stat().st_mtime_ns == before:
            os.utime(location, ns=(before + 1, before + 1))
        return location

    def ingest(self, **options: object) -> IngestReport:
        self.files_read.clear()
        return self.ingestor.ingest_corpus(CORPUS, self.documents, **options)

    def search(self, question: str, *, limit: int = 5) -> list[Passage]:
        return list(self.search_with_trace(question, limit=limit).passages)

    def search_with_trace(self, question: str, *, limit: int = 5, **options: Any) -> SearchResult:
        return search_passages(
            question,
            corpus=CORPUS,
            limit=limit,
            library=self.library,
            find_nearest=self.vectors.find_nearest,
            embedder=self.embedder,
            **options,
        )

    def check(self) -> bool:
        """The self-check of the index at a start; whether it was made again."""
        return self.vectors.check(CORPUS, self.library.chunks.count_chunks(CORPUS, self.embedder.fingerprint))

    def list_chunks(self) -> dict[str, tuple[Chunk, str, str]]:
        """Everything the library knows of each chunk: itself, its path and its document's text."""
        ids = [chunk_id for ids, _ in self.read_pages() for chunk_id in ids]
        found = self.library.chunks.find_chunks(ids)
        texts = {
            record.id: self.library.find_document(record.id).text  # type: ignore[union-attr]
            for record in self.library.list_documents(CORPUS)
        }
        return {key: (chunk, record.path, texts[record.id]) for key, (chunk, record) in found.items()}

    def list_vectors(self) -> dict[str, list[int]]:
        """The library's vectors by chunk."""
        return {
            chunk_id: round_vector(vector)
            for ids, vectors in self.read_pages()
            for chunk_id, vector in zip(ids, vectors, strict=True)
        }

    def read_pages(self) -> list[tuple[list[str], np.ndarray]]:
        return list(self.library.chunks.read_vectors(CORPUS, self.embedder.fingerprint))

    def list_indexed(self) -> dict[str, list[int]]:
        """The index's vectors by chunk."""
        found = self.vectors._open_collection(CORPUS).get(include=["embeddings"])
        return {
            chunk_id: round_vector(vector)
            for chunk_id, vector in zip(found["ids"], found["embeddings"], strict=True)
        }

    def close(self) -> None:
        self.library.close()
        self.vectors.close()


def assert_sound(bench: Bench) -> None:
    """Library and index hold the same chunks and vectors, and every chunk stands in its document."""
    chunks = bench.list_chunks()
    stored, indexed = bench.list_vectors(), bench.list_indexed()
    assert set(stored) == set(indexed)
    for chunk_id, vector in stored.items():
        assert vector == pytest.approx(indexed[chunk_id], abs=1)
    assert set(chunks) == set(bench.list_vectors())
    for chunk, _, text in chunks.values():
        assert chunk.text == text[chunk.start : chunk.end]


def assert_same(bench: Bench, other: Bench) -> None:
    """Two benches hold the same, down to the vectors."""
    assert other.list_chunks() == bench.list_chunks()
    assert other.list_vectors() == bench.list_vectors()
    assert_sound(bench)
