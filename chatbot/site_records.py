"""What is kept of the visitors of sites: how many questions a day, and which answers they rated.

Conversations themselves are not written to the disk. A rated answer loses its words once a document
that it was written from is deleted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from chatbot.database import Database
from chatbot.types import Rating

SCHEMA_VERSION = 2
_SOURCES = """
CREATE TABLE sources (
    answer_id TEXT NOT NULL REFERENCES ratings (answer_id) ON DELETE CASCADE,
    document_id TEXT NOT NULL, PRIMARY KEY (answer_id, document_id)
);
"""
_SCHEMA = f"""
CREATE TABLE usage (
    site TEXT NOT NULL, day TEXT NOT NULL, questions INTEGER NOT NULL, PRIMARY KEY (site, day)
);
CREATE TABLE ratings (
    answer_id TEXT PRIMARY KEY, site TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,
    rating TEXT NOT NULL, rated_at TEXT NOT NULL
);
{_SOURCES}"""
# Of answers that were rated before, nobody knows which documents they quote.
_FORGET_ANSWERS = "UPDATE ratings SET answer = '';\n"
_UPGRADES = {1: _SOURCES + _FORGET_ANSWERS}


@dataclass(frozen=True, slots=True)
class RatedAnswer:
    """An answer that a visitor found good or bad; `rated_at` is an ISO time.

    `answer` is empty where a document that it was written from was deleted.
    """

    answer_id: str
    site: str
    question: str
    answer: str
    rating: Rating
    rated_at: str


class SiteRecords:
    """Counts and ratings of all sites. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, SCHEMA_VERSION, _UPGRADES)

    def close(self) -> None:
        self._database.close()

    def count_question(self, site: str, day: str, limit: int) -> bool:
        """Count a question; False, and nothing counted, when the day's budget is spent.

        :raises LibraryError: when the data folder cannot be written.
        """
        with self._database.transaction() as database:
            row = database.execute(
                "SELECT questions FROM usage WHERE site = ? AND day = ?", (site, day)
            ).fetchone()
            if limit <= 0 or (row is not None and row[0] >= limit):
                return False
            database.execute(
                "INSERT INTO usage VALUES (?, ?, 1) "
                "ON CONFLICT (site, day) DO UPDATE SET questions = questions + 1",
                (site, day),
            )
            return True

    def count_questions(self, site: str, day: str) -> int:
        """How many questions a site was asked on an ISO day."""
        rows = self._database.read("SELECT questions FROM usage WHERE site = ? AND day = ?", (site, day))
        return int(rows[0][0]) if rows else 0

    def rate(self, rated: RatedAnswer, documents: Collection[str] = ()) -> None:
        """Keep a rating in place of an earlier one of the same answer.

        :param documents: the ids of those that the answer was written from.
        """
        values = (rated.answer_id, rated.site, rated.question, rated.answer, rated.rating, rated.rated_at)
        with self._database.transaction() as database:
            database.execute("DELETE FROM ratings WHERE answer_id = ?", (rated.answer_id,))
            database.execute("INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?)", values)
            database.executemany(
                "INSERT INTO sources VALUES (?, ?)", [(rated.answer_id, each) for each in set(documents)]
            )

    def take_back(self, answer_id: str) -> None:
        """Forget the rating of an answer."""
        with self._database.transaction() as database:
            database.execute("DELETE FROM ratings WHERE answer_id = ?", (answer_id,))

    def drop_document(self, document_id: str, successor_id: str | None) -> None:
        """Let answers rest on the document that has the same content; without one they lose their words.

        :raises LibraryError: when the data folder cannot be written.
        """
        with self._database.lock:
            with self._database.transaction() as database:
                if successor_id is None:
                    database.execute(
                        "UPDATE ratings SET answer = '' WHERE answer_id IN "
                        "(SELECT answer_id FROM sources WHERE document_id = ?)",
                        (document_id,),
                    )
                else:
                    database.execute(
                        "INSERT OR IGNORE INTO sources "
                        "SELECT answer_id, ? FROM sources WHERE document_id = ?",
                        (successor_id, document_id),
                    )
                database.execute("DELETE FROM sources WHERE document_id = ?", (document_id,))
            self._database.empty_log()

    def list_ratings(self, site: str) -> list[RatedAnswer]:
        """The rated answers of a site, newest first."""
        rows = self._database.read(
            "SELECT * FROM ratings WHERE site = ? ORDER BY rated_at DESC, rowid DESC", (site,)
        )
        return [RatedAnswer(*row) for row in rows]
