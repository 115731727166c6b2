"""Web pages: the words of the main part, without menus, scripts and what is hidden."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.files import decode_text, looks_like_text, not_what_it_says, read_bytes
from chatbot.documents.metadata import finish_document, read_date
from chatbot.documents.text import TextBuilder, clean_line
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from bs4.element import Tag

NAME = "HTML"
SUFFIXES = (".html", ".htm")

_NEVER_SHOWN = ("script", "style", "noscript", "template", "svg", "head", "iframe", "object", "datalist")
_MENUS = frozenset({"nav", "aside", "form"})
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure "
    "footer form header hgroup hr html legend li main menu nav ol option p section summary table tbody td "
    "tfoot th thead tr ul".split()
)
_MENU_ROLES = ("navigation", "search", "menu", "banner", "contentinfo")
_LISTS = frozenset({"ul", "ol", "menu"})
_DATE_NAMES = (
    "article:modified_time",
    "last-modified",
    "dcterms.modified",
    "date",
    "dcterms.date",
    "dc.date",
    "article:published_time",
)

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a web page that was saved as a file. Raises DocumentError."""
    try:
        return _load(path)
    except RecursionError as error:
        raise CorruptDocument(
            f"“{path.name}” nests its elements too deeply to be read.",
            "Save the page as plain text and add that.",
        ) from error


def _load(path: Path) -> ParsedDocument:
    data = read_bytes(path)
    if not accepts(data[:1024]):
        raise not_what_it_says(path, NAME, data)
    soup = _parse(data)
    titles = [soup.title.get_text() if soup.title else None]
    dates = _find_dates(soup)
    builder = TextBuilder()
    _remove_unseen(soup)
    main_part, furniture = _find_main_part(soup)
    _Walker(builder, furniture).walk(main_part)
    if builder.is_empty:
        _Walker(builder).walk(soup)
    return finish_document(builder, path, titles=titles, dates=dates)


def add_html(builder: TextBuilder, source: bytes | str) -> None:
    """Append the blocks of a piece of HTML, such as one inside a Markdown file or a chapter of a book."""
    soup = _parse(source)
    _remove_unseen(soup)
    _Walker(builder).walk(soup)


def _parse(source: bytes | str) -> BeautifulSoup:
    from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

    with warnings.catch_warnings():  # XHTML is read as the HTML that it is
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(_decode(source), "lxml")


def _decode(source: bytes | str) -> bytes | str:
    """A page that names no encoding as text; any other is left to the parser."""
    from bs4.dammit import EncodingDetector

    if isinstance(source, str) or EncodingDetector.find_declared_encoding(source, is_html=True):
        return source
    return decode_text(source)


def _find_dates(soup: BeautifulSoup) -> list[str | None]:
    metas = {
        str(tag.get("name") or tag.get("property") or tag.get("http-equiv")).lower(): str(
            tag.get("content", "")
        )
        for tag in soup.find_all("meta")
    }
    times = [str(tag.get("datetime")) for tag in soup.find_all("time", datetime=True, limit=1)]
    return [read_date(value) for value in [*(metas.get(name, "") for name in _DATE_NAMES), *times]]


def _remove_unseen(soup: BeautifulSoup) -> None:
    for tag in soup.find_all(_is_unseen):
        tag.extract()


def _is_unseen(tag: Tag) -> bool:
    return (
        tag.name in _NEVER_SHOWN
        or tag.has_attr("hidden")
        or tag.get("aria-hidden") == "true"
        or bool(_HIDDEN_STYLE.search(str(tag.get("style", ""))))
    )


def _find_main_part(soup: BeautifulSoup) -> tuple[Tag, frozenset[str]]:
    """Return the page's main part, and the names of the elements to leave out of it.

    A header or footer inside of an article belongs to it; only those of the page are left out.
    """
    mains = soup.find_all("main") or soup.find_all(attrs={"role": "main"}) or soup.find_all("article")
    if len(mains) == 1:
        return mains[0], _MENUS
    return soup, _MENUS | {"header", "footer"}


