"""Bytes of files: reading them, telling text from other things, and decoding it."""

from __future__ import annotations

import codecs
from pathlib import Path

from chatbot.errors import CorruptDocument, DocumentError

HEAD_BYTES = 8192

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted office document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
)
_CONTROL_BYTES = bytes({*range(0x20), 0x7F} - {0x08, 0x09, 0x0A, 0x0C, 0x0D, 0x1B})
_MAX_CONTROL_SHARE = 0.02


def read_bytes(path: Path, limit: int = -1) -> bytes:
    """Return the first `limit` bytes of a file, by default all. Raises DocumentError where that fails."""
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise explain_os_error(path, error) from error


def explain_os_error(path: Path, error: OSError) -> DocumentError:
    """Return what to tell the user about a file that the system would not read."""
    match error:
        case FileNotFoundError():
            return DocumentError(
                f"“{path.name}” is no longer there.", "Put it back, or remove it from the list."
            )
        case PermissionError():
            return DocumentError(f"“{path.name}” may not be read.", "Give this account the right to read it.")
        case _:
            reason = error.strerror or type(error).__name__
            return DocumentError(
                f"“{path.name}” could not be read: {reason}.", "Check the disk and try again."
            )


def looks_like_text(head: bytes) -> bool:
    """Whether a file's first bytes are text in UTF-8, an 8-bit encoding, or UTF-16/32 with its mark."""
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return True
    if describe_bytes(head) not in (None, "a program") or b"\0" in head:
        return False
    controls = len(head) - len(head.translate(None, _CONTROL_BYTES))
    return controls <= len(head) * _MAX_CONTROL_SHARE


def describe_bytes(head: bytes) -> str | None:
    """Return what kind of file the first bytes announce, such as "a PNG image", or None."""
    return next((name for signature, name in _SIGNATURES if head.startswith(signature)), None)


def decode_text(data: bytes) -> str:
    """Return the text of a file: by its byte order mark, else UTF-8, else Windows-1252."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_text(path: Path) -> str:
    """Return a text file's content. Raises DocumentError, and CorruptDocument where it is not text."""
    data = read_bytes(path)
    if not looks_like_text(data[:HEAD_BYTES]):
        raise not_what_it_says(path, "plain text", data[:HEAD_BYTES])
    return decode_text(data)


def not_what_it_says(path: Path, expected: str, head: bytes) -> CorruptDocument:
    """Return the error for a file whose content contradicts its name."""
    actual = describe_bytes(head)
    detail = f"it looks like {actual}" if actual else "its content is something else"
    return CorruptDocument(
        f"“{path.name}” is not what its name says ({expected}): {detail}.",
        "Give the file the ending that fits, or save it again in that format.",
    )
