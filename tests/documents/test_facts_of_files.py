"""What files tell of themselves beside their words: authors, pages without text, cells, bodies in RTF."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from chatbot.documents.formats import load_document
from chatbot.documents.metadata import describe_pages, join_authors
from chatbot.documents.protocol import decode_document, encode_document
from chatbot.explanation import name_page
from tests.documents.test_mail import write_outlook_file


def make_docx() -> bytes:
    from docx import Document

    document = Document()
    document.core_properties.author = "Ada Lovelace; Grace Hopper"
    document.add_paragraph("Words")
    return save(document)


def make_pptx() -> bytes:
    from pptx import Presentation

    slides = Presentation()
    slides.core_properties.author = "Ada Lovelace"
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "Words"
    return save(slides)


def make_xlsx() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator = "Ada Lovelace"
    book.active.append(["Words"])
    return save(book)


def make_pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.setAuthor("Ada Lovelace")
    canvas.drawString(72, 700, "Words of a page")
    canvas.save()
    return buffer.getvalue()


def save(document) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


AUTHORS = {
    "a.md": (b"---\ntitle: T\nauthor: Ada Lovelace\n---\nWords", "Ada Lovelace"),
    "b.md": (b"---\nauthors: [Ada Lovelace, 'Grace Hopper']\n---\nWords", "Ada Lovelace; Grace Hopper"),
    "c.html": (b'<html><head><meta name="author" content="Ada"></head><body>Words</body></html>', "Ada"),
    "d.docx": (make_docx, "Ada Lovelace; Grace Hopper"),
    "e.pptx": (make_pptx, "Ada Lovelace"),
    "f.xlsx": (make_xlsx, "Ada Lovelace"),
    "g.pdf": (make_pdf, "Ada Lovelace"),
    "h.rtf": (rb"{\rtf1{\info{\title T}{\author Ada Lovelace}}Words\par}", "Ada Lovelace"),
    "i.org": (b"#+TITLE: T\n#+AUTHOR: Ada Lovelace\n\nWords", "Ada Lovelace"),
    "j.tex": (
        rb"\title{T}\author{Ada Lovelace\\London \and Grace Hopper}\begin{document}Words\end{document}",
        "Ada Lovelace; Grace Hopper",
    ),
    "k.eml": (b"From: Ada Lovelace <ada@example.org>\nSubject: T\n\nWords\n", "Ada Lovelace"),
    "l.txt": (b"Words by nobody", ""),
}


@pytest.mark.parametrize("name", AUTHORS)
def test_authors_are_those_that_the_file_names(tmp_path: Path, name: str):
    """Each format has its own place for them; they survive the way out of the child process."""
    content, expected = AUTHORS[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content())

    document = load_document(path)

    assert document.authors == expected
    assert decode_document(encode_document(document)) == document


def test_names_that_programs_write_are_no_authors():
    """Nor are addresses, numbers, and the same name once more."""
    names = [
        "python-docx",
        "Microsoft Office User",
        "Ada",
        "ADA",
        "Bo <bo@example.org>",
        "42",
        None,
        "openpyxl",
    ]
    assert join_authors(names) == "Ada; Bo"


@pytest.mark.parametrize(("numbers", "told"), [([], ""), ([3], "3"), ([1, 2, 3, 7, 9, 10], "1-3, 7, 9-10")])
def test_pages_are_told_as_ranges(numbers: list[int], told: str):
    assert describe_pages(numbers) == told


def test_the_body_of_a_message_in_rich_text_is_read(tmp_path: Path):
    """Where Outlook wrote neither plain text nor HTML, its packed RTF is read; a damaged one is left out."""
    from compressed_rtf import compress

    path = tmp_path / "rich.msg"
    rich = compress(rb"{\rtf1\ansi The ferry leaves at {\b noon}.\par Bring a ticket.\par}")
    fields = {"__properties_version1.0": bytes(32), "__substg1.0_0037001F": "Ferry".encode("utf-16-le")}
    write_outlook_file(path, fields | {"__substg1.0_10090102": rich})
    assert load_document(path).text == "Ferry\n\nThe ferry leaves at noon.\n\nBring a ticket."

    write_outlook_file(path, fields | {"__substg1.0_10090102": rich[:-9] + b"123456789"})
    assert load_document(path).text == "Ferry"


def test_the_cells_of_a_notebook_are_its_pages(tmp_path: Path):
    """A source in the third cell says so."""
    path = tmp_path / "study.ipynb"
    cells = [
        {"cell_type": kind, "source": text}
        for kind, text in (("markdown", "# Study"), ("code", "x = 1"), ("markdown", "It is *one*."))
    ]
    path.write_text(json.dumps({"cells": cells}))

    document = load_document(path)

    assert len(document.page_starts) == 3
    assert document.text[document.page_starts[2] :] == "It is one."
    assert name_page("study.ipynb", 3) == "cell 3"
