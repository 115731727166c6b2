"""Stretches of time as people write them: "from 2024", "since March 2024", "between 2022 and 2024"."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?:19|20)\d\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_MOMENT = (
    rf"(?:{_YEAR}-\d\d(?:-\d\d)?|{_DAY} (?:of )?{MONTH},? {_YEAR}|{MONTH} {_DAY},? {_YEAR}"
    rf"|{MONTH},? (?:of )?{_YEAR}|(?:the year )?{_YEAR})"
)
CHANGES = "|".join(
    "dated written published updated changed modified edited revised reviewed issued made created approved"
    " added".split()
)
"""What happens to a document on its date."""
_OPENING = (
    r"(?:(?:that |which )?(?:are|is|were|was|have been|has been|have|has) )?(?:last )?"
    rf"(?:(?:{CHANGES}) )?"
)

# A moment in `since` or `until` belongs to the period itself, one in `after` or `before` does not.
_BETWEEN = rf"(?:between|from) (?P<since>{_MOMENT}) ?(?:and|to|until|till|through|-|–) ?(?P<until>{_MOMENT})"
_ONWARDS = rf"(?:from|in) (?P<since>{_MOMENT}) (?:on(?:wards?)?|or later|and later)"
_SINCE = rf"since (?P<since>{_MOMENT})"
_AFTER = rf"(?:from )?(?:after|later than|newer than|more recent than|younger than) (?P<after>{_MOMENT})"
_BEFORE = rf"(?:from )?(?:before|older than|earlier than|prior to) (?P<before>{_MOMENT})"
_UNTIL = rf"(?:until|till|up to|(?:no|not) later than) (?P<until>{_MOMENT})"
_FROM = rf"(?:from|dated) (?P<during>{_MOMENT})"
_IN = rf"(?:in|of|during|for|on) (?P<during>{_MOMENT})"

_CLEAR = (_BETWEEN, _ONWARDS, _SINCE, _AFTER, _BEFORE, _UNTIL, _FROM)
_AT_START = [re.compile(rf"{_OPENING}{form}(?![\w-])", re.IGNORECASE) for form in (*_CLEAR, _IN)]
_AT_END = [re.compile(rf"(?<![\w-]){_OPENING}{form}$", re.IGNORECASE) for form in _CLEAR]


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `after` on and before `before`; None where that side is open."""

    after: date | None
    before: date | None


def read_period(text: str) -> tuple[Period, str] | None:
    """The period that a text begins with, and the rest of the text; None where it begins otherwise."""
    for form in _AT_START:
        match = form.match(text)
        if match and (period := _make_period(match.groupdict())):
            return period, text[match.end() :].strip()
    return None


def take_last_period(text: str) -> tuple[str, Period | None]:
    """A text without the period that it ends with, and that period.

    What may as well belong to the words before it, as in "the budget for 2024", is left alone.
    """
    for form in _AT_END:
        match = form.search(text)
        if match and (period := _make_period(match.groupdict())):
            return text[: match.start()].strip(), period
    return text, None


def _make_period(moments: dict[str, str | None]) -> Period | None:
    """The period that moments bound; None where one of them is no day of the calendar."""
    try:
        days = {name: read_moment(moment) for name, moment in moments.items() if moment}
    except ValueError:
        return None
    begin = days.get("during") or days.get("since")
    end = days.get("during") or days.get("until")
    after = begin[0] if begin else days["after"][1] if "after" in days else None
    before = end[1] if end else days["before"][0] if "before" in days else None
    return Period(after, before)


def read_moment(text: str) -> tuple[date, date]:
    """The first day of a year, a month or a day such as "1 May 2024", and the first day behind it.

    :raises ValueError: for a day that does not exist.
    """
    year, month, day = _split_moment(text.lower())
    if month is None:
        return date(year, 1, 1), date(year + 1, 1, 1)
    first = date(year, month, day or 1)
    return first, first + timedelta(days=1 if day else monthrange(year, month)[1])


def _split_moment(text: str) -> tuple[int, int | None, int | None]:
    """Year, month and day of a moment; None for what it leaves open."""
    if re.match(rf"{_YEAR}-", text):
        year, month, *day = (int(part) for part in text.split("-"))
        return year, month, day[0] if day else None
    words = re.findall(r"[a-z]+|\d+", text)
    months = [MONTHS.index(word[:3]) + 1 for word in words if word[:3] in MONTHS]
    days = [int(word) for word in words if word.isdigit() and len(word) < 3]
    return int(words[-1]), months[0] if months else None, days[0] if days else None
