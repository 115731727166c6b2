"""Spreadsheets: cells as they are shown, tables told apart, names of columns found."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from chatbot.documents import sheets
from chatbot.documents.delimited import find_delimiter
from chatbot.documents.formats import load_document
from chatbot.documents.number_formats import show_moment, show_number
from chatbot.documents.reader import DocumentReader
from chatbot.errors import DocumentTooLarge, EmptyDocument
from tests.documents.ole_files import make_xls
from tests.documents.opendocument_files import make_opendocument
from tests.documents.test_formats import check_offsets, describe

COSTS = (
    "heading 1 Costs\n"
    "table_header 0 City | Share | When\n"
    "table_row 0 Oslo | 12.5% | 2025-03-01\n"
    "table_row 0 Bern | 12 | TRUE\n"
    "table_row 0 Zug | #DIV/0! | 1234.50\n"
)


@pytest.fixture
def workbook() -> Workbook:
    """A workbook with a sheet of costs and a hidden one."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Costs"
    for row in (
        ["City", "Share", "When"],
        ["Oslo", 0.125, date(2025, 3, 1)],
        ["Bern", 12.0, True],
        ["Zug", "#DIV/0!", 1234.5],
    ):
        sheet.append(row)
    sheet["B2"].number_format = "0.0%"
    sheet["C2"].number_format = "dd/mm/yyyy"
    sheet["C4"].number_format = "#,##0.00"
    hidden = workbook.create_sheet("Secret")
    hidden.append(["never", "shown"])
    hidden.sheet_state = "hidden"
    return workbook


def save(workbook: Workbook, path: Path) -> Path:
    workbook.save(path)
    return path


def read_rows(rows: list[list[object]], tmp_path: Path, name: str = "Sheet") -> str:
    """The blocks of a workbook with one sheet of these rows."""
    workbook = Workbook()
    workbook.active.title = name
    for row in rows:
        workbook.active.append(row)
    return describe(load_document(save(workbook, tmp_path / "made.xlsx")))


@pytest.mark.parametrize("ending", ["xlsx", "xlsm"])
def test_workbook_reads_as_it_is_shown(workbook: Workbook, ending: str, tmp_path: Path):
    """Dates, percentages and whole numbers stand as in the sheet, and hidden sheets are left out."""
    workbook.properties.title = "City costs"
    workbook.properties.modified = datetime(2025, 6, 12)
    path = save(workbook, tmp_path / f"costs.{ending}")

    document = load_document(path)

    assert describe(document) == COSTS
    assert document.title == "City costs"
    check_offsets(document)
    with DocumentReader() as reader:
        assert reader.read(path) == document


def test_old_workbook_reads_as_it_is_shown(tmp_path: Path):
    """A workbook of Excel 97 reads to the same as a new one."""
    path = tmp_path / "costs.xls"
    rows = [
        ["City", "Share", "When"],
        ["Oslo", (0.125, 164), (45717.0, 14)],
        ["Bern", 12.0, True],
        ["Zug", "#DIV/0!", (1234.5, 4)],
    ]
    formats = {164: "0.0%", 14: "dd/mm/yyyy", 4: "#,##0.00"}
    path.write_bytes(make_xls({"Costs": rows, "Secret": [["never"]]}, formats=formats, hidden="Secret"))

    document = load_document(path)

    assert (describe(document), document.title) == (COSTS, "Costs")
    check_offsets(document)


def test_opendocument_sheet_reads_as_it_is_shown(tmp_path: Path):
    """Cells hold what they show; days are ISO days, thousands are joined, empty rows cost nothing."""
    styles = (
        '<style:style style:name="away" style:family="table"><style:table-properties table:display="false"/>'
        "</style:style>"
    )

    def cell(words: str, attributes: str = "") -> str:
        return f"<table:table-cell {attributes}><text:p>{words}</text:p></table:table-cell>"

    rows = [
        cell("City") + cell("Share") + cell("When"),
        cell("Oslo") + cell("12.5%") + cell("01/03/25", 'office:date-value="2025-03-01"'),
        cell("Bern") + cell("12<office:annotation><text:p>never</text:p></office:annotation>") + cell("TRUE"),
        cell("Zug") + cell("#DIV/0!") + cell("1,234.50", 'office:value="1234.5"'),
        '<table:table-cell table:number-columns-repeated="16384"/>',
    ]
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    body += '<table:table-row table:number-rows-repeated="1048572"><table:table-cell/></table:table-row>'
    secret = f"<table:table-row>{cell('never')}</table:table-row>"
    path = make_opendocument(
        tmp_path / "costs.ods",
        "spreadsheet",
        f'<table:table table:name="Costs">{body}</table:table>'
        f'<table:table table:name="Secret" table:style-name="away">{secret}</table:table>',
        styles=styles,
        meta="<dc:title>City costs</dc:title><dc:date>2025-06-12T10:00:00</dc:date>",
    )

    document = load_document(path)

    assert (describe(document), document.title) == (COSTS, "City costs")
    check_offsets(document)


