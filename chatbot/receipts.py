"""Receipts: what every answer rested on, kept so that it can be checked and asked again.

A receipt holds no text of a document. Passages and quotes are spans with hashes, read from the library
when somebody looks. The words of the answer and of the conversation before it, which may repeat
documents, are kept apart and erased once such a document, or the chat, is deleted.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chatbot.chunking import hash_text
from chatbot.database import Database
from chatbot.errors import CorpusError
from chatbot.filters import unpack_filters
from chatbot.types import FinishedAnswer, Message, SearchFilters, StopReason, Timings

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE setups (hash TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, corpus TEXT NOT NULL, asked_at TEXT NOT NULL,
    setup TEXT NOT NULL REFERENCES setups (hash), body TEXT NOT NULL, words TEXT,
    is_follow_up INTEGER NOT NULL
);
CREATE INDEX receipts_by_time ON receipts (asked_at);
CREATE TABLE sources (
    receipt INTEGER NOT NULL REFERENCES receipts (number) ON DELETE CASCADE,
    document_id TEXT NOT NULL, PRIMARY KEY (receipt, document_id)
);
"""
_ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Setup:
    """What answers are made with: the models with hashes of their weights, the prompts, the settings.

    A hash is empty where it is not known, as with a model server.
    """

    version: str = ""
    model: str = ""
    model_hash: str = ""
    embedder: str = ""
    embedder_hash: str = ""
    reader: str = ""
    reader_hash: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReceiptPassage:
    """A passage as a receipt keeps it; `revision` is the hash of the document's file at that time."""

    number: int
    chunk_id: str
    document_id: str
    revision: str
    start: int
    end: int
    text_hash: str
    score: float


@dataclass(frozen=True, slots=True)
class ReceiptCitation:
    """A citation as a receipt keeps it: where in the answer, where in the document, which words by hash."""

    passage_number: int
    answer_start: int
    answer_end: int
    document_id: str
    source_start: int
    source_end: int
    quote_hash: str


