"""The words of the library's chunks: the index by which they are searched, and the vocabulary of a corpus."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence

from chatbot.compounds import list_spellings
from chatbot.database import Database
from chatbot.library.rows import restrict_documents
from chatbot.sentences import STOP_WORDS, find_words
from chatbot.spelling import Vocabulary, list_words, make_vocabulary

SPARE_ROWS = 2
"""So many times as many chunks are taken from the word index as are wanted of one corpus."""
COMMON_DOCUMENTS, FEWEST_WORDS = 600, 2
"""A word that more documents hold is searched for only where it is among the question's two rarest."""


class WordIndex:
    """Searches chunks by their words (FTS5), and counts how many documents hold each word."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._vocabularies: dict[str, Vocabulary] = {}

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
        within, ids = restrict_documents(documents)
        rows = self._database.read(
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
        rows = self._database.read(
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
        rows = self._database.read(
            "SELECT word, documents FROM vocabulary WHERE corpus = ? AND documents > ? "
            "AND word IN (SELECT value FROM json_each(?))",
            (corpus, COMMON_DOCUMENTS, json.dumps(words)),
        )
        common = {row[0]: row[1] for row in rows}
        rarest = sorted(words, key=lambda word: common.get(word, 0))[:FEWEST_WORDS]
        return [word for word in words if word not in common or word in rarest]

    def find_phrases(
        self, corpus: str, phrases: Sequence[str], *, limit: int, documents: Sequence[str] | None = None
    ) -> list[str]:
        """Ids of chunks that hold the words of each phrase, in any of their forms, side by side.

        :param documents: the ids of those to search; None for all.
        """
        if not phrases or not all(map(find_words, phrases)):
            return []
        within, ids = restrict_documents(documents)
        rows = self._database.read(
            "SELECT chunks.id FROM words CROSS JOIN chunks ON chunks.number = words.rowid "
            f"WHERE words MATCH ? AND chunks.corpus = ?{within} LIMIT ?",
            (" AND ".join(map(_quote_words, phrases)), corpus, *ids, limit),
        )
        return [row[0] for row in rows]

    def holds_words(self, corpus: str, words: str) -> bool:
        """Whether a chunk of the corpus holds a word, or several in a row, in any of their forms."""
        query = "SELECT 1 FROM vocabulary WHERE corpus = ? AND word = ?"
        return bool(self._database.read(query, (corpus, words))) or self._matches(corpus, _quote_words(words))

    def holds_together(self, corpus: str, word: str, other: str) -> bool:
        """Whether one chunk of the corpus holds both words, in any of their forms."""
        return self._matches(corpus, f"{_quote_words(word)} AND {_quote_words(other)}")

    def _matches(self, corpus: str, pattern: str) -> bool:
        """Whether a pattern of FTS5, made of quoted words, matches a chunk of the corpus."""
        query = (
            "SELECT 1 FROM words CROSS JOIN chunks ON chunks.number = words.rowid "
            "WHERE words MATCH ? AND chunks.corpus = ? LIMIT 1"
        )
        return bool(self._database.read(query, (pattern, corpus)))

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
        rows = self._database.read(
            "SELECT word FROM vocabulary WHERE corpus = ? AND word IN (SELECT value FROM json_each(?))",
            (corpus, json.dumps(words)),
        )
        return [row[0] for row in rows]

    def read_vocabulary(self, corpus: str) -> Vocabulary:
        """The words of the corpus's chunks and how many documents hold each; kept until they change."""
        with self._database.lock:
            if corpus not in self._vocabularies:
                rows = self._database.read(
                    "SELECT word, documents FROM vocabulary WHERE corpus = ?", (corpus,)
                )
                self._vocabularies[corpus] = make_vocabulary({row[0]: row[1] for row in rows})
            return self._vocabularies[corpus]

    def count_words(
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

    def fill_vocabularies(self) -> None:
        """Count the words of documents that were put in before their words were counted."""
        rows = self._database.read(
            "SELECT id, corpus FROM documents WHERE chunks > 0 AND NOT EXISTS "
            "(SELECT 1 FROM vocabulary WHERE vocabulary.corpus = documents.corpus)"
        )
        if not rows:
            return
        with self._database.transaction() as database:
            counts = Counter(
                (corpus, word) for id_, corpus in rows for word in list_document_words(database, id_)
            )
            database.executemany(
                "INSERT INTO vocabulary (corpus, word, documents) VALUES (?, ?, ?)",
                [(corpus, word, documents) for (corpus, word), documents in counts.items()],
            )


def _quote_words(text: str) -> str:
    """The words of a text as a phrase of FTS5, in which nothing is syntax."""
    return '"' + text.replace('"', " ").replace("\0", " ") + '"'


def list_document_words(database: sqlite3.Connection, document_id: str) -> set[str]:
    """The words of a document's chunks that are counted."""
    rows = database.execute("SELECT context, text FROM chunks WHERE document_id = ?", (document_id,))
    return {word for context, text in rows for word in list_chunk_words(context, text)}


def list_chunk_words(context: str, text: str) -> list[str]:
    """The words of a chunk that are counted."""
    return list_words(f"{context}\n{text}")
