"""Markdown (CommonMark with tables): the readable words, without the marks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.metadata import finish_document, read_date
from chatbot.documents.text import TextBuilder, clean_characters
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from markdown_it.token import Token

NAME = "Markdown"
SUFFIXES = (".md", ".markdown")

_FRONT_MATTER = re.compile(
    r"\s*---[ \t]*\n(?P<lines>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_FIELD = re.compile(
    r"^(?P<name>title|authors?|date|updated|last_reviewed_on|last_reviewed)[ \t]*:[ \t]*(?P<value>\S.*)$",
    re.M | re.I,
)
_NO_DATES = ("title", "author", "authors")
_HEADING_ATTRIBUTES = re.compile(r"\{[#:.][^{}]*\}$")

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a Markdown file. Raises DocumentError."""
    fields, source = _split_front_matter(clean_characters(read_text(path)))
    builder = TextBuilder()
    add_markdown(builder, source)
    dates = [read_date(value) for name, value in fields.items() if name not in _NO_DATES]
    return finish_document(
        builder,
        path,
        titles=[fields.get("title")],
        dates=dates,
        authors=[_read_names(fields.get(name, "")) for name in ("author", "authors")],
    )


def _read_names(value: str) -> str:
    """The names of a field, of which several may stand in brackets: `[Ada, Bo]`."""
    is_list = value.startswith("[") and value.endswith("]")
    return ";".join(_unquote(name) for name in value[1:-1].split(",")) if is_list else value


def add_markdown(builder: TextBuilder, source: str) -> None:
    """Append the blocks of a piece of Markdown, such as a notebook's cell."""
    from markdown_it import MarkdownIt

    writer = _Writer(builder)
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source):
        writer.write(token)


def _split_front_matter(source: str) -> tuple[dict[str, str], str]:
    """Return the front matter's title and dates, and the source after it."""
    matter = _FRONT_MATTER.match(source)
    if not matter:
        return {}, source
    fields = {match["name"].lower(): _unquote(match["value"]) for match in _FIELD.finditer(matter["lines"])}
    return fields, source[matter.end() :]


def _unquote(value: str) -> str:
    value = value.strip()
    is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value


class _Writer:
    """Turns the stream of tokens into blocks."""

    def __init__(self, builder: TextBuilder) -> None:
        self.builder = builder
        self._numbers: list[int | None] = []
        self._marker: str | None = None
        self._cells: list[str] | None = None
        self._is_header = False
        self._heading_level = 0

    def write(self, token: Token) -> None:
        """Take the next token of the document."""
        match token.type:
            case "inline":
                self._write_text(_read_inline(token.children or []))
            case "fence" | "code_block":
                self.builder.add("code", token.content)
            case "html_block":
                self._write_html(token.content)
            case "heading_open":
                self._heading_level = int(token.tag[1])
            case "heading_close":
                self._heading_level = 0
            case _:
                self._write_list_token(token)
                self._write_table_token(token)

    def _write_text(self, text: str) -> None:
        if self._cells is not None:
            self._cells.append(text)
        elif self._heading_level:
            self.builder.add("heading", _HEADING_ATTRIBUTES.sub("", text), self._heading_level)
        elif self._marker is not None and text.strip():
            self.builder.add("list_item", self._marker + text, len(self._numbers))
            self._marker = None
        else:
            self.builder.add("paragraph", text)

    def _write_html(self, source: str) -> None:
        from chatbot.documents.html import add_html

        add_html(self.builder, source)

    def _write_list_token(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._numbers.append(None)
            case "ordered_list_open":
                self._numbers.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._numbers.pop()
                if not self._numbers:
                    self.builder.end_group()
            case "list_item_open":
                number = self._numbers[-1]
                self._marker = "" if number is None else f"{number}. "
                self._numbers[-1] = None if number is None else number + 1
            case "list_item_close":
                self._marker = None

    def _write_table_token(self, token: Token) -> None:
        match token.type:
            case "thead_open" | "thead_close":
                self._is_header = token.type == "thead_open"
            case "tr_open":
                self._cells = []
            case "tr_close":
                self.builder.add_row(self._cells or [], header=self._is_header)
                self._cells = None
            case "table_close":
                self.builder.end_group()


def _read_inline(tokens: list[Token]) -> str:
    """Return the words of a line: link texts and images' descriptions stay, targets and tags go."""
    return "".join(_read_inline_token(token) for token in tokens)


def _read_inline_token(token: Token) -> str:
    match token.type:
        case "image":
            return _read_inline(token.children or [])
        case "softbreak" | "hardbreak":
            return "\n"
        case "html_inline":
            return "\n" if token.content.lower().startswith("<br") else ""
        case _:
            return token.content
