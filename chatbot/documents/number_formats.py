"""Numbers and dates of spreadsheets, written as their format codes show them.

Two things differ from the screen, so that words can be searched: thousands are not set apart, and a day is an
ISO day whatever the country of the sheet.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

GENERAL = "General"

_SECTION = re.compile(r'(?:^|;)((?:"[^"]*"|\\.|[^;])*)', re.DOTALL)
# Quoted words, escaped signs, a currency, what is not seen (padding, colours), digits, other signs.
_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<currency>[^-\]]*)[^\]]*\]|(?:[_*].|\[[^\]]*\])'
    r"|(?P<digits>[#0?.][#0?,.]*(?:[eE][+-]?[#0?]+)?)|(?P<sign>.)",
    re.DOTALL,
)
_LITERALS = ("quoted", "escaped", "currency", "sign")
_UNREAD = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].', re.DOTALL)
_MAX_PLACES = 15
_MONTHS = "January February March April May June July August September October November December".split()


def show_number(value: float, code: str = GENERAL) -> str:
    """Return a number as a format code such as `0.0%` or `0.00 "kg"` shows it."""
    section = _choose_section(code, value)
    pieces = _split_pieces(section)
    digits = [piece["digits"] for piece in pieces if piece["digits"]]
    words = ["".join(piece[kind] or "" for kind in _LITERALS) for piece in pieces]
    if section.strip().lower() in ("", "general", "@") or len(digits) > 1 or "/" in words:
        return _show_plain(value)
    if not digits:
        return "".join(words).strip() or _show_plain(value)
    number = _show_digits(abs(value) * (100 if "%" in words else 1), digits[0])
    shown = "".join(number if piece["digits"] else word for piece, word in zip(pieces, words, strict=True))
    if value < 0 and re.search("[1-9]", number):
        return "-" + shown.strip("()- ")
    return shown.strip()


def show_moment(value: date | time | timedelta, code: str) -> str:
    """Return a date or time with as much as its format code shows: a day, a month, a year, a time."""
    if isinstance(value, timedelta):
        return _show_duration(value)
    if isinstance(value, time):
        return _show_time(value)
    letters = _UNREAD.sub("", code).lower()
    clock = value.time() if isinstance(value, datetime) else time()
    if "h" in letters and not re.search("[yd]", letters):
        return _show_time(clock)
    if "y" in letters and "d" not in letters:
        return f"{_MONTHS[value.month - 1]} {value.year}" if "m" in letters else str(value.year)
    day = f"{value:%Y-%m-%d}"
    return f"{day} {_show_time(clock)}" if clock != time() else day


def _choose_section(code: str, value: float) -> str:
    """Return the part of a code that counts for a value: the first, or that of negatives or of zero."""
    sections: list[str] = _SECTION.findall(code)
    number = 1 if value < 0 else 2 if value == 0 else 0
    return sections[number] if number < len(sections) else sections[0]


@lru_cache(maxsize=1000)
def _split_pieces(section: str) -> list[re.Match[str]]:
    return list(_PIECE.finditer(section))


def _show_plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.10g}"


def _show_digits(value: float, digits: str) -> str:
    """Return a number with the places that `#`, `0` and `?` ask for; commas at their end scale it."""
    mantissa, _, exponent = re.sub("[eE]", "e", digits).partition("e")
    whole, _, fraction = mantissa.partition(".")
    scale = len(mantissa) - len(mantissa.rstrip(","))
    places = min(sum(sign in "#0?" for sign in fraction), _MAX_PLACES)
    if exponent:
        return f"{value:.{places}E}"
    width = min(whole.count("0"), _MAX_PLACES)
    text = f"{value / 1000**scale:.{places}f}"
    needed = sum(sign == "0" for sign in fraction)
    if places > needed:
        head, tail = text[: len(text) - places + needed], text[len(text) - places + needed :]
        text = (head + tail.rstrip("0")).rstrip(".")
    return text.zfill(width + len(text) - len(text.partition(".")[0]))


def _show_time(value: time) -> str:
    return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"


def _show_duration(value: timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if seconds else f"{hours}:{minutes:02}"
