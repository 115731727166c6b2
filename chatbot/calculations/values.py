"""What the cells of a column hold: numbers with a unit, days, or words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from chatbot.documents.metadata import read_date

ColumnKind = Literal["number", "day", "text", "empty"]

ENOUGH = 0.8
"""A column whose filled cells are numbers (or days) to this share is one of numbers (or days)."""

BLANKS = frozenset({"", "-", "–", "—", "n/a", "na", "n.a.", "nan", "none", "null", "nil", "tbd", "?", "..."})
"""Cells that hold no value, folded."""

CURRENCY_SIGNS = "€$£¥₹"
_CODES = "EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|HUF|US\\$"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-−+]?)\s*(?P<before>[{CURRENCY_SIGNS}]|(?:{_CODES})\b|US\$)?\s*(?P<inner>[-−]?)"
    r"(?P<digits>\d[\d.,'’ ]*|[.,]\d+)(?P<power>[eE][+-]?\d{1,3})?\s*"
    rf"(?P<after>[%‰{CURRENCY_SIGNS}]|[^\W\d_][^\d\s]{{0,11}}(?: ?/ ?[^\W\d_]{{1,5}})?)?\s*(?P<close>\))?"
)
_BEGINS_AMOUNT = re.compile(rf"[(\-−+~]?\s*(?:[{CURRENCY_SIGNS}]|(?:{_CODES})(?![^\W\d_]))?\s*[-−]?[.,]?\d")
_SLASHED_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_LONGEST_DAY_CHARACTERS = 32
_MOST_LEADING_DIGITS = 3
"""At most so many digits stand before the only mark between thousands."""
_ERROR = re.compile(r"#[A-Z/0!?]+!?")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts: "€", "kg", "%"; empty for a bare number. Some stand before it."""

    name: str = ""
    is_before: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a column: numbers or days, None where a cell holds none.

    `unreadable` counts filled cells that are neither. `places` is the most decimal places of its numbers.
    """

    kind: ColumnKind
    numbers: tuple[Decimal | None, ...] = ()
    days: tuple[date | None, ...] = ()
    unit: Unit = Unit()
    places: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class _Written:
    """A number as it is written: its digits with their marks, not yet understood."""

    digits: str
    is_negative: bool
    power: str
    unit: Unit


def is_blank(cell: str) -> bool:
    """Whether a cell holds no value: nothing, a dash, "n/a", or a spreadsheet's error."""
    return cell.strip().casefold() in BLANKS or _ERROR.fullmatch(cell.strip()) is not None


def read_column(cells: Sequence[str]) -> Column:
    """What the cells of a column hold.

    Numbers of one column are written in one way: whether a comma parts thousands or decimals is decided by
    all of them together. Numbers of several units, such as two currencies, are words: they cannot be added.
    """
    filled = [cell for cell in cells if not is_blank(cell)]
    if not filled:
        return Column("empty")
    return _read_days(cells, len(filled)) or _read_numbers(cells, len(filled)) or Column("text")


def holds_amounts(cells: Sequence[str]) -> bool:
    """Whether most of the filled cells of a column begin as amounts do, even if they were not understood."""
    filled = [cell.strip() for cell in cells if not is_blank(cell)]
    return 2 * sum(_BEGINS_AMOUNT.match(cell) is not None for cell in filled) > len(filled)


def read_number(text: str) -> Decimal | None:
    """A number that stands alone, such as one typed in a question; None for anything else."""
    column = read_column([text])
    return column.numbers[0] if column.kind == "number" else None


def _read_numbers(cells: Sequence[str], filled: int) -> Column | None:
    written = [None if is_blank(cell) else _read_written(cell) for cell in cells]
    found = [number for number in written if number]
    if not found or len(found) < ENOUGH * filled:
        return None
    mark = _find_decimal_mark([number.digits for number in found])
    unit = _find_unit([number.unit for number in found])
    if mark is None or unit is None:
        return None
    numbers = tuple(None if number is None else _make_number(number, mark) for number in written)
    known = [number for number in numbers if number is not None]
    if len(known) < ENOUGH * filled:
        return None
    places = max(max(0, -int(number.as_tuple().exponent)) for number in known)
    return Column("number", numbers, (), unit, min(places, 10), filled - len(known))


