"""The library: every document, chunk and vector in one SQLite file. It is the truth.

The vector index of `vectors.py` is made from it and can be made again at any time.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import numpy as np

from chatbot.errors import LibraryError
from chatbot.sentences import STOP_WORDS, find_words
from chatbot.types import Block, Chunk, Document, DocumentRecord, Vectors

SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, corpus TEXT NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL,
    format TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, date TEXT, pages INTEGER NOT NULL, chunks INTEGER NOT NULL,
    added_at TEXT NOT NULL, problem TEXT, language TEXT, recipe TEXT NOT NULL,
    text TEXT NOT NULL, blocks TEXT NOT NULL, page_starts TEXT NOT NULL,
    UNIQUE (corpus, path)
);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, corpus TEXT NOT NULL,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, text TEXT NOT NULL,
    headings TEXT NOT NULL, context TEXT NOT NULL, page INTEGER,
    fingerprint TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX chunks_of_document ON chunks (document_id, ordinal);
CREATE INDEX chunks_of_corpus ON chunks (corpus);
CREATE VIRTUAL TABLE words USING fts5 (
    context, text, content = 'chunks', content_rowid = 'number',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
    INSERT INTO words (rowid, context, text) VALUES (new.number, new.context, new.text);
END;
CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
    INSERT INTO words (words, rowid, context, text) VALUES ('delete', old.number, old.context, old.text);
END;
CREATE TABLE vocabulary (
    corpus TEXT NOT NULL, word TEXT NOT NULL, documents INTEGER NOT NULL, PRIMARY KEY (corpus, word)
) WITHOUT ROWID;
"""
_UPGRADES = {
    # Every document is read again; the vectors of its chunks are kept.
    1: """
ALTER TABLE documents ADD COLUMN language TEXT;
CREATE TABLE vocabulary (
    corpus TEXT NOT NULL, word TEXT NOT NULL, documents INTEGER NOT NULL, PRIMARY KEY (corpus, word)
) WITHOUT ROWID;
UPDATE documents SET recipe = '';
""",
}
_RECORD_COLUMNS = (
    "id, corpus, path, title, format, size_bytes, modified_ns, sha256, date, pages, chunks, added_at, "
    "problem, language"
)
_CHUNK_COLUMNS = "id, document_id, ordinal, start, end, text, headings, context, page"
_VECTOR_TYPE = "<f4"
_IDS_PER_QUERY = 30_000
"""SQLite takes 32,766 values a query, unless it was built for more."""


