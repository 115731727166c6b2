"""Old Word documents (.doc): headings, paragraphs, lists and tables in order, then notes and text boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from struct import unpack_from

from chatbot.documents.archives import DAMAGE, OLE, damaged, password_protected
from chatbot.documents.doc_file import FIRST_VERSION, Paragraph, read_paragraphs
from chatbot.documents.flow import FlowWriter, ParagraphStyle
from chatbot.documents.metadata import finish_document
from chatbot.documents.properties import read_ole_properties
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

NAME = "old Word"
SUFFIXES = (".doc",)

_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_MARK = 0xA5EC
_CELL_END = "\x07"
_FIELD_BEGINS, _FIELD_SHOWS, _FIELD_ENDS = "\x13", "\x14", "\x15"
_FIELD_MARKS = re.compile("([\x13-\x15])")


def accepts(head: bytes) -> bool:
    """Whether the first bytes are those of an old Office file."""
    return head.startswith(OLE)


def load(path: Path) -> ParsedDocument:
    """Read an old Word document. Raises DocumentError."""
    from olefile import OleFileIO

    builder = TextBuilder()
    try:
        with OleFileIO(str(path)) as container:
            properties = read_ole_properties(container)
            main = container.openstream("WordDocument").read()
            table = container.openstream(_find_table(path, main)).read()
        _write_paragraphs(FlowWriter(builder), read_paragraphs(main, table))
    except DAMAGE as error:
        raise damaged(path, "Word") from error
    return finish_document(
        builder, path, titles=[properties.title], dates=[properties.date], authors=[properties.author]
    )


def _find_table(path: Path, main: bytes) -> str:
    """Return the stream that tells where the text lies. Raises DocumentError where it cannot be read."""
    mark, version = unpack_from("<HH", main)
    (flags,) = unpack_from("<H", main, 10)
    if mark != _MARK or version < FIRST_VERSION:
        raise CorruptDocument(
            f"“{path.name}” was made by Word 95 or an earlier one.", "Open it in Word and save it as .docx."
        )
    if flags & _ENCRYPTED:
        raise password_protected(path)
    return "1Table" if flags & _SECOND_TABLE else "0Table"


def _write_paragraphs(writer: FlowWriter, paragraphs: Iterable[Paragraph]) -> None:
    fields = _FieldReader()
    cell: list[str] = []
    for paragraph in paragraphs:
        words = fields.read(paragraph.text)
        if paragraph.end == _CELL_END and paragraph.ends_row:
            writer.end_row(is_header=paragraph.names_columns)
        elif paragraph.end == _CELL_END:
            writer.add_cell("\n".join([*cell, words]))
            cell = []
        elif paragraph.is_in_table:
            cell.append(words)
        else:
            writer.add_paragraph(words, ParagraphStyle(paragraph.heading, paragraph.list_level))
    writer.add_paragraph("\n".join(cell))
    writer.end_table()


class _FieldReader:
    """Leaves out what fields are made of and keeps what they show; a field may go over several paragraphs."""

    def __init__(self) -> None:
        self._are_shown: list[bool] = []

    def read(self, text: str) -> str:
        words: list[str] = []
        for part in _FIELD_MARKS.split(text):
            if part == _FIELD_BEGINS:
                self._are_shown.append(False)
            elif part == _FIELD_SHOWS and self._are_shown:
                self._are_shown[-1] = True
            elif part == _FIELD_ENDS and self._are_shown:
                self._are_shown.pop()
            elif all(self._are_shown):
                words.append(part)
        return "".join(words).replace("\x1e", "-")
