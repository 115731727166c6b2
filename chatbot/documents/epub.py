"""Electronic books (.epub): their chapters in the order in which they are read."""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from chatbot.documents.archives import DAMAGE, ZIP, check_archive, damaged, parse_xml
from chatbot.documents.html import add_html
from chatbot.documents.metadata import finish_document, read_date
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument, PasswordProtected
from chatbot.types import ParsedDocument

NAME = "EPUB"
SUFFIXES = (".epub",)

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PROGRAM = "the program that made it"
_PAGE_TYPES = ("application/xhtml+xml", "text/html")

Element = Any
"""An element of lxml, which has no types."""


def accepts(head: bytes) -> bool:
    """Whether the first bytes are a zip archive."""
    return head.startswith(ZIP)


def load(path: Path) -> ParsedDocument:
    """Read a book. Raises DocumentError."""
    check_archive(path, NAME, _CONTAINER)
    builder = TextBuilder()
    try:
        with zipfile.ZipFile(path) as archive:
            package_path = _find_package(archive)
            package = parse_xml(archive.read(package_path))
            chapters = _list_chapters(package, posixpath.dirname(package_path))
            _refuse_protected(path, archive, chapters)
            for chapter in chapters:
                if chapter in archive.NameToInfo:
                    add_html(builder, archive.read(chapter))
                    builder.end_group()
    except RecursionError as error:
        raise CorruptDocument(
            f"“{path.name}” nests its elements too deeply to be read.", "Save the book in another format."
        ) from error
    except DAMAGE as error:
        raise damaged(path, _PROGRAM) from error
    dates = [read_date(date) for name in ("date", "modified") for date in _read_metadata(package, name)]
    return finish_document(
        builder,
        path,
        titles=_read_metadata(package, "title")[:1],
        dates=dates,
        authors=_read_metadata(package, "creator"),
    )


def _find_package(archive: zipfile.ZipFile) -> str:
    """Return the path in the archive of the list of what the book is made of."""
    files = [
        str(file.get("full-path", "")) for file in _iterate(parse_xml(archive.read(_CONTAINER)), "rootfile")
    ]
    return files[0]


def _list_chapters(package: Element, folder: str) -> list[str]:
    """Return the paths in the archive of the pages, in reading order; the table of contents is left out."""
    items = {item.get("id"): item for item in _iterate(package, "item")}
    pages = [
        items[reference.get("idref")]
        for reference in _iterate(package, "itemref")
        if _is_in(reference, items)
    ]
    return [
        posixpath.normpath(posixpath.join(folder, unquote(page.get("href", ""))))
        for page in pages
        if page.get("media-type") in _PAGE_TYPES and "nav" not in page.get("properties", "").split()
    ]


def _is_in(reference: Element, items: dict[str, Element]) -> bool:
    return reference.get("idref") in items


def _refuse_protected(path: Path, archive: zipfile.ZipFile, chapters: list[str]) -> None:
    """Raise PasswordProtected where the shop encrypted the pages; fonts alone do no harm."""
    if _ENCRYPTION not in archive.NameToInfo:
        return
    encryption = parse_xml(archive.read(_ENCRYPTION))
    encrypted = {unquote(reference.get("URI", "")) for reference in _iterate(encryption, "CipherReference")}
    if encrypted & set(chapters):
        raise PasswordProtected(
            f"“{path.name}” is protected against copying and cannot be read here.",
            "Add a copy without protection.",
        )


def _read_metadata(package: Element, name: str) -> list[str]:
    """Return what the book says of itself under a name of Dublin Core."""
    metadata = next(_iterate(package, "metadata"), ())
    return [
        element.text or ""
        for element in metadata
        if isinstance(element.tag, str)
        and (element.tag.endswith("}" + name) or element.get("property") == f"dcterms:{name}")
    ]


def _iterate(root: Element, name: str) -> Any:  # noqa: ANN401 - elements of lxml
    """Yield the elements of a name, whatever their name space."""
    return root.iter(f"{{*}}{name}")
