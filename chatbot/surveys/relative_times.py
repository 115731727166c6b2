"""Times that are counted from today: "this year", "since March", "in the last six months"."""

from __future__ import annotations

import re
from datetime import date, timedelta

from chatbot.surveys.periods import CHANGES, MONTH, MONTHS

_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
_DAYS = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}
_PREPOSITIONS = "since|after|before|until|till|from|later than|newer than|older than|earlier than"
_WITHIN = "in|during"
_UNITS = "|".join(_DAYS)
_COUNT = rf"(?P<count>\d{{1,3}}|an?|{'|'.join(_NUMBERS)})"

_MONTH_ALONE = re.compile(
    rf"\b(?P<lead>{_PREPOSITIONS}) (?P<month>{MONTH})(?!\w|,? (?:of )?\d)", re.IGNORECASE
)
_THIS_OR_LAST = re.compile(
    rf"\b(?P<lead>{_PREPOSITIONS}|{_WITHIN}|{CHANGES}) (?P<which>this|last) (?P<unit>year|month)(?!\w)",
    re.IGNORECASE,
)
_LATELY = re.compile(
    rf"\b(?:(?:{_WITHIN}|from|within|over) )?the (?:last|past) (?:{_COUNT} )?(?P<unit>{_UNITS})s?(?!\w)",
    re.IGNORECASE,
)
_AGE = re.compile(
    rf"\b(?P<lead>older|newer|younger|more recent) than {_COUNT} (?P<unit>{_UNITS})s?(?: old)?(?!\w)",
    re.IGNORECASE,
)


def name_dates(text: str, today: date) -> str:
    """A text with dates in the place of times that are counted from today.

    A month alone is the latest one that has begun. Months and years of "the last six months" are taken to be
    of average length.
    """

    def name_month(match: re.Match[str]) -> str:
        month = MONTHS.index(match["month"][:3].lower()) + 1
        return f"{match['lead']} {today.year - (month > today.month)}-{month:02}"

    def name_year(match: re.Match[str]) -> str:
        is_month = match["unit"].lower() == "month"
        first = date(today.year, today.month if is_month else 1, 1)
        day = first - timedelta(days=1) if match["which"].lower() == "last" else first
        lead = match["lead"]
        between = " in " if lead.lower() in CHANGES.split("|") else " "
        return f"{lead}{between}{f'{day:%Y-%m}' if is_month else day.year}"

    def name_day(match: re.Match[str]) -> str:
        return (today - timedelta(days=_count_days(match))).isoformat()

    text = _MONTH_ALONE.sub(name_month, _THIS_OR_LAST.sub(name_year, text))
    text = _LATELY.sub(lambda match: f"since {name_day(match)}", text)
    return _AGE.sub(lambda match: f"{match['lead']} than {name_day(match)}", text)


def _count_days(match: re.Match[str]) -> int:
    """The days of "six months", and of "the last month"."""
    count = (match["count"] or "one").lower()
    if count in ("a", "an"):
        count = "one"
    number = int(count) if count.isdigit() else _NUMBERS.index(count) + 1
    return round(number * _DAYS[match["unit"].lower()])
