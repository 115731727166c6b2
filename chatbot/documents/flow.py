"""Text as older formats keep it: one run of paragraphs, some of which are cells of tables."""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.documents.tables import Row, add_table
from chatbot.documents.text import TextBuilder


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """What a paragraph is: `heading` is its level or 0, `list_level` its depth in lists or 0."""

    heading: int = 0
    list_level: int = 0


BODY = ParagraphStyle()


class FlowWriter:
    """Takes paragraphs and cells in their order and writes blocks; a table ends with the next paragraph."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._cells: Row = []
        self._rows: list[Row] = []
        self._header_rows = 0

    def add_paragraph(self, text: str, style: ParagraphStyle = BODY) -> None:
        """Append a paragraph that is in no table."""
        if not text.strip():
            return
        self.end_table()
        if style.heading:
            self._builder.add("heading", text, style.heading)
        elif style.list_level:
            self._builder.add("list_item", text, style.list_level)
        else:
            self._builder.add("paragraph", text)

    def add_cell(self, text: str) -> None:
        """Append a cell to the row that is being read."""
        self._cells.append(text.strip())

    def end_row(self, *, is_header: bool = False) -> None:
        """End the row; `is_header` says that it was marked as naming the columns."""
        if is_header and len(self._rows) == self._header_rows:
            self._header_rows += 1
        self._rows.append(self._cells)
        self._cells = []

    def end_table(self) -> None:
        """Write the table that was read; one of a single column only frames its paragraphs."""
        if self._cells:
            self.end_row()
        rows, self._rows = self._rows, []
        header_rows, self._header_rows = self._header_rows, 0
        if any(len(row) > 1 for row in rows):
            add_table(self._builder, rows, header_rows=header_rows or None)
            return
        for row in rows:
            for line in "\n".join(row).split("\n"):
                self._builder.add("paragraph", line)
