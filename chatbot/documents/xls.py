"""Old Excel workbooks (.xls): the sheets that are shown, with their formulas' stored values."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.archives import DAMAGE, OLE, damaged, password_protected
from chatbot.documents.number_formats import show_moment, show_number
from chatbot.documents.properties import Properties, read_ole_properties
from chatbot.documents.sheets import MAX_COLUMNS, NumberedRow, Sheet, build_document
from chatbot.errors import DocumentError
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from xlrd.book import Book
    from xlrd.sheet import Cell
    from xlrd.sheet import Sheet as XlsSheet

NAME = "old Excel"
SUFFIXES = (".xls",)


def accepts(head: bytes) -> bool:
    """Whether the first bytes are those of an old Office file."""
    return head.startswith(OLE)


def load(path: Path) -> ParsedDocument:
    """Read an old Excel workbook. Raises DocumentError."""
    workbook = _open_workbook(path)
    properties = _read_properties(path)
    shown = [sheet for sheet in workbook.sheets() if sheet.visibility == 0]
    sheets = [Sheet(sheet.name, _read_rows(sheet, workbook)) for sheet in shown]
    try:
        return build_document(
            path, sheets, title=properties.title, date=properties.date, author=properties.author
        )
    except DAMAGE as error:
        raise damaged(path, "Excel") from error


def _open_workbook(path: Path) -> Book:
    from xlrd import XLRDError, open_workbook
    from xlrd.compdoc import CompDocError

    try:
        return open_workbook(str(path), logfile=io.StringIO(), formatting_info=True, ragged_rows=True)
    except (XLRDError, CompDocError, *DAMAGE) as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: Exception) -> DocumentError:
    return password_protected(path) if "encrypted" in str(error) else damaged(path, "Excel")


def _read_properties(path: Path) -> Properties:
    from olefile import OleFileIO

    try:
        with OleFileIO(str(path)) as container:
            return read_ole_properties(container)
    except DAMAGE:
        return Properties()


def _read_rows(sheet: XlsSheet, workbook: Book) -> Iterator[NumberedRow]:
    for number in range(sheet.nrows):
        yield number + 1, [_show_cell(cell, workbook) for cell in sheet.row(number)[:MAX_COLUMNS]]


def _show_cell(cell: Cell, workbook: Book) -> str:
    from xlrd import XL_CELL_BOOLEAN, XL_CELL_DATE, XL_CELL_ERROR, XL_CELL_NUMBER, error_text_from_code

    if cell.ctype == XL_CELL_NUMBER:
        return show_number(cell.value, _find_format(cell, workbook))
    if cell.ctype == XL_CELL_DATE:
        return _show_date(cell.value, _find_format(cell, workbook), workbook.datemode)
    if cell.ctype == XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    if cell.ctype == XL_CELL_ERROR:
        return str(error_text_from_code.get(cell.value, "#N/A"))
    return str(cell.value).strip()


def _find_format(cell: Cell, workbook: Book) -> str:
    return str(workbook.format_map[workbook.xf_list[cell.xf_index].format_key].format_str)


def _show_date(value: float, code: str, datemode: int) -> str:
    from xlrd.xldate import XLDateError, xldate_as_datetime

    try:
        moment: datetime = xldate_as_datetime(value, datemode)
    except (XLDateError, OverflowError):
        return show_number(value)
    return show_moment(moment.time() if 0 <= value < 1 else moment, code)
