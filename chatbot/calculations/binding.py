"""Reads every word of a question with the words of one table, or leaves the question to others.

A question is bound to a table only if each of its words names a column, a cell, the table itself, a limit on
a column, or says nothing (as "the" and "have" do). One word that is left over, and nothing is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chatbot.calculations.adding import differ, may_be_added
from chatbot.calculations.comparisons import take_limits, take_period
from chatbot.calculations.conditions import (
    Condition,
    find_default,
    joins_values_only,
    list_measures,
    make_limit_conditions,
    make_period_condition,
    make_value_conditions,
)
from chatbot.calculations.naming import Mention, NamedWords, name_words
from chatbot.calculations.questions import Operation, Request
from chatbot.calculations.tables import Table
from chatbot.calculations.values import holds_amounts, is_blank
from chatbot.calculations.vocabulary import TableVocabulary, split_words
from chatbot.sentences import stem_word

_ADJECTIVES = {
    "price": ("most expensive", "costliest", "dearest", "least expensive", "cheapest"),
    "weight": ("heaviest", "lightest"),
    "length": ("longest", "shortest"),
    "height": ("tallest", "shortest"),
}
_ADJECTIVE_COLUMNS = {
    "price": {"price", "cost", "fee", "rate"},
    "weight": {"weight", "mass"},
    "length": {"length", "duration", "distance"},
    "height": {"height"},
}
_YES, _NO = frozenset({"yes", "y", "true", "x", "✓", "✔", "ja"}), frozenset({"no", "n", "false", "nein"})
_LEADS_GROUP = frozenset({"by", "per", "each", "every"})
_ASKS_FOR_CELL = frozenset({"what", "which", "who", "find", "show", "show me", "give me"})
_OF_DAYS = frozenset({"latest", "newest", "most recent", "earliest", "oldest"})
_SUMMARIES = frozenset(
    map(stem_word, "highest lowest maximum minimum max min average mean avg median largest smallest".split())
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compute: over the rows of a table that satisfy all conditions, by the values of a column.

    `measure` is the column of the operation, None where rows are counted or listed; `distinct` one whose
    different values are counted; `group` one by whose values the rows are parted. `words_named` counts the
    words of the question that the table accounts for.
    """

    table: Table
    operation: Operation
    measure: int | None = None
    distinct: int | None = None
    group: int | None = None
    conditions: tuple[Condition, ...] = ()
    most: int = 1
    words_named: int = 0

    @property
    def rows(self) -> list[int]:
        """The numbers of the rows that satisfy all conditions."""
        kept = set(range(len(self.table.rows)))
        for condition in self.conditions:
            kept &= condition.rows
        return sorted(kept)


def bind_request(request: Request, table: Table, vocabulary: TableVocabulary) -> Plan | None:
    """What a request asks of a table; None where a word is left over or may mean several things."""
    words, period = request.words, None
    days = [number for number, column in enumerate(table.columns) if column.kind == "day"]
    if len(days) == 1:
        words, period = take_period(words)
    words, limits = take_limits(words)
    tokens = split_words(words)
    found = name_words(tokens, vocabulary)
    if found is None or (request.is_person and not vocabulary.has_people):
        return None
    found.has_subject = found.has_subject or request.is_person
    conditions = list(make_value_conditions(found, table))
    if period:
        conditions.append(make_period_condition(table, days[0], period))
    limited = make_limit_conditions(found, tokens, limits, table, vocabulary)
    if limited is None:
        return None
    if not joins_values_only(found, tokens):
        return None
    plan = Plan(table, request.operation, conditions=(*conditions, *limited), most=request.most)
    plan = replace(plan, words_named=found.named)
    return _complete_plan(plan, request, found, vocabulary)


