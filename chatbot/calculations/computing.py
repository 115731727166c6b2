"""Computes what a plan asks for, with exact decimals; no model takes part in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from chatbot.calculations.binding import Plan
from chatbot.calculations.values import Column, Unit, is_blank

FEWEST_PLACES = 2
"""An average has at least so many decimal places, unless it comes out even."""


@dataclass(frozen=True, slots=True)
class Group:
    """The result of the rows that share a value, and how many they are."""

    name: str
    value: str
    rows: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: the value in words, the rows that it rests on, and those that hold no value.

    `terms` are the numbers that were added, as the result's own column shows them.
    """

    plan: Plan
    value: str = ""
    rows: tuple[int, ...] = ()
    terms: tuple[str, ...] = ()
    without_value: int = 0
    groups: tuple[Group, ...] = ()


def compute_plan(plan: Plan) -> Outcome:
    """Compute a plan. Where no row has a value, the outcome's value is empty."""
    rows = plan.rows
    if plan.group is not None:
        return _compute_groups(plan, rows)
    if plan.operation == "list":
        return Outcome(plan, str(len(rows)), tuple(rows))
    if plan.operation == "lookup" and plan.measure is not None:
        return Outcome(plan, plan.table.rows[rows[0]].cells[plan.measure], tuple(rows))
    if plan.operation == "count":
        counted = [row for row in rows if not _is_left_out(plan, row)]
        return Outcome(plan, _count(plan, counted), tuple(counted), (), len(rows) - len(counted))
    if plan.operation in ("maximum", "minimum"):
        return _find_extremes(plan, rows)
    return _summarize(plan, rows)


def _count(plan: Plan, rows: Sequence[int]) -> str:
    if plan.distinct is None:
        return f"{len(rows):,}"
    cells = [plan.table.rows[row].cells[plan.distinct] for row in rows if not _is_left_out(plan, row)]
    return f"{len({cell.casefold() for cell in cells}):,}"


def _is_left_out(plan: Plan, row: int) -> bool:
    """Whether a row has nothing in the column whose different values are counted."""
    return plan.distinct is not None and is_blank(plan.table.rows[row].cells[plan.distinct])


def _summarize(plan: Plan, rows: Sequence[int]) -> Outcome:
    """A sum, an average or a median."""
    if plan.measure is None:
        return Outcome(plan)
    column = plan.table.columns[plan.measure]
    found = {row: number for row in rows if (number := column.numbers[row]) is not None}
    if not found:
        return Outcome(plan, without_value=len(rows))
    numbers = list(found.values())
    match plan.operation:
        case "sum":
            value = show_number(sum(numbers, Decimal()), column.unit, column.places)
        case "average":
            value = show_mean(sum(numbers, Decimal()) / len(numbers), column)
        case _:
            value = show_mean(Decimal(median(numbers)), column)
    terms = tuple(show_number(number, Unit(), column.places) for number in numbers)
    return Outcome(plan, value, tuple(found), terms, len(rows) - len(found))


def _find_extremes(plan: Plan, rows: Sequence[int]) -> Outcome:
    """The rows with the highest or lowest values; all that share the last of them."""
    if plan.measure is None:
        return Outcome(plan)
    column = plan.table.columns[plan.measure]
    values: Sequence[Decimal | date | None] = column.numbers or column.days
    found = [(value, row) for row in rows if (value := values[row]) is not None]
    found.sort(key=lambda item: item[0], reverse=plan.operation == "maximum")
    chosen = found[: plan.most]
    chosen += [item for item in found[plan.most :] if item[0] == chosen[-1][0]]
    if not chosen:
        return Outcome(plan, without_value=len(rows))
    first = chosen[0][0]
    told = show_number(first, column.unit, column.places) if isinstance(first, Decimal) else str(first)
    return Outcome(plan, told, tuple(row for _, row in chosen), (), len(rows) - len(found))


def _compute_groups(plan: Plan, rows: Sequence[int]) -> Outcome:
    """The same for the rows of each value of a column."""
    parts: dict[str, list[int]] = {}
    for row in rows:
        parts.setdefault(plan.table.rows[row].cells[plan.group or 0], []).append(row)
    groups = []
    without_value = 0
    for name, part in sorted(parts.items()):
        outcome = Outcome(plan, _count(plan, part)) if plan.operation == "count" else _summarize(plan, part)
        without_value += outcome.without_value
        if outcome.value:
            groups.append(Group(name or "–", outcome.value, len(part)))
    return Outcome(plan, str(len(groups)), tuple(rows), (), without_value, tuple(groups))


def show_mean(value: Decimal, column: Column) -> str:
    """A value that was divided, rounded to no more places than make sense."""
    places = max(column.places, FEWEST_PLACES)
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    is_even = rounded == value and rounded == rounded.to_integral_value() and not column.places
    return show_number(rounded, column.unit, 0 if is_even else places)


def show_number(value: Decimal, unit: Unit, places: int) -> str:
    """A number with its unit where the column has it, thousands set apart: `€1,234.50`, `12 kg`, `5%`."""
    digits = f"{abs(value):,.{places}f}"
    sign = "-" if value < 0 else ""
    if not unit.name:
        return sign + digits
    if unit.is_before:
        gap = " " if unit.name.isalpha() else ""
        return f"{sign}{unit.name}{gap}{digits}"
    return f"{sign}{digits}{'' if unit.name == '%' else ' '}{unit.name}"
