"""Numbers with a unit, as people and documents write them: "£60,000", "seven years", "12 kg"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

Unit = str
"""What is measured ("mass", "£"), all of it in one measure; empty for a bare number."""

_MASS = {"g": 0.001, "gram": 0.001, "kg": 1, "kilo": 1, "kilogram": 1, "tonne": 1000, "ton": 1000, "t": 1000}
_LENGTH = {"mm": 0.001, "cm": 0.01, "m": 1, "metre": 1, "meter": 1, "km": 1000, "kilometre": 1000}
_LENGTH |= {"kilometer": 1000, "mile": 1609.344, "foot": 0.3048, "feet": 0.3048, "ft": 0.3048, "inch": 0.0254}
_TIME = {"minute": 1 / 1440, "min": 1 / 1440, "hour": 1 / 24, "hr": 1 / 24, "day": 1, "week": 7}
_TIME |= {"month": 365.25 / 12, "year": 365.25}
_PEOPLE = dict.fromkeys(
    "people person passenger employee participant attendee guest member user seat delegate".split(), 1.0
)
_MEASURES: dict[Unit, dict[str, float]] = {
    "mass": _MASS,
    "length": _LENGTH,
    "time": _TIME,
    "people": _PEOPLE,
    "speed": {"knot": 1.852, "km/h": 1, "kph": 1, "mph": 1.609344},
    "share": {"%": 1, "percent": 1, "per cent": 1},
    "volume": {"ml": 0.001, "litre": 1, "liter": 1},
    "storage": {
        "kb": 0.001,
        "mb": 1,
        "megabyte": 1,
        "gb": 1000,
        "gigabyte": 1000,
        "tb": 1e6,
        "terabyte": 1e6,
    },
    "temperature": {"°c": 1, "degree": 1},
    "£": {"£": 1, "pound": 1, "gbp": 1, "p": 0.01, "pence": 0.01},
    "$": {"$": 1, "dollar": 1, "usd": 1},
    "€": {"€": 1, "euro": 1, "eur": 1},
}
_UNITS = {name: (unit, factor) for unit, names in _MEASURES.items() for name, factor in names.items()}
_MAGNITUDES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_WORDS = dict(
    zip(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty thirty forty fifty sixty".split(),
        (*range(1, 21), 30, 40, 50, 60),
        strict=True,
    )
)
_ORDINALS = dict(
    zip(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(),
        range(1, 13),
        strict=True,
    )
)
UNIT_NAMES = "|".join(
    re.escape(name) + ("s?" if len(name) > 2 and name.isalpha() and name not in ("foot", "feet") else "")
    for name in sorted(_UNITS, key=len, reverse=True)
    if name not in "£$€"
)
_AMOUNT = re.compile(
    r"(?P<sign>[£$€])?\s?(?<![\w.,])(?<![^\W\d]-)"
    rf"(?P<number>(?:{'|'.join((*_WORDS, *_ORDINALS))})\b|\d+(?:st|nd|rd|th)\b"
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d,.]*\d)"
    r"(?:\s?(?P<magnitude>k|thousand|million|mn|billion|bn|(?<=\d)m(?=\W|$))(?![\w]))?"
    rf"(?:[\s-]?(?:(?:working|calendar|full|whole|consecutive)\s)?(?P<unit>{UNIT_NAMES})(?!\w))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with what it measures; `start` and `end` are its characters in the text.

    :param factor: what one of it is in the unit's own measure: a kilometre is 1000 metres.
    """

    number: float
    unit: Unit = ""
    factor: float = 1.0
    start: int = 0
    end: int = 0
    is_ordinal: bool = False

    @property
    def value(self) -> float:
        """The number in the unit's own measure."""
        return self.number * self.factor


def find_amounts(text: str) -> list[Amount]:
    """Every number of a text with its unit, in order."""
    return [_read_amount(match) for match in _AMOUNT.finditer(text)]


def _read_amount(match: re.Match[str]) -> Amount:
    written = match["number"].lower()
    is_ordinal = written in _ORDINALS or written.endswith(("st", "nd", "rd", "th"))
    value = _WORDS.get(written) or _ORDINALS.get(written)
    number = float(value if value is not None else re.sub(r"[^\d.]", "", written))
    number *= _MAGNITUDES[match["magnitude"].lower()] if match["magnitude"] else 1
    start = match.start("sign") if match["sign"] else match.start("number")
    amount = Amount(number, start=start, end=match.end(), is_ordinal=is_ordinal)
    return give_unit(amount, match["sign"] or match["unit"])


def give_unit(amount: Amount, name: str | None) -> Amount:
    """A bare number as an amount of the unit that goes by a name ("kg", "years", "£"), if there is one."""
    if amount.unit or not name:
        return amount
    lowered = name.lower()
    unit, factor = _UNITS.get(lowered) or _UNITS[lowered.removesuffix("s")]
    return replace(amount, unit=unit, factor=factor)
