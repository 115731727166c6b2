"""Feedback: whether answers helped, from the page and from other programs, for the owner to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chatbot.database import Database
from chatbot.types import Rating

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE feedback (
    answer_id TEXT PRIMARY KEY, corpus TEXT NOT NULL, question TEXT NOT NULL,
    rating TEXT NOT NULL, comment TEXT NOT NULL, given_at TEXT NOT NULL
);
"""
LONGEST_COMMENT = 2000
MOST_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer, with the question that was asked."""

    answer_id: str
    corpus: str
    question: str
    rating: Rating
    comment: str = ""
    given_at: str = ""


class FeedbackStore:
    """The feedback of a data folder, one an answer, the latest. Safe to use from several threads.

    :raises LibraryError: when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, SCHEMA_VERSION)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def give(self, feedback: Feedback) -> None:
        """Keep what somebody thought of an answer, in place of what was said of it before.

        :raises LibraryError: when the data folder cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = (feedback.answer_id, feedback.corpus, feedback.question, feedback.rating, feedback.comment)
        with self._database.transaction() as database:
            database.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?, ?)", (*values, now))
            database.execute(
                "DELETE FROM feedback WHERE rowid <= (SELECT max(rowid) - ? FROM feedback)", (MOST_KEPT,)
            )

    def take_back(self, answer_id: str) -> None:
        """Forget what was thought of an answer."""
        with self._database.transaction() as database:
            database.execute("DELETE FROM feedback WHERE answer_id = ?", (answer_id,))

    def list_feedback(self, corpus: str = "", *, limit: int = 1000) -> list[Feedback]:
        """The latest feedback, newest first, of one corpus or of all."""
        rows = self._database.read(
            "SELECT answer_id, corpus, question, rating, comment, given_at FROM feedback "
            "WHERE ? IN ('', corpus) ORDER BY rowid DESC LIMIT ?",
            (corpus, limit),
        )
        return [Feedback(*row) for row in rows]
