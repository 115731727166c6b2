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


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that people see: its name, and its rows, which may be read only once."""

    name: str
    rows: Iterable[Row]


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
        _add_sheet(builder, sheet.name if is_named else "", counter.count(sheet.rows))
    return finish_document(
        builder, path, titles=[title, name_from_path(path)], dates=[date], authors=[author]
    )


def _add_sheet(builder: TextBuilder, name: str, rows: Iterable[Row]) -> None:
    """Append a sheet below its name; nothing where the sheet is empty."""
    writer = _SheetWriter(builder, name)
    for region in _split_regions(rows):
        writer.add_region(region)
    writer.flush()


class _CellCounter:
    """Counts the cells of a file that hold something, and stops at the limit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cells = 0

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self._cells += count_filled(row)
            if self._cells > MAX_CELLS:
                raise DocumentTooLarge(
                    f"“{self._path.name}” has more than {MAX_CELLS:,} cells that hold something.",
                    "Split it, or save the part that matters as a file of its own.",
                )
            yield row


class _SheetWriter:
    """Writes a sheet region by region; lone cells and names of columns wait for the table below them."""

    def __init__(self, builder: TextBuilder, name: str) -> None:
        self._builder = builder
        self._name = name
        self._is_begun = False
        self._titles: list[str] = []
        self._names: list[Row] = []

    def add_region(self, rows: list[Row]) -> None:
        """Take the rows between two blank ones."""
        first = next((number for number, row in enumerate(rows) if count_filled(row) > 1), len(rows))
        table = rows[first:]
        if self._names and (first or not _are_names_of(self._names, table)):
            self.flush()
        self._titles += [next(filter(None, row)) for row in rows[:first]]
        if table and not self._names and len(table) <= MAX_NAME_ROWS and all(map(is_name_row, table)):
            self._names = table
        elif table:
            self._write_table(self._names + table)

    def flush(self) -> None:
        """Write what waits for a table that does not come."""
        if self._names:
            self._write_table(self._names)
        for title in self._titles:
            self._write_name()
            self._builder.add("paragraph", title)
        self._titles = []

    def _write_table(self, rows: list[Row]) -> None:
        self._write_name()
        self._write_titles()
        self._names = []
        add_table(self._builder, rows)

    def _write_titles(self) -> None:
        """Write the lone cells above a table, as headings where they read like some."""
        for title in self._titles:
            if len(self._titles) > _MAX_TITLES or not reads_like_heading(title):
                self._builder.add("paragraph", title)
            elif title.casefold() != self._name.casefold():
                self._builder.add("heading", title, 2 if self._name else 1)
        self._titles = []

    def _write_name(self) -> None:
        if not self._is_begun:
            self._builder.add("heading", self._name, 1)
        self._is_begun = True


def _split_regions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows between blank rows together."""
    region: list[Row] = []
    for row in rows:
        if any(row):
            region.append(row)
        elif region:
            yield region
            region = []
    if region:
        yield region


def _are_names_of(names: list[Row], table: list[Row]) -> bool:
    """Whether rows above a blank one name the columns of the table below it, which begins with numbers."""
    filled = count_filled(names[-1])
    return not is_name_row(table[0]) and filled > 2 and abs(filled - count_filled(table[0])) <= 1
