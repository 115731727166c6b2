"""Messages that Outlook saved (.msg): an archive of properties, by the numbers that Microsoft documents."""

from __future__ import annotations

import logging
import struct
from datetime import UTC, datetime, timedelta
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.archives import OLE, damaged
from chatbot.documents.files import not_what_it_says, read_bytes
from chatbot.documents.mail_text import Attachment, Mail, MailBody, add_mail, read_mail_date
from chatbot.documents.metadata import finish_document
from chatbot.documents.text import TextBuilder
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from olefile import OleFileIO

NAME = "Outlook messages"
SUFFIXES = (".msg",)

MAX_DEPTH = 10

_PROPERTIES = "__properties_version1.0"
# Numbers of properties, as [MS-OXPROPS] lists them.
_SUBJECT, _BODY, _HTML, _RICH, _HEADERS = "0037", "1000", "1013", "1009", "007D"
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP = "0C1A", "0C1F", "5D01"
_SHOWN_TO, _SHOWN_CC = "0E04", "0E03"
_FILE_NAME, _SHORT_FILE_NAME, _SHOWN_NAME, _CONTENT = "3707", "3704", "3001", "3701"
_SENT, _DELIVERED, _CODE_PAGE = 0x0039, 0x0E06, 0x3FFD
_TEXT, _OLD_TEXT, _BYTES, _OBJECT = "001F", "001E", "0102", "000D"
_TIME_TYPE, _LONG_TYPE = 0x0040, 0x0003

_HEADER_BYTES_OF_FILE, _HEADER_BYTES_OF_INNER = 32, 24
_ENTRY = struct.Struct("<HHIQ")
_WINDOWS_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, struct.error)

Folder = tuple[str, ...]

logger = logging.getLogger(__name__)


def accepts(head: bytes) -> bool:
    """Whether the first bytes are those of the archive that old Office programs write."""
    return head.startswith(OLE)


def load(path: Path) -> ParsedDocument:
    """Read a message. Raises DocumentError."""
    import olefile

    read_bytes(path, 1)  # so that a missing file and a missing right are told apart from a damaged one
    try:
        with olefile.OleFileIO(str(path)) as archive:
            is_message = archive.exists(_PROPERTIES)
            mail = _Reader(archive).read_mail((), 1) if is_message else None
    except _DAMAGE as error:
        raise damaged(path, "Outlook") from error
    if mail is None:
        raise not_what_it_says(path, NAME, OLE)
    builder = TextBuilder()
    add_mail(builder, mail)
    return finish_document(
        builder, path, titles=[mail.subject], dates=[mail.sent[:10]], authors=[mail.sender]
    )


def unpack_rtf(data: bytes) -> bytes:
    """Return a body in Rich Text Format, which Outlook packs in its own way; empty where it is damaged."""
    from compressed_rtf import decompress  # type: ignore[import-untyped]

    try:
        return bytes(decompress(data)) if data else b""
    except Exception as error:  # noqa: BLE001 - the package raises no special kinds
        logger.info("the body of a message could not be unpacked: %s", error)
        return b""


