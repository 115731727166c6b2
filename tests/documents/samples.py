"""A small good file of every format, to make bad ones of."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from docx import Document
from openpyxl import Workbook
from PIL import Image
from pptx import Presentation
from reportlab.pdfgen.canvas import Canvas

from tests.documents import test_formats, test_marked_text_formats
from tests.documents.old_office_files import Stored, make_doc, make_ppt
from tests.documents.ole_files import make_xls
from tests.documents.opendocument_files import make_opendocument
from tests.documents.test_books_and_bad_data import make_book
from tests.documents.test_mail import make_message, write_outlook_file

WORDS = "The ferry leaves at noon"


def write_samples(folder: Path) -> list[Path]:
    """Write the samples of all formats; returns them by name."""
    for sample in (*test_formats.SAMPLES, *test_marked_text_formats.SAMPLES):
        content = sample.content.encode() if isinstance(sample.content, str) else sample.content
        (folder / sample.name).write_bytes(content)
    write_office_files(folder)
    write_old_office_files(folder)
    make_book(folder / "book.epub")
    message = make_message().as_bytes()
    (folder / "mail.eml").write_bytes(message)
    (folder / "mails.mbox").write_bytes(
        b"From a@example.org\n" + message + b"\n\nFrom b@example.org\n" + message
    )
    Image.new("L", (8, 8), 255).save(folder / "blank.png")
    return sorted(folder.iterdir())


def write_office_files(folder: Path) -> None:
    """A PDF, and texts, sheets and slides of the present formats."""
    canvas = Canvas(str(folder / "pages.pdf"))
    for number in range(3):
        canvas.drawString(72, 700, f"{WORDS}, says page {number}.")
        canvas.showPage()
    canvas.save()
    document = Document()
    document.add_heading("Ferry", level=1)
    document.add_paragraph(WORDS)
    document.add_table(rows=2, cols=2).rows[0].cells[0].text = "City"
    document.save(str(folder / "text.docx"))
    workbook = Workbook()
    for row in (["City", "Limit"], ["Oslo", 180], ["Bern", 220]):
        workbook.active.append(row)
    workbook.save(folder / "sheet.xlsx")
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Ferry", WORDS
    presentation.save(str(folder / "slides.pptx"))
    make_opendocument(folder / "text.odt", "text", f"<text:p>{WORDS}</text:p>")
    cell = f'<table:table-cell office:value-type="string"><text:p>{WORDS}</text:p></table:table-cell>'
    row = f"<table:table-row>{cell}{cell}</table:table-row>"
    table = f'<table:table table:name="Ferries">{row}{row}</table:table>'
    make_opendocument(folder / "sheet.ods", "spreadsheet", table)
    frame = f"<draw:frame><draw:text-box><text:p>{WORDS}</text:p></draw:text-box></draw:frame>"
    make_opendocument(
        folder / "slides.odp", "presentation", f'<draw:page draw:name="One">{frame}</draw:page>'
    )


def write_old_office_files(folder: Path) -> None:
    """Texts, sheets, slides and a message in the formats of 1997."""
    (folder / "old.doc").write_bytes(make_doc([Stored([(WORDS, b"")]), Stored([("Go early", b"")])]))
    (folder / "old.ppt").write_bytes(make_ppt([("Ferry", [WORDS], "Notes")]))
    (folder / "old.xls").write_bytes(make_xls({"Ferries": [["City", "Limit"], ["Oslo", 180]]}, formats={}))
    streams = {
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001F": "Ferry".encode("utf-16-le"),
        "__substg1.0_1000001F": WORDS.encode("utf-16-le"),
    }
    write_outlook_file(folder / "old.msg", streams)


def repack(source: Path, target: Path, changes: Mapping[str, bytes]) -> Path:
    """An archive with some members changed or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            new.writestr(name, content)
    return target
