"""The command `chatbot replay`: asks a question again as it was asked, and tells what changed since."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chatbot.connecting import open_connection
from chatbot.errors import QuestionError
from chatbot.filters import unpack_filters
from chatbot.settings import Settings
from chatbot.terminal import Terminal, make_terminal, shorten
from chatbot.types import Message

if TYPE_CHECKING:
    from chatbot.connection import Connection

Json = dict[str, Any]

MODELS = (
    ("model", "the language model"),
    ("model_hash", "the weights of the language model"),
    ("embedder", "the embedding model"),
    ("embedder_hash", "the weights of the embedding model"),
    ("reader", "the reading model"),
    ("reader_hash", "the weights of the reading model"),
    ("version", "the version of the chatbot"),
)


def add_replay_options(parser: argparse.ArgumentParser) -> None:
    """An id, and how to write the result."""
    parser.add_argument("id", help="the id of the answer, as `ask` and the API tell it")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def replay_answer(connection: Connection, answer_id: str) -> Json:
    """Both receipts, and the differences between them in words.

    :raises CorpusError: where there is no receipt of that id.
    :raises QuestionError: where what was said before the question has been erased.
    """
    before = connection.get_answer(answer_id)
    if before["is_follow_up"] and before["history"] is None:
        raise QuestionError(
            "What was said before this question was erased with a document.", "Ask the question anew."
        )
    history = [Message(**message) for message in before["history"] or []]
    answer: Json = {}
    for event in connection.ask(
        before["question"],
        corpus=before["corpus"],
        history=history,
        filters=unpack_filters(before["filters"]),
    ):
        answer = event["answer"] if event["type"] == "done" else answer
    after = connection.get_answer(answer["receipt"])
    return {"before": before, "after": after, "changes": list(compare_receipts(before, after))}


def compare_receipts(before: Json, after: Json) -> Iterator[str]:
    """What is different between two answers to the same question, a line each."""
    yield from compare_setups(before["setup"], after["setup"])
    was, now = before["searched_for"], after["searched_for"]
    if was != now and None not in (was, now):
        yield f"searched for: “{was}” → “{now}”"
    yield from compare_passages(before, after)
    if before["found"] != after["found"]:
        yield "an answer was found" if after["found"] else "no answer was found any more"
    if before["answer_hash"] != after["answer_hash"]:
        was = "(erased with a document)" if before["answer"] is None else f"“{before['answer']}”"
        yield f"answer: {was} → “{after['answer']}”"
    quotes = [
        [(item["document_id"], item["quote_hash"]) for item in receipt["citations"]]
        for receipt in (before, after)
    ]
    if quotes[0] != quotes[1]:
        yield f"citations: {len(quotes[0])} → {len(quotes[1])}, not the same quotes"


def compare_setups(before: Json, after: Json) -> Iterator[str]:
    """Other models, prompts and settings."""
    for name, what in MODELS:
        # A hash that was not known then or is not now says nothing.
        if before[name] != after[name] and ("_hash" not in name or (before[name] and after[name])):
            yield f"{what}: {shorten(before[name], 24)} → {shorten(after[name], 24)}"
    for kind in ("settings", "prompts"):
        for name in sorted(before[kind].keys() | after[kind].keys()):
            was, now = before[kind].get(name), after[kind].get(name)
            if was != now:
                yield (
                    f"setting {name}: {was} → {now}"
                    if kind == "settings"
                    else f"prompt {name}.md: another text"
                )


def compare_passages(before: Json, after: Json) -> Iterator[str]:
    """Passages that came, went, changed or moved."""
    old = {item["chunk_id"]: item for item in before["passages"]}
    new = {item["chunk_id"]: item for item in after["passages"]}
    for chunk_id, item in old.items():
        place = item["path"] or f"a document that was deleted ({item['document_id'][:8]})"
        if chunk_id not in new:
            yield f"passage {item['number']} of {place} is no longer found"
        elif item["text_hash"] != new[chunk_id]["text_hash"]:
            yield f"passage {item['number']} of {place} has other words"
        elif item["number"] != new[chunk_id]["number"]:
            yield f"passage {item['number']} of {place} is now number {new[chunk_id]['number']}"
    for chunk_id, item in new.items():
        if chunk_id not in old:
            yield f"passage {item['number']} of {item['path']} is new"


def print_replay(result: Json, terminal: Terminal) -> None:
    """What was asked, and what changed."""
    before = result["before"]
    terminal.say(f"{before['question']}\nasked {before['asked_at']} of {before['corpus']}")
    for change in result["changes"]:
        terminal.say(f"- {change}")
    if not result["changes"]:
        terminal.say("Nothing changed: the same passages, the same words.")


def run_replay(options: argparse.Namespace, settings: Settings) -> int:
    """Repeat an answer and tell what changed."""
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=True, ingest=True) as connection:
        result = replay_answer(connection, options.id)
    if options.json:
        terminal.say_json(result)
    else:
        print_replay(result, terminal)
    return 0
