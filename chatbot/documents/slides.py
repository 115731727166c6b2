"""What all presentations share: a slide's title, what stands on it from top to bottom, and its notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chatbot.documents.tables import Row, add_table, reads_like_heading
from chatbot.documents.text import TextBuilder, clean_line

MAX_TITLE_CHARACTERS = 200
"""What is longer than that is no title, even where one should stand."""

_BAND_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph or list item on a slide (`list_level` from 1), or a table where there are `rows`."""

    text: str = ""
    list_level: int = 0
    rows: tuple[Row, ...] = ()
    header_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Slide:
    """What a slide says. A hidden one has nothing, but is counted."""

    title: str = ""
    pieces: tuple[Piece, ...] = ()
    notes: tuple[str, ...] = ()


Place = TypeVar("Place")


def add_slides(builder: TextBuilder, slides: Iterable[Slide]) -> None:
    """Append slides, each a page below its title, followed by its notes."""
    for number, slide in enumerate(slides, 1):
        builder.start_page()
        title, pieces = _choose_title(slide, number)
        builder.add("heading", title, 1)
        for piece in pieces:
            _add_piece(builder, piece)
        for note in slide.notes:
            builder.add("paragraph", note)


def sort_by_place(places: Sequence[tuple[int, int, Place]], height: int) -> list[Place]:
    """Return what stands at `(top, left, what)` as it is read: from top to bottom, rows from left to right.

    What begins within a twentieth of the slide's `height` stands in one row.
    """
    rows: list[list[tuple[int, int, Place]]] = []
    for place in sorted(places, key=lambda place: place[0]):
        if not rows or place[0] - rows[-1][0][0] > height * _BAND_SHARE:
            rows.append([])
        rows[-1].append(place)
    return [what for row in rows for _, _, what in sorted(row, key=lambda place: place[1])]


def _choose_title(slide: Slide, number: int) -> tuple[str, Sequence[Piece]]:
    """Return a heading for the slide and the pieces below it.

    Each slide needs one, lest it seem to belong to the slide before. Without a title it is the first line,
    where that reads like one, else the slide's number.
    """
    title = clean_line(slide.title)
    if title or not (slide.pieces or slide.notes):
        return title, slide.pieces
    first, *others = slide.pieces or (Piece(),)
    if first.text and not first.list_level and reads_like_heading(clean_line(first.text)):
        return first.text, others
    return f"Slide {number}", slide.pieces


def _add_piece(builder: TextBuilder, piece: Piece) -> None:
    if piece.rows:
        add_table(builder, list(piece.rows), header_rows=piece.header_rows)
    elif piece.list_level:
        builder.add("list_item", piece.text, piece.list_level)
    else:
        builder.add("paragraph", piece.text)
