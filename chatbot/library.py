"""The library: every document, chunk and vector in one SQLite file. It is the truth.

The vector index of `vectors.py` is made from it and can be made again at any time.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from chatbot.compounds import list_spellings
from chatbot.database import empty_log, open_database, read_rows, write_transaction
from chatbot.filters import list_choices, select_documents
from chatbot.sentences import STOP_WORDS, find_words
from chatbot.spelling import Vocabulary, list_words, make_vocabulary
from chatbot.types import (
    Block,
    Chunk,
    Document,
    DocumentRecord,
    FilterChoices,
    PassageVectors,
    SearchFilters,
    Vectors,
)

SCHEMA_VERSION = 5
_SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, corpus TEXT NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL,
    format TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, date TEXT, pages INTEGER NOT NULL, chunks INTEGER NOT NULL,
    added_at TEXT NOT NULL, problem TEXT, language TEXT, recipe TEXT NOT NULL,
    text TEXT NOT NULL, blocks TEXT NOT NULL, page_starts TEXT NOT NULL,
    authors TEXT NOT NULL DEFAULT '', unread_pages TEXT NOT NULL DEFAULT '',
    recognized_pages TEXT NOT NULL DEFAULT '', sheets TEXT NOT NULL DEFAULT '[]',
    UNIQUE (corpus, path)
);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, corpus TEXT NOT NULL,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, text TEXT NOT NULL,
    headings TEXT NOT NULL, context TEXT NOT NULL, page INTEGER,
    fingerprint TEXT NOT NULL, vector BLOB NOT NULL, sheet TEXT, starts TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX documents_of_corpus ON documents (corpus, problem);
CREATE INDEX documents_by_content ON documents (corpus, sha256, format);
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
CREATE TABLE sentence_vectors (
    number INTEGER PRIMARY KEY REFERENCES chunks (number) ON DELETE CASCADE, vectors BLOB NOT NULL
);
CREATE TABLE vocabulary (
    corpus TEXT NOT NULL, word TEXT NOT NULL, documents INTEGER NOT NULL, PRIMARY KEY (corpus, word)
) WITHOUT ROWID;
CREATE TABLE leftovers (document_id TEXT PRIMARY KEY);
"""
_UPGRADES = {
    # Every document is read again, which also gives its sentences their vectors.
    1: """
ALTER TABLE documents ADD COLUMN language TEXT;
CREATE INDEX documents_of_corpus ON documents (corpus, problem);
CREATE TABLE sentence_vectors (
    number INTEGER PRIMARY KEY REFERENCES chunks (number) ON DELETE CASCADE, vectors BLOB NOT NULL
);
CREATE TABLE vocabulary (
    corpus TEXT NOT NULL, word TEXT NOT NULL, documents INTEGER NOT NULL, PRIMARY KEY (corpus, word)
) WITHOUT ROWID;
UPDATE documents SET recipe = '';
""",
    2: """
CREATE INDEX documents_by_content ON documents (corpus, sha256, format);
""",
    3: """
ALTER TABLE documents ADD COLUMN authors TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN unread_pages TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN recognized_pages TEXT NOT NULL DEFAULT '';
""",
    # What has sheets or pages is read again, so that its rows are numbered and its quotes' pages known.
    4: """
ALTER TABLE documents ADD COLUMN sheets TEXT NOT NULL DEFAULT '[]';
CREATE TABLE leftovers (document_id TEXT PRIMARY KEY);
ALTER TABLE chunks ADD COLUMN sheet TEXT;
ALTER TABLE chunks ADD COLUMN starts TEXT NOT NULL DEFAULT '[]';
UPDATE documents SET recipe = '' WHERE problem IS NULL
    AND (pages > 0 OR format IN ('xlsx', 'xlsm', 'xls', 'ods', 'csv', 'tsv'));
""",
}
_RECORD_COLUMNS = (
    "id, corpus, path, title, format, size_bytes, modified_ns, sha256, date, pages, chunks, added_at, "
    "problem, language, authors, unread_pages, recognized_pages"
)
_CHUNK_COLUMNS = "id, document_id, ordinal, start, end, text, headings, context, page, sheet, starts"
_VECTOR_TYPE = "<f4"
_SENTENCE_VECTOR_TYPE = "<f2"
SPARE_ROWS = 2
"""So many times as many chunks are taken from the word index as are wanted of one corpus."""
COMMON_DOCUMENTS, FEWEST_WORDS = 600, 2
"""A word that more documents hold is searched for only where it is among the question's two rarest."""
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
        self._vocabularies: dict[str, Vocabulary] = {}
        self._fill_vocabularies()

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, write_transaction(self._database) as database:
            yield database

    def _select(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return read_rows(self._database, query, values)

    # Documents

    def list_documents(self, corpus: str) -> list[DocumentRecord]:
        """The corpus's files by path, those that could not be read included."""
        rows = self._select(
            f"SELECT {_RECORD_COLUMNS} FROM documents WHERE corpus = ? ORDER BY path", (corpus,)
        )
        return [DocumentRecord(*row) for row in rows]

    def count_documents(self, corpus: str) -> int:
        """The corpus's documents that can be searched."""
        query = "SELECT count(*) FROM documents WHERE corpus = ? AND problem IS NULL"
        return int(self._select(query, (corpus,))[0][0])

    def match_documents(self, corpus: str, filters: SearchFilters) -> list[str] | None:
        """Ids of the documents that the filters let through; None where they leave none out.

        A copy is stood for by the document that holds its chunks.
        """
        if not filters.choose_documents:
            return None
        readable = self._list_readable(corpus)
        originals = {(record.sha256, record.format): record.id for record in readable if record.chunks}
        chosen = select_documents(readable, filters)
        ids = [
            originals.get((record.sha256, record.format), record.id) for record in chosen if not record.chunks
        ]
        return list(dict.fromkeys([*(record.id for record in chosen if record.chunks), *ids]))

    def list_copies(self, document_ids: Sequence[str]) -> dict[str, list[DocumentRecord]]:
        """By document, those with the same content, which have no chunks of their own, by path."""
        columns = ", ".join(f"copies.{name}" for name in _RECORD_COLUMNS.split(", "))
        rows = self._select(
            f"SELECT originals.id, {columns} FROM documents AS originals JOIN documents AS copies "
            "USING (corpus, sha256, format) WHERE originals.id IN (SELECT value FROM json_each(?)) "
            "AND originals.chunks > 0 AND copies.chunks = 0 AND copies.problem IS NULL "
            "ORDER BY copies.path",
            (json.dumps(document_ids),),
        )
        found: dict[str, list[DocumentRecord]] = {}
        for original, *copy in rows:
            found.setdefault(original, []).append(DocumentRecord(*copy))
        return found

    def find_original(self, document_id: str) -> str:
        """The document that holds the chunks of a copy; of any other, itself."""
        rows = self._select(
            "SELECT originals.id FROM documents AS copies JOIN documents AS originals "
            "USING (corpus, sha256, format) WHERE copies.id = ? AND copies.chunks = 0 "
            "AND originals.chunks > 0 LIMIT 1",
            (document_id,),
        )
        return str(rows[0][0]) if rows else document_id

    def find_same_content(self, record: DocumentRecord) -> DocumentRecord | None:
        """Another document of the corpus with the same content, the one with chunks first."""
        rows = self._select(
            f"SELECT {_RECORD_COLUMNS} FROM documents WHERE corpus = ? AND sha256 = ? AND format = ? "
            "AND sha256 != '' AND id != ? AND problem IS NULL ORDER BY chunks DESC, path LIMIT 1",
            (record.corpus, record.sha256, record.format, record.id),
        )
        return DocumentRecord(*rows[0]) if rows else None

    def list_filter_choices(self, corpus: str) -> FilterChoices:
        """What the corpus's documents can be chosen by."""
        return list_choices(self._list_readable(corpus))

    def _list_readable(self, corpus: str) -> list[DocumentRecord]:
        return [record for record in self.list_documents(corpus) if record.problem is None]

    def list_recipes(self, corpus: str) -> dict[str, str]:
        """How each file of the corpus was made into chunks, by path."""
        rows = self._select("SELECT path, recipe FROM documents WHERE corpus = ?", (corpus,))
        return {row[0]: row[1] for row in rows}

    def find_document(self, document_id: str) -> Document | None:
        """The document with its text, or None."""
        rows = self._select(
            f"SELECT {_RECORD_COLUMNS}, text, blocks, page_starts, sheets FROM documents WHERE id = ?",
            (document_id,),
        )
        if not rows:
            return None
        *record, text, blocks, page_starts, sheets = rows[0]
        return Document(
            DocumentRecord(*record),
            text,
            tuple(Block(*block) for block in json.loads(blocks)),
            tuple(json.loads(page_starts)),
            tuple((start, name) for start, name in json.loads(sheets)),
        )

    def find_revisions(self, ids: Collection[str]) -> dict[str, str]:
        """The SHA-256 of documents' files, by document id, of those that are there."""
        query = "SELECT id, sha256 FROM documents WHERE id IN (SELECT value FROM json_each(?))"
        return {row[0]: row[1] for row in self._select(query, (json.dumps(list(ids)),))}

    def replace_document(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: PassageVectors,
        *,
        recipe: str,
        fingerprint: str,
    ) -> tuple[list[str], list[str]]:
        """Write a document and all its chunks in one transaction, in place of what was there.

        :param vectors: of the chunks, and of the sentences of each.
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
            words_before = _list_document_words(database, record.id)
            database.execute("DELETE FROM chunks WHERE document_id = ?", (record.id,))
            database.execute("DELETE FROM documents WHERE id = ?", (record.id,))
            database.execute(
                f"INSERT INTO documents ({_RECORD_COLUMNS}, recipe, text, blocks, page_starts, sheets) "
                f"VALUES ({', '.join('?' * 22)})",
                (*_record_values(record), recipe, document.text, *_pack_structure(document)),
            )
            database.executemany(
                f"INSERT INTO chunks ({_CHUNK_COLUMNS}, corpus, fingerprint, vector) "
                f"VALUES ({', '.join('?' * 14)})",
                [
                    (*_chunk_values(chunk), record.corpus, fingerprint, vector.astype(_VECTOR_TYPE).tobytes())
                    for chunk, vector in zip(chunks, vectors.whole, strict=True)
                ],
            )
            database.executemany(
                "INSERT INTO sentence_vectors (number, vectors) SELECT number, ? FROM chunks WHERE id = ?",
                [
                    (sentences.astype(_SENTENCE_VECTOR_TYPE).tobytes(), chunk.id)
                    for chunk, sentences in zip(chunks, vectors.spans, strict=True)
                ],
            )
            words_after = {word for chunk in chunks for word in _list_chunk_words(chunk.context, chunk.text)}
            self._count_words(database, record.corpus, words_before, words_after)
        after = {chunk.id for chunk in chunks}
        return sorted(after - before), sorted(before - after)

    def touch_document(self, document_id: str, *, size_bytes: int, modified_ns: int) -> None:
        """Note that an unchanged file has a new time stamp."""
        with self._transaction() as database:
            database.execute(
                "UPDATE documents SET size_bytes = ?, modified_ns = ? WHERE id = ?",
                (size_bytes, modified_ns, document_id),
            )

    def forget_recipe(self, document_id: str) -> None:
        """Have the next ingest read a document again."""
        with self._transaction() as database:
            database.execute("UPDATE documents SET recipe = '' WHERE id = ?", (document_id,))

    def delete_document(self, document_id: str) -> list[str]:
        """Remove a document; the ids of its chunks are returned."""
        with self._transaction() as database:
            query = "SELECT id, corpus FROM chunks WHERE document_id = ?"
            chunks = database.execute(query, (document_id,)).fetchall()
            if chunks:
                words_before = _list_document_words(database, document_id)
                self._count_words(database, chunks[0][1], words_before, set())
            database.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))
            database.execute("DELETE FROM documents WHERE id = ?", (document_id,))
            database.execute("INSERT OR IGNORE INTO leftovers VALUES (?)", (document_id,))
        return [chunk[0] for chunk in chunks]

    def erase_leftovers(self) -> None:
        """Overwrite what deleted documents left in the word index and in the write-ahead log.

        Where another process reads the library all the while, some may stay: `has_leftovers` tells.
        """
        with self._transaction() as database:
            database.execute("INSERT INTO words (words) VALUES ('optimize')")
        with self._lock:
            if empty_log(self._database):
                with self._transaction() as database:
                    database.execute("DELETE FROM leftovers")

    def has_leftovers(self) -> bool:
        """Whether a document was deleted, by this process or an earlier one, and not erased since."""
        return bool(self._select("SELECT 1 FROM leftovers LIMIT 1"))

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
        return {row[0]: (_read_chunk(row[:11]), DocumentRecord(*row[11:])) for row in rows}

    def read_chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks that are still there, in no order, without their documents."""
        rows = self._select(
            f"SELECT {_CHUNK_COLUMNS} FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(ids),),
        )
        return [_read_chunk(row) for row in rows]

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

    def find_sentence_vectors(self, ids: Sequence[str], fingerprint: str) -> dict[str, Vectors]:
        """The vectors of the sentences of chunks, by chunk, each of shape (sentences, dimension)."""
        rows = self._select(
            "SELECT id, vectors, length(vector) FROM chunks JOIN sentence_vectors USING (number) "
            "WHERE fingerprint = ? AND id IN (SELECT value FROM json_each(?))",
            (fingerprint, json.dumps(ids)),
        )
        return {row[0]: _unpack_sentence_vectors(row[1], row[2]) for row in rows}

    def read_sentences(
        self, document_id: str, start: int, end: int, fingerprint: str
    ) -> list[tuple[int, str, Vectors]]:
        """Start, text and sentence vectors of the chunks within the characters `start` to `end`."""
        rows = self._select(
            "SELECT start, text, vectors, length(vector) FROM chunks JOIN sentence_vectors USING (number) "
            "WHERE document_id = ? AND start >= ? AND end <= ? AND fingerprint = ? ORDER BY ordinal",
            (document_id, start, end, fingerprint),
        )
        return [(row[0], row[1], _unpack_sentence_vectors(row[2], row[3])) for row in rows]

    def read_text(self, document_id: str, start: int, end: int) -> str:
        """The characters `start` to `end` of a document; empty where it is gone."""
        rows = self._select("SELECT text FROM documents WHERE id = ?", (document_id,))
        return str(rows[0][0])[start:end] if rows else ""

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

    def search_words(
        self,
        corpus: str,
        question: str,
        *,
        limit: int,
        documents: Sequence[str] | None = None,
        phrases: Sequence[str] = (),
    ) -> list[tuple[str, float]]:
        """Ids and BM25 scores of the chunks that share words with the question, best first.

        :param documents: the ids of those to search; None for all.
        :param phrases: only chunks that hold the words of each, in any of their forms, side by side.
        """
        words = [word for word in dict.fromkeys(find_words(question)) if word not in STOP_WORDS]
        if not words:
            return []
        words = [*self._drop_common_words(corpus, words), *self._list_other_words(corpus, question)]
        pattern = " OR ".join(map(_quote_words, words))
        if phrases:
            pattern = " AND ".join([f"({pattern})", *map(_quote_words, phrases)])
        if documents is None and (found := self._search_all_words(corpus, pattern, limit)) is not None:
            return found
        within, ids = _restrict_documents(documents)
        rows = self._select(
            "SELECT chunks.id, bm25(words) AS score "
            "FROM words CROSS JOIN chunks ON chunks.number = words.rowid "
            f"WHERE words MATCH ? AND chunks.corpus = ?{within} ORDER BY score, chunks.number LIMIT ?",
            (pattern, corpus, *ids, limit),
        )
        return [(row[0], -row[1]) for row in rows]

    def _search_all_words(self, corpus: str, pattern: str, limit: int) -> list[tuple[str, float]] | None:
        """The best chunks of all corpora, as far as they are of this one; None where those are too few.

        Sorted by FTS5 itself this takes half the time, because only the best are looked up.
        """
        most = limit * SPARE_ROWS
        rows = self._select(
            "SELECT id, corpus, score FROM (SELECT rowid AS number, rank AS score FROM words "
            "WHERE words MATCH ? ORDER BY rank LIMIT ?) CROSS JOIN chunks USING (number) "
            "ORDER BY score, number",
            (pattern, most),
        )
        found = [(row[0], -row[2]) for row in rows if row[1] == corpus][:limit]
        return found if len(found) == limit or len(rows) < most else None

    def _drop_common_words(self, corpus: str, words: Sequence[str]) -> list[str]:
        """The words without those that very many documents hold; the rarest are kept in any case.

        Looking through all places of a common word is what takes long in a large corpus.
        """
        rows = self._select(
            "SELECT word, documents FROM vocabulary WHERE corpus = ? AND documents > ? "
            "AND word IN (SELECT value FROM json_each(?))",
            (corpus, COMMON_DOCUMENTS, json.dumps(words)),
        )
        common = {row[0]: row[1] for row in rows}
        rarest = sorted(words, key=lambda word: common.get(word, 0))[:FEWEST_WORDS]
        return [word for word in words if word not in common or word in rarest]

    def list_spellings(self, corpus: str, text: str) -> list[str]:
        """A text, and after it the same with each compound as the corpus writes it too; see `compounds`."""
        known = set(find_words(text))
        _, *others = list_spellings(text, lambda words: self._find_in_vocabulary(corpus, words))
        return [
            text,
            *(
                other
                for other in others
                if all(self.holds_words(corpus, word) for word in find_words(other) if word not in known)
            ),
        ]

    def _list_other_words(self, corpus: str, question: str) -> list[str]:
        """The compounds of a question's words as the corpus writes them too."""
        known = set(find_words(question))
        spellings = self.list_spellings(corpus, question)[1:]
        return [word for spelling in spellings for word in find_words(spelling) if word not in known]

    def _find_in_vocabulary(self, corpus: str, words: Sequence[str]) -> list[str]:
        rows = self._select(
            "SELECT word FROM vocabulary WHERE corpus = ? AND word IN (SELECT value FROM json_each(?))",
            (corpus, json.dumps(words)),
        )
        return [row[0] for row in rows]

    def find_phrases(
        self, corpus: str, phrases: Sequence[str], *, limit: int, documents: Sequence[str] | None = None
    ) -> list[str]:
        """Ids of chunks that hold the words of each phrase, in any of their forms, side by side.

        :param documents: the ids of those to search; None for all.
        """
        if not phrases or not all(map(find_words, phrases)):
            return []
        within, ids = _restrict_documents(documents)
        rows = self._select(
            "SELECT chunks.id FROM words CROSS JOIN chunks ON chunks.number = words.rowid "
            f"WHERE words MATCH ? AND chunks.corpus = ?{within} LIMIT ?",
            (" AND ".join(map(_quote_words, phrases)), corpus, *ids, limit),
        )
        return [row[0] for row in rows]

    def list_chunk_ids(self, corpus: str, *, limit: int, documents: Sequence[str] | None = None) -> list[str]:
        """Ids of the first chunk of each document by path, then of the second of each, and so on.

        :param documents: the ids of those to list; None for all.
        """
        within, ids = _restrict_documents(documents)
        rows = self._select(
            "SELECT chunks.id FROM documents JOIN chunks ON document_id = documents.id "
            f"WHERE documents.corpus = ?{within} ORDER BY ordinal, path LIMIT ?",
            (corpus, *ids, limit),
        )
        return [row[0] for row in rows]

    def list_chunks_of(self, documents: Sequence[str], *, limit: int) -> list[str]:
        """Ids of the chunks of documents, at most `limit`; those of one document in its order."""
        rows = self._select(
            "SELECT id FROM chunks WHERE document_id IN (SELECT value FROM json_each(?)) "
            "ORDER BY document_id, ordinal LIMIT ?",
            (json.dumps(documents), limit),
        )
        return [row[0] for row in rows]

    def keep_chunks_of(self, documents: Sequence[str], ids: Sequence[str]) -> set[str]:
        """Those of the chunks that belong to one of the documents."""
        rows = self._select(
            "SELECT id FROM chunks WHERE id IN (SELECT value FROM json_each(?))"
            " AND document_id IN (SELECT value FROM json_each(?))",
            (json.dumps(ids), json.dumps(documents)),
        )
        return {row[0] for row in rows}

    def read_texts(self, ids: Sequence[str]) -> dict[str, str]:
        """Context and text of chunks, by id, as they are embedded and indexed."""
        rows = self._select(
            "SELECT id, context, text FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(ids),),
        )
        return {row[0]: f"{row[1]}\n{row[2]}" for row in rows}

    # Vocabulary

    def read_vocabulary(self, corpus: str) -> Vocabulary:
        """The words of the corpus's chunks and how many documents hold each; kept until they change."""
        with self._lock:
            if corpus not in self._vocabularies:
                rows = self._select("SELECT word, documents FROM vocabulary WHERE corpus = ?", (corpus,))
                self._vocabularies[corpus] = make_vocabulary({row[0]: row[1] for row in rows})
            return self._vocabularies[corpus]

    def holds_words(self, corpus: str, words: str) -> bool:
        """Whether a chunk of the corpus holds a word, or several in a row, in any of their forms."""
        query = "SELECT 1 FROM vocabulary WHERE corpus = ? AND word = ?"
        return bool(self._select(query, (corpus, words))) or self._matches(corpus, _quote_words(words))

    def holds_together(self, corpus: str, word: str, other: str) -> bool:
        """Whether one chunk of the corpus holds both words, in any of their forms."""
        return self._matches(corpus, f"{_quote_words(word)} AND {_quote_words(other)}")

    def _matches(self, corpus: str, pattern: str) -> bool:
        """Whether a pattern of FTS5, made of quoted words, matches a chunk of the corpus."""
        query = (
            "SELECT 1 FROM words CROSS JOIN chunks ON chunks.number = words.rowid "
            "WHERE words MATCH ? AND chunks.corpus = ? LIMIT 1"
        )
        return bool(self._select(query, (pattern, corpus)))

    def _count_words(
        self, database: sqlite3.Connection, corpus: str, before: set[str], after: set[str]
    ) -> None:
        """Bring the vocabulary in step with a document that held some words and now holds others."""
        database.executemany(
            "INSERT INTO vocabulary (corpus, word, documents) VALUES (?, ?, 1) "
            "ON CONFLICT DO UPDATE SET documents = documents + 1",
            [(corpus, word) for word in after - before],
        )
        gone = [(corpus, word) for word in before - after]
        database.executemany(
            "UPDATE vocabulary SET documents = documents - 1 WHERE corpus = ? AND word = ?", gone
        )
        database.executemany("DELETE FROM vocabulary WHERE corpus = ? AND word = ? AND documents = 0", gone)
        self._vocabularies.pop(corpus, None)

    def _fill_vocabularies(self) -> None:
        """Count the words of documents that were put in before their words were counted."""
        rows = self._select(
            "SELECT id, corpus FROM documents WHERE chunks > 0 AND NOT EXISTS "
            "(SELECT 1 FROM vocabulary WHERE vocabulary.corpus = documents.corpus)"
        )
        if not rows:
            return
        with self._transaction() as database:
            counts = Counter(
                (corpus, word) for id_, corpus in rows for word in _list_document_words(database, id_)
            )
            database.executemany(
                "INSERT INTO vocabulary (corpus, word, documents) VALUES (?, ?, ?)",
                [(corpus, word, documents) for (corpus, word), documents in counts.items()],
            )


def _unpack_sentence_vectors(packed: bytes, vector_bytes: int) -> Vectors:
    """Vectors of shape (sentences, dimension); the dimension is that of the chunk's own vector."""
    values = np.frombuffer(packed, dtype=_SENTENCE_VECTOR_TYPE)
    return values.reshape(-1, vector_bytes // np.dtype(_VECTOR_TYPE).itemsize).astype(np.float32)


def _quote_words(text: str) -> str:
    """The words of a text as a phrase of FTS5, in which nothing is syntax."""
    return '"' + text.replace('"', " ").replace("\0", " ") + '"'


def _restrict_documents(documents: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """A condition that keeps a query within documents, and its value: their ids as JSON."""
    if documents is None:
        return "", ()
    return " AND document_id IN (SELECT value FROM json_each(?))", (json.dumps(documents),)


def _list_document_words(database: sqlite3.Connection, document_id: str) -> set[str]:
    rows = database.execute("SELECT context, text FROM chunks WHERE document_id = ?", (document_id,))
    return {word for context, text in rows for word in _list_chunk_words(context, text)}


def _list_chunk_words(context: str, text: str) -> list[str]:
    return list_words(f"{context}\n{text}")


def _record_values(record: DocumentRecord) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in _RECORD_COLUMNS.split(", "))


def _chunk_values(chunk: Chunk) -> tuple[object, ...]:
    values = {name: getattr(chunk, name) for name in _CHUNK_COLUMNS.split(", ")}
    packed = {"headings": json.dumps(chunk.headings, ensure_ascii=False), "starts": json.dumps(chunk.starts)}
    return tuple((values | packed).values())


def _read_chunk(row: Sequence[object]) -> Chunk:
    values = dict(zip(_CHUNK_COLUMNS.split(", "), row, strict=True))
    values["headings"] = tuple(json.loads(str(values["headings"])))
    values["starts"] = tuple((start, number) for start, number in json.loads(str(values["starts"])))
    return Chunk(**values)  # type: ignore[arg-type]


def _pack_structure(document: Document) -> tuple[str, str, str]:
    blocks = [(block.kind, block.start, block.end, block.level, block.row) for block in document.blocks]
    return json.dumps(blocks), json.dumps(document.page_starts), json.dumps(document.sheets)
