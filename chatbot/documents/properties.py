"""What office documents say about themselves beside their text: a title, and the day of the last change."""

from __future__ import annotations

import codecs
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.archives import DAMAGE, parse_xml
from chatbot.documents.metadata import read_date

if TYPE_CHECKING:
    from olefile import OleFileIO

_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
# Each kind of archive keeps them in its own member; of several dates the first that is there counts.
_MEMBERS = ("docProps/core.xml", "meta.xml")
_FIRST_YEAR = 1980  # earlier ones are what programs count time from
_ENCODINGS = {10000: "mac_roman", 65001: "utf-8", 1200: "utf-16-le"}
_MAKERS = (f"{_META}initial-creator", f"{_DC}creator")
_DATES = (f"{_TERMS}modified", f"{_DC}date", f"{_TERMS}created", f"{_META}creation-date")


@dataclass(frozen=True, slots=True)
class Properties:
    """A document's own title, its date as an ISO day, and its author, or several parted by semicolons."""

    title: str | None = None
    date: str | None = None
    author: str | None = None


def read_archive_properties(path: Path) -> Properties:
    """Return the properties of an Office or OpenDocument file; none where they are missing or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in _MEMBERS if name in archive.namelist())
            root = parse_xml(archive.read(member))
    except (StopIteration, *DAMAGE):
        return Properties()
    dates = (read_date(element.text or "") for name in _DATES for element in root.iter(name))
    title = next(root.iter(f"{_DC}title"), None)
    # An OpenDocument's creator is whoever saved it last; its first one wrote it.
    makers = [element.text for name in _MAKERS for element in root.iter(name) if element.text]
    return Properties(
        None if title is None else title.text, next(filter(None, dates), None), next(iter(makers), None)
    )


def read_ole_properties(container: OleFileIO) -> Properties:
    """Return the properties of an old Office file; none where they are missing or damaged."""
    try:
        found = container.get_metadata()
    except DAMAGE:
        return Properties()
    title, author = (
        value.decode(_find_encoding(found.codepage), "replace") if isinstance(value, bytes) else value
        for value in (found.title, found.author)
    )
    dates = [found.last_saved_time, found.create_time]
    day = next((value for value in dates if isinstance(value, datetime) and value.year > _FIRST_YEAR), None)
    return Properties(title or None, f"{day:%Y-%m-%d}" if day else None, author or None)


def _find_encoding(codepage: int | None) -> str:
    number = (codepage or 1252) % 2**16  # some programs write it as a signed number
    try:
        return codecs.lookup(_ENCODINGS.get(number, f"cp{number}")).name
    except LookupError:
        return "cp1252"
