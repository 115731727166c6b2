"""Where in an answer's text its citations and doubts stand: for the page and for the widget."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from chatbot.types import Citation, Passage, Span


def place_citations(text: str, citations: Sequence[Citation]) -> list[tuple[int, int, list[int]]]:
    """(offset, passage number, indexes of its citations) of each number to show, in reading order."""
    places: dict[tuple[int, int], list[int]] = {}
    for index, citation in enumerate(citations):
        end = len(text[: citation.answer_end].rstrip())
        places.setdefault((end, citation.passage_number), []).append(index)
    return [(end, number, indexes) for (end, number), indexes in sorted(places.items())]


def trim_spans(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans of the text without the blanks at their ends."""
    return [(start, len(text[:end].rstrip())) for start, end in spans]


def append_draft(text: str, draft: str) -> str:
    """The text with the sentence that is still being written behind it."""
    if not draft.strip():
        return text
    gap = "" if not text or text[-1].isspace() or draft[0].isspace() else " "
    return text + gap + draft


def split_stretches(
    passage: Passage, quotes: Sequence[tuple[int, Citation]]
) -> list[tuple[str, tuple[int, ...]]]:
    """The passage's text cut where quotes begin and end, each stretch with the indexes of its citations."""
    text = passage.text
    spans = [
        (
            max(citation.source_start - passage.chunk.start, 0),
            min(citation.source_end - passage.chunk.start, len(text)),
            index,
        )
        for index, citation in quotes
    ]
    edges = sorted(
        {0, len(text), *(edge for start, end, _ in spans for edge in (start, end) if 0 <= edge <= len(text))}
    )
    return [
        (text[start:end], tuple(index for first, last, index in spans if first <= start and end <= last))
        for start, end in pairwise(edges)
    ]