def test_formulas_give_their_stored_values_and_merged_cells_their_words_once(tmp_path: Path):
    """A formula that no program has calculated yet is empty, and nothing is repeated for a merged cell."""
    workbook = Workbook()
    for row in (["Plan", "Sum", "Note"], ["Year", "=1+1", "both"], ["Month", 2, None]):
        workbook.active.append(row)
    workbook.active.merge_cells("C2:C3")

    described = describe(load_document(save(workbook, tmp_path / "plan.xlsx")))

    assert described == "table_header 0 Plan | Sum | Note\ntable_row 0 Year | | both\ntable_row 0 Month | 2\n"


def test_tables_of_a_sheet_are_told_apart(tmp_path: Path):
    """Blank rows part tables; lone cells above a table are its headings, other lone cells are paragraphs."""
    described = read_rows(
        [
            ["Numbers of ducks"],
            [],
            [None, None, "Year", "Ducks"],
            [None, None, 2024, 180],
            [],
            ["Rates"],
            ["City", "Rate"],
            ["Oslo", 7],
            [],
            ["Counted by hand."],
        ],
        tmp_path,
        name="Birds",
    )

    assert described == (
        "heading 1 Birds\nheading 2 Numbers of ducks\ntable_header 0 Year | Ducks\ntable_row 0 2024 | 180\n"
        "heading 2 Rates\ntable_header 0 City | Rate\ntable_row 0 Oslo | 7\nparagraph 0 Counted by hand.\n"
    )


def test_names_of_columns_in_several_rows_are_joined(tmp_path: Path):
    """Years over columns go in front of the names below them, also where a blank row follows."""
    described = read_rows(
        [
            ["CHF", 2023, None, 2024, None],
            [None, "Sales", "Profit", "Sales", "Profit"],
            [],
            ["A", 1, 2, 3, 4],
        ],
        tmp_path,
    )

    assert described == (
        "table_header 0 CHF | 2023 Sales | 2023 Profit | 2024 Sales | 2024 Profit\n"
        "table_row 0 A | 1 | 2 | 3 | 4\n"
    )


def test_table_of_numbers_has_no_header(tmp_path: Path):
    """A first row with numbers names no columns."""
    assert read_rows([["Oslo", 7], ["Bern", 8]], tmp_path) == "table_row 0 Oslo | 7\ntable_row 0 Bern | 8\n"


def test_sheet_without_anything_in_it_is_empty(tmp_path: Path):
    """A workbook of empty sheets holds no text."""
    with pytest.raises(EmptyDocument, match="holds no text"):
        read_rows([[" "]], tmp_path)


