"""The documents of the library: what is known of each, its text, and how it is written and deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from chatbot.database import Database
from chatbot.filters import list_choices, select_documents
from chatbot.library.chunks import StoredChunks, insert_chunks
from chatbot.library.rows import RECORD_COLUMNS, pack_record, pack_structure
from chatbot.library.schema import SCHEMA, SCHEMA_VERSION, UPGRADES
from chatbot.library.words import WordIndex, list_chunk_words, list_document_words
from chatbot.types import Block, Chunk, Document, DocumentRecord, FilterChoices, PassageVectors, SearchFilters


class Library:
    """Documents; `chunks` are their chunks with vectors, `words` is the index of the chunks' words.

    Safe to call from several threads; one process at a time (see `ownership.py`).

    :raises LibraryError: when the file is no library, is damaged, or is newer than this program.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, SCHEMA, SCHEMA_VERSION, UPGRADES)
        self.chunks = StoredChunks(self._database)
        self.words = WordIndex(self._database)
        self.words.fill_vocabularies()

    def close(self) -> None:
        self._database.close()

    def list_corpora(self) -> list[str]:
        """The corpora that have documents in the library."""
        return [
            row[0] for row in self._database.read("SELECT DISTINCT corpus FROM documents ORDER BY corpus")
        ]

    def list_documents(self, corpus: str) -> list[DocumentRecord]:
        """The corpus's files by path, those that could not be read included."""
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM documents WHERE corpus = ? ORDER BY path", (corpus,)
        )
        return [DocumentRecord(*row) for row in rows]

    def count_documents(self, corpus: str) -> int:
        """The corpus's documents that can be searched."""
        query = "SELECT count(*) FROM documents WHERE corpus = ? AND problem IS NULL"
        return int(self._database.read(query, (corpus,))[0][0])

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
        columns = ", ".join(f"copies.{name}" for name in RECORD_COLUMNS.split(", "))
        rows = self._database.read(
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
        rows = self._database.read(
            "SELECT originals.id FROM documents AS copies JOIN documents AS originals "
            "USING (corpus, sha256, format) WHERE copies.id = ? AND copies.chunks = 0 "
            "AND originals.chunks > 0 LIMIT 1",
            (document_id,),
        )
        return str(rows[0][0]) if rows else document_id

    def find_same_content(self, record: DocumentRecord) -> DocumentRecord | None:
        """Another document of the corpus with the same content, the one with chunks first."""
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM documents WHERE corpus = ? AND sha256 = ? AND format = ? "
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
        rows = self._database.read("SELECT path, recipe FROM documents WHERE corpus = ?", (corpus,))
        return {row[0]: row[1] for row in rows}

    def find_document(self, document_id: str) -> Document | None:
        """The document with its text, or None."""
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS}, text, blocks, page_starts, sheets FROM documents WHERE id = ?",
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
        return {row[0]: row[1] for row in self._database.read(query, (json.dumps(list(ids)),))}

    def read_text(self, document_id: str, start: int, end: int) -> str:
        """The characters `start` to `end` of a document; empty where it is gone."""
        rows = self._database.read("SELECT text FROM documents WHERE id = ?", (document_id,))
        return str(rows[0][0])[start:end] if rows else ""

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
        with self._database.transaction() as database:
            before = {
                row[0]
                for row in database.execute(
                    "SELECT id FROM chunks WHERE document_id = ? AND fingerprint = ?",
                    (record.id, fingerprint),
                )
            }
            words_before = list_document_words(database, record.id)
            database.execute("DELETE FROM chunks WHERE document_id = ?", (record.id,))
            database.execute("DELETE FROM documents WHERE id = ?", (record.id,))
            database.execute(
                f"INSERT INTO documents ({RECORD_COLUMNS}, recipe, text, blocks, page_starts, sheets) "
                f"VALUES ({', '.join('?' * 22)})",
                (*pack_record(record), recipe, document.text, *pack_structure(document)),
            )
            insert_chunks(database, chunks, vectors, corpus=record.corpus, fingerprint=fingerprint)
            words_after = {word for chunk in chunks for word in list_chunk_words(chunk.context, chunk.text)}
            self.words.count_words(database, record.corpus, words_before, words_after)
        after = {chunk.id for chunk in chunks}
        return sorted(after - before), sorted(before - after)

    def touch_document(self, document_id: str, *, size_bytes: int, modified_ns: int) -> None:
        """Note that an unchanged file has a new time stamp."""
        with self._database.transaction() as database:
            database.execute(
                "UPDATE documents SET size_bytes = ?, modified_ns = ? WHERE id = ?",
                (size_bytes, modified_ns, document_id),
            )

    def forget_recipe(self, document_id: str) -> None:
        """Have the next ingest read a document again."""
        with self._database.transaction() as database:
            database.execute("UPDATE documents SET recipe = '' WHERE id = ?", (document_id,))

    def delete_document(self, document_id: str) -> list[str]:
        """Remove a document; the ids of its chunks are returned."""
        with self._database.transaction() as database:
            query = "SELECT id, corpus FROM chunks WHERE document_id = ?"
            chunks = database.execute(query, (document_id,)).fetchall()
            if chunks:
                words_before = list_document_words(database, document_id)
                self.words.count_words(database, chunks[0][1], words_before, set())
            database.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))
            database.execute("DELETE FROM documents WHERE id = ?", (document_id,))
            database.execute("INSERT OR IGNORE INTO leftovers VALUES (?)", (document_id,))
        return [chunk[0] for chunk in chunks]

    def erase_leftovers(self) -> None:
        """Overwrite what deleted documents left in the word index and in the write-ahead log.

        Where another process reads the library all the while, some may stay: `has_leftovers` tells.
        """
        with self._database.transaction() as database:
            database.execute("INSERT INTO words (words) VALUES ('optimize')")
        with self._database.lock:
            if self._database.empty_log():
                with self._database.transaction() as database:
                    database.execute("DELETE FROM leftovers")

    def has_leftovers(self) -> bool:
        """Whether a document was deleted, by this process or an earlier one, and not erased since."""
        return bool(self._database.read("SELECT 1 FROM leftovers LIMIT 1"))
