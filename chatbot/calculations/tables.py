"""The tables of a document with typed columns, their total rows told from the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from chatbot.calculations.values import Column, is_blank, read_column
from chatbot.documents.text import split_cells
from chatbot.types import Block, Document, DocumentRecord

FEWEST_ROWS = 2
"""A table of fewer rows has nothing to compute."""
MOST_ROWS = 200_000
"""Of a longer table nothing is computed: it would take longer than people wait."""

_TOTAL = r"(?:totals?|sum|subtotals?|sub-totals?|summe|gesamt|gesamtsumme|zwischensumme|insgesamt)"
_TOTAL_LABEL = re.compile(
    rf"(?:grand |overall |sub-? ?|net |in )?{_TOTAL}(?: (?:of|for|in) .+)?\W*", re.IGNORECASE
)
_SUMMARY_LABEL = re.compile(r"(?:averages?|mean|avg\.?|median|minimum|maximum|count)\W*", re.IGNORECASE)
_MAY_BE_TOTAL = re.compile(rf"\b{_TOTAL}\b", re.IGNORECASE)
_EXACTNESS = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: its cells, the characters of the document that it is, and its number in a sheet, or 0."""

    start: int
    end: int
    cells: tuple[str, ...]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table with named columns: its rows, without those that sum others up, which are `totals`.

    `name` is the heading above it, else the document's title; `header` is its first row as it is written.
    """

    record: DocumentRecord
    name: str
    header: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    totals: tuple[TableRow, ...] = ()


@dataclass(slots=True)
class _Lines:
    """A table while its blocks are collected."""

    name: str
    header: str
    names: tuple[str, ...]
    rows: list[TableRow] = field(default_factory=list)


def read_tables(document: Document) -> list[Table]:
    """The tables of a document that have names for their columns and at least two rows."""
    return [
        _make_table(lines, document.record)
        for lines in _collect_lines(document)
        if FEWEST_ROWS <= len(lines.rows) <= MOST_ROWS and len(lines.names) > 1
    ]


def _collect_lines(document: Document) -> Iterator[_Lines]:
    """Every headed table. Rows behind a blank line that fit its columns still belong to it."""
    current: _Lines | None = None
    name = document.record.title
    before: Block | None = None
    for block in document.blocks:
        text = document.text[block.start : block.end]
        if block.kind == "table_header":
            if current:
                yield current
            current = _Lines(name, text, _read_cells(text))
        elif block.kind == "table_row" and current:
            row = TableRow(block.start, block.end, _read_cells(text), block.row)
            is_next = before is not None and document.text[before.end : block.start] == "\n"
            if is_next or len(row.cells) == len(current.names) or _is_total_label(row):
                current.rows.append(row)
        else:
            if current:
                yield current
            current = None
            name = text if block.kind == "heading" else name
        before = block
    if current:
        yield current


def _read_cells(text: str) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in split_cells(text))


def _make_table(lines: _Lines, record: DocumentRecord) -> Table:
    width = max(len(lines.names), *(len(row.cells) for row in lines.rows))
    names = _pad(lines.names, width)
    rows = [replace(row, cells=_pad(row.cells, width)) for row in lines.rows]
    totals = [row for row in rows if _is_total_label(row)]
    labelled = {row.start for row in totals}
    others = [row for row in rows if row.start not in labelled]
    sums = _find_unlabelled_totals(others, _read_columns(others, width))
    left = [row for row in others if row.start not in sums]
    totals += [row for row in others if row.start in sums]
    return Table(
        record, lines.name, lines.header, names, tuple(_read_columns(left, width)), tuple(left), tuple(totals)
    )


def _pad(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return (*cells, *("" for _ in range(width - len(cells))))


def _read_columns(rows: Sequence[TableRow], width: int) -> list[Column]:
    return [read_column([row.cells[column] for row in rows]) for column in range(width)]


def _is_total_label(row: TableRow) -> bool:
    """Whether a cell says that the row sums others up: "Total", "Grand total", "Total for 2024"."""
    first = next((cell for cell in row.cells if not is_blank(cell)), "")
    labels = [first, *(cell for cell in row.cells if _TOTAL_LABEL.fullmatch(cell))]
    return any(_TOTAL_LABEL.fullmatch(label) or _SUMMARY_LABEL.fullmatch(label) for label in labels)


def _find_unlabelled_totals(rows: Sequence[TableRow], columns: Sequence[Column]) -> set[int]:
    """Where rows begin that sum up those above without being called a total.

    The last one may have no label at all; elsewhere a cell must hold such a word, as in "North total".
    """
    numeric = [column.numbers for column in columns if column.kind == "number"]
    found: set[int] = set()
    begin = 0
    for number, row in enumerate(rows):
        is_last = number == len(rows) - 1
        is_called = any(_MAY_BE_TOTAL.search(cell) for cell in row.cells)
        is_bare = is_last and number > 1 and is_blank(row.cells[0])
        if (is_called or is_bare) and any(_sums_up(values, begin, number, found, rows) for values in numeric):
            found.add(row.start)
            begin = number + 1
    return found


def _sums_up(
    values: Sequence[Decimal | None], begin: int, end: int, totals: set[int], rows: Sequence[TableRow]
) -> bool:
    """Whether a value is the sum of those since the last total, or of all that are none."""
    value = values[end]
    since = [number for number in values[begin:end] if number is not None]
    everything = [
        number for number, row in zip(values[:end], rows, strict=False) if number and row.start not in totals
    ]
    sums = [numbers for numbers in (since, everything) if len(numbers) > 1]
    return value is not None and any(abs(sum(numbers) - value) < _EXACTNESS for numbers in sums)
