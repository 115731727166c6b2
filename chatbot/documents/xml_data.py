"""XML: the text of its elements in order, as a document or as records, whichever it looks like."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from chatbot.documents.archives import parse_xml
from chatbot.documents.data_files import read_data
from chatbot.documents.files import looks_like_text
from chatbot.documents.html import add_html
from chatbot.documents.metadata import finish_document, name_from_path, read_date
from chatbot.documents.text import TextBuilder, clean_line
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

NAME = "XML"
SUFFIXES = (".xml",)

_TITLES = frozenset(("title", "name", "label", "head", "heading", "headline", "subject"))
# Elements of text, whose names say nothing to a reader.
_PROSE = frozenset(
    "p para simpara text line paragraph section content encoded body abstract summary description note "
    "value item entry li listitem".split()
)
_DATES = ("date", "updated", "modified", "pubdate", "lastbuilddate", "published", "created", "revdate")
_MARKUP = re.compile(r"<(?:p|br|div|ul|ol|a|b|i|em|strong|h\d|table|img|span)\b[^<>]*>", re.IGNORECASE)
_MAX_HEADING_CHARACTERS = 150
_MAX_LISTED_CHARACTERS = 60

Element = Any
"""An element of lxml, which has no types."""

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read an XML file; entities stay as they are written, and nothing that it names is opened.

    Raises DocumentError, and CorruptDocument for what is not well-formed or nests too deeply.
    """
    data = read_data(path)
    try:
        root = parse_xml(data)
    except (SyntaxError, ValueError) as error:
        raise CorruptDocument(
            f"“{path.name}” is not well-formed XML: {clean_line(str(getattr(error, 'msg', error)))[:200]}.",
            "Save it again from the program that made it.",
        ) from error
    builder = TextBuilder()
    _add_element(builder, root, 1)
    titles = [_find_heading(_find_top(root)), name_from_path(path)]
    return finish_document(builder, path, titles=titles, dates=_find_dates(_find_top(root)))


def _find_top(root: Element) -> Element:
    """Return the element that holds the rest: the root, or its only child, as the channel of a feed."""
    return root[0] if len(root) == 1 and len(root[0]) else root


def _add_element(builder: TextBuilder, element: Element, level: int) -> None:
    if not isinstance(element.tag, str):  # an entity that was left as it is
        builder.add("paragraph", element.text or "")
    elif not len(element):
        _add_leaf(builder, element)
    elif _is_mixed(element):
        builder.add("paragraph", "".join(element.itertext()))
    else:
        _add_container(builder, element, level)


def _add_container(builder: TextBuilder, element: Element, level: int) -> None:
    """Add what an element of elements holds, below the heading that names it if one does."""
    heading = _find_heading(element)
    builder.end_group()
    if heading:
        builder.add("heading", heading, min(level, 6))
    if element.getparent() is not None:
        for line in _list_attributes(element):
            builder.add("list_item", line, 1)
    rest = [child for child in element if heading is None or _read_heading(child) != heading]
    for (_, is_leaf), run in groupby(rest, key=lambda child: (child.tag, _is_leaf(child))):
        children = list(run)
        if is_leaf and len(children) > 1:
            _add_leaves(builder, children)
        else:
            for child in children:
                _add_element(builder, child, level + 1 if heading else level)
    builder.end_group()


def _add_leaf(builder: TextBuilder, element: Element) -> None:
    """Add an element of text: what its name means is kept where it is more than a paragraph."""
    name, text = _name(element), element.text or ""
    if _MARKUP.search(text):
        add_html(builder, text)
    elif name.lower() in _PROSE and text.strip():
        builder.add("paragraph", text)
    else:
        words = ", ".join(filter(None, [clean_line(text), *_list_attributes(element)]))
        builder.add("list_item", f"{name}: {words}" if words else "", 1)


def _add_leaves(builder: TextBuilder, leaves: list[Element]) -> None:
    """Add short texts of one name in a row, such as the key words of an article, on one line."""
    texts = [clean_line(leaf.text or "") for leaf in leaves]
    if _name(leaves[0]).lower() in _PROSE or max(map(len, texts)) > _MAX_LISTED_CHARACTERS:
        for leaf in leaves:
            _add_leaf(builder, leaf)
    elif words := ", ".join(filter(None, texts)):
        builder.add("list_item", f"{_name(leaves[0])}: {words}", 1)


def _is_leaf(element: Element) -> bool:
    return isinstance(element.tag, str) and not len(element) and not element.attrib


def _list_attributes(element: Element) -> list[str]:
    """Return an element's attributes as `name: value`, without those of other name spaces."""
    title = _read_attribute_title(element)
    return [
        f"{name}: {clean_line(value)}"
        for name, value in element.attrib.items()
        if not name.startswith("{") and value.strip() and (value != title or not len(element))
    ]


def _is_mixed(element: Element) -> bool:
    """Whether words stand between an element's children, as in a sentence with marks."""
    between = [element.text, *(child.tail for child in element)]
    return any(text and text.strip() for text in between)


def _find_heading(element: Element) -> str | None:
    """Return the title or name that an element of elements bears."""
    own = (_read_heading(child) for child in element)
    return next((heading for heading in own if heading), None) or _read_attribute_title(element)


def _read_heading(element: Element) -> str | None:
    if not isinstance(element.tag, str) or _name(element).lower() not in _TITLES:
        return None
    return _limit(clean_line("".join(element.itertext())))


def _read_attribute_title(element: Element) -> str | None:
    if not len(element):
        return None
    return next((_limit(value) for name, value in element.attrib.items() if name.lower() in _TITLES), None)


def _limit(heading: str) -> str | None:
    return heading if 0 < len(heading) <= _MAX_HEADING_CHARACTERS else None


def _find_dates(top: Element) -> list[str | None]:
    """Return the days that an element's own children state."""
    leaves = {
        _name(leaf).lower(): (leaf.text or "").strip()
        for leaf in top
        if isinstance(leaf.tag, str) and not len(leaf)
    }
    return [_read_day(leaves[name]) for name in _DATES if name in leaves]


def _read_day(text: str) -> str | None:
    try:
        return parsedate_to_datetime(text).date().isoformat()
    except ValueError:
        return read_date(text)


def _name(element: Element) -> str:
    """Return an element's name without its name space."""
    return str(element.tag).rpartition("}")[2]
