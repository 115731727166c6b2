"""Makers of small real files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from docx import Document
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

# A line of a PDF: font, size in points, distance from the bottom in points, words.
PdfLine = tuple[str, float, float, str]
MakePdf = Callable[..., Path]


@pytest.fixture
def make_pdf(tmp_path: Path) -> MakePdf:
    """Return a function that writes a PDF of the given lines, a list of them for each page."""

    def make(
        pages: Sequence[Sequence[PdfLine]],
        *,
        name: str = "made.pdf",
        title: str = "",
        password: str | None = None,
    ) -> Path:
        path = tmp_path / name
        canvas = Canvas(str(path), encrypt=StandardEncryption(password) if password else None)
        canvas.setTitle(title)
        for lines in pages:
            for font, size, height, words in lines:
                canvas.setFont(font, size)
                canvas.drawString(72, height, words)
            canvas.showPage()
        canvas.save()
        return path

    return make


@pytest.fixture
def policy_docx(tmp_path: Path) -> Path:
    """A Word document with headings, lists and a table between paragraphs."""
    document = Document()
    document.add_heading("Travel Policy", level=0)
    document.add_paragraph("Effective 1 March 2025. Trips are booked early.")
    document.add_heading("Limits", level=2)
    document.add_paragraph("Trains first", style="List Bullet")
    document.add_paragraph("Night trains too", style="List Bullet 2")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(
        [*table.rows[0].cells, *table.rows[1].cells], "City|Limit|Oslo|180 euros".split("|"), strict=True
    ):
        cell.text = words
    document.add_paragraph("Ask your manager.")
    path = tmp_path / "policy.docx"
    document.save(str(path))
    return path
