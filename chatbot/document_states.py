"""What became of a document, in plain words: for the corpus page, the command line and the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from chatbot.types import DocumentRecord

DocumentState = Literal["ready", "partly_read", "refused"]

STATE_NAMES: dict[DocumentState, str] = {
    "ready": "Ready",
    "partly_read": "Partly read",
    "refused": "Could not be read",
}


def find_state(record: DocumentRecord) -> DocumentState:
    """Whether a document can be searched: all of it, all but some pages, or not at all."""
    if record.problem is not None:
        return "refused"
    return "partly_read" if record.unread_pages else "ready"


def describe_state(record: DocumentRecord) -> str:
    """What is to be told of it: why it was refused, and how its scanned pages were read; often nothing."""
    if record.problem is not None:
        return record.problem
    told = []
    if record.unread_pages:
        told.append(f"No text layer, and no words read off the picture: {_name_pages(record.unread_pages)}.")
    if record.recognized_pages:
        told.append(f"Read off the picture (OCR): {_name_pages(record.recognized_pages)}.")
    return " ".join(told)


def _name_pages(pages: str) -> str:
    return f"page {pages}" if pages.isdigit() else f"pages {pages}"


def show_change(record: DocumentRecord) -> str:
    """When the file was last changed, to the minute, in UTC."""
    return datetime.fromtimestamp(record.modified_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
