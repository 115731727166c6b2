"""The inside of an old Word file: where its text lies, and what each paragraph and letter is.

The names in brackets are those of the published description of the format, [MS-DOC].
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from struct import unpack_from

FIRST_VERSION = 193
"""Word 97 [nFib]; files of Word 6 and 95 are laid out otherwise."""

_PAGE_BYTES = 512
_PLACES = 0x9A  # where the main stream tells the places of everything else [FibRgFcLcb97]
_STYLES, _LETTER_PAGES, _PARAGRAPH_PAGES, _PIECES = 1, 12, 13, 33
_ENDS = re.compile("[\r\x07\x0c]")
_TITLE_STYLE, _NO_STYLE = 62, 0xFFF

# Properties of letters and paragraphs [sprm].
_DELETED, _HIDDEN = 0x0800, 0x083C
_IN_TABLE, _ENDS_ROW, _NAMES_COLUMNS = 0x2416, 0x2417, 0x3404
_OUTLINE_LEVEL, _LIST_LEVEL, _LIST = 0x2640, 0x260A, 0x460B
_OPERAND_BYTES = (1, 1, 2, 4, 2, 2, 0, 3)
_TABLE_DEFINITION = 0xD608


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph as it is stored: its letters, the sign that ends it, and what it is."""

    text: str
    end: str
    heading: int = 0
    list_level: int = 0
    is_in_table: bool = False
    ends_row: bool = False
    names_columns: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text that lies together in the main stream, from `offset` on, `width` bytes a letter."""

    text: str
    offset: int
    width: int


@dataclass(frozen=True, slots=True)
class _Run:
    """The properties that hold for the bytes of the main stream from `start` to `end`."""

    start: int
    end: int
    properties: bytes


def read_paragraphs(main: bytes, table: bytes) -> Iterator[Paragraph]:
    """Yield the paragraphs of the text, its notes and its text boxes, without deleted and hidden words.

    `main` and `table` are the streams of a file of Word 97 or later. Raises struct.error, IndexError or
    ValueError where they are damaged.
    """
    headings = _read_headings(_find_part(main, table, _STYLES))
    paragraphs = _read_runs(main, _find_part(main, table, _PARAGRAPH_PAGES), entry_bytes=13)
    letters = _read_runs(main, _find_part(main, table, _LETTER_PAGES), entry_bytes=1)
    unseen = [run for run in letters if _is_unseen(run)]
    starts = [run.start for run in paragraphs]
    text = ""
    for piece in _read_pieces(main, _find_part(main, table, _PIECES)):
        position = 0
        for match in _ENDS.finditer(piece.text):
            text += _read_seen(piece, position, match.start(), unseen)
            index = bisect_right(starts, piece.offset + match.start() * piece.width) - 1
            properties = paragraphs[index].properties if index >= 0 else b""
            yield _make_paragraph(text, match[0], properties, headings)
            text, position = "", match.end()
        text += _read_seen(piece, position, len(piece.text), unseen)
    yield Paragraph(text, "\r")


def _find_part(main: bytes, table: bytes, number: int) -> bytes:
    offset, length = unpack_from("<II", main, _PLACES + 8 * number)
    return table[offset : offset + length]


def _read_pieces(main: bytes, data: bytes) -> Iterator[_Piece]:
    """Yield the pieces of the text and what follows it, without page headers and comments [Clx, PlcPcd]."""
    position = 0
    while data[position] == 1:
        position += 3 + int(unpack_from("<H", data, position + 1)[0])
    (length,) = unpack_from("<I", data, position + 1)
    count = (length - 4) // 12
    position += 5
    edges = unpack_from(f"<{count + 1}I", data, position)
    for number, (start, end) in enumerate(pairwise(edges)):
        (place,) = unpack_from("<I", data, position + 4 * (count + 1) + 8 * number + 2)
        is_narrow = bool(place & 0x40000000)
        offset, width = ((place & 0x3FFFFFFF) // 2, 1) if is_narrow else (place & 0x3FFFFFFF, 2)
        encoding = "cp1252" if is_narrow else "utf-16-le"
        for first, last in _choose_letters(main, start, end):
            begin = offset + (first - start) * width
            text = main[begin : offset + (last - start) * width].decode(encoding, "replace")
            yield _Piece(text, begin, width)


def _choose_letters(main: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what of the letters from `start` to `end` is text, a note or in a text box."""
    # Text, footnotes, page headers, macros, comments, endnotes, text boxes lie one after the other [ccpText].
    lengths = unpack_from("<7I", main, 0x4C)
    edge = 0
    for number, length in enumerate(lengths):
        first, last = max(start, edge), min(end, edge + length)
        edge += length
        if first < last and number in (0, 1, 5, 6):
            yield first, last


