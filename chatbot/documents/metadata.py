"""What a document says about itself: its title and its date."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from chatbot.documents.text import TextBuilder, clean_line
from chatbot.errors import EmptyDocument
from chatbot.types import Block, ParsedDocument

_HEAD_CHARACTERS = 1500
_MAX_TITLE_CHARACTERS = 200

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = "|".join(_MONTHS)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = (
    r"(?<![\d/.-])(?:(?P<iso>\d{4}-\d{2}-\d{2})"
    rf"|(?P<day_a>{_DAY})\s+(?:of\s+)?(?P<month_a>{_MONTH_NAMES})[a-z]*\.?,?\s+(?P<year_a>\d{{4}})"
    rf"|(?P<month_b>{_MONTH_NAMES})[a-z]*\.?\s+(?P<day_b>{_DAY}),?\s+(?P<year_b>\d{{4}})"
    r"|(?P<first>\d{1,2})(?P<mark>[./])(?P<second>\d{1,2})(?P=mark)(?P<year_c>\d{4}))(?![.,/]?\d)"
)
_STATES_DATE = (
    r"(?:\b(?:effective|valid|in\s+force|updated|reviewed|modified|revised|changed|amended|published|issued|"
    r"approved|adopted|dated?|version|revision|as\s+(?:of|at))"
    # Each round takes a word or a sign, so that a long row of them cannot be split in many ways.
    r"(?:\s*(?:[:,(–—-]|\b(?:on|of|from|since|as|at|date|is|was|the|and|\d+(?:\.\d+)*(?![\d/.-]))\b))*\s*)"
)
_DATE_AFTER_WORD = re.compile(_STATES_DATE + _DATE, re.IGNORECASE)
_DATE_ALONE = re.compile(rf"^[ \t]*{_DATE}[ \t.]*$", re.IGNORECASE | re.MULTILINE)

_MEANINGLESS_TITLE = re.compile(
    r"\W*(?:untitled|unnamed|anonymous|unspecified|title|document|(?:new )?word document|slide)?\W*\d*\W*$"
    r"|.*\.(?:docx?|pdf|indd|qxd|tex|dvi|rtf|odt|xlsx?|pptx?)$",
    re.IGNORECASE,
)
_PROGRAM_PREFIX = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ", re.IGNORECASE)


_MAX_AUTHORS, _MAX_NAME_CHARACTERS = 20, 100
_ADDRESS = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_NO_AUTHOR = re.compile(
    r"python-(?:docx|pptx)|openpyxl|(?:microsoft )?office user|microsoft(?: (?:office|corporation))?"
    r"|apache poi|user|admin(?:istrator)?|author|unknown|anonymous|none|null|default|owner|steve canny",
    re.IGNORECASE,
)

PLACEHOLDER_DATES = ("1970-01-01", "1980-01-01", "2000-01-01", "2013-01-27", "2013-12-23")
"""Days that programs write when they know none: epochs, and the templates of python-pptx and python-docx."""


def find_date(text_head: str) -> str | None:
    """Return the ISO day (YYYY-MM-DD) that the first 1,500 characters state for the document, or None.

    A date counts where a word such as "effective", "last reviewed" or "version of" leads to it, or where it
    is alone on its line; the first one wins. Days written 3/4/2025 are not guessed.
    """
    head = text_head[:_HEAD_CHARACTERS]
    found = [*_DATE_AFTER_WORD.finditer(head), *_DATE_ALONE.finditer(head)]
    days = (_read_match(match) for match in sorted(found, key=re.Match.end))
    return next((day for day in days if day), None)


def read_date(value: str) -> str | None:
    """Return the ISO day with which a metadata value begins (`2025-06-12T...`, `12 June 2025`), or None."""
    match = re.match(rf"\s*{_DATE}", value, re.IGNORECASE)
    return _read_match(match) if match else None


def is_meaningful_title(title: str) -> bool:
    """Whether a title from a file's metadata names the document rather than its program or file."""
    return not _MEANINGLESS_TITLE.match(title)