def _read_written(cell: str) -> _Written | None:
    match = _NUMBER.fullmatch(cell.strip())
    if match is None or bool(match["open"]) != bool(match["close"]) or re.match(r"0\d", match["digits"]):
        return None
    if match["before"] and match["after"] and match["after"] not in ("m", "k", "M", "K", "bn"):
        return None
    name = match["before"] or match["after"] or ""
    if match["before"] and match["after"]:
        name = f"{match['before']} {match['after']}"
    is_negative = bool(match["open"]) or "-" in f"{match['sign']}{match['inner']}".replace("−", "-")
    return _Written(
        match["digits"].strip(" ,"), is_negative, match["power"] or "", Unit(name, bool(match["before"]))
    )


def _find_unit(units: Sequence[Unit]) -> Unit | None:
    """The one unit of all numbers; a currency may be written at some of them only, as accountants do."""
    names = {unit.name.casefold() for unit in units}
    given = [unit for unit in units if unit.name]
    if len(names) <= 1:
        return given[0] if given else Unit()
    is_currency = given[0].is_before or given[0].name in CURRENCY_SIGNS
    return given[0] if names - {""} == {given[0].name.casefold()} and is_currency else None


def _find_decimal_mark(digits: Sequence[str]) -> str | None:
    """The sign before decimal places; None where the numbers disagree, or leave it open.

    "1,234" alone is a thousand, "1.234" alone may be a thousand or a decimal; "12.50" and "1234.567"
    have decimal places.
    """
    marks = set()
    for text in digits:
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and point >= 0:
            marks.add("," if comma > point else ".")
        elif comma >= 0 or point >= 0:
            sign, other = (",", ".") if comma >= 0 else (".", ",")
            if text.count(sign) > 1:
                marks.add(other)
            elif (
                len(text) - max(comma, point) - 1 != 3
                or text.startswith(("0", sign))
                or max(comma, point) > _MOST_LEADING_DIGITS
            ):
                marks.add(sign)
    if len(marks) > 1 or (not marks and any("." in text for text in digits)):
        return None
    return marks.pop() if marks else "."


def _make_number(written: _Written, mark: str) -> Decimal | None:
    """The value of a written number; None where its thousands are not set apart by threes."""
    whole, _, fraction = written.digits.partition(mark)
    groups = re.split(r"[.,'’ ]", whole)
    if len(groups) > 1 and (not 0 < len(groups[0]) < 4 or any(len(group) != 3 for group in groups[1:])):
        return None
    if fraction and not fraction.isdigit():
        return None
    number = (
        Decimal(f"{''.join(groups) or '0'}.{fraction or '0'}{written.power}")
        if fraction
        else Decimal(f"{''.join(groups) or '0'}{written.power}")
    )
    return -number if written.is_negative else number


def _read_days(cells: Sequence[str], filled: int) -> Column | None:
    order = _find_day_order(cells)
    days = tuple(_read_day(cell.strip(), order) for cell in cells)
    known = sum(day is not None for day in days)
    if not known or known < ENOUGH * filled:
        return None
    return Column("day", (), days, unreadable=filled - known)


def _find_day_order(cells: Sequence[str]) -> str:
    """Whether days written 3/4/2025 begin with the day or the month; empty where that cannot be known."""
    found = [match for cell in cells if (match := _SLASHED_DAY.fullmatch(cell.strip()))]
    is_day_first = any(int(match[1]) > 12 for match in found)
    is_month_first = any(int(match[2]) > 12 for match in found)
    return "" if is_day_first == is_month_first else "day" if is_day_first else "month"


def _read_day(cell: str, order: str) -> date | None:
    if len(cell) > _LONGEST_DAY_CHARACTERS or not any(map(str.isdigit, cell)):
        return None
    if match := _SLASHED_DAY.fullmatch(cell):
        if not order:
            return None
        first, second, year = (int(part) for part in match.groups())
        day, month = (first, second) if order == "day" else (second, first)
        try:
            return date(year, month, day)
        except ValueError:
            return None
    found = read_date(cell)
    return date.fromisoformat(found) if found else None
