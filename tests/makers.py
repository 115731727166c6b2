"""Makers of the product's nouns with what a test does not care about filled in."""

from __future__ import annotations

from chatbot.types import Chunk, FinishedAnswer, Passage


def make_passage(
    text: str,
    *,
    number: int = 1,
    start: int = 0,
    title: str = "Handbook",
    headings: tuple[str, ...] = (),
    path: str = "handbook.md",
    similarity: float = 0.9,
    page: int | None = None,
    date: str | None = None,
) -> Passage:
    """A passage that begins at `start` of its document."""
    chunk = Chunk(
        id=f"{path}/{number}",
        document_id=f"id of {path}",
        ordinal=number - 1,
        start=start,
        end=start + len(text),
        text=text,
        headings=headings,
        context=" > ".join((title, *headings)),
        page=page,
    )
    return Passage(number, chunk, "notes", path, title, date, score=0.03, similarity=similarity)


def make_answer(text: str = "At noon.", **changes: object) -> FinishedAnswer:
    """A finished answer."""
    values = {
        "question": "When?",
        "searched_for": "When?",
        "corpus": "notes",
        "text": text,
        "found": True,
        "passages": (),
        "citations": (),
    }
    return FinishedAnswer(**(values | changes))
