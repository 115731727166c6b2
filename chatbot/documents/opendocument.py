"""What OpenDocument files share: their archive, the names of their elements, and the words in them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chatbot.documents.archives import DAMAGE, check_archive, damaged, parse_xml, password_protected
from chatbot.documents.tables import Row

PROGRAM = "LibreOffice"
MAX_REPEATS = 1000
"""So many times at most is a cell or row repeated that the file writes once."""

_MAX_COUNT_DIGITS = 9

_PREFIX = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
OFFICE, TEXT, TABLE, DRAW, STYLE, PRESENTATION, SVG = (
    _PREFIX % name
    for name in ("office", "text", "table", "drawing", "style", "presentation", "svg-compatible")
)
PARAGRAPHS = (f"{TEXT}p", f"{TEXT}h")

# Comments, footnotes (they follow the paragraph), and what is drawn above or beside it.
_NOT_IN_LINE = frozenset(
    {f"{OFFICE}annotation", f"{TEXT}note", f"{TEXT}ruby-text", f"{DRAW}frame", f"{DRAW}g"}
)
_SPACES = {f"{TEXT}s": " ", f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n", f"{TEXT}p": "\n", f"{TEXT}h": "\n"}


def check_opendocument(path: Path, name: str) -> None:
    """Refuse what is no OpenDocument file, is encrypted, or unpacks to too much. Raises DocumentError."""
    check_archive(path, name, "content.xml")
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = archive.read("META-INF/manifest.xml")
    except DAMAGE:
        return  # some programs write none
    if b"encryption-data" in manifest:
        raise password_protected(path)


def read_part(path: Path, name: str) -> Any:  # noqa: ANN401 - lxml element
    """Return the root of a part such as `content.xml`. Raises CorruptDocument where there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return parse_xml(archive.read(name))
    except DAMAGE as error:
        raise damaged(path, PROGRAM) from error


def find_body(path: Path, root: Any, kind: str) -> Any:  # noqa: ANN401 - lxml elements
    """Return the element that holds the text, presentation or spreadsheet. Raises CorruptDocument."""
    body = root.find(f"{OFFICE}body/{OFFICE}{kind}")
    if body is None:
        raise damaged(path, PROGRAM)
    return body


def read_words(element: Any) -> str:  # noqa: ANN401 - lxml element
    """Return the words of a paragraph or a cell, without comments, footnotes and what is drawn beside it."""
    return "".join(_iterate_words(element)).strip("\n")


def _iterate_words(element: Any) -> Iterator[str]:  # noqa: ANN401 - lxml element
    yield _SPACES.get(element.tag, "")
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _NOT_IN_LINE:
            yield from _iterate_words(child)
        yield child.tail or ""


def read_table(table: Any) -> tuple[list[Row], int | None]:  # noqa: ANN401 - lxml element
    """Return the rows of a table in a text or slide, and how many are marked as its header, None for none."""
    rows = [_read_cells(row) for row in iterate_rows(table)]
    marked = len(table.findall(f"{TABLE}table-header-rows/{TABLE}table-row"))
    return rows, marked or None


def iterate_rows(table: Any) -> Iterator[Any]:  # noqa: ANN401 - lxml elements
    """Yield the rows of a table in order, those in groups and headers too, but none of a table inside it."""
    for child in table:
        if child.tag == f"{TABLE}table-row":
            yield child
        elif child.tag in _ROW_GROUPS:
            yield from iterate_rows(child)


_ROW_GROUPS = tuple(TABLE + name for name in ("table-header-rows", "table-rows", "table-row-group"))


def iterate_cells(row: Any) -> Iterator[tuple[Any, int]]:  # noqa: ANN401 - lxml elements
    """Yield the cells of a row, those that another one covers too, and how often each is repeated."""
    for cell in row:
        if cell.tag in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            yield cell, read_count(cell, f"{TABLE}number-columns-repeated")


def read_count(element: Any, name: str) -> int:  # noqa: ANN401 - lxml element
    """Return an attribute that counts something, from 1 to a limit; 1 where it is missing or no number."""
    return min(read_whole_count(element, name), MAX_REPEATS)


def read_whole_count(element: Any, name: str) -> int:  # noqa: ANN401 - lxml element
    """Return an attribute that counts something, from 1; 1 where it is missing or no number."""
    value = element.get(name, "1")
    return max(int(value), 1) if value.isdecimal() and len(value) <= _MAX_COUNT_DIGITS else 1


def _read_cells(row: Any) -> Row:  # noqa: ANN401 - lxml element
    return [words for cell, count in iterate_cells(row) for words in [read_words(cell).strip()] * count]
