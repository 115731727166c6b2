"""Makers of old Office containers and workbooks, byte by byte, for no library writes them any more."""

from __future__ import annotations

from collections.abc import Mapping
from struct import pack

SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def make_ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE container [MS-CFB] with these streams, each filled up to where no small sectors are needed."""
    padded = {
        name: data.ljust(max(4096, -(-len(data) // SECTOR) * SECTOR), b"\0") for name, data in streams.items()
    }
    # Sector 0 is the allocation table, then the directory, then the streams.
    directory_sectors = -(-(len(padded) + 1) * 128 // SECTOR)
    starts, sector = {}, 1 + directory_sectors
    chains = [_FAT, *_chain(1, directory_sectors)]
    for name, data in padded.items():
        starts[name] = sector
        chains += _chain(sector, len(data) // SECTOR)
        sector += len(data) // SECTOR
    assert len(chains) <= SECTOR // 4
    fat = b"".join(pack("<I", number) for number in chains).ljust(SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0) + pack("<I", 0).ljust(436, b"\xff")
    names = list(padded)
    entries = [_entry("Root Entry", 5, _FREE, _FREE, 1 if names else _FREE, _END, 0)]
    for number, name in enumerate(names, 1):
        following = number + 1 if number < len(names) else _FREE
        entries.append(_entry(name, 2, _FREE, following, _FREE, starts[name], len(padded[name])))
    directory = b"".join(entries).ljust(directory_sectors * SECTOR, b"\0")
    return header + fat + directory + b"".join(padded.values())


def _chain(start: int, count: int) -> list[int]:
    return [*range(start + 1, start + count), _END]


def _entry(name: str, kind: int, left: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return (
        encoded.ljust(64, b"\0")
        + pack("<HBBIII", len(encoded), kind, 1, left, right, child)
        + bytes(36)
        + pack("<IQ", start, size)
    )


def make_xls(
    sheets: Mapping[str, list[list[object]]], *, formats: Mapping[int, str], hidden: str = ""
) -> bytes:
    """A workbook of Excel 97: texts, numbers, and pairs of a number and its format, a key of `formats`."""
    styles = [0, *formats]
    globals_ = _record(0x0809, pack("<HHHHII", 0x0600, 5, 0, 0, 0, 6)) + _record(0x0042, pack("<H", 1200))
    globals_ += _record(0x0031, pack("<HHHHHBBBB", 200, 0, 0, 400, 0, 0, 0, 0, 0) + _wide("Arial", "<B"))
    for number, code in formats.items():
        globals_ += _record(0x041E, pack("<H", number) + _wide(code, "<H"))
    for number in styles:
        globals_ += _record(0x00E0, pack("<HHH14x", 0, number, 0))
    bodies = {name: _make_sheet(rows, styles) for name, rows in sheets.items()}
    bounds = [pack("<I", 0) + pack("<BB", name == hidden, 0) + _wide(name, "<B") for name in sheets]
    place = len(globals_) + sum(len(bound) + 4 for bound in bounds) + 4
    for body, bound in zip(bodies.values(), bounds, strict=True):
        globals_ += _record(0x0085, pack("<I", place) + bound[4:])
        place += len(body)
    return make_ole({"Workbook": globals_ + _record(0x000A, b"") + b"".join(bodies.values())})


def _make_sheet(rows: list[list[object]], styles: list[int]) -> bytes:
    body = _record(0x0809, pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 6))
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            value, style = cell if isinstance(cell, tuple) else (cell, 0)
            place = pack("<HHH", number, column, styles.index(style))
            if isinstance(value, bool):
                body += _record(0x0205, place + pack("<BB", value, 0))
            elif isinstance(value, str) and value.startswith("#"):
                body += _record(0x0205, place + pack("<BB", 0x07, 1))  # a division by zero
            elif isinstance(value, str):
                body += _record(0x0204, place + _wide(value, "<H"))
            elif value is not None:
                body += _record(0x0203, place + pack("<d", value))
    return body + _record(0x000A, b"")


def _record(kind: int, data: bytes) -> bytes:
    return pack("<HH", kind, len(data)) + data


def _wide(text: str, length: str) -> bytes:
    return pack(length, len(text)) + b"\x01" + text.encode("utf-16-le")
