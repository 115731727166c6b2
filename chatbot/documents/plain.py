"""Plain text: paragraphs, and cautiously what looks like headings and lists."""

from __future__ import annotations

import re
from pathlib import Path

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.metadata import finish_document
from chatbot.documents.text import TextBuilder, clean_characters
from chatbot.types import ParsedDocument

NAME = "plain text"
SUFFIXES = (".txt", ".text", ".log")

_MAX_HEADING_CHARACTERS = 80
_UNDERLINE = re.compile(r"\s*(={3,}|-{3,})\s*$")
_RULER = re.compile(r"[\s\-=_*#~+.]*$")
_ITEM = re.compile(r"(?P<indent>\s*)(?:[-*•●▪◦–]|(?P<number>\d{1,3}[.)]))\s+(?P<text>\S.*)")
_NUMBERED_HEADING = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+[^\W\d_].*[^.,;:!?]$")

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a text file. Raises DocumentError."""
    builder = TextBuilder()
    add_plain_text(builder, read_text(path))
    return finish_document(builder, path)


def add_plain_text(builder: TextBuilder, text: str) -> None:
    """Append the paragraphs of plain text, such as the body of a mail."""
    for paragraph in _split_paragraphs(clean_characters(text).split("\n")):
        _add_paragraph(builder, paragraph)


def _split_paragraphs(lines: list[str]) -> list[list[str]]:
    """Return the runs of lines between blank lines and rulers; an underline stays with its heading."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        is_underline = len(paragraphs[-1]) == 1 and _UNDERLINE.match(line)
        if is_underline:
            paragraphs[-1].append(line)
        elif not _RULER.match(line):
            paragraphs[-1].append(line)
            continue
        paragraphs.append([])
    return [paragraph for paragraph in paragraphs if paragraph]


def _add_paragraph(builder: TextBuilder, lines: list[str]) -> None:
    first = lines[0].strip()
    if (
        len(lines) == 2
        and (underline := _UNDERLINE.match(lines[1]))
        and len(first) <= _MAX_HEADING_CHARACTERS
    ):
        builder.add("heading", first, 1 if "=" in underline[1] else 2)
    elif len(lines) == 1 and (level := guess_heading_level(first)):
        builder.add("heading", first, level)
    elif is_in_capitals(first):
        builder.add("heading", first, 2)
        _add_paragraph(builder, lines[1:])
    else:
        _add_lines(builder, [line for line in lines if not _RULER.match(line)])


def guess_heading_level(line: str) -> int:
    """Return the level of a line that stands alone and reads like a heading, else 0.

    Headings are short lines in capitals, and numbered ones ("1.2 Title") that do not end like a sentence.
    """
    if len(line) > _MAX_HEADING_CHARACTERS:
        return 0
    numbered = _NUMBERED_HEADING.match(line)
    if numbered and len(line.split()) <= 10:
        return min(6, 1 + numbered["number"].count(".") + 1)
    return 2 if is_in_capitals(line) else 0


def is_in_capitals(line: str) -> bool:
    """Whether a line is short, mostly letters, all of them capitals, and does not end like a sentence."""
    letters = [character for character in line if character.isalpha()]
    is_capitals = len(letters) >= 4 and all(character.isupper() for character in letters)
    is_short = len(line) <= _MAX_HEADING_CHARACTERS
    return is_capitals and is_short and len(letters) > len(line) / 2 and not line.endswith((".", ",", ";"))


def _add_lines(builder: TextBuilder, lines: list[str]) -> None:
    """Add the list items among the lines, and the lines before them as one paragraph."""
    prose: list[str] = []
    items: list[tuple[int, str]] = []
    for line in lines:
        item = _ITEM.match(line)
        if item:
            marker = f"{item['number']} " if item["number"] else ""
            items.append((len(item["indent"].expandtabs(4)), marker + item["text"]))
        elif items:
            items[-1] = (items[-1][0], f"{items[-1][1]} {line}")
        else:
            prose.append(line)
    builder.add("paragraph", " ".join(prose))
    indents: list[int] = []
    for indent, text in items:
        while indents and indents[-1] >= indent:
            indents.pop()
        indents.append(indent)
        builder.add("list_item", text, len(indents))