class _Walker:
    """Walks a tree and adds its blocks; words outside of block elements gather until the next one."""

    def __init__(self, builder: TextBuilder, left_out: frozenset[str] = frozenset()) -> None:
        self._builder = builder
        self._left_out = left_out
        self._words: list[str] = []
        self._break_at = 0
        self._list_depth = 0
        self._marker: str | None = None

    def walk(self, root: Tag) -> None:
        """Add everything under `root`."""
        self._walk_children(root)
        self._flush()

    def _walk_children(self, parent: Tag) -> None:
        from bs4.element import NavigableString, PreformattedString, Tag

        for child in parent.children:
            if isinstance(child, Tag):
                self._walk_tag(child)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                self._words.append(str(child))

    def _walk_tag(self, tag: Tag) -> None:
        name = tag.name
        if name in self._left_out or (self._left_out and tag.get("role") in _MENU_ROLES):
            return
        if name == "br":
            self._break_line()
        elif name == "img":
            self._words.append(f" {tag.get('alt', '')} ")
        elif name in _HEADINGS:
            self._flush()
            self._builder.add("heading", tag.get_text(), _HEADINGS[name])
        elif name == "pre":
            self._flush()
            self._builder.add("code", tag.get_text())
        elif name == "table" and _is_data_table(tag):
            self._flush()
            self._add_table(tag)
        elif name in _BLOCKS:
            self._walk_block(tag)
        else:
            self._walk_children(tag)

    def _break_line(self) -> None:
        """Take a line break; a second one with nothing between parts paragraphs."""
        if self._break_at and not clean_line("".join(self._words[self._break_at :])):
            self._flush()
        self._words.append("\n")
        self._break_at = len(self._words)

    def _walk_block(self, tag: Tag) -> None:
        self._flush()
        if tag.name in _LISTS or tag.name == "dl":
            self._walk_list(tag)
        else:
            if tag.name in ("dt", "dd"):
                self._marker = ""
            self._list_depth += tag.name == "dd"
            self._walk_children(tag)
            self._flush()
            self._list_depth -= tag.name == "dd"
            self._marker = None

    def _walk_list(self, tag: Tag) -> None:
        self._list_depth += 1
        number = _read_number(tag.get("start")) if tag.name == "ol" else None
        for child in tag.find_all(True, recursive=False):
            if child.name == "li":
                self._flush()
                self._marker = "" if number is None else f"{number}. "
                number = None if number is None else number + 1
                self._walk_children(child)
                self._flush()
                self._marker = None
            else:
                self._walk_tag(child)
        self._flush()
        self._list_depth -= 1
        if not self._list_depth:
            self._builder.end_group()

    def _add_table(self, table: Tag) -> None:
        caption = table.find("caption")
        self._builder.add("paragraph", caption.get_text() if caption else "")
        for row in table.find_all("tr"):
            cells = row.find_all(["td", "th"], recursive=False)
            is_header = row.find_parent("thead") is not None or all(cell.name == "th" for cell in cells)
            self._builder.add_row([_read_cell(cell) for cell in cells], header=is_header)
        self._builder.end_group()

    def _flush(self) -> None:
        """Add the words gathered so far: as the list item that is open, else as a paragraph."""
        words = "".join(self._words)
        self._words.clear()
        self._break_at = 0
        if not clean_line(words):
            return
        if self._marker is None:
            self._builder.add("paragraph", words)
        else:
            self._builder.add("list_item", self._marker + words, min(self._list_depth, 6))
            self._marker = None


def _is_data_table(table: Tag) -> bool:
    """Whether a table holds data; one that holds headings or tables, or one column, lays out a page."""
    if table.find(["table", *_HEADINGS]):
        return False
    return any(len(row.find_all(["td", "th"], recursive=False)) > 1 for row in table.find_all("tr"))


def _read_cell(cell: Tag) -> str:
    for tag in cell.find_all(["br", "p", "li", "div"]):
        tag.insert_before("\n")
        tag.insert_after("\n")
    for image in cell.find_all("img"):
        image.replace_with(f" {image.get('alt', '')} ")
    return cell.get_text()


def _read_number(value: object) -> int:
    return int(str(value)) if str(value).isdecimal() else 1