def _complete_plan(
    plan: Plan, request: Request, found: NamedWords, vocabulary: TableVocabulary
) -> Plan | None:
    """The plan with the columns that its operation is about; None where they are not clear."""
    kinds = plan.table.columns
    groups = [m for m in found.mentions if _leads_group(m, plan, vocabulary)]
    others = [m for m in found.mentions if m not in groups]
    plan = replace(plan, group=groups[0].column) if groups else plan
    labels = [m for m in others if m.column in vocabulary.labels]
    others = [m for m in others if m not in labels]
    if len(groups) > 1 or any(m.lead in _LEADS_GROUP for m in labels):
        return None
    numeric = list(dict.fromkeys(m.column for m in others if kinds[m.column].kind in ("number", "day")))
    named = list(dict.fromkeys(m.column for m in others if kinds[m.column].kind in ("text", "empty")))
    if len(numeric) > 1 or len(named) > 1:
        return None
    if plan.operation != "list" and any(holds_amounts(_list_cells(plan, column)) for column in named):
        return None  # amounts that were not understood
    numbered = list(dict.fromkeys(m.column for m in labels if kinds[m.column].kind == "number"))
    if numbered and not _are_rows_meant(plan, numbered, numeric, vocabulary):
        return None
    has_subject = any((found.has_subject, named, groups, labels))
    match plan.operation:
        case "list":
            asked = list(dict.fromkeys(m.column for m in (*others, *labels)))
            if looked_up := _complete_lookup(plan, request, asked):
                return looked_up
            return _complete_list(plan, request, numeric, has_subject=has_subject)
        case "count":
            amounts = [m for m in others if m.column in numeric]
            return _complete_count(
                plan, request, amounts, named or numbered, vocabulary, has_subject=has_subject
            )
        case "maximum" | "minimum":
            return _complete_extreme(plan, request, numeric, named, vocabulary, has_subject=has_subject)
    return _complete_sum(plan, numeric, named, vocabulary, has_subject=has_subject)


def _leads_group(mention: Mention, plan: Plan, vocabulary: TableVocabulary) -> bool:
    """Whether a column is one by whose values the rows are parted, as in "by city"."""
    is_text = plan.table.columns[mention.column].kind == "text"
    return mention.lead in _LEADS_GROUP and (is_text or _is_year(mention.column, plan, vocabulary))


def _is_year(column: int, plan: Plan, vocabulary: TableVocabulary) -> bool:
    return "year" in vocabulary.columns[column] and plan.table.columns[column].kind == "number"


def _list_cells(plan: Plan, column: int) -> list[str]:
    return [row.cells[column] for row in plan.table.rows]


def _are_rows_meant(
    plan: Plan, numbered: Sequence[int], numeric: Sequence[int], vocabulary: TableVocabulary
) -> bool:
    """Whether a label that is a number, such as an order's or a year, names the rows that are computed from.

    "The average year" asks for no other column's average, and "the sales of the year" for one year's.
    """
    if plan.operation in ("count", "list"):
        return len(numbered) == 1 or plan.operation == "list"
    is_extreme = plan.operation in ("maximum", "minimum")
    is_repeated = any(_repeats(plan.table, plan.rows, column) for column in numbered)
    has_year = any(_is_year(column, plan, vocabulary) for column in numbered)
    return bool(numeric) and not is_repeated and (is_extreme or not has_year)


def _complete_list(plan: Plan, request: Request, numeric: Sequence[int], *, has_subject: bool) -> Plan | None:
    """Rows to list: some of them, of a table that was named; "what" asks for one of their cells."""
    has_limit = any(":" not in condition.words for condition in plan.conditions)
    if not plan.conditions or numeric or plan.group is not None or not has_subject:
        return None
    return plan if has_limit or request.adjective != "what" else None


def _complete_lookup(plan: Plan, request: Request, asked: Sequence[int]) -> Plan | None:
    """The cell of the column that is named, in the only row that holds what is named of it.

    "What is the phone number of Ada?" asks for it; where several rows fit, which is meant is not clear.
    """
    rows, has_values = plan.rows, all(":" in condition.words for condition in plan.conditions)
    if request.adjective not in _ASKS_FOR_CELL or len(asked) != 1 or len(rows) != 1 or plan.group is not None:
        return None
    if not plan.conditions or not has_values or is_blank(plan.table.rows[rows[0]].cells[asked[0]]):
        return None
    return replace(plan, operation="lookup", measure=asked[0])


