"""Answers and sources as plain data for the frame, which makes elements of them and never reads HTML.

The text is parsed by the same parser as the page's, so that both show the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatbot.types import Citation, Passage, Span
from chatbot.web.export import describe_quotes
from chatbot.web.markup import Block, Piece, Style, list_edges, split_blocks, split_pieces
from chatbot.web.placing import append_draft, place_citations, split_stretches, trim_spans
from chatbot.web.schemas import Json

CONTEXT_CHARACTERS = 140
"""So much of a passage is shown before and after the quoted words."""

Mark = tuple[int, Json]
"""What stands behind the character before an offset: the number of a source, or a note."""

MakeLink = Callable[[str, int, int], str]
"""The address of a document with a stretch of it marked."""


def build_blocks(
    text: str,
    citations: Sequence[Citation],
    unsupported: Sequence[Span] = (),
    *,
    short_answer: str = "",
    draft: str = "",
) -> list[Json]:
    """The answer's paragraphs, items and headings, each a list of pieces.

    A piece is {"text", "tags", "styles"}, {"citation": number} or {"note": "unsupported"}. The tags are among
    strong, em and code, the styles among short-answer, draft and unsupported.
    """
    styles = [Style(start, end, "unsupported") for start, end in trim_spans(text, unsupported)]
    notes: list[Mark] = [(style.end, {"note": "unsupported"}) for style in styles]
    numbers: list[Mark] = [(end, {"citation": number}) for end, number, _ in place_citations(text, citations)]
    marks = sorted(numbers + notes, key=lambda mark: mark[0])
    if short_answer and text.startswith(short_answer):
        styles.append(Style(0, len(short_answer.rstrip()), "short-answer"))
    whole = append_draft(text, draft)
    if len(whole) > len(text):
        styles.append(Style(len(text), len(whole), "draft"))
    cuts = {end for end, _ in marks} | list_edges(styles)
    blocks: list[Json] = []
    for block in split_blocks(whole):
        blocks.append({"tag": block.tag, "pieces": _build_pieces(whole, block, cuts, marks, styles)})
    if marks and blocks:
        blocks[-1]["pieces"] += [piece for _, piece in marks]
    return blocks


def _build_pieces(
    text: str, block: Block, cuts: set[int], marks: list[Mark], styles: Sequence[Style]
) -> list[Json]:
    """The pieces of a block; takes the marks that belong to it off the list."""
    pieces: list[Json] = []
    for piece in split_pieces(text, block, cuts):
        pieces += _take_marks(marks, piece.start)
        pieces.append(_describe_piece(text, piece, styles))
    return pieces + _take_marks(marks, block.end)


def _take_marks(marks: list[Mark], position: int) -> list[Json]:
    taken = []
    while marks and marks[0][0] <= position:
        taken.append(marks.pop(0)[1])
    return taken


def _describe_piece(text: str, piece: Piece, styles: Sequence[Style]) -> Json:
    within = [style.css_class for style in styles if style.start <= piece.start and piece.end <= style.end]
    return {"text": text[piece.start : piece.end], "tags": list(piece.tags), "styles": within}


def build_sources(
    passages: Sequence[Passage], citations: Sequence[Citation], *, found: bool, make_link: MakeLink
) -> list[Json]:
    """The passages that the answer rests on; where nothing was found, the nearest ones."""
    cited = {citation.passage_number for citation in citations}
    return [
        _build_source(passage, citations, make_link)
        for passage in passages
        if passage.number in cited or not found
    ]


def _build_source(passage: Passage, citations: Sequence[Citation], make_link: MakeLink) -> Json:
    quotes = [
        (index, citation)
        for index, citation in enumerate(citations)
        if citation.passage_number == passage.number
    ]
    first = quotes[0][1] if quotes else None
    start, end = (first.source_start, first.source_end) if first else (passage.chunk.start, passage.chunk.end)
    return {
        "number": passage.number,
        "title": passage.title,
        "place": describe_quotes(passage, [citation for _, citation in quotes]),
        "words": _build_words(passage, quotes),
        "link": make_link(passage.chunk.document_id, start, end),
    }


def _build_words(passage: Passage, quotes: Sequence[tuple[int, Citation]]) -> list[Json]:
    """The quoted words, with a little of what stands around them; else the passage's beginning."""
    stretches = split_stretches(passage, quotes)
    quoted = [place for place, (_, indexes) in enumerate(stretches) if indexes]
    if not quoted:
        return [{"text": _shorten_end(passage.text, 2 * CONTEXT_CHARACTERS), "is_quoted": False}]
    words = []
    for place, (text, indexes) in enumerate(stretches):
        if place < quoted[0]:
            text = _shorten_start(text, CONTEXT_CHARACTERS)
        elif place > quoted[-1]:
            text = _shorten_end(text, CONTEXT_CHARACTERS)
        words.append({"text": text, "is_quoted": bool(indexes)})
    return words


def _shorten_start(text: str, limit: int) -> str:
    return text if len(text) <= limit else "…" + text[-limit:].partition(" ")[2]


def _shorten_end(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rpartition(" ")[0] + "…"
