"""Which rows a question is about: those with a cell that it names, of a time, or within a limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from chatbot.calculations.comparisons import Limit, lies_within
from chatbot.calculations.naming import SAYS_NOTHING, NamedWords
from chatbot.calculations.tables import Table
from chatbot.calculations.vocabulary import TableVocabulary, is_label, stem_name
from chatbot.sentences import stem_word
from chatbot.surveys.periods import Period

_AMOUNTS = frozenset(map(stem_word, "amount total value price sum cost sales revenue salary".split()))
_SCALED = re.compile(
    r"million|thousand|billion|tausend|\b(?:mio|mrd|mln|mn|bn)\b|\b000s?\b|\(k\)|[€$£]\s?[km]\b|\b[kmt]\s?[€$£]"
    r"|\b[kmt]\s?(?:eur|usd|gbp|chf)\b|\b(?:eur|usd|gbp|chf)\s?[km]\b",
    re.IGNORECASE,
)
"""What says that a column's numbers stand for many times as much."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What rows must satisfy, in words, and the numbers of those that do."""

    words: str
    rows: frozenset[int]


def make_value_conditions(found: NamedWords, table: Table) -> Iterator[Condition]:
    """A condition for each column whose cells were named; of several cells of one column any will do."""
    by_column: dict[int, list[tuple[str, ...]]] = {}
    for _, _, column, words in found.values:
        by_column.setdefault(column, []).append(words)
    for column, wanted in by_column.items():
        rows = {number: row.cells[column] for number, row in enumerate(table.rows)}
        kept = {number: cell for number, cell in rows.items() if stem_name(cell) in wanted}
        told = " or ".join(dict.fromkeys(kept.values()))
        yield Condition(f"{table.names[column]}: {told}", frozenset(kept))


def joins_values_only(found: NamedWords, tokens: Sequence[str]) -> bool:
    """Whether each "or" stands between cells of one column; conditions of several must all be met."""
    spans: list[tuple[int, int, int | None]] = [
        (begin, end, column) for begin, end, column, _ in found.values
    ]
    spans += [(place, place + 1, None) for place, _ in found.marks]
    for place in (number for number, word in enumerate(tokens) if word == "or"):
        if any(begin <= place < end for begin, end, _ in spans):
            continue
        before = max((span for span in spans if span[1] <= place), key=itemgetter(0), default=None)
        after = min((span for span in spans if span[0] > place), key=itemgetter(0), default=None)
        if before is None or after is None or before[2] is None or before[2] != after[2]:
            return False
    return True


def make_period_condition(table: Table, column: int, period: Period) -> Condition:
    """The condition that a column of days lies within a period."""
    days = table.columns[column].days
    rows = frozenset(number for number, day in enumerate(days) if day and lies_within(day, period))
    told = [
        f"from {period.after}" if period.after else "",
        f"before {period.before}" if period.before else "",
    ]
    return Condition(f"{table.names[column]} {' and '.join(filter(None, told))}", rows)


def make_limit_conditions(
    found: NamedWords,
    tokens: Sequence[str],
    limits: Sequence[Limit],
    table: Table,
    vocabulary: TableVocabulary,
) -> list[Condition] | None:
    """A condition for each limit; None where it is not clear of which column."""
    conditions = []
    for place, name in found.marks:
        if name == "t":
            continue
        limit = limits[int(name)]
        column = _find_limited(place, tokens, found, table, vocabulary, limit)
        if column is None or _SCALED.search(f"{table.names[column]} ({table.columns[column].unit.name})"):
            return None
        numbers = table.columns[column].numbers
        rows = frozenset(
            row for row, number in enumerate(numbers) if number is not None and limit.holds(number)
        )
        conditions.append(Condition(f"{table.names[column]} {limit.words}", rows))
    return conditions


def _find_limited(
    place: int,
    tokens: Sequence[str],
    found: NamedWords,
    table: Table,
    vocabulary: TableVocabulary,
    limit: Limit,
) -> int | None:
    """The column that a limit is on: one named right beside it, else the only one that it can mean."""
    for mention in found.mentions:
        first, last = sorted((mention.end, place)) if mention.end <= place else (place + 1, mention.place)
        is_beside = all(word in SAYS_NOTHING for word in tokens[first:last])
        if is_beside and table.columns[mention.column].kind == "number":
            found.mentions.remove(mention)
            return mention.column
    if limit.is_of_time:
        years = [number for number, stems in enumerate(vocabulary.columns) if "year" in stems]
        return years[0] if len(years) == 1 and table.columns[years[0]].kind == "number" else None
    return find_default(table, vocabulary)


def find_default(table: Table, vocabulary: TableVocabulary) -> int | None:
    """The column that an amount means where none is named: the only one of numbers that count something."""
    numeric = list_measures(table, vocabulary)
    if len(numeric) == 1:
        return numeric[0]
    amounts = [number for number in numeric if vocabulary.columns[number] & _AMOUNTS]
    currencies = [number for number in numeric if table.columns[number].unit.name not in ("", "%")]
    for numbers in (amounts, currencies):
        if len(numbers) == 1:
            return numbers[0]
    return None


def list_measures(table: Table, vocabulary: TableVocabulary) -> list[int]:
    """The columns of numbers that count something."""
    return [
        number
        for number, column in enumerate(table.columns)
        if column.kind == "number" and not is_label(vocabulary.columns[number])
    ]