def _complete_number_of(
    plan: Plan, request: Request, mentions: Sequence[Mention], vocabulary: TableVocabulary
) -> Plan | None:
    """The sum of a column that tells how many: "how many units were sold", "how many units are there".

    Without such words it is asked of one row, as in "how many days of leave does Ada have", or is not clear.
    """
    rows, column = plan.rows, mentions[0].column
    is_whole = any(mention.is_whole for mention in mentions)
    if plan.table.columns[column].kind != "number" or not may_be_added(plan.table, column, rows, vocabulary):
        return None
    is_amount = request.is_total or (is_whole and (len(rows) == 1 or plan.group is not None))
    if is_whole and request.is_of_all:
        is_amount = is_amount or differ(plan.table, column, rows)
    return replace(plan, operation="sum", measure=column) if is_amount else None


def _complete_count(
    plan: Plan,
    request: Request,
    amounts: Sequence[Mention],
    named: Sequence[int],
    vocabulary: TableVocabulary,
    *,
    has_subject: bool,
) -> Plan | None:
    """What a column of numbers adds up to, rows to count, or different values of a column."""
    if amounts:
        return None if named else _complete_number_of(plan, request, amounts, vocabulary)
    if not has_subject:
        return None
    if named:
        cells = _list_cells(plan, named[0])
        if all(is_blank(cell) or cell.casefold() in _YES | _NO for cell in cells):
            told = next((cell for cell in cells if cell.casefold() in _YES), "yes")
            rows = frozenset(number for number, cell in enumerate(cells) if cell.casefold() in _YES)
            condition = Condition(f"{plan.table.names[named[0]]}: {told}", rows)
            return replace(plan, conditions=(*plan.conditions, condition))
        is_row_each = len(set(cells)) == len(cells) and not any(map(is_blank, cells))
        return plan if is_row_each else replace(plan, distinct=named[0])
    return plan


def _complete_extreme(
    plan: Plan,
    request: Request,
    numeric: Sequence[int],
    named: Sequence[int],
    vocabulary: TableVocabulary,
    *,
    has_subject: bool,
) -> Plan | None:
    """Rows with the highest or lowest value of a column that is named, or that the adjective means."""
    measure = numeric[0] if numeric else _find_by_adjective(plan, request, vocabulary, has_subject)
    if measure is None or vocabulary.columns[measure] & _SUMMARIES or plan.group is not None:
        return None
    if (plan.table.columns[measure].kind == "day") != (request.adjective in _OF_DAYS):
        return None
    if named and _repeats(plan.table, plan.rows, named[0]):
        return None  # of several rows of one name their sum may be meant
    return replace(plan, measure=measure) if has_subject or numeric else None


def _repeats(table: Table, rows: Iterable[int], column: int) -> bool:
    """Whether several of the rows have the same value in a column."""
    cells = [table.rows[row].cells[column] for row in rows]
    return len(set(cells)) < len(cells)


def _find_by_adjective(
    plan: Plan, request: Request, vocabulary: TableVocabulary, has_subject: bool
) -> int | None:
    """The column that "cheapest", "latest" or "largest" is about."""
    if not has_subject:
        return None
    table = plan.table
    if request.adjective in _OF_DAYS:
        days = [number for number, column in enumerate(table.columns) if column.kind == "day"]
        return days[0] if len(days) == 1 else None
    kinds = [kind for kind, words in _ADJECTIVES.items() if request.adjective in words]
    if not kinds:
        return find_default(table, vocabulary)
    stems = {stem_word(word) for kind in kinds for word in _ADJECTIVE_COLUMNS[kind]}
    fitting = [number for number in list_measures(table, vocabulary) if vocabulary.columns[number] & stems]
    return fitting[0] if len(fitting) == 1 else None


def _complete_sum(
    plan: Plan,
    numeric: Sequence[int],
    named: Sequence[int],
    vocabulary: TableVocabulary,
    *,
    has_subject: bool,
) -> Plan | None:
    """A sum, an average or a median of a column that is named, or is the only one that counts something."""
    measure = numeric[0] if numeric else find_default(plan.table, vocabulary) if has_subject else None
    if measure is None or plan.table.columns[measure].kind != "number":
        return None
    if named and _repeats(plan.table, range(len(plan.table.rows)), named[0]):
        return None
    if plan.operation != "sum" and vocabulary.columns[measure] & _SUMMARIES:
        return None
    if plan.operation == "sum" and not may_be_added(plan.table, measure, plan.rows, vocabulary):
        return None
    return replace(plan, measure=measure) if measure not in vocabulary.labels else None
