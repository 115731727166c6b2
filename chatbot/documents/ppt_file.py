"""The inside of an old PowerPoint file: a tree of records, of which only the newest copies count.

The names in brackets are those of the published description of the format, [MS-PPT].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from

CURRENT, ENCRYPTED = 0xE391C05F, 0xF3D1C4DF
"""What the stream `Current User` begins with."""

DOCUMENT_FACTS, SLIDE_FACTS, SLIDE_SHOW_FACTS = 0x03E9, 0x03EF, 0x03F9
SLIDE_LIST, LIST_ENTRY, DRAWING = 0x0FF0, 0x03F3, 0x040C
TEXT_KIND, WIDE_TEXT, NARROW_TEXT, OUTLINE_TEXT = 0x0F9F, 0x0FA0, 0x0FA8, 0x0F9E
PLACEHOLDER, SHAPE_GROUP, SHAPE, TEXT_BOX = 0x0BC3, 0xF003, 0xF004, 0xF00D
ANCHOR, ANCHOR_IN_GROUP, MORE_PROPERTIES = 0xF010, 0xF00F, 0xF122

_PERSIST_DIRECTORY = 0x1772
_MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Record:
    """A record: what kind it is of, which of its kind, and where its content lies."""

    kind: int
    instance: int
    is_container: bool
    start: int
    end: int


class Records:
    """The records of the stream `PowerPoint Document`.

    Its methods raise struct.error, IndexError, KeyError or ValueError where the stream is damaged.
    """

    def __init__(self, data: bytes, current_edit: int) -> None:
        self._data = data
        self._places: dict[int, int] = {}
        self.document = self._read_directories(current_edit)

    def read(self, record: Record) -> bytes:
        """Return the content of a record."""
        return self._data[record.start : record.end]

    def find_place(self, number: int) -> Record:
        """Return the newest copy of what the file calls by a number [persist object]."""
        return self._read_header(self._places[number])

    def iterate_children(self, record: Record) -> Iterator[Record]:
        """Yield the records right inside a record."""
        place = record.start
        while place + 8 <= record.end:
            child = self._read_header(place)
            yield child
            place = child.end

    def iterate_all(self, record: Record, kind: int, depth: int = 0) -> Iterator[Record]:
        """Yield the records of a kind at any depth inside a record."""
        if depth > _MAX_DEPTH:
            raise ValueError("The records lie too deep inside each other.")
        for child in self.iterate_children(record):
            if child.kind == kind:
                yield child
            elif child.is_container:
                yield from self.iterate_all(child, kind, depth + 1)

    def _read_header(self, place: int) -> Record:
        head, kind, length = unpack_from("<HHI", self._data, place)
        start = place + 8
        return Record(kind, head >> 4, head & 0xF == 0xF, start, min(start + length, len(self._data)))

    def _read_directories(self, edit: int) -> Record:
        """Learn where everything lies, from the newest edit to the oldest, and return the document."""
        (document,) = unpack_from("<I", self._data, edit + 24)
        seen: set[int] = set()
        while edit and edit not in seen:
            seen.add(edit)
            older, directory = unpack_from("<II", self._data, edit + 16)
            self._read_directory(self._read_header(directory))
            edit = older
        return self.find_place(document)

    def _read_directory(self, directory: Record) -> None:
        if directory.kind != _PERSIST_DIRECTORY:
            raise ValueError("The directory is missing.")
        place = directory.start
        while place + 4 <= directory.end:
            (entry,) = unpack_from("<I", self._data, place)
            first, count = entry & 0xFFFFF, entry >> 20
            for number, offset in enumerate(unpack_from(f"<{count}I", self._data, place + 4), first):
                self._places.setdefault(number, offset)
            place += 4 + 4 * count
