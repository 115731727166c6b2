"""Mail in the form in which it is sent (.eml), and mailboxes of it (.mbox)."""

from __future__ import annotations

import email
import mailbox
import re
from email.message import Message
from email.policy import default
from pathlib import Path

from chatbot.documents.files import decode_text, looks_like_text, read_bytes
from chatbot.documents.mail_text import Attachment, Mail, MailBody, add_mail, read_mail_date
from chatbot.documents.metadata import finish_document, name_from_path
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument, DocumentTooLarge
from chatbot.types import ParsedDocument

NAME = "mail"
SUFFIXES = (".eml", ".mbox")

MAX_PARTS = 2000
MAX_DEPTH = 20

_HEADER = re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:>?From |[!-9;-~]+[ \t]*:)")
# What the standard library raises for head lines that break the rules.
_HEADER_ERRORS = (ValueError, LookupError, AttributeError, TypeError)


def accepts(head: bytes) -> bool:
    """Whether the first bytes are text that begins with the head of a mail."""
    return looks_like_text(head) and _HEADER.match(head) is not None


def load(path: Path) -> ParsedDocument:
    """Read a mail or a mailbox. Raises DocumentError."""
    try:
        return _load_mailbox(path) if path.suffix.lower() == ".mbox" else _load_mail(path)
    except RecursionError as error:
        raise _nests_too_deeply(path) from error


def _load_mail(path: Path) -> ParsedDocument:
    message = email.message_from_bytes(read_bytes(path), policy=default)
    mail = _read_mail(path, message, 1)
    builder = TextBuilder()
    add_mail(builder, mail)
    return finish_document(
        builder, path, titles=[mail.subject], dates=[mail.sent[:10]], authors=[mail.sender]
    )


def _load_mailbox(path: Path) -> ParsedDocument:
    read_bytes(path, 1)  # so that a missing file is told apart, and never made
    builder = TextBuilder()
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.iterkeys():
            message = email.message_from_bytes(box.get_bytes(key), policy=default)
            add_mail(builder, _read_mail(path, message, 1))
    finally:
        box.close()
    return finish_document(builder, path, titles=[name_from_path(path)])


def _read_mail(path: Path, message: Message, depth: int) -> Mail:
    if depth > MAX_DEPTH:
        raise _nests_too_deeply(path)
    parts = _Parts(path, depth)
    parts.sort(message)
    return Mail(
        subject=_read_header(message, "Subject"),
        sender=_read_header(message, "From"),
        recipients=_read_header(message, "To"),
        copies=_read_header(message, "Cc"),
        sent=read_mail_date(_read_header(message, "Date")),
        bodies=parts.bodies,
        attachments=parts.attachments,
        messages=parts.messages,
    )


class _Parts:
    """Sorts the parts of one mail into words, files and mails that are attached to it."""

    def __init__(self, path: Path, depth: int) -> None:
        self.bodies: list[MailBody] = []
        self.attachments: list[Attachment] = []
        self.messages: list[Mail] = []
        self._path = path
        self._depth = depth
        self._count = 0

    def sort(self, message: Message) -> None:
        """Take a part, with those inside it. Raises DocumentTooLarge above `MAX_PARTS`."""
        self._count += 1
        if self._count > MAX_PARTS:
            raise DocumentTooLarge(
                f"“{self._path.name}” has more than {MAX_PARTS:,} parts.",
                "Save the parts that matter as files.",
            )
        kind = message.get_content_type()
        if kind == "message/rfc822":
            for inner in _list_parts(message):
                self.messages.append(_read_mail(self._path, inner, self._depth + 1))
        elif kind == "multipart/alternative":
            self._sort_alternatives(_list_parts(message))
        elif message.is_multipart():
            for part in _list_parts(message):
                self.sort(part)
        else:
            self._sort_leaf(message, kind)

    def _sort_alternatives(self, parts: list[Message]) -> None:
        """Take the plain text of several forms of the same words, else the last form, which is the best."""
        plain = [part for part in parts if part.get_content_type() == "text/plain" and _decode(part).strip()]
        for part in plain[:1] or parts[-1:]:
            self.sort(part)

    def _sort_leaf(self, part: Message, kind: str) -> None:
        name = _read_file_name(part)
        is_attached = "attachment" in _read_header(part, "Content-Disposition").lower()
        if kind in ("text/plain", "text/html") and not name and not is_attached:
            self.bodies.append(MailBody("plain" if kind == "text/plain" else "html", _decode(part)))
        elif name or is_attached:
            content = _get_payload(part) if kind.startswith("text/") else b""
            self.attachments.append(Attachment(name or kind, content))


def _list_parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _get_payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _decode(part: Message) -> str:
    """Return the words of a part, by the encoding that it names where that exists."""
    payload = _get_payload(part)
    try:
        return payload.decode(part.get_content_charset() or "")
    except (LookupError, ValueError):
        return decode_text(payload)


def _read_header(message: Message, name: str) -> str:
    try:
        return str(message.get(name, "") or "")
    except _HEADER_ERRORS:
        return ""


def _read_file_name(part: Message) -> str:
    try:
        return part.get_filename("") or ""
    except _HEADER_ERRORS:
        return ""


def _nests_too_deeply(path: Path) -> CorruptDocument:
    return CorruptDocument(
        f"“{path.name}” nests its messages too deeply to be read.", "Save the inner messages as files."
    )
