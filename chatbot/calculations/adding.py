"""Whether the numbers of a column may be added up. A wrong sum is far worse than none."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from chatbot.calculations.tables import Table
from chatbot.calculations.values import is_blank
from chatbot.calculations.vocabulary import TableVocabulary
from chatbot.sentences import stem_word


def _stem_all(words: str) -> frozenset[str]:
    return frozenset(map(stem_word, words.split()))


_NEVER_ADDED = _stem_all(
    "rate ratio average mean avg median percentage percent age temperature rating grade score rank margin"
)
_OF_ONE = _stem_all("price prices cost costs fee fees rate wage salary value")
"""Of one piece or hour, where the column's name says so, or where another tells how many there are."""
_OFTEN_OF_ONE = _stem_all("price fee")
_PIECES = _stem_all("quantity qty pieces units amount count stock")
_LEVELS = _stem_all(
    "headcount staff employee employees person people member members customer customers user users subscriber"
    " subscribers student students population inhabitants balance stock inventory level capacity backlog fte"
)
"""How much there is at a time; over several times only the last of it counts."""
_CHANGES = _stem_all("new joined left added lost sold hired gained")
_TIMES = _stem_all("date day week month quarter year period as of at end fiscal financial")
_WHOLE, _NEARLY = Decimal(100), Decimal("1.0")


def may_be_added(table: Table, column: int, rows: Sequence[int], vocabulary: TableVocabulary) -> bool:
    """Whether the sum of a column over some rows means something.

    Rates, averages and prices of one piece have none, percentages only where they are parts of one whole,
    and how much there is at a time, such as a headcount, only within one of the table's times.
    """
    stems = vocabulary.columns[column]
    if len(rows) == 1:
        return True
    if stems & _NEVER_ADDED or _is_of_one(table, column, vocabulary):
        return False
    if table.columns[column].unit.name == "%" and not _is_of_whole(table, column):
        return False
    is_level = bool(stems & _LEVELS) and not stems & _CHANGES
    return not is_level or not _spans_times(table, rows, vocabulary)


def differ(table: Table, column: int, rows: Sequence[int]) -> bool:
    """Whether the rows hold different numbers; one that all of them share may be told of each."""
    numbers = {table.columns[column].numbers[row] for row in rows}
    return len(numbers) > 1 or len(rows) == 1


def _is_of_one(table: Table, column: int, vocabulary: TableVocabulary) -> bool:
    """Whether a price, or the like, is that of one piece."""
    if not vocabulary.columns[column] & _OF_ONE:
        return False
    words = table.names[column].casefold().replace("/", " per ").split()
    if {"unit", "per", "each", "hourly", "single", "list"} & set(words):
        return True
    others = (number for number in range(len(table.columns)) if number != column)
    has_pieces = any(_tells_pieces(table, number, vocabulary) for number in others)
    return bool(vocabulary.columns[column] & _OFTEN_OF_ONE) and has_pieces


def _tells_pieces(table: Table, column: int, vocabulary: TableVocabulary) -> bool:
    """Whether a column tells how many there are; an "invoice number" does not."""
    is_count = (
        vocabulary.columns[column] & (_PIECES | _LEVELS) or "number of" in table.names[column].casefold()
    )
    return table.columns[column].kind == "number" and bool(is_count)


def _is_of_whole(table: Table, column: int) -> bool:
    numbers = [number for number in table.columns[column].numbers if number is not None]
    return abs(sum(numbers, Decimal()) - _WHOLE) <= _NEARLY


def _spans_times(table: Table, rows: Sequence[int], vocabulary: TableVocabulary) -> bool:
    """Whether the rows are of different days, months or years."""
    times = (number for number, stems in enumerate(vocabulary.columns) if stems and stems <= _TIMES)
    return any(
        len({table.rows[row].cells[number] for row in rows if not is_blank(table.rows[row].cells[number])})
        > 1
        for number in times
    )