def _read_runs(main: bytes, data: bytes, *, entry_bytes: int) -> list[_Run]:
    """Return what the pages of properties say, in order [PlcBte, PapxFkp, ChpxFkp]."""
    count = max(len(data) - 4, 0) // 8
    pages = unpack_from(f"<{count}I", data, 4 * (count + 1)) if count else ()
    runs: list[_Run] = []
    for page_number in pages:
        page = main[(page_number & 0x3FFFFF) * _PAGE_BYTES :][:_PAGE_BYTES]
        entries = page[-1]
        edges = unpack_from(f"<{entries + 1}I", page)
        for number, (start, end) in enumerate(pairwise(edges)):
            place = 2 * page[4 * (entries + 1) + entry_bytes * number]
            runs.append(_Run(start, end, _read_entry(page, place, is_paragraph=entry_bytes > 1)))
    return sorted(runs, key=lambda run: run.start)


def _read_entry(page: bytes, place: int, *, is_paragraph: bool) -> bytes:
    if not place:
        return b""
    length = page[place]
    if not is_paragraph:
        return page[place + 1 : place + 1 + length]
    if length:
        return page[place + 1 : place + 2 * length]
    return page[place + 2 : place + 2 + 2 * page[place + 1]]


def _read_properties(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the names and values of properties; long values, which are not needed, are 0 [grpprl]."""
    position = 0
    while position + 2 < len(data):
        (name,) = unpack_from("<H", data, position)
        length = _OPERAND_BYTES[name >> 13]
        position += 2
        if not length:
            wide = name == _TABLE_DEFINITION
            skipped = int.from_bytes(data[position : position + 1 + wide], "little")
            position += skipped + 1
            continue
        yield name, int.from_bytes(data[position : position + length], "little")
        position += length


def _is_unseen(run: _Run) -> bool:
    return any(value & 1 for name, value in _read_properties(run.properties) if name in (_DELETED, _HIDDEN))


def _read_seen(piece: _Piece, first: int, last: int, unseen: list[_Run]) -> str:
    """Return the letters `first` to `last` of a piece without those in runs that are not shown."""
    start, end = piece.offset + first * piece.width, piece.offset + last * piece.width
    seen = []
    for run in unseen:
        if run.end > start and run.start < end:
            seen.append(_slice(piece, start, run.start))
            start = min(run.end, end)
    return "".join([*seen, _slice(piece, start, end)])


def _slice(piece: _Piece, start: int, end: int) -> str:
    return piece.text[(start - piece.offset) // piece.width : max(end - piece.offset, 0) // piece.width]


def _read_headings(data: bytes) -> list[int]:
    """Return the level of the headings that each style makes, 0 for other styles [STSH]."""
    found: list[tuple[int, int]] = []
    position = 2 + int(unpack_from("<H", data)[0])
    while position + 2 <= len(data):
        (length,) = unpack_from("<H", data, position)
        style, base = unpack_from("<HH", data, position + 2) if length >= 4 else (0, _NO_STYLE << 4)
        found.append((style & 0xFFF, base >> 4))
        position += 2 + length + length % 2
    return [_find_heading(found, number) for number in range(len(found))]


def _find_heading(styles: list[tuple[int, int]], number: int) -> int:
    """Return the level of a style, which may have it from one that it is made of."""
    for _ in styles:
        if number >= len(styles):
            break
        kind, number = styles[number]
        if 1 <= kind <= 9 or kind == _TITLE_STYLE:
            return 1 if kind == _TITLE_STYLE else min(kind, 6)
    return 0


def _make_paragraph(text: str, end: str, data: bytes, headings: list[int]) -> Paragraph:
    style = int.from_bytes(data[:2], "little")
    properties = dict(_read_properties(data[2:]))
    heading = headings[style] if style < len(headings) else 0
    outline_level = properties.get(_OUTLINE_LEVEL, 9) + 1
    is_listed = bool(properties.get(_LIST))
    return Paragraph(
        text,
        end,
        heading=heading or (min(outline_level, 6) if outline_level < 10 else 0),
        list_level=min(properties.get(_LIST_LEVEL, 0), 8) + 1 if is_listed else 0,
        is_in_table=bool(properties.get(_IN_TABLE)),
        ends_row=bool(properties.get(_ENDS_ROW)),
        names_columns=bool(properties.get(_NAMES_COLUMNS)),
    )
