"""What all spreadsheets share: rows of cells, as they are shown, become headings, tables and paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chatbot.documents.metadata import finish_document, name_from_path
from chatbot.documents.tables import (
    MAX_NAME_ROWS,
    Row,
    add_table,
    count_filled,
    is_name_row,
    reads_like_heading,
)
from chatbot.documents.text import TextBuilder
from chatbot.errors import DocumentTooLarge
from chatbot.types import ParsedDocument

MAX_CELLS = 1_500_000
"""Cells with something in them that are read of one file: what a minute is enough for, with room to spare."""

MAX_ROWS = 2**20
MAX_COLUMNS = 1000
"""What lies further down or to the right is not read; no program shows more rows."""

_MAX_TITLES = 4
# What programs call a sheet that nobody named.
_UNNAMED = re.compile(
    r"(?:sheet|tabelle|table|feuille?|hoja|foglio|planilha|folha|blad|ark|arkusz|list|лист)[ _]?\d*$",
    re.IGNORECASE,
)


NumberedRow = tuple[int, Row]
"""A row with its number as a spreadsheet program shows it, from 1."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that people see: its name, and its rows, which may be read only once.

    Rows come in their order; blank ones may be left out where at least one tells that there were some.
    """

    name: str
    rows: Iterable[NumberedRow]


def build_document(
    path: Path,
    sheets: Iterable[Sheet],
    *,
    title: str | None = None,
    date: str | None = None,
    author: str | None = None,
) -> ParsedDocument:
    """Return the document that a workbook's sheets make, titled by the workbook itself or its file's name.

    A lone sheet that nobody named has no heading. Raises DocumentTooLarge above `MAX_CELLS`, EmptyDocument
    where no cell holds anything.
    """
    builder = TextBuilder()
    in_order = list(sheets)
    counter = _CellCounter(path)
    for sheet in in_order:
        is_named = len(in_order) > 1 or not _UNNAMED.match(sheet.name)
        _add_sheet(builder, sheet, counter, has_heading=is_named)
    return finish_document(
        builder, path, titles=[title, name_from_path(path)], dates=[date], authors=[author]
    )


def _add_sheet(builder: TextBuilder, sheet: Sheet, counter: _CellCounter, *, has_heading: bool) -> None:
    """Append a sheet, below its name where it `has_heading`; nothing where the sheet is empty."""
    writer = _SheetWriter(builder, sheet.name, sheet.name if has_heading else "")
    for region in _split_regions(counter.count(sheet.rows)):
        writer.add_region(region)
    writer.flush()


class _CellCounter:
    """Counts the cells of a file that hold something, and stops at the limit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cells = 0

    def count(self, rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
        for number, row in rows:
            self._cells += count_filled(row)
            if self._cells > MAX_CELLS:
                raise DocumentTooLarge(
                    f"“{self._path.name}” has more than {MAX_CELLS:,} cells that hold something.",
                    "Split it, or save the part that matters as a file of its own.",
                )
            yield number, row


class _SheetWriter:
    """Writes a sheet region by region; lone cells and names of columns wait for the table below them."""

    def __init__(self, builder: TextBuilder, sheet: str, heading: str) -> None:
        self._builder = builder
        self._sheet = sheet
        self._heading = heading
        self._is_begun = False
        self._titles: list[tuple[int, str]] = []
        self._names: list[NumberedRow] = []

    def add_region(self, rows: list[NumberedRow]) -> None:
        """Take the rows between two blank ones."""
        first = next((place for place, (_, row) in enumerate(rows) if count_filled(row) > 1), len(rows))
        table = [row for _, row in rows[first:]]
        if self._names and (first or not _are_names_of([row for _, row in self._names], table)):
            self.flush()
        self._titles += [(number, next(filter(None, row))) for number, row in rows[:first]]
        if table and not self._names and len(table) <= MAX_NAME_ROWS and all(map(is_name_row, table)):
            self._names = rows[first:]
        elif table:
            self._write_table(self._names + rows[first:])

    def flush(self) -> None:
        """Write what waits for a table that does not come."""
        if self._names:
            self._write_table(self._names)
        for number, title in self._titles:
            self._begin_sheet()
            self._builder.add("paragraph", title, row=number)
        self._titles = []

    def _write_table(self, rows: list[NumberedRow]) -> None:
        self._begin_sheet()
        self._write_titles()
        self._names = []
        add_table(self._builder, [row for _, row in rows], numbers=[number for number, _ in rows])

    def _write_titles(self) -> None:
        """Write the lone cells above a table, as headings where they read like some."""
        for number, title in self._titles:
            if len(self._titles) > _MAX_TITLES or not reads_like_heading(title):
                self._builder.add("paragraph", title, row=number)
            elif title.casefold() != self._heading.casefold():
                self._builder.add("heading", title, 2 if self._heading else 1, row=number)
        self._titles = []

    def _begin_sheet(self) -> None:
        if not self._is_begun:
            self._builder.start_sheet(self._sheet)
            self._builder.add("heading", self._heading, 1)
        self._is_begun = True


def _split_regions(rows: Iterable[NumberedRow]) -> Iterator[list[NumberedRow]]:
    """Yield the rows between blank rows together."""
    region: list[NumberedRow] = []
    for number, row in rows:
        if any(row):
            region.append((number, row))
        elif region:
            yield region
            region = []
    if region:
        yield region


def _are_names_of(names: list[Row], table: list[Row]) -> bool:
    """Whether rows above a blank one name the columns of the table below it, which begins with numbers."""
    filled = count_filled(names[-1])
    return not is_name_row(table[0]) and filled > 2 and abs(filled - count_filled(table[0])) <= 1