class _Reader:
    """Reads messages out of one archive; each lies in a folder of it."""

    def __init__(self, archive: OleFileIO) -> None:
        self._archive = archive
        self._names = [tuple(entry) for entry in archive.listdir(streams=True, storages=True)]

    def read_mail(self, folder: Folder, depth: int) -> Mail:
        """Return the message of a folder, with those inside it down to `MAX_DEPTH`."""
        numbers = self._read_numbers(folder)
        encoding = f"cp{numbers.get((_CODE_PAGE, _LONG_TYPE), 1252)}"
        attachments: list[Attachment] = []
        messages: list[Mail] = []
        for inner in self._list_folders(folder, "__attach_version1.0_#"):
            message = (*inner, f"__substg1.0_{_CONTENT}{_OBJECT}")
            if not self._archive.exists([*message, _PROPERTIES]):
                attachments.append(self._read_attachment(inner, encoding))
            elif depth < MAX_DEPTH:
                messages.append(self.read_mail(message, depth + 1))
        return Mail(
            subject=self._read_text(folder, _SUBJECT, encoding),
            sender=self._read_sender(folder, encoding),
            recipients=self._read_text(folder, _SHOWN_TO, encoding),
            copies=self._read_text(folder, _SHOWN_CC, encoding),
            sent=self._read_sent(folder, numbers, encoding),
            bodies=self._read_bodies(folder, encoding),
            attachments=attachments,
            messages=messages,
        )

    def _read_bodies(self, folder: Folder, encoding: str) -> list[MailBody]:
        """Return the plain text, which Outlook writes beside most others, else the HTML, else the RTF."""
        if (text := self._read_text(folder, _BODY, encoding)).strip():
            return [MailBody("plain", text)]
        html = self._read_bytes(folder, _HTML + _BYTES)
        if html:
            return [MailBody("html", html)]
        rich = unpack_rtf(self._read_bytes(folder, _RICH + _BYTES))
        return [MailBody("rtf", rich)] if rich else []

    def _read_sender(self, folder: Folder, encoding: str) -> str:
        name = self._read_text(folder, _SENDER_NAME, encoding)
        addresses = (self._read_text(folder, key, encoding) for key in (_SENDER_SMTP, _SENDER_ADDRESS))
        address = next((found for found in addresses if "@" in found), "")
        return f"{name} <{address}>" if name and address and name != address else name or address

    def _read_sent(self, folder: Folder, numbers: dict[tuple[int, int], int], encoding: str) -> str:
        """Return when the message was sent: as its head tells, else by the archive's clock, in UTC."""
        headers = HeaderParser().parsestr(self._read_text(folder, _HEADERS, encoding).lstrip())
        if told := read_mail_date(str(headers.get("Date", ""))):
            return told
        ticks = numbers.get((_SENT, _TIME_TYPE)) or numbers.get((_DELIVERED, _TIME_TYPE))
        if not ticks:
            return ""
        return (_WINDOWS_EPOCH + timedelta(microseconds=ticks // 10)).strftime("%Y-%m-%d %H:%M")

    def _read_attachment(self, folder: Folder, encoding: str) -> Attachment:
        names = (
            self._read_text(folder, key, encoding) for key in (_FILE_NAME, _SHOWN_NAME, _SHORT_FILE_NAME)
        )
        return Attachment(
            next((name for name in names if name), "unnamed"), self._read_bytes(folder, _CONTENT + _BYTES)
        )

    def _read_text(self, folder: Folder, key: str, encoding: str) -> str:
        text = self._read_bytes(folder, key + _TEXT).decode("utf-16-le", "replace")
        if text:
            return text.rstrip("\0")
        try:
            return self._read_bytes(folder, key + _OLD_TEXT).decode(encoding, "replace").rstrip("\0")
        except LookupError:
            return self._read_bytes(folder, key + _OLD_TEXT).decode("cp1252", "replace").rstrip("\0")

    def _read_bytes(self, folder: Folder, name: str) -> bytes:
        place = [*folder, f"__substg1.0_{name}"]
        return bytes(self._archive.openstream(place).read()) if self._archive.exists(place) else b""

    def _read_numbers(self, folder: Folder) -> dict[tuple[int, int], int]:
        """Return the properties of fixed size, by their number and type."""
        place = [*folder, _PROPERTIES]
        data = bytes(self._archive.openstream(place).read()) if self._archive.exists(place) else b""
        entries = data[_HEADER_BYTES_OF_INNER if folder else _HEADER_BYTES_OF_FILE :]
        whole = entries[: len(entries) // _ENTRY.size * _ENTRY.size]
        values = {(number, kind): value for kind, number, _, value in _ENTRY.iter_unpack(whole)}
        return {key: value & 0xFFFFFFFF if key[1] == _LONG_TYPE else value for key, value in values.items()}

    def _list_folders(self, folder: Folder, prefix: str) -> list[Folder]:
        depth = len(folder)
        return [
            name
            for name in self._names
            if len(name) == depth + 1 and name[:depth] == folder and name[depth].startswith(prefix)
        ]
