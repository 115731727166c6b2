"""OpenDocument spreadsheets (.ods): the sheets that are shown, each cell with the words that it shows."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from chatbot.documents.archives import DAMAGE, accepts_archive, damaged
from chatbot.documents.opendocument import (
    OFFICE,
    PROGRAM,
    STYLE,
    TABLE,
    check_opendocument,
    iterate_cells,
    read_count,
    read_whole_count,
    read_words,
)
from chatbot.documents.properties import read_archive_properties
from chatbot.documents.sheets import MAX_COLUMNS, NumberedRow, Sheet, build_document
from chatbot.documents.tables import Row
from chatbot.types import ParsedDocument

NAME = "OpenDocument spreadsheet"
SUFFIXES = (".ods",)

_ISO_DAY_CHARACTERS = 10

accepts = accepts_archive


def load(path: Path) -> ParsedDocument:
    """Read an OpenDocument spreadsheet. Raises DocumentError."""
    check_opendocument(path, NAME)
    properties = read_archive_properties(path)
    try:
        names = _list_names(path)
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
            events = _parse(content, (f"{TABLE}table", f"{TABLE}table-row"))
            sheets = [Sheet(name or "", _read_rows(events, is_shown=name is not None)) for name in names]
            return build_document(
                path, sheets, title=properties.title, date=properties.date, author=properties.author
            )
    except DAMAGE as error:
        raise damaged(path, PROGRAM) from error


def _parse(content: IO[bytes], tags: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield where elements begin and end; those that have ended are forgotten with the next one."""
    from lxml import etree  # type: ignore[import-untyped]

    options = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}
    for event, element in etree.iterparse(content, events=("start", "end"), tag=tags, **options):
        yield event, element
        if event == "end":
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def _list_names(path: Path) -> list[str | None]:
    """Return the names of all sheets, None for each that is hidden."""
    names: list[str | None] = []
    hidden: set[str | None] = set()
    with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
        for event, element in _parse(content, (f"{TABLE}table", f"{TABLE}table-row", f"{STYLE}style")):
            if element.tag == f"{STYLE}style" and event == "end":
                shown = element.find(f"{STYLE}table-properties")
                if shown is not None and shown.get(f"{TABLE}display") == "false":
                    hidden.add(element.get(f"{STYLE}name"))
            elif element.tag == f"{TABLE}table" and event == "start":
                is_hidden = element.get(f"{TABLE}style-name") in hidden
                names.append(None if is_hidden else element.get(f"{TABLE}name", ""))
    return names


def _read_rows(events: Iterator[tuple[str, Any]], *, is_shown: bool) -> Iterator[NumberedRow]:
    """Yield the rows of the next sheet, of several blank ones the first; a hidden sheet is passed over."""
    number = 1
    for event, element in events:
        if event == "start":
            continue
        if element.tag == f"{TABLE}table":
            return
        row = _read_row(element) if is_shown else []
        repeated = f"{TABLE}number-rows-repeated"
        for same in range(read_count(element, repeated) if any(row) else 1):
            yield number + same, row
        number += read_whole_count(element, repeated)


def _read_row(element: Any) -> Row:  # noqa: ANN401 - lxml element
    row: Row = []
    for cell, count in iterate_cells(element):
        row += [_read_cell(cell)] * count
        if len(row) > MAX_COLUMNS:
            break
    return row[:MAX_COLUMNS]


def _read_cell(cell: Any) -> str:  # noqa: ANN401 - lxml element
    """Return what a cell shows, but days as ISO days, and thousands that are not set apart."""
    shown = " ".join(read_words(cell).split())
    day = cell.get(f"{OFFICE}date-value", "")
    if len(day) == _ISO_DAY_CHARACTERS:
        return str(day)
    return _join_thousands(shown, cell.get(f"{OFFICE}value", "")) if shown else ""


def _join_thousands(shown: str, value: str) -> str:
    whole = value.lstrip("-").partition(".")[0]
    if not whole.isdecimal() or len(whole) <= 3:
        return shown
    groups = re.findall(r"\d{1,3}(?=(?:\d{3})*$)", whole)
    return re.sub(r"\D".join(groups), whole, shown, count=1)
