"""A mail as text: who wrote what to whom and when, its words, and what was attached."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from itertools import groupby
from pathlib import PurePath
from typing import Literal

from chatbot.documents.files import decode_text, looks_like_text
from chatbot.documents.html import add_html
from chatbot.documents.markdown import add_markdown
from chatbot.documents.plain import add_plain_text
from chatbot.documents.rtf import add_rtf
from chatbot.documents.text import TextBuilder, clean_characters, clean_line

MAX_ATTACHMENT_BYTES = 1024**2
"""Attached text that is longer is only named."""

MAX_NAMED_ATTACHMENTS = 50

_TEXT_SUFFIXES = (".txt", ".text", ".log", ".md", ".markdown", ".html", ".htm")
_QUOTE = re.compile(r"[ \t]?((?:>[ \t]?)+)")


@dataclass(frozen=True, slots=True)
class MailBody:
    """The words of a mail, or a part of them, in one of the ways in which they are sent."""

    kind: Literal["plain", "html", "rtf"]
    source: bytes | str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail; its content is kept where it can be text."""

    name: str
    content: bytes = b""

    @property
    def file_name(self) -> str:
        """The name without folders: whoever sent the mail could write any there."""
        return clean_line(re.split(r"[\\/]", self.name)[-1]) or "unnamed"


@dataclass(frozen=True, slots=True)
class Mail:
    """A message: its head, its words, its files and the messages that are attached to it.

    `sent` is the day and minute at which it was sent, as `YYYY-MM-DD hh:mm`, or empty.
    """

    subject: str
    sender: str = ""
    recipients: str = ""
    copies: str = ""
    sent: str = ""
    bodies: list[MailBody] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    messages: list[Mail] = field(default_factory=list)


def read_mail_date(value: str) -> str:
    """Return the day and minute of a mail's date, as it was at the sender's; empty where it tells none."""
    try:
        return parsedate_to_datetime(value).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""


def add_mail(builder: TextBuilder, mail: Mail, level: int = 1) -> None:
    """Append a mail: subject as heading, a paragraph that tells who, whom and when, words, attachments."""
    builder.add("heading", mail.subject or "(no subject)", min(level, 6))
    head = {"From": mail.sender, "To": mail.recipients, "Cc": mail.copies, "Date": mail.sent}
    told = [f"{name}: {clean_line(value)}" for name, value in head.items() if value.strip()]
    builder.add("paragraph", "; ".join(told))
    for body in mail.bodies:
        _add_body(builder, body)
    builder.add("paragraph", _list_attachments(mail))
    for attachment in mail.attachments:
        _add_attachment(builder, attachment, level + 1)
    for message in mail.messages:
        add_mail(builder, message, level + 1)


def _add_body(builder: TextBuilder, body: MailBody) -> None:
    if body.kind == "html":
        add_html(builder, body.source)
    elif isinstance(body.source, bytes) and body.kind == "rtf":
        with suppress(ValueError):  # of groups that nest too deeply; what stands before them is kept
            add_rtf(builder, body.source)
    else:
        source = body.source if isinstance(body.source, str) else decode_text(body.source)
        add_mail_text(builder, source)


def add_mail_text(builder: TextBuilder, source: str) -> None:
    """Append plain text of a mail; paragraphs that are quoted from another keep one `>` for each time."""
    for depth, run in groupby(clean_characters(source).split("\n"), key=_measure_quote):
        lines = list(run)
        if not depth:
            add_plain_text(builder, "\n".join(lines))
            continue
        paragraphs = "\n".join(_QUOTE.sub("", line, count=1) for line in lines).split("\n\n")
        for paragraph in paragraphs:
            words = clean_line(paragraph)
            builder.add("paragraph", f"{'>' * depth} {words}" if words else "")


def _measure_quote(line: str) -> int:
    quote = _QUOTE.match(line)
    return quote[1].count(">") if quote else 0


def _list_attachments(mail: Mail) -> str:
    names = [attachment.file_name for attachment in mail.attachments]
    names += [message.subject or "(no subject)" for message in mail.messages]
    if not names:
        return ""
    rest = len(names) - MAX_NAMED_ATTACHMENTS
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"Attachments: {', '.join(names[:MAX_NAMED_ATTACHMENTS])}{more}"


def _add_attachment(builder: TextBuilder, attachment: Attachment, level: int) -> None:
    """Add the words of an attached text, below its name; other files are only named."""
    suffix = PurePath(attachment.file_name).suffix.lower()
    content = attachment.content
    if (
        suffix not in _TEXT_SUFFIXES
        or not content.strip()
        or len(content) > MAX_ATTACHMENT_BYTES
        or not looks_like_text(content)
    ):
        return
    builder.add("heading", attachment.file_name, min(level, 6))
    if suffix in (".html", ".htm"):
        add_html(builder, content)
    elif suffix in (".md", ".markdown"):
        add_markdown(builder, clean_characters(decode_text(content)))
    else:
        add_plain_text(builder, decode_text(content))