def test_too_many_cells_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A sheet over the limit is refused while it is read, and the message names the limit."""
    monkeypatch.setattr(sheets, "MAX_CELLS", 1000)
    (tmp_path / "big.csv").write_text("a,b\n" * 1000)

    with pytest.raises(DocumentTooLarge, match="more than 1,000 cells"):
        load_document(tmp_path / "big.csv")


@pytest.mark.parametrize(
    ("source", "header"),
    [
        ("Name;Size\nA, b;1,5\nC;2\n", "Name | Size"),
        ('Name,Size\r\n"A\nb",1\r\n', "Name | Size"),
        ("Name\tSize\nA, b, c\t1\n", "Name | Size"),
        ("Name|Size\nA|1\n", "Name | Size"),
        ("sep=;\nName, all;Size\nA;1\n", "Name, all | Size"),
        ('Name,Size\nA 5" disk,1\n', "Name | Size"),
    ],
)
def test_what_parts_the_cells_of_a_text_file_is_found(source: str, header: str, tmp_path: Path):
    """Commas, semicolons, tabs and bars are told apart, and stray quotation marks spoil nothing."""
    path = tmp_path / "sizes.csv"
    path.write_bytes(source.encode("cp1252"))

    document = load_document(path)

    assert describe(document).startswith(f"table_header 0 {header}\n")
    assert document.title == "Sizes"
    assert len(document.blocks) == source.strip().count("\n") + 1 - ('"A\n' in source) - ("sep=" in source)


def test_text_without_any_delimiter_is_one_column():
    """A comma is taken where nothing parts the lines."""
    assert find_delimiter("one\ntwo\n") == ","


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (12.0, "General", "12"),
        (1 / 3, "General", "0.3333333333"),
        (12553, "#,##0\\ ;\\(#,##0\\)", "12553"),
        (-81, "#,##0\\ ;\\(#,##0\\)", "-81"),
        (0, '_(* #,##0_);_(* \\(#,##0\\);_(* "—"_);_(@_)', "—"),
        (0.1234, "0.00%", "12.34%"),
        (7, "00000", "00007"),
        (12_000_000, '0.0,,"M"', "12.0M"),
        (-19.5, "#,##0.00 [$€-1];[Red]-#,##0.00 [$€-1]", "-19.50 €"),
        (5, '"$"#,##0_);[Red]\\("$"#,##0\\)', "$5"),
        (3.14159, "0.0##", "3.142"),
        (123456, "0.00E+00", "1.23E+05"),
        (1.5, "# ?/?", "1.5"),
        (5551234, "###-####", "5551234"),
        (3, '"—;"0', "—;3"),
    ],
)
def test_numbers_are_shown_by_their_format(value: float, code: str, shown: str):
    """Percentages, currencies, places and units stand as in the sheet; thousands are not set apart."""
    assert show_number(value, code) == shown


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (datetime(2025, 3, 1), "dd/mm/yyyy", "2025-03-01"),
        (datetime(2025, 3, 1), "mmm-yy", "March 2025"),
        (datetime(2025, 3, 1), "yyyy", "2025"),
        (datetime(2025, 3, 1, 14, 30), "m/d/yy h:mm", "2025-03-01 14:30"),
        (datetime(2025, 3, 1, 14, 30), "h:mm", "14:30"),
        (time(9, 30, 5), "h:mm:ss", "09:30:05"),
        (timedelta(hours=26, minutes=5), "[h]:mm", "26:05"),
    ],
)
def test_moments_are_shown_by_their_format(value: datetime | time | timedelta, code: str, shown: str):
    """A day, a month, a year or a time stands there, as the format shows it."""
    assert show_moment(value, code) == shown


NUMBERED = "1 Stock of 2024\n3 Part | Bin | Pieces\n4 Bolt | A1 | 12\n7 Nut | A2 | 30\n9 Washer | B1 | 7\n"
SPARSE_ROWS: list[list[object]] = [
    ["Stock of 2024"],
    [],
    ["Part", "Bin", "Pieces"],
    ["Bolt", "A1", 12],
    [],
    [],
    ["Nut", "A2", 30],
    [],
    ["Washer", "B1", 7],
]


def write_sparse_sheet(path: Path) -> None:
    """The rows as a file of the path's format, in a second sheet where it can have several."""
    match path.suffix:
        case ".xlsx":
            workbook = Workbook()
            workbook.active.append(["Cover", "page"])
            sheet = workbook.create_sheet("Stock")
            for row in SPARSE_ROWS:
                sheet.append(row)
            workbook.save(path)
        case ".xls":
            floats = [[float(cell) if isinstance(cell, int) else cell for cell in row] for row in SPARSE_ROWS]
            path.write_bytes(make_xls({"Cover": [["Cover", "page"]], "Stock": floats}, formats={}))
        case ".ods":
            cells = [
                "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
                for row in SPARSE_ROWS
            ]
            # Two blank rows are written as one, as LibreOffice does.
            blank = ' table:number-rows-repeated="2"><table:table-cell/>'
            rows = [*(f">{row}" for row in cells[:4]), blank, *(f">{row}" for row in cells[6:])]
            stock = "".join(f"<table:table-row{row}</table:table-row>" for row in rows)
            cover = f"<table:table-row>{cells[0]}</table:table-row>"
            make_opendocument(
                path,
                "spreadsheet",
                f'<table:table table:name="Cover">{cover}</table:table>'
                f'<table:table table:name="Stock">{stock}</table:table>',
            )
        case ".csv" | ".tsv":
            mark = "\t" if path.suffix == ".tsv" else ","
            path.write_text("".join(mark.join(map(str, row)) + "\n" for row in SPARSE_ROWS))


@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods", "csv", "tsv"])
def test_rows_keep_the_number_that_a_spreadsheet_program_shows(ending: str, tmp_path: Path):
    """Blank rows, titles and the names of columns count, and every sheet begins at 1."""
    path = tmp_path / f"stock.{ending}"
    write_sparse_sheet(path)

    with DocumentReader() as reader:
        document = reader.read(path)

    begin, name = document.sheets[-1]
    assert name == ("" if ending in ("csv", "tsv") else "Stock")
    rows = [block for block in document.blocks if block.row and block.start >= begin]
    shown = "".join(f"{block.row} {document.text[block.start : block.end]}\n" for block in rows)
    assert shown == NUMBERED
    check_offsets(document)


def test_lines_within_quotation_marks_are_one_row_of_a_text_file(tmp_path: Path):
    """A row is what a spreadsheet program shows as one, however many lines it takes."""
    path = tmp_path / "notes.csv"
    path.write_bytes(b'Who,What\r\nAda,"two\r\nlines"\r\nBo,a\x0cb\r\n')

    blocks = [block for block in load_document(path).blocks if block.row]

    assert [block.row for block in blocks] == [1, 2, 3]
