"""Makers of old Word and PowerPoint files, byte by byte, for no library writes them any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack, pack_into

from tests.documents.ole_files import SECTOR, make_ole

HEADING_1, BODY = 1, 0  # the styles of the files made here
IN_TABLE = pack("<HB", 0x2416, 1)
ENDS_ROW = IN_TABLE + pack("<HB", 0x2417, 1)
LISTED = pack("<HH", 0x460B, 1) + pack("<HB", 0x260A, 1)
HIDDEN, DELETED = pack("<HB", 0x083C, 1), pack("<HB", 0x0800, 1)

_TEXT_START = 1024


@dataclass(frozen=True)
class Stored:
    """A paragraph to write: its runs of letters with their properties, the sign that ends it, what it is."""

    runs: Sequence[tuple[str, bytes]]
    end: str = "\r"
    style: int = BODY
    properties: bytes = b""


def make_doc(paragraphs: Sequence[Stored], *, version: int = 193, flags: int = 0x0200) -> bytes:
    """A document of Word 97."""
    text, paragraph_edges, letter_edges = b"", [_TEXT_START], [_TEXT_START]
    letter_properties: list[bytes] = []
    for paragraph in paragraphs:
        for words, properties in [*paragraph.runs, (paragraph.end, b"")]:
            text += words.encode("utf-16-le")
            letter_edges.append(_TEXT_START + len(text))
            letter_properties.append(properties)
        paragraph_edges.append(_TEXT_START + len(text))
    main = bytearray(_TEXT_START) + text
    main += bytes(-len(main) % SECTOR)
    page = len(main) // SECTOR
    main += _make_page(paragraph_edges, [_make_paragraph(one) for one in paragraphs], 13)
    main += _make_page(letter_edges, [pack("<B", len(one)) + one for one in letter_properties], 1)
    letters = len(text) // 2
    styles = _count(pack("<HH", 2, 10)) + _count(_style(0)) + _count(_style(1))
    pieces = pack("<BI", 2, 16) + pack("<II", 0, letters) + pack("<HIH", 0, _TEXT_START, 0)
    parts = {1: styles, 12: _plc(letter_edges, page + 1), 13: _plc(paragraph_edges, page), 33: pieces}
    table = b""
    pack_into("<HH", main, 0, 0xA5EC, version)
    pack_into("<H", main, 10, flags)
    pack_into("<I", main, 0x4C, letters)
    for number, part in parts.items():
        pack_into("<II", main, 0x9A + 8 * number, len(table), len(part))
        table += part
    return make_ole({"1Table": table, "WordDocument": bytes(main)})


def _make_paragraph(paragraph: Stored) -> bytes:
    data = pack("<H", paragraph.style) + paragraph.properties
    data += bytes(len(data) % 2)
    return pack("<BB", 0, len(data) // 2) + data


def _make_page(edges: Sequence[int], entries: Sequence[bytes], width: int) -> bytes:
    """A page of properties: edges, places of the entries, and from its end backwards the entries."""
    page = bytearray(SECTOR)
    pack_into(f"<{len(edges)}I", page, 0, *edges)
    end = SECTOR - 2
    for number, entry in enumerate(entries):
        end = (end - len(entry)) // 2 * 2
        page[end : end + len(entry)] = entry
        page[4 * len(edges) + width * number] = end // 2
    page[-1] = len(entries)
    assert end > 4 * len(edges) + width * len(entries)
    return bytes(page)


def _plc(edges: Sequence[int], page: int) -> bytes:
    return pack("<III", edges[0], edges[-1], page)


def _style(kind: int) -> bytes:
    return pack("<HHHHH", kind, 0xFFF0 | 1, 0, 0, 0)


def _count(part: bytes) -> bytes:
    return pack("<H", len(part)) + part


def make_ppt(slides: Sequence[tuple[str, Sequence[str], str]], *, mark: int = 0xE391C05F) -> bytes:
    """A presentation of PowerPoint 97: slides of a title, texts one below the other, and notes."""
    objects: dict[int, bytes] = {}
    lists = {0: b"", 2: b""}
    for number, (title, texts, notes) in enumerate(slides, 1):
        lists[0] += _atom(0x03F3, pack("<IIIII", 10 + number, 0, 0, 256 + number, 0))
        lists[0] += _atom(0x0F9F, pack("<I", 0)) + _atom(0x0FA0, title.encode("utf-16-le"))
        lists[2] += _atom(0x03F3, pack("<IIIII", 100 + number, 0, 0, 512 + number, 0))
        title_shape = _shape(100, _atom(0x0F9E, pack("<I", 0)))
        boxes = [_shape(3000 - 100 * place, _text(4, text)) for place, text in enumerate(texts)]
        objects[10 + number] = _container(
            0x03EE, _atom(0x03EF, pack("<I8xIIHH", 0, 0, 512 + number, 0, 0)), _drawing(*boxes, title_shape)
        )
        objects[100 + number] = _container(0x03F0, _drawing(_shape(0, _text(2, notes))))
    document = _atom(0x03E9, pack("<ii", 5760, 4320))
    document += b"".join(_container(0x0FF0, data, instance=which) for which, data in lists.items())
    objects[1] = _container(0x03E8, document)
    stream, offsets = b"", {}
    for number, data in objects.items():
        offsets[number] = len(stream)
        stream += data
    directory = len(stream)
    entries = [pack("<II", number | 1 << 20, offset) for number, offset in offsets.items()]
    stream += _atom(0x1772, b"".join(entries))
    edit = len(stream)
    stream += _atom(0x0FF5, pack("<IHBBIIII", 0, 0, 0, 3, 0, directory, 1, 200))
    user = _atom(0x0FF6, pack("<III", 20, mark, edit))
    return make_ole({"Current User": user, "PowerPoint Document": stream})


def _atom(kind: int, data: bytes) -> bytes:
    return pack("<HHI", 0, kind, len(data)) + data


def _container(kind: int, *parts: bytes, instance: int = 0) -> bytes:
    data = b"".join(parts)
    return pack("<HHI", instance << 4 | 0xF, kind, len(data)) + data


def _drawing(*shapes: bytes) -> bytes:
    return _container(0x040C, _container(0xF002, _container(0xF003, _container(0xF004), *shapes)))


def _shape(top: int, text: bytes) -> bytes:
    return _container(0xF004, _atom(0xF010, pack("<hhhh", top, 50, 500, top + 50)), _container(0xF00D, text))


def _text(kind: int, text: str) -> bytes:
    return _atom(0x0F9F, pack("<I", kind)) + _atom(0x0FA8, text.encode("latin-1"))
