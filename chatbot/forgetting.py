"""What kept answers lose when a document is deleted: every word of it."""

from __future__ import annotations

from typing import Any

from chatbot.types import FinishedAnswer

FORGOTTEN = "This answer quoted a document that has been deleted since."

Json = dict[str, Any]


def find_sources(answer: FinishedAnswer) -> set[str]:
    """The ids of the documents that an answer was written from."""
    passages = {passage.chunk.document_id for passage in answer.passages}
    return passages | {citation.document_id for citation in answer.citations}


def find_named(answer: FinishedAnswer) -> set[str]:
    """The ids of all documents that an answer names, with those that were found and left out."""
    copies = {place.document_id for passage in answer.passages for place in passage.also_in}
    found = {hit.document_id for hit in answer.trace.hits} if answer.trace else set()
    return find_sources(answer) | copies | found


def forget_document(answer: Json, document_id: str) -> Json:
    """A packed answer without a document: without its passages, or without its text where that cites it."""
    if any(citation["document_id"] == document_id for citation in answer["citations"]):
        return answer | {
            "searched_for": answer["question"],
            "text": FORGOTTEN,
            "found": False,
            "passages": [],
            "citations": [],
            "unsupported": [],
            "short_answer": "",
            "trace": None,
            "prompt": None,
        }
    passages = [
        passage | {"also_in": _leave_out(passage.get("also_in", []), document_id)}
        for passage in answer["passages"]
        if passage["chunk"]["document_id"] != document_id
    ]
    trace = answer.get("trace")
    if trace is not None:
        trace = trace | {"hits": _leave_out(trace["hits"], document_id)}
    return answer | {"passages": passages, "trace": trace, "prompt": None}


def _leave_out(places: list[Json], document_id: str) -> list[Json]:
    return [place for place in places if place["document_id"] != document_id]


def move_document(answer: Json, document_id: str, successor_id: str, path: str) -> Json:
    """A packed answer that names another document, with the same content, in place of one."""

    def move(value: Any) -> Any:  # noqa: ANN401 - any part of a JSON value
        if isinstance(value, list):
            return [move(item) for item in value]
        if not isinstance(value, dict):
            return value
        is_named = value.get("document_id") == document_id
        is_passage = isinstance(value.get("chunk"), dict) and value["chunk"]["document_id"] == document_id
        moved = {name: move(item) for name, item in value.items()}
        moved |= {"document_id": successor_id} if is_named else {}
        return moved | ({"path": path} if "path" in value and (is_named or is_passage) else {})

    moved: Json = move(answer)
    return moved
