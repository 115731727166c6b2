"""Tables: which of their rows name the columns, and how they become blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.documents.text import TextBuilder

MAX_NAME_ROWS = 3
"""The names of columns stand in so many rows at most."""

_MAX_HEADING_CHARACTERS = 100
_SENTENCE_END = (".", ",", ";", ":", "!", "?")
_YEAR = re.compile(r"(?:19|20)\d\d$")

Row = list[str]


def add_table(
    builder: TextBuilder, rows: list[Row], *, header_rows: int | None = None, numbers: Sequence[int] = ()
) -> None:
    """Append a table without its empty columns, and without the empty cells at the right of a row.

    `header_rows` tells how many rows name the columns; where it is None, that is found out. `numbers` are
    those of the rows in their sheet, if they stand in one.
    """
    kept = [(row, number) for row, number in zip(rows, numbers or [0] * len(rows), strict=True) if any(row)]
    table, numbers = _drop_empty_columns([row for row, _ in kept]), [number for _, number in kept]
    header, first = find_header(table) if header_rows is None else _join_names(table, header_rows)
    builder.end_group()
    if first:
        builder.add_row(_trim(header), header=True, row=numbers[first - 1])
    for row, number in zip(table[first:], numbers[first:], strict=True):
        builder.add_row(_trim(row), row=number)
    builder.end_group()


def find_header(table: list[Row]) -> tuple[Row, int]:
    """Return the names of a table's columns and how many rows they take; none and 0 where there are no names.

    The row with the names fills every column but perhaps the first, or stands above numbers.
    """
    for number, row in enumerate(table[: min(MAX_NAME_ROWS, len(table) - 1)]):
        if not is_name_row(row):
            break
        if all(row[1:]) or _stands_above_numbers(row, table[number + 1]):
            return _join_names(table, number + 1)
    return [], 0


def _join_names(table: list[Row], count: int) -> tuple[Row, int]:
    """Return the first rows as one, and how many they are."""
    rows = [*map(_spread, table[: count - 1]), *table[count - 1 : count]] if count else []
    return [" ".join(filter(None, cells)) for cells in zip(*rows, strict=True)], len(rows)


def is_name_row(row: Row) -> bool:
    """Whether a row can name columns: words, or years beside a first cell that is none, no other numbers."""
    filled = [cell for cell in row if cell]
    has_only_names = all(_is_name(cell) or _YEAR.match(cell) for cell in filled)
    return has_only_names and not (row[0] and _YEAR.match(row[0]))


def reads_like_heading(title: str) -> bool:
    """Whether words that stand alone are short and no sentence."""
    return len(title) <= _MAX_HEADING_CHARACTERS and not title.endswith(_SENTENCE_END) and _is_name(title)


def count_filled(row: Row) -> int:
    """Return how many cells hold something."""
    return sum(map(bool, row))


def _drop_empty_columns(rows: list[Row]) -> list[Row]:
    """Return rows of one length without the columns that none of them fills."""
    used = sorted({column for row in rows for column, cell in enumerate(row) if cell})
    return [[row[column] if column < len(row) else "" for column in used] for row in rows]


def _trim(row: Row) -> Row:
    """Return a row without the empty cells at its end."""
    filled = len(row)
    while filled and not row[filled - 1]:
        filled -= 1
    return row[:filled]


def _is_name(cell: str) -> bool:
    return any(character.isalpha() for character in cell)


def _spread(names: Row) -> Row:
    """Return names that stand over several columns, such as years, each over all of its own.

    Where they do not begin at the first column, or there is but one, they are said once, at the very front.
    """
    first, *others = names
    if count_filled(others) == 1 or not others[0]:
        return [" ".join(filter(None, names)), *("" for _ in others)]
    for column in range(1, len(others)):
        others[column] = others[column] or others[column - 1]
    return [first, *others]


def _stands_above_numbers(names: Row, row: Row) -> bool:
    is_wide = count_filled(names) * 2 > len(names)
    return is_wide and any(
        name and cell and not _is_name(cell) for name, cell in zip(names, row, strict=True)
    )
