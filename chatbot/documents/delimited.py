"""Tables in text files (.csv, .tsv): what parts the cells is found out, not asked."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.sheets import MAX_COLUMNS, NumberedRow, Sheet, build_document
from chatbot.documents.tables import Row
from chatbot.types import ParsedDocument

NAME = "CSV"
SUFFIXES = (".csv", ".tsv")

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LINES = 100
_STATED_DELIMITER = re.compile(r"sep=(.)\r?\n")

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a table in a text file. Raises DocumentError."""
    text = read_text(path)
    if stated := _STATED_DELIMITER.match(text):  # a line that Excel writes and understands
        text, delimiter = text[stated.end() :], stated[1]
    else:
        delimiter = find_delimiter(text)
    rows: Iterator[NumberedRow] = enumerate(_read_rows(_split_lines(text), delimiter), 1)
    return build_document(path, [Sheet("", rows)])


def find_delimiter(text: str) -> str:
    """Return the sign that cuts the first lines of a table into the same number of cells most often.

    A comma where none does.
    """
    lines = _split_lines(text)[:_SAMPLE_LINES]
    return max(_DELIMITERS, key=lambda delimiter: _rate_delimiter(lines, delimiter))


def _split_lines(text: str) -> list[str]:
    """Return the lines with their ends; a form feed or another rare sign ends none, as in Excel."""
    return list(io.StringIO(text, newline=""))


def _rate_delimiter(lines: list[str], delimiter: str) -> tuple[float, int]:
    """Return the share of rows that have the most frequent number of cells, and that number."""
    counts = Counter(len(row) for row in _read_rows(lines, delimiter) if any(row))
    if not counts:
        return 0.0, 0
    cells, rows = max(counts.items(), key=lambda item: (item[0] > 1, item[1]))
    return (rows / counts.total(), cells) if cells > 1 else (0.0, 0)


def _read_rows(lines: list[str], delimiter: str) -> list[Row]:
    """Return the cells of each line; quotation marks count only where they are closed."""
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        rows = list(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    return [[cell.strip() for cell in row[:MAX_COLUMNS]] for row in rows]
