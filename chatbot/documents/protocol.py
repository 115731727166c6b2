"""What the reader and its child say to each other: JSON after its length, never pickled objects."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO, get_args

from chatbot import errors
from chatbot.types import Block, BlockKind, ParsedDocument

MAX_MESSAGE_BYTES = 256 * 1024**2
"""More than this no file may become, however small it is itself."""

_LENGTH = struct.Struct(">Q")
_KINDS = frozenset(get_args(BlockKind))
_ERRORS = {
    error.__name__: error
    for error in (
        errors.DocumentError,
        errors.UnsupportedFormat,
        errors.EmptyDocument,
        errors.CorruptDocument,
        errors.PasswordProtected,
        errors.DocumentTooLarge,
        errors.DocumentTimeout,
    )
}

Message = dict[str, Any]


class ProtocolError(Exception):
    """The other side ended, or sent what no reader sends."""


def encode_message(message: Message) -> bytes:
    """Return a message as it goes over the pipe."""
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return _LENGTH.pack(len(data)) + data


def write_message(stream: BinaryIO, message: Message) -> None:
    """Send a message."""
    stream.write(encode_message(message))
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Receive a message; None where the other side has ended. Raises ProtocolError."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise ProtocolError("The message has no length.")
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"A message of {length} bytes is too long.")
    data = stream.read(length)
    if len(data) < length:
        raise ProtocolError("The message ends too early.")
    try:
        message = json.loads(data.decode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise ProtocolError("The message is not JSON.") from error
    if not isinstance(message, dict):
        raise ProtocolError("The message is not an object.")
    return message


def encode_document(document: ParsedDocument) -> Message:
    """Return the message that carries a document."""
    return {
        "title": document.title,
        "text": document.text,
        "blocks": [[block.kind, block.start, block.end, block.level, block.row] for block in document.blocks],
        "page_starts": list(document.page_starts),
        "date": document.date,
        "authors": document.authors,
        "unread_pages": document.unread_pages,
        "recognized_pages": document.recognized_pages,
        "sheets": [list(sheet) for sheet in document.sheets],
    }


def decode_document(message: Message) -> ParsedDocument:
    """Return the document that a message carries, its offsets checked. Raises ProtocolError."""
    try:
        document = ParsedDocument(
            title=str(message["title"]),
            text=str(message["text"]),
            blocks=tuple(
                Block(kind, int(start), int(end), int(level), int(row))
                for kind, start, end, level, row in message["blocks"]
            ),
            page_starts=tuple(int(start) for start in message["page_starts"]),
            date=None if message["date"] is None else str(message["date"]),
            authors=str(message["authors"]),
            unread_pages=str(message["unread_pages"]),
            recognized_pages=str(message["recognized_pages"]),
            sheets=tuple((int(start), str(name)) for start, name in message["sheets"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError("The message holds no document.") from error
    edges = [edge for block in document.blocks for edge in (block.start, block.end)]
    is_sound = all(block.kind in _KINDS for block in document.blocks)
    for places in (edges, list(document.page_starts), [start for start, _ in document.sheets]):
        is_sound = (
            is_sound and places == sorted(places) and all(0 <= at <= len(document.text) for at in places)
        )
    if not is_sound:
        raise ProtocolError("The document's blocks do not fit its text.")
    return document


def encode_error(error: errors.DocumentError) -> Message:
    """Return the message that carries an error."""
    return {"error": type(error).__name__, "message": error.message, "next_step": error.next_step}


def decode_error(message: Message) -> errors.DocumentError:
    """Return the error that a message carries."""
    kind = _ERRORS.get(str(message.get("error")), errors.DocumentError)
    return kind(str(message.get("message")), str(message.get("next_step")))
