"""PDF: the text layer of each page, its lines put together to paragraphs again."""

from __future__ import annotations

import ctypes
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import atan2, cos, degrees, hypot, radians, sin
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.files import read_bytes
from chatbot.documents.metadata import describe_pages, finish_document
from chatbot.documents.pdf_layout import (
    Line,
    find_typography,
    group_lines,
    mend_hyphenation,
    remove_furniture,
)
from chatbot.documents.recognition import (
    INSTALL_STEP,
    MAX_PIXELS,
    Recognizer,
    add_paragraphs,
    find_recognizer,
)
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument, EmptyDocument, PasswordProtected
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

NAME = "PDF"
SUFFIXES = (".pdf",)

# PDFium keeps state of its own for the whole process and crashes when two threads use it at once.
_ENGINE = threading.Lock()

_SIGNATURE_WITHIN_BYTES = 1024
# Pixels a point: 216 dots an inch, at which recognition works well.
_SCAN_SCALE = 3.0
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_BOLD_FLAG = 1 << 18
_METADATA = ("Title", "Author", "ModDate", "CreationDate")
_METADATA_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True)
class _Character:
    """Where a character's origin lies and how it is set: points from the bottom left, degrees."""

    x: float
    y: float
    size: float
    angle: int
    is_bold: bool


def accepts(head: bytes) -> bool:
    """Whether the first bytes hold the mark of a PDF; a few bytes may stand before it."""
    return b"%PDF-" in head[:_SIGNATURE_WITHIN_BYTES]


def load(path: Path) -> ParsedDocument:
    """Read a PDF's text layer, and pages without one as pictures. Raises DocumentError."""
    with open_pdf(path) as document:
        pages = [_read_page(document, number) for number in range(len(document))]
        scans = _read_scans(document, [number for number, page in enumerate(pages) if not page])
        metadata = {key: document.get_metadata_value(key) for key in _METADATA}
    if not any(pages) and not any(scans.values()):
        on_pages = f" on any of its {len(pages)} pages" if len(pages) > 1 else ""
        raise EmptyDocument(
            f"“{path.name}” has no text layer{on_pages}; it is probably a scan or holds only pictures.",
            INSTALL_STEP,
        )
    dates = [_read_metadata_date(metadata[key]) for key in ("ModDate", "CreationDate")]
    parsed = finish_document(
        _build_text(pages, scans),
        path,
        titles=[metadata["Title"]],
        dates=dates,
        authors=[metadata["Author"]],
    )
    recognized = [number for number, paragraphs in scans.items() if paragraphs]
    unread = [number for number, page in enumerate(pages) if not page and number not in recognized]
    return replace(
        parsed,
        unread_pages=describe_pages(number + 1 for number in unread),
        recognized_pages=describe_pages(number + 1 for number in sorted(recognized)),
    )


@contextmanager
def open_pdf(path: Path) -> Iterator[PdfDocument]:
    """Open a PDF for a with block; other threads wait until it ends.

    Raises CorruptDocument, PasswordProtected, and DocumentError where the file cannot be opened.
    """
    import pypdfium2

    read_bytes(path, 1)  # so that a missing file and a missing right are told apart from a damaged one
    with _ENGINE:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise _explain(path, error.err_code) from error
        try:
            if not len(document):
                raise _explain(path, None)
            yield document
        finally:
            document.close()


def _explain(path: Path, code: int | None) -> CorruptDocument | PasswordProtected:
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    if code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
        return PasswordProtected(
            f"“{path.name}” opens only with a password.", "Save a copy without a password and add that."
        )
    return CorruptDocument(
        f"“{path.name}” is damaged: it is not a PDF that can be opened.",
        "Get it again, or print it to a new PDF.",
    )


def _read_metadata_date(value: str) -> str | None:
    from chatbot.documents.metadata import read_date

    match = _METADATA_DATE.match(value)
    return read_date("-".join(match.groups())) if match else None


def _read_scans(document: PdfDocument, numbers: list[int]) -> dict[int, list[str]]:
    """Return the paragraphs in the pictures of pages, by number from 0; none where no program reads them."""
    recognizer = find_recognizer() if numbers else None
    return {number: _read_scan(document, number, recognizer) for number in numbers} if recognizer else {}


