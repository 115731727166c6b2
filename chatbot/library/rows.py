"""Documents, chunks and vectors as rows of the library's tables, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from chatbot.types import Chunk, Document, DocumentRecord, Vectors

RECORD_COLUMNS = (
    "id, corpus, path, title, format, size_bytes, modified_ns, sha256, date, pages, chunks, added_at, "
    "problem, language, authors, unread_pages, recognized_pages"
)
CHUNK_COLUMNS = "id, document_id, ordinal, start, end, text, headings, context, page, sheet, starts"
VECTOR_TYPE = "<f4"
SENTENCE_VECTOR_TYPE = "<f2"


def pack_record(record: DocumentRecord) -> tuple[object, ...]:
    """The values of `RECORD_COLUMNS`."""
    return tuple(getattr(record, name) for name in RECORD_COLUMNS.split(", "))


def pack_structure(document: Document) -> tuple[str, str, str]:
    """The blocks, page starts and sheets of a document, each as JSON."""
    blocks = [(block.kind, block.start, block.end, block.level, block.row) for block in document.blocks]
    return json.dumps(blocks), json.dumps(document.page_starts), json.dumps(document.sheets)


def pack_chunk(chunk: Chunk) -> tuple[object, ...]:
    """The values of `CHUNK_COLUMNS`."""
    values = {name: getattr(chunk, name) for name in CHUNK_COLUMNS.split(", ")}
    packed = {"headings": json.dumps(chunk.headings, ensure_ascii=False), "starts": json.dumps(chunk.starts)}
    return tuple((values | packed).values())


def unpack_chunk(row: Sequence[object]) -> Chunk:
    """The chunk of a row of `CHUNK_COLUMNS`."""
    values = dict(zip(CHUNK_COLUMNS.split(", "), row, strict=True))
    values["headings"] = tuple(json.loads(str(values["headings"])))
    values["starts"] = tuple((start, number) for start, number in json.loads(str(values["starts"])))
    return Chunk(**values)  # type: ignore[arg-type]


def unpack_sentence_vectors(packed: bytes, vector_bytes: int) -> Vectors:
    """Vectors of shape (sentences, dimension); the dimension is that of the chunk's own vector."""
    values = np.frombuffer(packed, dtype=SENTENCE_VECTOR_TYPE)
    return values.reshape(-1, vector_bytes // np.dtype(VECTOR_TYPE).itemsize).astype(np.float32)


def restrict_documents(documents: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """A condition that keeps a query within documents, and its value: their ids as JSON."""
    if documents is None:
        return "", ()
    return " AND document_id IN (SELECT value FROM json_each(?))", (json.dumps(documents),)