@dataclass(frozen=True, slots=True)
class Words:
    """What of a receipt may repeat the words of documents."""

    searched_for: str
    answer: str
    history: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an answer came about. `words` is None once a document that it used was deleted."""

    id: str
    corpus: str
    asked_at: str
    question: str
    filters: SearchFilters
    found: bool
    stop_reason: StopReason
    answer_hash: str
    timings: Timings
    passages: tuple[ReceiptPassage, ...]
    citations: tuple[ReceiptCitation, ...]
    setup: Setup
    words: Words | None
    is_follow_up: bool = False


def make_receipt(
    answer: FinishedAnswer,
    *,
    history: Sequence[Message],
    filters: SearchFilters,
    setup: Setup,
    revisions: Mapping[str, str],
) -> Receipt:
    """The receipt of an answer; it has no words if a document was deleted while it was written.

    :param filters: those given beside the question; the typed ones stand in it.
    :param revisions: by document, the hash of its file.
    """
    passages = tuple(
        ReceiptPassage(
            passage.number,
            passage.chunk.id,
            passage.chunk.document_id,
            revisions.get(passage.chunk.document_id, ""),
            passage.chunk.start,
            passage.chunk.end,
            hash_text(passage.text),
            passage.score,
        )
        for passage in answer.passages
    )
    citations = tuple(
        ReceiptCitation(
            citation.passage_number,
            citation.answer_start,
            citation.answer_end,
            citation.document_id,
            citation.source_start,
            citation.source_end,
            hash_text(citation.quote),
        )
        for citation in answer.citations
    )
    words = Words(answer.searched_for, answer.text, tuple(history))
    return Receipt(
        id=secrets.token_hex(_ID_BYTES),
        corpus=answer.corpus,
        asked_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        question=answer.question,
        filters=filters,
        found=answer.found,
        stop_reason=answer.stop_reason,
        answer_hash=hash_text(answer.text),
        timings=answer.timings,
        passages=passages,
        citations=citations,
        setup=setup,
        words=words if all(passage.revision for passage in passages) else None,
        is_follow_up=bool(history),
    )


class ReceiptStore:
    """The receipts of a data folder. Safe to use from several threads.

    :param most: how many are kept; none where it is 0.
    :param days: for how long.
    :raises LibraryError: when the file cannot be used.
    """

    def __init__(self, path: Path, *, most: int, days: int) -> None:
        self.most = most
        self.days = days
        self._database = Database(path, _SCHEMA, SCHEMA_VERSION)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, receipt: Receipt) -> None:
        """Keep a receipt, and drop those that are too many or too old.

        :raises LibraryError: when the data folder cannot be written.
        """
        setup, body = _to_text(asdict(receipt.setup)), _to_text(_pack_body(receipt))
        setup_hash = hash_text(setup)
        words = _to_text(asdict(receipt.words)) if receipt.words else None
        documents = {passage.document_id for passage in receipt.passages}
        documents |= {citation.document_id for citation in receipt.citations}
        with self._database.transaction() as database:
            database.execute("INSERT OR IGNORE INTO setups VALUES (?, ?)", (setup_hash, setup))
            number = database.execute(
                "INSERT INTO receipts (id, corpus, asked_at, setup, body, words, is_follow_up) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (receipt.id, receipt.corpus, receipt.asked_at, setup_hash, body, words, receipt.is_follow_up),
            ).lastrowid
            database.executemany("INSERT INTO sources VALUES (?, ?)", [(number, each) for each in documents])
            self._drop_old(database)

    def find(self, receipt_id: str) -> Receipt | None:
        """The receipt of an answer; None where there is none, or none any more."""
        rows = self._database.read(
            "SELECT receipts.id, corpus, asked_at, receipts.body, words, setups.body, is_follow_up "
            "FROM receipts JOIN setups ON hash = setup WHERE receipts.id = ?",
            (receipt_id,),
        )
        return _unpack(*rows[0]) if rows else None

    def get(self, receipt_id: str) -> Receipt:
        """The receipt of an answer.

        :raises CorpusError: where there is none, or none any more.
        """
        receipt = self.find(receipt_id)
        if receipt is None:
            raise describe_no_receipt(self.days)
        return receipt

    def forget_documents(self, corpus: str, present: Collection[str]) -> int:
        """Erase the words of answers from documents that a corpus no longer holds; how many is returned.

        Where any are gone, follow-ups lose their words too: what was said before may have quoted them.
        """
        with self._database.lock:
            rows = self._database.read(
                "SELECT DISTINCT document_id FROM sources JOIN receipts ON number = receipt WHERE corpus = ?",
                (corpus,),
            )
            gone = json.dumps(sorted({row[0] for row in rows} - set(present)))
            if gone == "[]":
                return 0
            with self._database.transaction() as database:
                changed = database.execute(
                    "UPDATE receipts SET words = NULL WHERE words IS NOT NULL AND (is_follow_up OR number IN "
                    "(SELECT receipt FROM sources WHERE document_id IN (SELECT value FROM json_each(?))))",
                    (gone,),
                ).rowcount
                database.execute(
                    "DELETE FROM sources WHERE document_id IN (SELECT value FROM json_each(?))", (gone,)
                )
            self._database.empty_log()
        return changed

    def forget_words(self, receipt_ids: Collection[str]) -> None:
        """Erase the words of answers, and what was said before them; the rest of the receipts stays.

        :raises LibraryError: when the data folder cannot be written.
        """
        with self._database.lock:
            with self._database.transaction() as database:
                database.execute(
                    "UPDATE receipts SET words = NULL WHERE id IN (SELECT value FROM json_each(?))",
                    (json.dumps(sorted(receipt_ids)),),
                )
            self._database.empty_log()

    def _drop_old(self, database: sqlite3.Connection) -> None:
        oldest = (datetime.now(UTC) - timedelta(days=self.days)).isoformat(timespec="milliseconds")
        dropped = database.execute(
            "DELETE FROM receipts WHERE asked_at < ? OR number <= (SELECT max(number) - ? FROM receipts)",
            (oldest, self.most),
        ).rowcount
        if dropped:
            database.execute("DELETE FROM setups WHERE hash NOT IN (SELECT setup FROM receipts)")


def describe_no_receipt(days: int) -> CorpusError:
    """What is said of an answer that has no receipt, or none that may be seen."""
    return CorpusError(
        "There is no such answer.", f"Answers are kept for {days} days; ask the question again."
    )


def _to_text(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def _pack_body(receipt: Receipt) -> dict[str, Any]:
    apart = ("id", "corpus", "asked_at", "setup", "words", "is_follow_up")
    return {name: value for name, value in asdict(receipt).items() if name not in apart}


def _unpack(
    receipt_id: str, corpus: str, asked_at: str, body: str, words: str | None, setup: str, is_follow_up: int
) -> Receipt:
    values = json.loads(body)
    spoken = json.loads(words) if words else None
    history = tuple(Message(**message) for message in spoken["history"]) if spoken else ()
    return Receipt(
        **(
            values
            | {
                "id": receipt_id,
                "corpus": corpus,
                "asked_at": asked_at,
                "filters": unpack_filters(values["filters"]),
                "timings": Timings(**values["timings"]),
                "passages": tuple(ReceiptPassage(**passage) for passage in values["passages"]),
                "citations": tuple(ReceiptCitation(**citation) for citation in values["citations"]),
                "setup": Setup(**json.loads(setup)),
                "words": Words(**(spoken | {"history": history})) if spoken else None,
                "is_follow_up": bool(is_follow_up),
            }
        )
    )
