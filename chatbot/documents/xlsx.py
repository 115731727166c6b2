"""Excel workbooks (.xlsx, .xlsm): the sheets that are shown, with their formulas' stored values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.documents.archives import DAMAGE, accepts_archive, check_archive, damaged
from chatbot.documents.number_formats import show_moment, show_number
from chatbot.documents.properties import read_archive_properties
from chatbot.documents.sheets import MAX_COLUMNS, MAX_ROWS, NumberedRow, Sheet, build_document
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from openpyxl import Workbook

NAME = "Excel"
SUFFIXES = (".xlsx", ".xlsm")

accepts = accepts_archive


def load(path: Path) -> ParsedDocument:
    """Read an Excel workbook. Raises DocumentError."""
    check_archive(path, NAME, "xl/", old_kind="Excel workbook (.xls)")
    with warnings.catch_warnings():  # of parts of the workbook that are not read here
        warnings.simplefilter("ignore")
        workbook = _open_workbook(path)
        try:
            return _read_workbook(path, workbook)
        except DAMAGE as error:
            raise damaged(path, NAME) from error
        finally:
            workbook.close()


def _open_workbook(path: Path) -> Workbook:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, *DAMAGE) as error:
        raise damaged(path, NAME) from error


def _read_workbook(path: Path, workbook: Workbook) -> ParsedDocument:
    properties = read_archive_properties(path)
    shown = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    sheets = [Sheet(sheet.title, _read_rows(sheet)) for sheet in shown]
    return build_document(
        path, sheets, title=properties.title, date=properties.date, author=properties.author
    )


def _read_rows(sheet: Any) -> Iterator[NumberedRow]:  # noqa: ANN401 - a sheet that openpyxl only reads
    sheet.reset_dimensions()  # what a file says of its size may be wrong
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if number > MAX_ROWS:
            return
        yield number, [_show_cell(cell) for cell in cells[:MAX_COLUMNS]]


def _show_cell(cell: Any) -> str:  # noqa: ANN401 - a cell of such a sheet
    value = cell.value
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case int() | float():
            return show_number(value, cell.number_format)
        case date() | time() | timedelta():
            return show_moment(value, cell.number_format)
    return str(value).replace("_x000D_", "\n").strip()