def _read_scan(document: PdfDocument, number: int, recognizer: Recognizer) -> list[str]:
    """Return the paragraphs in the picture of a page, none where it is empty or cannot be drawn or read."""
    import pypdfium2

    try:
        page = document[number]
        if next(iter(page.get_objects(max_depth=2)), None) is None:
            return []
        width, height = page.get_size()
        scale = min(_SCAN_SCALE, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
        return recognizer.read_picture(page.render(scale=scale, grayscale=True).to_pil())
    except (pypdfium2.PdfiumError, OSError, subprocess.SubprocessError):
        return []


def _build_text(pages: list[list[Line]], scans: dict[int, list[str]]) -> TextBuilder:
    pages = remove_furniture(pages)
    typography = find_typography([line for page in pages for line in page])
    pieces = [group_lines(page, typography) for page in pages]
    texts = iter(mend_hyphenation([piece.text for page in pieces for piece in page]))
    builder = TextBuilder()
    for number, page in enumerate(pieces):
        builder.start_page()
        for piece in page:
            builder.add(piece.kind, next(texts), piece.level)
        add_paragraphs(builder, scans.get(number, []))
    return builder


def _read_page(document: PdfDocument, index: int) -> list[Line]:
    """Return the lines of a page, none for a page that cannot be read or has no text layer."""
    import pypdfium2

    try:
        page = document[index]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []
    try:
        return list(_iterate_lines(text_page, page))
    finally:
        text_page.close()
        page.close()


def _iterate_lines(text_page: PdfTextPage, page: PdfPage) -> Iterator[Line]:
    """Yield a page's lines, measured at their first, middle and last character."""
    box = page.get_bbox()
    offset = 0
    for raw_line in text_page.get_text_range(errors="surrogatepass").split("\n"):
        text = raw_line.strip()
        start = offset + raw_line.find(text)
        # The engine counts UTF-16 units, of which rare characters take two.
        offset += _count_units(raw_line) + 1
        if text:
            yield _measure_line(text_page, text, start, box)


def _count_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _measure_line(
    text_page: PdfTextPage, text: str, start: int, box: tuple[float, float, float, float]
) -> Line:
    end = start + _count_units(text) - 1
    first, middle, last = (_measure_character(text_page, place) for place in (start, (start + end) // 2, end))
    size = sorted([first.size, middle.size, last.size])[1]
    along, across = cos(radians(first.angle)), sin(radians(first.angle))
    baseline = first.y * along - first.x * across
    edges = [y * along - x * across for x in box[::2] for y in box[1::2]]
    height = max(edges) - min(edges)
    return Line(
        text=text,
        left=first.x * along + first.y * across,
        right=last.x * along + last.y * across + size / 2,
        baseline=baseline,
        last_baseline=last.y * along - last.x * across,
        size=size,
        depth=(max(edges) - baseline) / height if height else 0.5,
        angle=first.angle,
        is_bold=first.is_bold and last.is_bold,
    )


def _measure_character(text_page: PdfTextPage, place: int) -> _Character:
    """Measure the character at a place of the page's text."""
    from pypdfium2 import raw

    index = raw.FPDFText_GetCharIndexFromTextIndex(text_page, place)
    matrix, x, y = raw.FS_MATRIX(1, 0, 0, 1, 0, 0), ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetMatrix(text_page, index, matrix)
    raw.FPDFText_GetCharOrigin(text_page, index, x, y)
    return _Character(
        x=x.value,
        y=y.value,
        size=raw.FPDFText_GetFontSize(text_page, index) * hypot(matrix.c, matrix.d),
        angle=round(degrees(atan2(matrix.b, matrix.a))),
        is_bold=_is_bold(text_page, index),
    )


def _is_bold(text_page: PdfTextPage, index: int) -> bool:
    from pypdfium2 import raw

    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    raw.FPDFText_GetFontInfo(text_page, index, name, len(name), flags)
    is_heavy = raw.FPDFText_GetFontWeight(text_page, index) >= 600
    return is_heavy or bool(flags.value & _BOLD_FLAG) or _BOLD_NAME.search(name.value) is not None
