"""Vectors of the chunks of documents: those that the library has are taken from it, the others made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.chunking import join_for_embedding
from chatbot.library import Library
from chatbot.sentences import split_rows_and_sentences
from chatbot.types import Chunk, Document, Embedder, PassageVectors, Span, Vectors

MOST_BORROWED = 20_000
"""So many chunks of a document with the same content are looked through for vectors."""

KnownVectors = dict[str, tuple[Vectors, Vectors]]
"""By chunk, its vector and those of its sentences."""


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document with its chunks; vectors may be taken of the document `donor`, by its id."""

    document: Document
    chunks: tuple[Chunk, ...]
    donor: str | None = None


@dataclass(frozen=True, slots=True)
class ChunkVectors:
    """Makes vectors with an embedding model, and spares it what the library holds already."""

    library: Library
    embedder: Embedder

    def embed(self, documents: Sequence[CutDocument]) -> list[PassageVectors]:
        """For each document, the vectors of its chunks and of their sentences.

        What is new of all documents is read together, so that texts of like length meet.
        """
        known: KnownVectors = {}
        for document in documents:
            known |= self._find_known(document)
        fresh = [
            chunk
            for document in documents
            for chunk in document.chunks
            if chunk.id not in known or len(known[chunk.id][1]) != len(list_sentences(chunk))
        ]
        embedded = self.embedder.embed_passages(
            [join_for_embedding(chunk) for chunk in fresh], [list_sentences(chunk) for chunk in fresh]
        )
        for chunk, whole, parts in zip(fresh, embedded.whole, embedded.spans, strict=True):
            known[chunk.id] = whole, parts
        return [stack_vectors([known[chunk.id] for chunk in document.chunks]) for document in documents]

    def _find_known(self, document: CutDocument) -> KnownVectors:
        known = self._find_vectors([chunk.id for chunk in document.chunks])
        if document.donor is not None and len(known) < len(document.chunks):
            known |= self._borrow_vectors(document.chunks, document.donor)
        return known

    def _find_vectors(self, ids: Sequence[str]) -> KnownVectors:
        """The vectors of chunks and of their sentences, of those chunks that the library has both of."""
        whole = self.library.chunks.find_vectors(ids, self.embedder.fingerprint)
        sentences = self.library.chunks.find_sentence_vectors(ids, self.embedder.fingerprint)
        return {chunk_id: (whole[chunk_id], sentences[chunk_id]) for chunk_id in whole.keys() & sentences}

    def _borrow_vectors(self, chunks: Sequence[Chunk], donor: str) -> KnownVectors:
        """By chunk, the vectors of the donor's chunk with the same words, where there is one."""
        ids = self.library.chunks.list_chunks_of([donor], limit=MOST_BORROWED)
        lent = self._find_vectors(ids)
        by_text = {
            join_for_embedding(chunk): lent[chunk_id]
            for chunk_id, (chunk, _) in self.library.chunks.find_chunks(ids).items()
            if chunk_id in lent
        }
        texts = {chunk.id: join_for_embedding(chunk) for chunk in chunks}
        return {chunk_id: by_text[text] for chunk_id, text in texts.items() if text in by_text}


def list_sentences(chunk: Chunk) -> list[Span]:
    """Where the sentences of a chunk stand in the text that is embedded for it."""
    offset = len(join_for_embedding(chunk)) - len(chunk.text)
    return [(offset + start, offset + end) for start, end in split_rows_and_sentences(chunk.text)]


def stack_vectors(found: Sequence[tuple[Vectors, Vectors]]) -> PassageVectors:
    """The vectors of chunks as one array, and those of their sentences."""
    whole = np.stack([vector for vector, _ in found]) if found else np.empty((0, 0), np.float32)
    return PassageVectors(whole, tuple(parts for _, parts in found))
