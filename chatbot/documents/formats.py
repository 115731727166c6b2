"""The formats that can be read. A new one is a module like its neighbours and a line in `FORMATS`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from chatbot.documents import (
    delimited,
    doc,
    docx,
    epub,
    html,
    image,
    json_data,
    latex,
    mail,
    markdown,
    notebook,
    odp,
    ods,
    odt,
    org,
    outlook,
    pdf,
    plain,
    ppt,
    pptx,
    restructured_text,
    rtf,
    source_code,
    transcript,
    xls,
    xlsx,
    xml_data,
)
from chatbot.documents.files import HEAD_BYTES, not_what_it_says, read_bytes
from chatbot.errors import EmptyDocument, UnsupportedFormat
from chatbot.types import ParsedDocument


class Format(Protocol):
    """What the module of a format offers."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of a module
        """What to call the format."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802 - a constant of a module
        """File name endings in lower case, with the dot."""

    def accepts(self, head: bytes) -> bool:
        """Whether a file's first bytes can be of this format."""

    def load(self, path: Path) -> ParsedDocument:
        """Read the file. Raises DocumentError."""


FORMATS: tuple[Format, ...] = (
    *(markdown, plain, html, pdf),
    *(docx, doc, odt, rtf),
    *(pptx, ppt, odp),
    *(xlsx, xls, ods, delimited),
    *(epub, restructured_text, org, latex),
    *(mail, outlook, transcript),
    *(notebook, json_data, xml_data, source_code, image),
)

SUFFIXES: tuple[str, ...] = tuple(suffix for format_ in FORMATS for suffix in format_.SUFFIXES)


def find_format(path: Path) -> Format:
    """Return the format that reads the file, by its name and its first bytes.

    Raises UnsupportedFormat for an unknown ending, EmptyDocument for a file of no bytes, CorruptDocument for
    content that contradicts the name and DocumentError where the file cannot be opened.
    """
    suffix = path.suffix.lower()
    found = next((format_ for format_ in FORMATS if suffix in format_.SUFFIXES), None)
    if found is None:
        kind = f"“{suffix}” files" if suffix else "files without an ending"
        raise UnsupportedFormat(
            f"“{path.name}” cannot be read: {kind} are not supported.",
            f"Supported are, among others, {', '.join(format_.SUFFIXES[0] for format_ in FORMATS)}.",
        )
    head = read_bytes(path, HEAD_BYTES)
    if not head:
        raise EmptyDocument(
            f"“{path.name}” is empty: it has no content at all.", "Check the file and add it again."
        )
    if not found.accepts(head):
        raise not_what_it_says(path, found.NAME, head)
    return found


def load_document(path: Path) -> ParsedDocument:
    """Read a file of any supported format in this process. Raises DocumentError."""
    return find_format(path).load(path)
