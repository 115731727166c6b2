"""OpenDocument presentations (.odp): slides with titles, shapes from top to bottom, tables and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chatbot.documents.archives import accepts_archive
from chatbot.documents.metadata import finish_document
from chatbot.documents.opendocument import (
    DRAW,
    PARAGRAPHS,
    PRESENTATION,
    STYLE,
    SVG,
    TABLE,
    TEXT,
    check_opendocument,
    find_body,
    read_part,
    read_table,
    read_words,
)
from chatbot.documents.properties import read_archive_properties
from chatbot.documents.slides import Piece, Slide, add_slides, sort_by_place
from chatbot.documents.text import TextBuilder
from chatbot.types import ParsedDocument

NAME = "OpenDocument presentation"
SUFFIXES = (".odp",)

_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)(mm|cm|in|pt|px)?")
_MICROMETRES = {"mm": 1_000, "cm": 10_000, "in": 25_400, "pt": 353, "px": 265}
_SLIDE_HEIGHT = 190_000  # in micrometres; most slides have about that
_NOT_TEXT = frozenset({"header", "footer", "date-time", "page-number"})

accepts = accepts_archive


def load(path: Path) -> ParsedDocument:
    """Read an OpenDocument presentation. Raises DocumentError."""
    check_opendocument(path, NAME)
    content = read_part(path, "content.xml")
    hidden = _find_hidden_styles(content)
    pages = find_body(path, content, "presentation").iterchildren(f"{DRAW}page")
    builder = TextBuilder()
    add_slides(
        builder,
        (Slide() if page.get(f"{DRAW}style-name") in hidden else _read_slide(page) for page in pages),
    )
    properties = read_archive_properties(path)
    return finish_document(
        builder, path, titles=[properties.title], dates=[properties.date], authors=[properties.author]
    )


def _find_hidden_styles(content: Any) -> set[str]:  # noqa: ANN401 - lxml element
    """Return the names of the styles of slides that are not shown."""
    return {
        str(style.get(f"{STYLE}name"))
        for style in content.iter(f"{STYLE}style")
        for page in style.iterchildren(f"{STYLE}drawing-page-properties")
        if page.get(f"{PRESENTATION}visibility") == "hidden"
    }


def _read_slide(page: Any) -> Slide:  # noqa: ANN401 - lxml element
    shapes = [shape for shape in page if _is_shape(shape)]
    titles = [shape for shape in shapes if shape.get(f"{PRESENTATION}class") == "title"]
    places = [(*_find_place(shape), shape) for shape in shapes if shape not in titles]
    notes = page.find(f"{PRESENTATION}notes")
    return Slide(
        title=" ".join(map(read_words, _iterate_paragraphs(titles))),
        pieces=tuple(piece for shape in sort_by_place(places, _SLIDE_HEIGHT) for piece in _read_shape(shape)),
        notes=() if notes is None else tuple(map(read_words, _iterate_paragraphs(filter(_is_shape, notes)))),
    )


def _is_shape(element: Any) -> bool:  # noqa: ANN401 - lxml element
    return str(element.tag).startswith(DRAW) and element.get(f"{PRESENTATION}class") not in _NOT_TEXT


def _find_place(shape: Any) -> tuple[int, int]:  # noqa: ANN401 - lxml element
    """Return how far a shape, or the first one of a group, is from the top and the left, in micrometres."""
    placed = next((part for part in shape.iter() if part.get(f"{SVG}y")), shape)
    return _read_length(placed.get(f"{SVG}y", "")), _read_length(placed.get(f"{SVG}x", ""))


def _read_length(text: str) -> int:
    match = _LENGTH.match(text)
    return int(float(match[1]) * _MICROMETRES.get(match[2], 1_000)) if match else 0


def _iterate_paragraphs(shapes: Any) -> Iterator[Any]:  # noqa: ANN401 - lxml elements
    for shape in shapes:
        yield from shape.iter(*PARAGRAPHS)


def _read_shape(shape: Any) -> Iterator[Piece]:  # noqa: ANN401 - lxml element
    """Yield the paragraphs, list items and tables of a shape or a group in their order."""
    for child in shape:
        if child.tag == f"{TABLE}table":
            rows, header_rows = read_table(child)
            yield Piece(rows=tuple(rows), header_rows=header_rows)
        elif child.tag in PARAGRAPHS:
            yield Piece(read_words(child), _count_lists(child))
        else:
            yield from _read_shape(child)


def _count_lists(paragraph: Any) -> int:  # noqa: ANN401 - lxml element
    return sum(1 for _ in paragraph.iterancestors(f"{TEXT}list"))
