"""Org files of Emacs (.org): headlines, lists, tables and blocks, without their marks."""

from __future__ import annotations

import re
from pathlib import Path

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.metadata import finish_document, read_date
from chatbot.documents.text import TextBuilder, clean_characters
from chatbot.types import ParsedDocument

NAME = "Org"
SUFFIXES = (".org",)

_HEADLINE = re.compile(r"(?P<stars>\*+)[ \t]+(?:\[#\w\][ \t]*)?(?P<text>.*?)(?:[ \t]+:[\w@#%:]+:)?[ \t]*$")
_PRIORITY = re.compile(r"\[#\w\][ \t]*")
_KEYWORD = re.compile(r"[ \t]*#\+(?P<name>\w+)(?:\[.*\])?:[ \t]*(?P<value>.*)", re.IGNORECASE)
_BLOCK_START = re.compile(r"[ \t]*#\+begin_(?P<kind>\w+)", re.IGNORECASE)
_BLOCK_END = re.compile(r"[ \t]*#\+end_(?P<kind>\w+)", re.IGNORECASE)
_DRAWER = re.compile(r"[ \t]*:(?:PROPERTIES|LOGBOOK|CLOCK):[ \t]*$", re.IGNORECASE)
_DRAWER_END = re.compile(r"[ \t]*:END:[ \t]*$", re.IGNORECASE)
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]|$)")
_FIXED = re.compile(r"[ \t]*:(?: (?P<text>.*))?$")
_RULE = re.compile(r"[ \t]*-{5,}[ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*\|[-+|]+[ \t]*$")
_TABLE_ROW = re.compile(r"[ \t]*\|(?P<cells>.*?)\|?[ \t]*$")
_ITEM = re.compile(
    r"(?P<indent>[ \t]*)(?:[-+]|(?<=[ \t])\*|(?P<number>\d{1,3}[.)]))(?:[ \t]+\[[ X-]\])?[ \t]+(?P<text>\S.*)"
)
_LINK = re.compile(r"\[\[(?P<target>[^\[\]]+)\](?:\[(?P<words>[^\[\]]+)\])?\]")
_MARKED = re.compile(r"(?<![\w*/_=~+])([*/_=~+])(?=\S)([^\n]{0,300}?\S)\1(?![\w*/_=~+])")
_CODE_BLOCKS = frozenset(("src", "example"))
_UNSEEN_BLOCKS = frozenset(("comment", "export"))

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read an Org file; nothing that it includes or links to is opened. Raises DocumentError."""
    writer = _Writer()
    for line in clean_characters(read_text(path)).split("\n"):
        writer.write(line)
    writer.finish()
    return finish_document(
        writer.builder, path, titles=[writer.title], dates=[writer.date], authors=[writer.author]
    )


def _strip_marks(text: str) -> str:
    """Return the words of a line: links give their words, emphasis and code lose their signs."""
    text = _LINK.sub(lambda link: link["words"] or link["target"], text)
    return _MARKED.sub(r"\2", _MARKED.sub(r"\2", text))


class _Writer:
    """Turns lines into blocks; lines gather until something else begins."""

    def __init__(self) -> None:
        self.builder = TextBuilder()
        self.title: str | None = None
        self.date: str | None = None
        self.author: str | None = None
        self._block: str | None = None
        self._is_in_drawer = False
        self._lines: list[str] = []
        self._rows: list[list[str]] = []
        self._fixed: list[str] = []
        self._has_header = False
        self._item: str | None = None
        self._indents: list[int] = []

    def write(self, line: str) -> None:
        """Take the next line of the file."""
        if self._block is not None:
            self._write_in_block(line)
        elif self._is_in_drawer:
            self._is_in_drawer = not _DRAWER_END.match(line)
        elif block := _BLOCK_START.match(line):
            self.finish()
            self._block = block["kind"].lower()
        elif self._takes_special(line):
            return
        elif not line.strip():
            self.finish()
        else:
            self._write_words(line)

    def finish(self) -> None:
        """Add what has gathered."""
        words = _strip_marks(" ".join(line.strip() for line in self._lines))
        if self._item is not None:
            self.builder.add("list_item", self._item + words, max(len(self._indents), 1))
        else:
            self.builder.add("paragraph", words)
        for number, cells in enumerate(self._rows):
            self.builder.add_row(cells, header=number == 0 and self._has_header)
        self.builder.add("code", "\n".join(self._fixed))
        if self._rows:
            self.builder.end_group()
        self._lines, self._rows, self._fixed = [], [], []
        self._has_header, self._item = False, None

    def _write_in_block(self, line: str) -> None:
        end = _BLOCK_END.match(line)
        if not end or end["kind"].lower() != self._block:
            is_end_of_paragraph = not line.strip() and self._block not in _CODE_BLOCKS
            if is_end_of_paragraph and self._block not in _UNSEEN_BLOCKS:
                self.finish()
            else:
                self._lines.append(line)
            return
        if self._block in _CODE_BLOCKS:
            self.builder.add("code", "\n".join(self._lines))
            self._lines.clear()
        elif self._block in _UNSEEN_BLOCKS:
            self._lines.clear()
        self.finish()
        self._block = None

    def _takes_special(self, line: str) -> bool:
        """Take a line that is no words: a headline, a setting, a drawer, a comment, a rule."""
        if headline := _HEADLINE.match(line):
            self._end_list()
            level = min(len(headline["stars"]), 6)
            self.builder.add("heading", _strip_marks(_PRIORITY.sub("", headline["text"])), level)
        elif keyword := _KEYWORD.match(line):
            self._read_keyword(keyword["name"].lower(), keyword["value"])
        elif _DRAWER.match(line):
            self._is_in_drawer = True
        elif _RULE.match(line):
            self._end_list()
        else:
            return _COMMENT.match(line) is not None
        return True

    def _read_keyword(self, name: str, value: str) -> None:
        if name == "title":
            self.title = _strip_marks(value)
        elif name == "date":
            self.date = read_date(value.lstrip("<["))
        elif name == "author":
            self.author = _strip_marks(value)
        elif name == "caption":
            self.finish()
            self.builder.add("paragraph", _strip_marks(value))

    def _write_words(self, line: str) -> None:
        if _TABLE_RULE.match(line):
            self._has_header = self._has_header or len(self._rows) == 1
        elif row := _TABLE_ROW.match(line):
            if not self._rows:
                self._end_list()
            self._rows.append([_strip_marks(cell) for cell in row["cells"].split("|")])
        elif fixed := _FIXED.match(line):
            if not self._fixed:
                self._end_list()
            self._fixed.append(fixed["text"] or "")
        elif item := _ITEM.match(line):
            self._begin_item(item)
        else:
            self._write_plain(line)

    def _begin_item(self, item: re.Match[str]) -> None:
        self.finish()
        indent = len(item["indent"].expandtabs(8))
        while self._indents and self._indents[-1] >= indent:
            self._indents.pop()
        self._indents.append(indent)
        self._item = f"{item['number']} " if item["number"] else ""
        self._lines.append(item["text"].replace(" :: ", ": ", 1))

    def _write_plain(self, line: str) -> None:
        if self._rows or self._fixed or (self._indents and not line[0].isspace()):
            self._end_list()
        self._lines.append(line)

    def _end_list(self) -> None:
        self.finish()
        self._indents.clear()
        self.builder.end_group()
