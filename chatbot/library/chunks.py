"""The chunks of the library's documents, with their vectors and those of their sentences."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np

from chatbot.database import Database
from chatbot.library.rows import (
    CHUNK_COLUMNS,
    RECORD_COLUMNS,
    SENTENCE_VECTOR_TYPE,
    VECTOR_TYPE,
    pack_chunk,
    restrict_documents,
    unpack_chunk,
    unpack_sentence_vectors,
)
from chatbot.types import Chunk, DocumentRecord, PassageVectors, Vectors

_IDS_PER_QUERY = 30_000
"""SQLite takes 32,766 values a query, unless it was built for more."""


class StoredChunks:
    """Reads chunks and vectors; `Library` writes them with their document, by `insert_chunks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_places(self, corpus: str, *, limit: int) -> list[tuple[str, tuple[str, ...]]]:
        """Title and heading path of documents' first chunks, those with most chunks first."""
        rows = self._database.read(
            "SELECT title, headings FROM documents JOIN chunks ON document_id = documents.id "
            "WHERE documents.corpus = ? AND ordinal < 12 "
            "ORDER BY documents.chunks DESC, path, ordinal LIMIT ?",
            (corpus, limit),
        )
        return [(row[0], tuple(json.loads(row[1]))) for row in rows]

    def count_chunks(self, corpus: str, fingerprint: str) -> int:
        """The chunks of a corpus that have a vector of this embedding model."""
        query = "SELECT count(*) FROM chunks WHERE corpus = ? AND fingerprint = ?"
        return int(self._database.read(query, (corpus, fingerprint))[0][0])

    def find_chunks(self, ids: Sequence[str]) -> dict[str, tuple[Chunk, DocumentRecord]]:
        """The chunks that are still there, by id, with their documents."""
        columns = ", ".join(f"documents.{name}" for name in RECORD_COLUMNS.split(", "))
        chunk_columns = ", ".join(f"chunks.{name}" for name in CHUNK_COLUMNS.split(", "))
        rows = self._database.read(
            f"SELECT {chunk_columns}, {columns} FROM chunks JOIN documents ON documents.id = document_id "
            f"WHERE chunks.id IN ({', '.join('?' * len(ids))})",
            ids,
        )
        return {row[0]: (unpack_chunk(row[:11]), DocumentRecord(*row[11:])) for row in rows}

    def read_chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks that are still there, in no order, without their documents."""
        rows = self._database.read(
            f"SELECT {CHUNK_COLUMNS} FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(ids),),
        )
        return [unpack_chunk(row) for row in rows]

    def read_texts(self, ids: Sequence[str]) -> dict[str, str]:
        """Context and text of chunks, by id, as they are embedded and indexed."""
        rows = self._database.read(
            "SELECT id, context, text FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(ids),),
        )
        return {row[0]: f"{row[1]}\n{row[2]}" for row in rows}

    def list_chunk_ids(self, corpus: str, *, limit: int, documents: Sequence[str] | None = None) -> list[str]:
        """Ids of the first chunk of each document by path, then of the second of each, and so on.

        :param documents: the ids of those to list; None for all.
        """
        within, ids = restrict_documents(documents)
        rows = self._database.read(
            "SELECT chunks.id FROM documents JOIN chunks ON document_id = documents.id "
            f"WHERE documents.corpus = ?{within} ORDER BY ordinal, path LIMIT ?",
            (corpus, *ids, limit),
        )
        return [row[0] for row in rows]

    def list_chunks_of(self, documents: Sequence[str], *, limit: int) -> list[str]:
        """Ids of the chunks of documents, at most `limit`; those of one document in its order."""
        rows = self._database.read(
            "SELECT id FROM chunks WHERE document_id IN (SELECT value FROM json_each(?)) "
            "ORDER BY document_id, ordinal LIMIT ?",
            (json.dumps(documents), limit),
        )
        return [row[0] for row in rows]

    def keep_chunks_of(self, documents: Sequence[str], ids: Sequence[str]) -> set[str]:
        """Those of the chunks that belong to one of the documents."""
        rows = self._database.read(
            "SELECT id FROM chunks WHERE id IN (SELECT value FROM json_each(?))"
            " AND document_id IN (SELECT value FROM json_each(?))",
            (json.dumps(ids), json.dumps(documents)),
        )
        return {row[0] for row in rows}

    def find_vectors(self, ids: Sequence[str], fingerprint: str) -> dict[str, Vectors]:
        """The vectors that an embedding model made of chunks, by id, where they are there."""
        found: dict[str, Vectors] = {}
        for first in range(0, len(ids), _IDS_PER_QUERY):
            some = ids[first : first + _IDS_PER_QUERY]
            rows = self._database.read(
                "SELECT id, vector FROM chunks WHERE fingerprint = ? "
                f"AND id IN ({', '.join('?' * len(some))})",
                (fingerprint, *some),
            )
            found |= {row[0]: np.frombuffer(row[1], dtype=VECTOR_TYPE) for row in rows}
        return found

    def find_sentence_vectors(self, ids: Sequence[str], fingerprint: str) -> dict[str, Vectors]:
        """The vectors of the sentences of chunks, by chunk, each of shape (sentences, dimension)."""
        rows = self._database.read(
            "SELECT id, vectors, length(vector) FROM chunks JOIN sentence_vectors USING (number) "
            "WHERE fingerprint = ? AND id IN (SELECT value FROM json_each(?))",
            (fingerprint, json.dumps(ids)),
        )
        return {row[0]: unpack_sentence_vectors(row[1], row[2]) for row in rows}

    def read_sentences(
        self, document_id: str, start: int, end: int, fingerprint: str
    ) -> list[tuple[int, str, Vectors]]:
        """Start, text and sentence vectors of the chunks within the characters `start` to `end`."""
        rows = self._database.read(
            "SELECT start, text, vectors, length(vector) FROM chunks JOIN sentence_vectors USING (number) "
            "WHERE document_id = ? AND start >= ? AND end <= ? AND fingerprint = ? ORDER BY ordinal",
            (document_id, start, end, fingerprint),
        )
        return [(row[0], row[1], unpack_sentence_vectors(row[2], row[3])) for row in rows]

    def read_vectors(
        self, corpus: str, fingerprint: str, *, page_rows: int = 4000
    ) -> Iterator[tuple[list[str], Vectors]]:
        """All chunk ids and vectors of a corpus and embedding model, a page at a time."""
        last = -1
        while rows := self._database.read(
            "SELECT number, id, vector FROM chunks WHERE corpus = ? AND fingerprint = ? AND number > ? "
            "ORDER BY number LIMIT ?",
            (corpus, fingerprint, last, page_rows),
        ):
            last = rows[-1][0]
            yield (
                [row[1] for row in rows],
                np.stack([np.frombuffer(row[2], dtype=VECTOR_TYPE) for row in rows]),
            )


def insert_chunks(
    database: sqlite3.Connection,
    chunks: Sequence[Chunk],
    vectors: PassageVectors,
    *,
    corpus: str,
    fingerprint: str,
) -> None:
    """Write the chunks of a document within the transaction that writes it."""
    database.executemany(
        f"INSERT INTO chunks ({CHUNK_COLUMNS}, corpus, fingerprint, vector) VALUES ({', '.join('?' * 14)})",
        [
            (*pack_chunk(chunk), corpus, fingerprint, vector.astype(VECTOR_TYPE).tobytes())
            for chunk, vector in zip(chunks, vectors.whole, strict=True)
        ],
    )
    database.executemany(
        "INSERT INTO sentence_vectors (number, vectors) SELECT number, ? FROM chunks WHERE id = ?",
        [
            (sentences.astype(SENTENCE_VECTOR_TYPE).tobytes(), chunk.id)
            for chunk, sentences in zip(chunks, vectors.spans, strict=True)
        ],
    )