def name_from_path(path: Path) -> str:
    """Return the file's name made readable: `travel-policy_2025.pdf` is `Travel policy 2025`."""
    words = clean_line(re.sub(r"[-_\s]+", " ", path.stem)) or clean_line(path.name) or "Untitled"
    return words[:1].upper() + words[1:]


def finish_document(
    builder: TextBuilder,
    path: Path,
    *,
    titles: Iterable[str | None] = (),
    dates: Iterable[str | None] = (),
    authors: Iterable[str | None] = (),
) -> ParsedDocument:
    """Return the document that `builder` holds, with its title and date.

    `titles` are the format's own, best first, before headings and the file name. `dates` are ISO days from
    metadata, used only where the text states none. `authors` are names as the file gives them. Raises
    EmptyDocument where there is no text.
    """
    text, blocks, page_starts = builder.build()
    if not blocks:
        raise EmptyDocument(
            f"“{path.name}” holds no text.", "Check the file: there is nothing in it to read."
        )
    return ParsedDocument(
        title=_choose_title(titles, text, blocks) or name_from_path(path),
        text=text,
        blocks=blocks,
        page_starts=page_starts,
        date=find_date(text) or next((day for day in dates if day and day not in PLACEHOLDER_DATES), None),
        authors=join_authors(authors),
        sheets=builder.list_sheets(),
    )


def join_authors(names: Iterable[str | None]) -> str:
    """The names, each once and in order, without those that programs write; addresses are left out.

    One value may hold several names, parted by semicolons.
    """
    found: dict[str, str] = {}
    for name in (part for value in names if value for part in value.split(";")):
        plain = clean_line(_ADDRESS.sub(" ", name)).strip(" \"',<>")[:_MAX_NAME_CHARACTERS]
        if any(map(str.isalpha, plain)) and not _NO_AUTHOR.fullmatch(plain):
            found.setdefault(plain.casefold(), plain)
    return "; ".join(list(found.values())[:_MAX_AUTHORS])


def describe_pages(numbers: Iterable[int]) -> str:
    """Page numbers in order as ranges: `2-4, 7`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1] = [ranges[-1][0], number]
        else:
            ranges.append([number])
    return ", ".join("-".join(map(str, pages)) for pages in ranges)


def _choose_title(titles: Iterable[str | None], text: str, blocks: tuple[Block, ...]) -> str | None:
    own = [_PROGRAM_PREFIX.sub("", clean_line(title)[:_MAX_TITLE_CHARACTERS]) for title in titles if title]
    meaningful = [title for title in own if is_meaningful_title(title)]
    headings = sorted(
        (block for block in blocks if block.kind == "heading"), key=lambda block: block.level > 1
    )
    candidates = [*meaningful, *(text[block.start : block.end] for block in headings[:1])]
    if not candidates:
        return None
    title = candidates[0][:_MAX_TITLE_CHARACTERS].strip()
    return title.capitalize() if title.isupper() and len(title.split()) > 2 else title


def _read_match(match: re.Match[str]) -> str | None:
    parts = match.groupdict()
    try:
        if parts["iso"]:
            return date.fromisoformat(parts["iso"]).isoformat()
        if parts["year_c"]:
            return _read_numbers(
                int(parts["first"]), int(parts["second"]), int(parts["year_c"]), parts["mark"]
            )
        month = (parts["month_a"] or parts["month_b"]).lower()
        year, day = parts["year_a"] or parts["year_b"], parts["day_a"] or parts["day_b"]
        return date(int(year), _MONTHS.index(month) + 1, int(day.rstrip("stndrhSTNDRH"))).isoformat()
    except ValueError:
        return None


def _read_numbers(first: int, second: int, year: int, mark: str) -> str | None:
    is_day_first = mark == "." or first > 12
    if not is_day_first and second <= 12 and first != second:
        return None
    day, month = (first, second) if is_day_first else (second, first)
    return date(year, month, day).isoformat()
