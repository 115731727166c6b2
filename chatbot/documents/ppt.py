"""Old PowerPoint presentations (.ppt): slides with titles, shapes from top to bottom, tables and notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from

from chatbot.documents.archives import DAMAGE, OLE, damaged, password_protected
from chatbot.documents.metadata import finish_document
from chatbot.documents.ppt_file import (
    ANCHOR,
    ANCHOR_IN_GROUP,
    DOCUMENT_FACTS,
    DRAWING,
    ENCRYPTED,
    LIST_ENTRY,
    MORE_PROPERTIES,
    NARROW_TEXT,
    OUTLINE_TEXT,
    PLACEHOLDER,
    SHAPE,
    SHAPE_GROUP,
    SLIDE_FACTS,
    SLIDE_LIST,
    SLIDE_SHOW_FACTS,
    TEXT_BOX,
    TEXT_KIND,
    WIDE_TEXT,
    Record,
    Records,
)
from chatbot.documents.properties import read_ole_properties
from chatbot.documents.slides import MAX_TITLE_CHARACTERS, Piece, Slide, add_slides, sort_by_place
from chatbot.documents.tables import Row
from chatbot.documents.text import TextBuilder
from chatbot.types import ParsedDocument

NAME = "old PowerPoint"
SUFFIXES = (".ppt",)

_SLIDES, _NOTES = 0, 2  # which list a list is
_TITLES, _BODIES, _NOTE = (0, 6), (1, 7, 8), 2  # what a text is
_FURNITURE = (7, 8, 9, 10)  # placeholders of a date, a number, a footer, a header
_HIDDEN = 0x0004
_TABLE_PROPERTY = 0x039F


@dataclass(frozen=True, slots=True)
class _Entry:
    """A slide in a list: the number of its record and of itself, and its texts with their kinds."""

    place: int
    number: int
    texts: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Box:
    """A text on a slide, its kind, and where it begins in its group."""

    top: int
    left: int
    kind: int
    text: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """A shape or a group of them, and where it begins on the slide."""

    top: int
    left: int
    boxes: list[_Box]
    is_table: bool = False


def accepts(head: bytes) -> bool:
    """Whether the first bytes are those of an old Office file."""
    return head.startswith(OLE)


def load(path: Path) -> ParsedDocument:
    """Read an old PowerPoint presentation. Raises DocumentError."""
    from olefile import OleFileIO

    builder = TextBuilder()
    try:
        with OleFileIO(str(path)) as container:
            properties = read_ole_properties(container)
            mark, edit = unpack_from("<II", container.openstream("Current User").read(), 12)
            if mark == ENCRYPTED:
                raise password_protected(path)
            records = Records(container.openstream("PowerPoint Document").read(), edit)
        add_slides(builder, _read_slides(records))
    except DAMAGE as error:
        raise damaged(path, "PowerPoint") from error
    return finish_document(
        builder, path, titles=[properties.title], dates=[properties.date], authors=[properties.author]
    )


def _read_slides(records: Records) -> Iterator[Slide]:
    facts = next(records.iterate_all(records.document, DOCUMENT_FACTS))
    _, height = unpack_from("<ii", records.read(facts))
    notes = {entry.number: entry for entry in _read_list(records, _NOTES)}
    for entry in _read_list(records, _SLIDES):
        slide = records.find_place(entry.place)
        if _is_hidden(records, slide):
            yield Slide()
            continue
        (number,) = unpack_from("<I", records.read(next(records.iterate_all(slide, SLIDE_FACTS))), 16)
        yield _read_slide(records, slide, entry, height, notes.get(number))


def _read_list(records: Records, which: int) -> list[_Entry]:
    """Return the slides or the notes in their order."""
    entries: list[_Entry] = []
    kind = 0
    for found in records.iterate_all(records.document, SLIDE_LIST):
        for record in records.iterate_children(found) if found.instance == which else ():
            data = records.read(record)
            if record.kind == LIST_ENTRY:
                entries.append(_Entry(unpack_from("<I", data)[0], unpack_from("<I", data, 12)[0], []))
            elif record.kind == TEXT_KIND:
                (kind,) = unpack_from("<I", data)
            elif record.kind in (WIDE_TEXT, NARROW_TEXT):
                entries[-1].texts.append((kind, _decode(record.kind, data)))
    return entries


def _decode(kind: int, data: bytes) -> str:
    return data.decode("utf-16-le" if kind == WIDE_TEXT else "latin-1", "replace")


def _is_hidden(records: Records, slide: Record) -> bool:
    facts = next(records.iterate_all(slide, SLIDE_SHOW_FACTS), None)
    return facts is not None and bool(unpack_from("<H", records.read(facts), 10)[0] & _HIDDEN)


def _read_slide(records: Records, slide: Record, entry: _Entry, height: int, notes: _Entry | None) -> Slide:
    shapes = _read_shapes(records, slide, entry.texts)
    if not shapes:  # some programs write a slide's texts into the list alone
        shapes = [_Shape(0, 0, [_Box(0, 0, kind, text)]) for kind, text in entry.texts]
    title = next((shape for shape in shapes if _is_title(shape)), None)
    places = [(shape.top, shape.left, shape) for shape in shapes if shape is not title]
    return Slide(
        title=title.boxes[0].text if title else "",
        pieces=tuple(piece for shape in sort_by_place(places, height) for piece in _read_pieces(shape)),
        notes=_read_notes(records, notes) if notes else (),
    )


def _read_notes(records: Records, entry: _Entry) -> tuple[str, ...]:
    shapes = _read_shapes(records, records.find_place(entry.place), entry.texts)
    boxes = [box for shape in shapes for box in shape.boxes if box.kind == _NOTE]
    return tuple(line for box in boxes for line in box.text.split("\r"))


def _is_title(shape: _Shape) -> bool:
    return shape.boxes[0].kind in _TITLES and len(shape.boxes[0].text) <= MAX_TITLE_CHARACTERS


def _read_shapes(records: Records, slide: Record, texts: list[tuple[int, str]]) -> list[_Shape]:
    """Return the shapes of a slide that hold text."""
    shapes: list[_Shape] = []
    for drawing in records.iterate_all(slide, DRAWING):
        for canvas in records.iterate_all(drawing, SHAPE_GROUP):
            for child in records.iterate_children(canvas):
                if child.kind in (SHAPE, SHAPE_GROUP):
                    shapes.append(_read_shape(records, child, texts))
    return [shape for shape in shapes if shape.boxes]


def _read_shape(records: Records, record: Record, texts: list[tuple[int, str]]) -> _Shape:
    parts = [record] if record.kind == SHAPE else list(records.iterate_all(record, SHAPE))
    boxes = [box for part in parts if (box := _read_box(records, part, texts))]
    anchor = next(records.iterate_all(record, ANCHOR), None)
    data = records.read(anchor) if anchor else bytes(8)
    top, left = unpack_from("<hh" if len(data) < 16 else "<ii", data)
    is_table = record.kind == SHAPE_GROUP and bool(parts) and _has_table_property(records, parts[0])
    return _Shape(top, left, boxes, is_table)


def _has_table_property(records: Records, shape: Record) -> bool:
    for record in records.iterate_all(shape, MORE_PROPERTIES):
        data = records.read(record)
        names = (unpack_from("<H", data, 6 * number)[0] for number in range(record.instance))
        if any(name & 0x3FFF == _TABLE_PROPERTY for name in names):
            return True
    return False


def _read_box(records: Records, shape: Record, texts: list[tuple[int, str]]) -> _Box | None:
    """Return the text of a shape; None where it has none, or only repeats a date, a number or a footer."""
    placeholder = next(records.iterate_all(shape, PLACEHOLDER), None)
    if placeholder and records.read(placeholder)[4] in _FURNITURE:
        return None
    kind, text = 0, ""
    for box in records.iterate_all(shape, TEXT_BOX):
        kind, text = _read_text(records, box, texts)
    anchor = next(records.iterate_all(shape, ANCHOR_IN_GROUP), None)
    left, top = unpack_from("<ii", records.read(anchor)) if anchor else (0, 0)
    return _Box(top, left, kind, text) if text.strip() else None


def _read_text(records: Records, box: Record, texts: list[tuple[int, str]]) -> tuple[int, str]:
    kind = -1  # none that is known
    for record in records.iterate_children(box):
        data = records.read(record)
        if record.kind == TEXT_KIND:
            (kind,) = unpack_from("<I", data)
        elif record.kind == OUTLINE_TEXT:
            return texts[int.from_bytes(data[:4], "little")]
        elif record.kind in (WIDE_TEXT, NARROW_TEXT):
            return kind, _decode(record.kind, data)
    return kind, ""


def _read_pieces(shape: _Shape) -> Iterator[Piece]:
    if shape.is_table:
        yield Piece(rows=tuple(_make_rows(shape.boxes)))
        return
    for box in shape.boxes:
        for line in box.text.split("\r"):
            is_item = box.kind in _BODIES and "\r" in box.text.strip()
            yield Piece(line, int(is_item))


def _make_rows(boxes: list[_Box]) -> Iterator[Row]:
    """Yield the cells of a table, which are boxes that begin in the same row and column."""
    columns = sorted({box.left for box in boxes})
    for top in sorted({box.top for box in boxes}):
        cells = {box.left: box.text.strip() for box in boxes if box.top == top}
        yield [cells.get(left, "") for left in columns]