class Library:
    """Documents, their chunks with vectors, and the words of the chunks.

    Safe to call from several threads; one process at a time (see `ownership.py`).

    :raises LibraryError: when the file is no library, is damaged, or is newer than this program.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._database = open_database(path, _SCHEMA, SCHEMA_VERSION, _UPGRADES)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, write_transaction(self._database) as database:
            yield database

    def _select(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    # Documents

    def list_documents(self, corpus: str) -> list[DocumentRecord]:
        """The corpus's files by path, those that could not be read included."""
        rows = self._select(
            f"SELECT {_RECORD_COLUMNS} FROM documents WHERE corpus = ? ORDER BY path", (corpus,)
        )
        return [DocumentRecord(*row) for row in rows]

    def list_recipes(self, corpus: str) -> dict[str, str]:
        """How each file of the corpus was made into chunks, by path."""
        rows = self._select("SELECT path, recipe FROM documents WHERE corpus = ?", (corpus,))
        return {row[0]: row[1] for row in rows}

    def find_document(self, document_id: str) -> Document | None:
        """The document with its text, or None."""
        rows = self._select(
            f"SELECT {_RECORD_COLUMNS}, text, blocks, page_starts FROM documents WHERE id = ?", (document_id,)
        )
        if not rows:
            return None
        *record, text, blocks, page_starts = rows[0]
        return Document(
            DocumentRecord(*record),
            text,
            tuple(Block(*block) for block in json.loads(blocks)),
            tuple(json.loads(page_starts)),
        )

    def replace_document(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors,
        *,
        recipe: str,
        fingerprint: str,
    ) -> tuple[list[str], list[str]]:
        """Write a document and all its chunks in one transaction, in place of what was there.

        :param vectors: shape (len(chunks), dimension).
        :param recipe: how the document was made into chunks and vectors.
        :param fingerprint: the embedding model that made the vectors.
        :return: the ids of the chunks that are new to this embedding model, and of those that are gone.
        """
        record = document.record
        with self._transaction() as database:
            before = {
                row[0]
                for row in database.execute(
                    "SELECT id FROM chunks WHERE document_id = ? AND fingerprint = ?",
                    (record.id, fingerprint),
                )
            }
            database.execute("DELETE FROM chunks WHERE document_id = ?", (record.id,))
            database.execute("DELETE FROM documents WHERE id = ?", (record.id,))
            database.execute(
                f"INSERT INTO documents ({_RECORD_COLUMNS}, recipe, text, blocks, page_starts) "
                f"VALUES ({', '.join('?' * 18)})",
                (*_record_values(record), recipe, document.text, *_pack_structure(document)),
            )
            database.executemany(
                f"INSERT INTO chunks ({_CHUNK_COLUMNS}, corpus, fingerprint, vector) "
                f"VALUES ({', '.join('?' * 12)})",
                [
                    (*_chunk_values(chunk), record.corpus, fingerprint, vector.astype(_VECTOR_TYPE).tobytes())
                    for chunk, vector in zip(chunks, vectors, strict=True)
                ],
            )
        after = {chunk.id for chunk in chunks}
        return sorted(after - before), sorted(before - after)

    def touch_document(self, document_id: str, *, size_bytes: int, modified_ns: int) -> None:
        """Note that an unchanged file has a new time stamp."""
        with self._transaction() as database:
            database.execute(
                "UPDATE documents SET size_bytes = ?, modified_ns = ? WHERE id = ?",
                (size_bytes, modified_ns, document_id),
            )

    def delete_document(self, document_id: str) -> list[str]:
        """Remove a document; the ids of its chunks are returned."""
        with self._transaction() as database:
            ids = [
                row[0]
                for row in database.execute("SELECT id FROM chunks WHERE document_id = ?", (document_id,))
            ]
            database.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))
            database.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        return ids

    def erase_leftovers(self) -> None:
        """Overwrite what deleted documents left in the word index and in the write-ahead log."""
        with self._transaction() as database:
            database.execute("INSERT INTO words (words) VALUES ('optimize')")
        with self._lock:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # Chunks

    def list_places(self, corpus: str, *, limit: int) -> list[tuple[str, tuple[str, ...]]]:
        """Title and heading path of documents' first chunks, those with most chunks first."""
        rows = self._select(
            "SELECT title, headings FROM documents JOIN chunks ON document_id = documents.id "
            "WHERE documents.corpus = ? AND ordinal < 12 "
            "ORDER BY documents.chunks DESC, path, ordinal LIMIT ?",
            (corpus, limit),
        )
        return [(row[0], tuple(json.loads(row[1]))) for row in rows]

    def count_chunks(self, corpus: str, fingerprint: str) -> int:
        """The chunks of a corpus that have a vector of this embedding model."""
        query = "SELECT count(*) FROM chunks WHERE corpus = ? AND fingerprint = ?"
        return int(self._select(query, (corpus, fingerprint))[0][0])

    def list_corpora(self) -> list[str]:
        """The corpora that have documents in the library."""
        return [row[0] for row in self._select("SELECT DISTINCT corpus FROM documents ORDER BY corpus")]

    def find_chunks(self, ids: Sequence[str]) -> dict[str, tuple[Chunk, DocumentRecord]]:
        """The chunks that are still there, by id, with their documents."""
        columns = ", ".join(f"documents.{name}" for name in _RECORD_COLUMNS.split(", "))
        chunk_columns = ", ".join(f"chunks.{name}" for name in _CHUNK_COLUMNS.split(", "))
        rows = self._select(
            f"SELECT {chunk_columns}, {columns} FROM chunks JOIN documents ON documents.id = document_id "
            f"WHERE chunks.id IN ({', '.join('?' * len(ids))})",
            ids,
        )
        return {row[0]: (_read_chunk(row[:9]), DocumentRecord(*row[9:])) for row in rows}

    def find_vectors(self, ids: Sequence[str], fingerprint: str) -> dict[str, Vectors]:
        """The vectors that an embedding model made of chunks, by id, where they are there."""
        found: dict[str, Vectors] = {}
        for first in range(0, len(ids), _IDS_PER_QUERY):
            some = ids[first : first + _IDS_PER_QUERY]
            rows = self._select(
                "SELECT id, vector FROM chunks WHERE fingerprint = ? "
                f"AND id IN ({', '.join('?' * len(some))})",
                (fingerprint, *some),
            )
            found |= {row[0]: np.frombuffer(row[1], dtype=_VECTOR_TYPE) for row in rows}
        return found

    def read_vectors(
        self, corpus: str, fingerprint: str, *, page_rows: int = 4000
    ) -> Iterator[tuple[list[str], Vectors]]:
        """All chunk ids and vectors of a corpus and embedding model, a page at a time."""
        last = -1
        while rows := self._select(
            "SELECT number, id, vector FROM chunks WHERE corpus = ? AND fingerprint = ? AND number > ? "
            "ORDER BY number LIMIT ?",
            (corpus, fingerprint, last, page_rows),
        ):
            last = rows[-1][0]
            yield (
                [row[1] for row in rows],
                np.stack([np.frombuffer(row[2], dtype=_VECTOR_TYPE) for row in rows]),
            )

    def search_words(self, corpus: str, question: str, *, limit: int) -> list[tuple[str, float]]:
        """Ids and BM25 scores of the chunks that share words with the question, best first."""
        words = [word for word in dict.fromkeys(find_words(question)) if word not in STOP_WORDS]
        if not words:
            return []
        quoted = " OR ".join('"' + word.replace('"', "") + '"' for word in words)
        rows = self._select(
            "SELECT chunks.id, bm25(words) AS score FROM words JOIN chunks ON chunks.number = words.rowid "
            "WHERE words MATCH ? AND chunks.corpus = ? ORDER BY score, chunks.number LIMIT ?",
            (quoted, corpus, limit),
        )
        return [(row[0], -row[1]) for row in rows]

    def count_chunks_with(self, corpus: str, word: str) -> int:
        """How many chunks of the corpus hold a word, in any of its forms."""
        rows = self._select(
            "SELECT count(*) FROM words JOIN chunks ON chunks.number = words.rowid "
            "WHERE words MATCH ? AND chunks.corpus = ?",
            ('"' + word.replace('"', "") + '"', corpus),
        )
        return int(rows[0][0])


