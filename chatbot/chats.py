"""Conversations with their answers, passages and ratings, in a SQLite file of their own."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatbot.database import Database
from chatbot.errors import CorpusError
from chatbot.filters import unpack_filters
from chatbot.forgetting import forget_document, move_document
from chatbot.types import (
    Chat,
    ChatTurn,
    Chunk,
    Citation,
    Correction,
    DocumentRecord,
    FinishedAnswer,
    Message,
    Passage,
    Place,
    PromptPlan,
    Rating,
    SearchHit,
    SearchTrace,
    SheetRows,
    Timings,
)

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE chats (
    id TEXT PRIMARY KEY, corpus TEXT NOT NULL, title TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE turns (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    question TEXT NOT NULL, answer TEXT NOT NULL, asked_at TEXT NOT NULL, rating TEXT
);
CREATE INDEX turns_of_chat ON turns (chat_id, number);
"""
NEW_CHAT_TITLE = "New chat"
_TITLE_CHARACTERS = 60


class ChatStore:
    """Keeps chats across reloads and restarts. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, SCHEMA_VERSION)

    def close(self) -> None:
        self._database.close()

    def create_chat(self, corpus: str) -> Chat:
        now = _now()
        chat = Chat(uuid.uuid4().hex, corpus, NEW_CHAT_TITLE, now, now)
        self._database.write(
            "INSERT INTO chats VALUES (?, ?, ?, ?, ?)", (chat.id, corpus, chat.title, now, now)
        )
        return chat

    def list_chats(self) -> list[Chat]:
        """The chats that hold a question, newest first, without their turns."""
        query = (
            "SELECT id, corpus, title, created_at, updated_at FROM chats "
            "WHERE EXISTS (SELECT 1 FROM turns WHERE chat_id = chats.id) ORDER BY updated_at DESC, "
            "(SELECT max(number) FROM turns WHERE chat_id = chats.id) DESC"
        )
        return [Chat(*row) for row in self._database.read(query)]

    def get_chat(self, chat_id: str) -> Chat:
        """A chat with its turns.

        :raises CorpusError: when there is none of that id.
        """
        found = self._database.read(
            "SELECT id, corpus, title, created_at, updated_at FROM chats WHERE id = ?", (chat_id,)
        )
        if not found:
            raise CorpusError("That chat is no longer there.", "Start a new one.")
        rows = self._database.read(
            "SELECT id, question, answer, asked_at, rating FROM turns WHERE chat_id = ? ORDER BY number",
            (chat_id,),
        )
        turns = tuple(
            ChatTurn(turn_id, question, unpack_answer(json.loads(answer)), asked_at, rating)
            for turn_id, question, answer, asked_at, rating in rows
        )
        return replace(Chat(*found[0]), turns=turns)

    def append_turn(self, chat_id: str, question: str, answer: FinishedAnswer) -> ChatTurn:
        """Add a question with its answer; the first question becomes the chat's title.

        :raises CorpusError: when the chat has been deleted meanwhile.
        """
        turn = ChatTurn(uuid.uuid4().hex, question, answer, _now())
        packed = json.dumps(asdict(answer), ensure_ascii=False)
        with self._database.transaction() as database:
            if not database.execute("SELECT 1 FROM chats WHERE id = ?", (chat_id,)).fetchone():
                raise CorpusError("That chat is no longer there.", "Start a new one.")
            database.execute(
                "INSERT INTO turns (id, chat_id, question, answer, asked_at) VALUES (?, ?, ?, ?, ?)",
                (turn.id, chat_id, question, packed, turn.asked_at),
            )
            database.execute(
                "UPDATE chats SET updated_at = ?, title = CASE title WHEN ? THEN ? ELSE title END "
                "WHERE id = ?",
                (turn.asked_at, NEW_CHAT_TITLE, shorten_title(question), chat_id),
            )
        return turn

    def replace_turns_from(self, chat_id: str, turn_id: str) -> None:
        """Drop a turn and all later ones, to ask it again."""
        self._database.write(
            "DELETE FROM turns WHERE chat_id = ? AND number >= (SELECT number FROM turns WHERE id = ?)",
            (chat_id, turn_id),
        )

    def rate_turn(self, turn_id: str, rating: Rating | None) -> None:
        self._database.write("UPDATE turns SET rating = ? WHERE id = ?", (rating, turn_id))

    def rename_chat(self, chat_id: str, title: str) -> None:
        self._database.write("UPDATE chats SET title = ? WHERE id = ?", (shorten_title(title), chat_id))

    def list_receipts(self, chat_id: str) -> list[str]:
        """The ids of the receipts of a chat's answers; none where there is no such chat."""
        query = "SELECT json_extract(answer, '$.receipt') FROM turns WHERE chat_id = ?"
        return [row[0] for row in self._database.read(query, (chat_id,)) if row[0]]

    def delete_chat(self, chat_id: str) -> None:
        """Delete a chat with its turns, and leave no word of them in the file."""
        self._database.write("DELETE FROM chats WHERE id = ?", (chat_id,))
        self._database.empty_log()

    def drop_document(self, document_id: str, successor: DocumentRecord | None) -> None:
        """Let answers name the document that has the same content; without one they forget its words."""

        def change(answer: dict[str, Any]) -> dict[str, Any]:
            if successor is None:
                return forget_document(answer, document_id)
            return move_document(answer, document_id, successor.id, successor.path)

        with self._database.transaction() as database:
            query = "SELECT number, chat_id, answer FROM turns WHERE instr(answer, ?) > 0"
            rows = database.execute(query, (document_id,)).fetchall()
            database.executemany(
                "UPDATE turns SET answer = ? WHERE number = ?",
                [(json.dumps(change(json.loads(row[2])), ensure_ascii=False), row[0]) for row in rows],
            )
            if successor is None:  # the prompts of later turns repeat what earlier answers said
                database.executemany(
                    "UPDATE turns SET answer = json_set(answer, '$.prompt', NULL) WHERE chat_id = ?",
                    {(row[1],) for row in rows},
                )
        self._database.empty_log()  # it may hold turns that are gone already


