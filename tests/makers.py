"""Makers of the product's nouns with what a test does not care about filled in."""

from __future__ import annotations

import numpy as np

from chatbot.reading.reading import PassageReading, Reading
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


def make_reading(passage: Passage, answers: dict[str, float], *, nothing: float = 0.0) -> Reading:
    """A reading that is sure of some words of a passage, each with its score; every character is a token."""
    count = len(passage.text)
    begins, ends = (np.full(count, -20.0, dtype=np.float32) for _ in range(2))
    for words, score in answers.items():
        start = passage.text.index(words)
        begins[start] = ends[start + len(words) - 1] = score / 2
    offsets = np.array([(place, place + 1) for place in range(count)], dtype=np.int64)
    return Reading({passage.number: PassageReading(offsets, begins, ends, nothing)})