def open_database(
    path: Path,
    schema: str,
    version: int,
    upgrades: Mapping[int, str] = MappingProxyType({}),
) -> sqlite3.Connection:
    """Open or create a SQLite file in WAL mode, durable at every commit, deleted text overwritten.

    :param upgrades: by version, the statements that lead from it to the next.
    :raises LibraryError: when it cannot be used, or was made by a newer version of this program.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA secure_delete = ON")
        found = int(database.execute("PRAGMA user_version").fetchone()[0])
        if found < version:
            steps = [schema] if found == 0 else [upgrades[step] for step in range(found, version)]
            with write_transaction(database):
                for statement in _split_statements("".join(steps)):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {version}")
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(
            f"{path} cannot be used ({error}).",
            "Check that the data folder can be written and the disk is not full; if the file is "
            "damaged, move it away and the documents are read again.",
        ) from error
    if found > version:
        database.close()
        raise LibraryError(
            f"{path} was made by a newer version of the chatbot.",
            "Update the chatbot, or choose another data folder with CHATBOT_DATA_FOLDER.",
        )
    return database


@contextmanager
def write_transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing: commit at the end, roll back on any error.

    :raises LibraryError: when the database cannot be written, for instance on a full disk.
    """
    try:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise LibraryError(
            f"The data folder could not be written ({error}).",
            "Nothing was lost. Free some disk space or mend the folder's permissions, then try again.",
        ) from error


def _split_statements(schema: str) -> Iterator[str]:
    statement = ""
    for line in schema.strip().splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _record_values(record: DocumentRecord) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in _RECORD_COLUMNS.split(", "))


def _chunk_values(chunk: Chunk) -> tuple[object, ...]:
    values = {name: getattr(chunk, name) for name in _CHUNK_COLUMNS.split(", ")}
    return tuple((values | {"headings": json.dumps(chunk.headings, ensure_ascii=False)}).values())


def _read_chunk(row: Sequence[object]) -> Chunk:
    values = dict(zip(_CHUNK_COLUMNS.split(", "), row, strict=True))
    return Chunk(**(values | {"headings": tuple(json.loads(str(values["headings"])))}))  # type: ignore[arg-type]


def _pack_structure(document: Document) -> tuple[str, str]:
    blocks = [(block.kind, block.start, block.end, block.level) for block in document.blocks]
    return json.dumps(blocks), json.dumps(document.page_starts)
