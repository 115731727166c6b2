"""OpenDocument texts (.odt): headings, paragraphs, lists, tables, text boxes and footnotes in their order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from chatbot.documents.archives import accepts_archive
from chatbot.documents.metadata import finish_document
from chatbot.documents.opendocument import (
    DRAW,
    PARAGRAPHS,
    STYLE,
    TABLE,
    TEXT,
    check_opendocument,
    find_body,
    read_part,
    read_table,
    read_words,
)
from chatbot.documents.properties import read_archive_properties
from chatbot.documents.tables import add_table
from chatbot.documents.text import TextBuilder
from chatbot.types import ParsedDocument

NAME = "OpenDocument text"
SUFFIXES = (".odt",)

# Blocks inside these stand for themselves; the rest (deleted words, declarations) is not shown.
_HOLDERS = frozenset(
    {
        *(TEXT + name for name in ("section", "list-header", "index-body", "index-title", "note-body")),
        *(TEXT + name for name in ("table-of-content", "alphabetical-index", "bibliography", "note")),
        *(DRAW + name for name in ("frame", "text-box", "g", "custom-shape", "rect", "a")),
    }
)
_HEADING_STYLE = re.compile(r"Heading_20_(\d+)$")

accepts = accepts_archive


def load(path: Path) -> ParsedDocument:
    """Read an OpenDocument text. Raises DocumentError."""
    check_opendocument(path, NAME)
    content = read_part(path, "content.xml")
    builder = TextBuilder()
    _Walker(builder, _read_styles(content)).walk(find_body(path, content, "text"))
    properties = read_archive_properties(path)
    return finish_document(
        builder, path, titles=[properties.title], dates=[properties.date], authors=[properties.author]
    )


def _read_styles(content: Any) -> dict[str, str]:  # noqa: ANN401 - lxml element
    """Return the style that each style of the document's own is made from."""
    return {
        str(style.get(f"{STYLE}name")): str(style.get(f"{STYLE}parent-style-name", ""))
        for style in content.iter(f"{STYLE}style")
    }


class _Walker:
    """Walks a body and adds its blocks."""

    def __init__(self, builder: TextBuilder, styles: dict[str, str]) -> None:
        self._builder = builder
        self._styles = styles

    def walk(self, holder: Any, list_level: int = 0) -> None:  # noqa: ANN401 - lxml element
        """Add everything in `holder` that is shown; `list_level` counts the lists around it."""
        for child in holder:
            if child.tag in PARAGRAPHS:
                self._add_paragraph(child, list_level)
            elif child.tag == f"{TEXT}list":
                for item in child:
                    self.walk(item, list_level + 1)
            elif child.tag == f"{TABLE}table":
                self._add_table(child)
            elif child.tag in _HOLDERS:
                self.walk(child)

    def _add_paragraph(self, element: Any, list_level: int) -> None:  # noqa: ANN401 - lxml element
        words = read_words(element)
        if level := self._find_heading_level(element):
            self._builder.add("heading", words, level)
        elif list_level:
            self._builder.add("list_item", words, list_level)
        else:
            self._builder.add("paragraph", words)
        for part in element.iter(f"{TEXT}note-body", f"{DRAW}text-box"):
            self.walk(part)

    def _find_heading_level(self, element: Any) -> int:  # noqa: ANN401 - lxml element
        level = element.get(f"{TEXT}outline-level", "1")
        if element.tag == f"{TEXT}h":
            return min(int(level), 6) if level.isdecimal() else 1
        style = element.get(f"{TEXT}style-name", "")
        style = self._styles.get(style) or style
        if match := _HEADING_STYLE.match(style):
            return min(max(int(match[1]), 1), 6)
        return 1 if style == "Title" else 0

    def _add_table(self, table: Any) -> None:  # noqa: ANN401 - lxml element
        """Add a table's rows; one of a single column only frames what it holds."""
        rows, header_rows = read_table(table)
        if any(len(row) > 1 for row in rows):
            add_table(self._builder, rows, header_rows=header_rows)
            return
        for cell in table.iter(f"{TABLE}table-cell"):
            self.walk(cell)
