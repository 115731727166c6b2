"""Word documents (.docx): body, lists and tables in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.documents.archives import DAMAGE, accepts_archive, check_archive, damaged
from chatbot.documents.metadata import finish_document
from chatbot.documents.text import TextBuilder, clean_line
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from docx.document import Document

NAME = "Word"
SUFFIXES = (".docx",)

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# Deleted words, and the second copy of what is kept for old programs.
_NOT_SHOWN = (
    "//w:del | //w:moveFrom | //*[local-name()='Fallback' and "
    "namespace-uri()='http://schemas.openxmlformats.org/markup-compatibility/2006']"
)
_WORD_TAGS = tuple(_W + name for name in ("t", "tab", "ptab", "br", "cr", "noBreakHyphen", "p"))
_HEADING_STYLE = re.compile(r"heading (\d)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Style:
    """What a paragraph style says: `heading` is its level or 0, `list_level` the depth or 0."""

    heading: int = 0
    list_level: int = 0


accepts = accepts_archive


def load(path: Path) -> ParsedDocument:
    """Read a Word document. Raises DocumentError."""
    check_archive(path, NAME, "word/", old_kind="Word document (.doc)")
    document = _open_document(path)
    styles = _read_styles(document)
    builder = TextBuilder()
    body = document.element.body
    for element in body.xpath(_NOT_SHOWN):
        element.getparent().remove(element)
    for text in _read_margins(document, "header"):
        builder.add("paragraph", text)
    _add_blocks(builder, body, styles)
    for text in _read_margins(document, "footer"):
        builder.add("paragraph", text)
    properties = document.core_properties
    changed = properties.modified or properties.created
    return finish_document(
        builder,
        path,
        titles=[properties.title],
        dates=[changed.date().isoformat() if changed else None],
        authors=[properties.author],
    )


def _open_document(path: Path) -> Document:
    from docx import Document
    from docx.opc.exceptions import OpcError

    try:
        return Document(str(path))
    except (OpcError, *DAMAGE) as error:
        raise damaged(path, NAME) from error


def _read_styles(document: Document) -> dict[str, _Style]:
    """Return each paragraph style by its id, with what it inherits."""
    elements = {
        str(style.get(f"{_W}styleId")): style for style in document.styles.element.iterchildren(f"{_W}style")
    }
    return {style_id: _read_style(style_id, elements) for style_id in elements}


def _read_style(style_id: str, elements: dict[str, Any]) -> _Style:
    heading = list_level = 0
    seen: set[str] = set()
    while style_id in elements and style_id not in seen:
        seen.add(style_id)
        style = elements[style_id]
        name = _find_value(style, "name") or ""
        if name.lower() == "title":
            heading = heading or 1
        elif match := _HEADING_STYLE.match(name):
            heading = heading or min(int(match[1]), 6) or 1
        list_level = list_level or _list_level_of_name(name) or _find_list_level(style)
        style_id = _find_value(style, "basedOn") or ""
    return _Style(heading, list_level)


def _list_level_of_name(name: str) -> int:
    match = re.match(r"list (?:bullet|number|continue)(?: (\d))?$", name, re.IGNORECASE)
    return int(match[1] or 1) if match else 0


def _find_value(element: Any, name: str) -> str | None:  # noqa: ANN401 - lxml element
    child = element.find(f".//{_W}{name}")
    return None if child is None else child.get(f"{_W}val")


def _find_list_level(element: Any) -> int:  # noqa: ANN401 - lxml element
    """Return the depth that numbering properties give, from 1; 0 without any."""
    numbering = element.find(f"{_W}pPr/{_W}numPr")
    if numbering is None or _find_value(numbering, "numId") in (None, "0"):
        return 0
    level = _find_value(numbering, "ilvl") or "0"
    return int(level) + 1 if level.isdecimal() else 1


def _iterate_blocks(container: Any) -> Iterator[Any]:  # noqa: ANN401 - lxml elements
    """Yield the paragraphs and tables of a body or cell in order, those in content controls too."""
    for element in container:
        if element.tag in (f"{_W}p", f"{_W}tbl"):
            yield element
        elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}moveTo"):
            yield from _iterate_blocks(element)


def _add_blocks(builder: TextBuilder, container: Any, styles: dict[str, _Style]) -> None:  # noqa: ANN401
    """Add what a body or cell holds."""
    for element in _iterate_blocks(container):
        if element.tag == f"{_W}p":
            _add_paragraph(builder, element, styles)
        else:
            _add_table(builder, element, styles)


def _read_words(element: Any) -> str:  # noqa: ANN401 - lxml element
    """Return the words of a paragraph or cell, with those of the text boxes and tables inside it."""
    words: list[str] = []
    for part in element.iter(*_WORD_TAGS):
        if part.tag == f"{_W}t":
            words.append(part.text or "")
        else:
            words.append("-" if part.tag == f"{_W}noBreakHyphen" else "\n")
    return "".join(words)


def _add_paragraph(builder: TextBuilder, element: Any, styles: dict[str, _Style]) -> None:  # noqa: ANN401
    properties = element.find(f"{_W}pPr")
    style_id = None if properties is None else _find_value(properties, "pStyle")
    style = styles.get(style_id or "", _Style())
    words = _read_words(element)
    if style.heading:
        builder.add("heading", words, style.heading)
    elif level := _find_list_level(element) or style.list_level:
        builder.add("list_item", words, level)
    else:
        builder.add("paragraph", words)


def _add_table(builder: TextBuilder, table: Any, styles: dict[str, _Style]) -> None:  # noqa: ANN401
    """Add a table's rows; one of a single column only frames what it holds."""
    rows = [_find_cells(row) for row in table.iterchildren(f"{_W}tr")]
    if all(len(cells) <= 1 for cells in rows):
        for cells in rows:
            for cell in cells:
                _add_blocks(builder, cell, styles)
        return
    is_headed = _has_header(table, rows)
    builder.end_group()
    for number, cells in enumerate(rows):
        builder.add_row([_read_words(cell) for cell in cells], header=number == 0 and is_headed)
    builder.end_group()


def _find_cells(row: Any) -> list[Any]:  # noqa: ANN401 - lxml elements
    return [cell for path in (f"{_W}tc", f"{_W}sdt/{_W}sdtContent/{_W}tc") for cell in row.iterfind(path)]


def _has_header(table: Any, rows: list[list[Any]]) -> bool:  # noqa: ANN401 - lxml elements
    """Whether the first row is marked as the header, or names every column but perhaps the first."""
    is_marked = table.find(f"{_W}tr/{_W}trPr/{_W}tblHeader") is not None
    names = [clean_line(_read_words(cell)) for cell in rows[0][1:]]
    return is_marked or (len(rows) > 1 and len(names) > 0 and all(names))


def _read_margins(document: Document, kind: str) -> list[str]:
    """Return the different texts of the sections' headers or footers."""
    paragraphs = [
        clean_line(_read_words(paragraph))
        for section in document.sections
        for margin in (getattr(section, f"first_page_{kind}"), getattr(section, kind))
        if not margin.is_linked_to_previous
        for paragraph in margin._element.iter(f"{_W}p")
    ]
    return list(dict.fromkeys(paragraphs))
