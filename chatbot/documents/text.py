"""Canonical text: what every format's reader writes, clean and with offsets that hold."""

from __future__ import annotations

import re
import textwrap
import unicodedata

from chatbot.types import Block, BlockKind, SheetStart

CELL_SEPARATOR = " | "

# Cc, Cs and Cn are control characters, lone surrogates and code points that mean nothing. The rest can
# hide words from a reader's eye: zero-width and directional marks, soft hyphens, variation selectors, tags.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\uffff"
    "\ud800-\udfff\ufdd0-\ufdef\U000e0000-\U000e0fff\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
# Arabic and Indic spelling needs the two joiners between letters; anywhere else they only hide things.
_LOOSE_JOINER = re.compile("(?<![\u0590-\u1fff])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\u1fff])")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_LONE_PIPE = re.compile(r"(?:^|(?<=\s))\|(?=\s|$)")
# What fonts draw as one sign, and what a search by words would not find: ligatures, hyphens, bullets.
_PLAIN_SIGNS = str.maketrans(
    {
        **dict.fromkeys("\uf0a7\uf0b7\uf0d8\uf0fc\uf076\uf0a8", "•"),
        **dict(
            zip(
                "\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06",
                ("ff", "fi", "fl", "ffi", "ffl", "st", "st"),
                strict=True,
            )
        ),
        "\u2011": "-",
    }
)

_GROUPS: dict[BlockKind, str] = {"list_item": "list", "table_header": "table", "table_row": "table"}


def clean_characters(text: str) -> str:
    """Return `text` in Unicode form NFC, without characters that are not seen.

    Lines end in a line feed; ligatures and non-breaking hyphens become the letters that they stand for.
    """
    if text.isascii() and text.isprintable():
        return text  # nothing to clean, as in most of the many cells of a sheet
    text = _LINE_BREAK.sub("\n", text).translate(_PLAIN_SIGNS)
    return unicodedata.normalize("NFC", _LOOSE_JOINER.sub("", _UNSEEN.sub("", text)))


def clean_line(text: str) -> str:
    """Return the clean text on one line, every run of white space made one blank."""
    return " ".join(clean_characters(text).split())


def clean_code(text: str) -> str:
    """Return the clean text with its lines and indentation, without common indentation and blank edges."""
    lines = [line.rstrip() for line in clean_characters(text).split("\n")]
    return textwrap.dedent("\n".join(lines)).strip("\n").rstrip()


def join_cells(cells: list[str]) -> str:
    """Return one table row: clean cells joined with ` | `; empty where every cell is."""
    clean = [_LONE_PIPE.sub("¦", clean_line(cell)) for cell in cells]
    return clean_line(CELL_SEPARATOR.join(clean)) if any(clean) else ""


def split_cells(row: str) -> list[tuple[int, int]]:
    """Return where each cell of a table row lies in `row`: a pipe that stands alone parts two cells."""
    edges = [match.start() for match in _LONE_PIPE.finditer(row)]
    starts = [0, *(edge + 1 for edge in edges)]
    return [_strip_span(row, start, end) for start, end in zip(starts, [*edges, len(row)], strict=True)]


def _strip_span(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return (start + left, start + len(piece.rstrip())) if piece.strip() else (start, start)


class TextBuilder:
    """Collects the pieces of a document in reading order and builds its text and blocks together.

    Items of one list and rows of one table are a line apart, all other blocks a blank line.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._page_blocks: list[int] = []
        self._sheet_blocks: list[tuple[int, str]] = []
        self._length = 0
        self._group: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no block was added yet."""
        return not self._blocks

    def add(self, kind: BlockKind, text: str, level: int = 0, *, row: int = 0) -> None:
        """Append a block; text that is nothing but white space is left out.

        `level` is 1 to 6 for headings and the nesting depth from 1 for list items; `row` is that of a sheet.
        """
        self._append(kind, clean_code(text) if kind == "code" else clean_line(text), level, row)

    def add_row(self, cells: list[str], *, header: bool = False, row: int = 0) -> None:
        """Append a table row or header; a row of empty cells is left out."""
        self._append("table_header" if header else "table_row", join_cells(cells), 0, row)

    def end_group(self) -> None:
        """Keep the next list item or table row apart from those before."""
        self._group = None

    def start_page(self) -> None:
        """Begin a new page; the next block is its first."""
        self._page_blocks.append(len(self._blocks))
        self._group = None

    def start_sheet(self, name: str) -> None:
        """Begin a new sheet of a workbook; the next block is its first."""
        self._sheet_blocks.append((len(self._blocks), clean_line(name)))

    def list_sheets(self) -> tuple[SheetStart, ...]:
        """The offset at which each sheet begins, with its name."""
        starts = [block.start for block in self._blocks] + [self._length]
        return tuple((starts[block], name) for block, name in self._sheet_blocks)

    def build(self) -> tuple[str, tuple[Block, ...], tuple[int, ...]]:
        """Return the text, its blocks and the offset at which each page begins."""
        starts = [block.start for block in self._blocks] + [self._length]
        pages = tuple(0 if number == 0 else starts[block] for number, block in enumerate(self._page_blocks))
        return "".join(self._parts), tuple(self._blocks), pages

    def _append(self, kind: BlockKind, text: str, level: int, row: int) -> None:
        if not text:
            return
        group = _GROUPS.get(kind)
        if self._blocks:
            begins_table = kind == "table_header" and self._blocks[-1].kind == "table_row"
            is_continued = group is not None and group == self._group and not begins_table
            self._write("\n" if is_continued else "\n\n")
        start = self._length
        self._write(text)
        self._blocks.append(Block(kind, start, self._length, level, row))
        self._group = group

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
