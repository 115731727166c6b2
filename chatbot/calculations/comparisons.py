"""Limits on numbers and days among a question's words: "over 500", "at least 3", "since March 2024"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chatbot.calculations.values import CURRENCY_SIGNS, read_number
from chatbot.surveys.periods import Period, read_period

MARK = "§"
"""Stands, with a number, for a limit that was taken out of the words."""

_SCALES = {"k": 3, "thousand": 3, "m": 6, "million": 6, "bn": 9, "billion": 9}
_AMOUNT = (
    rf"[{CURRENCY_SIGNS}]? ?[-−]?\d[\d.,']*(?<![.,'])"
    rf"(?: ?(?:k|m|bn|thousand|million|billion)\b)?(?: ?[%{CURRENCY_SIGNS}])?"
)
_SIGNS = {
    ">": r"more than|greater than|larger than|higher than|bigger than|longer than|heavier than|over|above"
    r"|exceed(?:s|ing)?|after|>(?!=)",
    ">=": r"at least|no less than|not less than|a minimum of|since|from|>=|≥",
    "<": r"less than|fewer than|lower than|smaller than|shorter than|lighter than|below|under|before|<(?!=)",
    "<=": r"at most|no more than|not more than|up to|a maximum of|until|<=|≤",
    "=": r"exactly|equal(?:s)?(?: to)?|=",
}
_LIMIT = re.compile(
    rf"\bbetween (?P<low>{_AMOUNT}) and (?P<high>{_AMOUNT})"
    + "".join(
        rf"|(?<!\w)(?P<sign{number}>{words}) ?(?P<amount{number}>{_AMOUNT})"
        for number, words in enumerate(_SIGNS.values())
    )
    + rf"|(?P<open>{_AMOUNT}) (?:or|and) (?P<side>more|over|above|higher|less|under|below|lower|fewer)\b",
    re.IGNORECASE,
)
_OF_TIME = frozenset({"after", "since", "before", "until", "from"})


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number must satisfy: `sign` and `value`, and to be at most `upper` where there is one.

    `words` are how it was asked; one `is_of_time` is a year, and no amount.
    """

    sign: str
    value: Decimal
    words: str
    upper: Decimal | None = None
    is_of_time: bool = False

    def holds(self, number: Decimal) -> bool:
        """Whether a number lies within the limit."""
        if self.upper is not None:
            return self.value <= number <= self.upper
        outcomes = {
            ">": number > self.value,
            ">=": number >= self.value,
            "<": number < self.value,
            "<=": number <= self.value,
            "=": number == self.value,
        }
        return outcomes[self.sign]


def take_limits(words: str) -> tuple[str, list[Limit]]:
    """The words with a mark in place of each limit on a number, and the limits in their order."""
    limits: list[Limit] = []

    def replace_limit(match: re.Match[str]) -> str:
        limit = _make_limit(match)
        if limit is None:
            return match[0]
        limits.append(limit)
        return f" {MARK}{len(limits) - 1} "

    return _LIMIT.sub(replace_limit, words), limits


def _make_limit(match: re.Match[str]) -> Limit | None:
    words = " ".join(match[0].split())
    if match["low"]:
        low, high = _read_amount(match["low"]), _read_amount(match["high"])
        return None if low is None or high is None else Limit("", min(low, high), words, max(low, high))
    if match["open"]:
        value = _read_amount(match["open"])
        is_lower = match["side"].lower() in ("less", "under", "below", "lower", "fewer")
        return None if value is None else Limit("<=" if is_lower else ">=", value, words)
    for number, sign in enumerate(_SIGNS):
        if match[f"sign{number}"]:
            value = _read_amount(match[f"amount{number}"])
            is_of_time = match[f"sign{number}"].lower() in _OF_TIME
            return None if value is None else Limit(sign, value, words, is_of_time=is_of_time)
    return None


def _read_amount(text: str) -> Decimal | None:
    """The number of an amount in English: `€1.5k` is 1500."""
    plain = text.strip(f" %{CURRENCY_SIGNS}").replace("−", "-").lower()
    match = re.fullmatch(r"(-?[\d.,']+) ?([a-z]*)", plain)
    if match is None:
        return None
    number = read_number(match[1])
    return None if number is None else number * 10 ** _SCALES.get(match[2], 0)


def take_period(words: str) -> tuple[str, Period | None]:
    """The words with a mark in place of the first stretch of time among them, and that time."""
    for match in re.finditer(r"\b[a-z]", words, re.IGNORECASE):
        if found := read_period(words[match.start() :]):
            period, left = found
            return f"{words[: match.start()]} {MARK}t {left}", period
    return words, None


def lies_within(day: date, period: Period) -> bool:
    """Whether a day belongs to a period."""
    return (period.after is None or day >= period.after) and (period.before is None or day < period.before)