def shorten_title(text: str) -> str:
    """One line of at most 60 characters, cut between words."""
    line = " ".join(text.split()) or NEW_CHAT_TITLE
    if len(line) <= _TITLE_CHARACTERS:
        return line
    return line[: _TITLE_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"


def list_messages(chat: Chat) -> list[Message]:
    """The conversation so far, as the assistant takes it."""
    return [
        message
        for turn in chat.turns
        for message in (Message("user", turn.question), Message("assistant", turn.answer.text))
    ]


def unpack_answer(values: dict[str, Any]) -> FinishedAnswer:
    """An answer from what `dataclasses.asdict` and JSON made of it."""
    passages = tuple(_unpack_passage(passage) for passage in values["passages"])
    trace, prompt = values.get("trace"), values.get("prompt")
    return FinishedAnswer(
        **(
            values
            | {
                "passages": passages,
                "citations": tuple(Citation(**_unpack_rows(item)) for item in values["citations"]),
                "unsupported": tuple((start, end) for start, end in values["unsupported"]),
                "timings": Timings(**values["timings"]),
                "trace": _unpack_trace(trace) if trace else None,
                "prompt": _unpack_prompt(prompt) if prompt else None,
            }
        )
    )


def _unpack_passage(values: dict[str, Any]) -> Passage:
    also_in = tuple(Place(**_unpack_rows(place)) for place in values.get("also_in", ()))
    return Passage(**(values | {"chunk": _unpack_chunk(values["chunk"]), "also_in": also_in}))


def _unpack_trace(values: dict[str, Any]) -> SearchTrace:
    unpacked = {
        "filters": unpack_filters(values["filters"]),
        "corrections": tuple(Correction(**item) for item in values["corrections"]),
        "hits": tuple(SearchHit(**_unpack_rows(hit)) for hit in values["hits"]),
        "seconds": tuple((name, seconds) for name, seconds in values["seconds"]),
        "notes": tuple(values["notes"]),
    }
    return SearchTrace(**(values | unpacked))


def _unpack_prompt(values: dict[str, Any]) -> PromptPlan:
    messages = tuple(Message(**message) for message in values["messages"])
    return PromptPlan(**(values | {"messages": messages, "passages": tuple(values["passages"])}))


def _unpack_chunk(values: dict[str, Any]) -> Chunk:
    starts = tuple((start, number) for start, number in values.get("starts", ()))
    return Chunk(**(values | {"headings": tuple(values["headings"]), "starts": starts}))


def _unpack_rows(values: dict[str, Any]) -> dict[str, Any]:
    """The values of what stands in a sheet; answers of earlier versions name no rows."""
    return values | {"rows": SheetRows(**values["rows"]) if values.get("rows") else None}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
