"""A picture of a PDF's page on which quoted words are marked."""

from __future__ import annotations

import ctypes
import io
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.pdf import open_pdf
from chatbot.documents.text import clean_characters
from chatbot.errors import CorruptDocument, DocumentError

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfPage, PdfTextPage

Box = tuple[float, float, float, float]

MAX_PIXELS = 20_000_000

_MARKER_COLOUR = (255, 236, 102)
_PADDING_PIXELS = 1
# Hyphens are mended in the text and so do not count; neither do the engine's marks for them.
_IGNORED = frozenset("-\u00ad\u2010\u2011\x02\ufffe\ufffd")
_WORDS_A_PIECE = 6


def render_page(path: Path, page_number: int, *, highlights: Sequence[str] = (), scale: float = 2.0) -> bytes:
    """Return a PNG picture of page `page_number`, from 1, with the words of `highlights` marked in yellow.

    `scale` is pixels a point (1/72 inch), less where the picture would have more than `MAX_PIXELS`. Quotes
    are found without regard to white space and hyphens; what is not on the page is not marked. Raises
    DocumentError for an unknown page, and as `open_pdf` does.
    """
    import pypdfium2

    with open_pdf(path) as document:
        if not 1 <= page_number <= len(document):
            raise DocumentError(
                f"“{path.name}” has no page {page_number}.", f"Ask for a page from 1 to {len(document)}."
            )
        try:
            return _render(document[page_number - 1], highlights, scale)
        except pypdfium2.PdfiumError as error:
            raise CorruptDocument(
                f"Page {page_number} of “{path.name}” cannot be shown: it is damaged.", "Get the file again."
            ) from error


def _render(page: PdfPage, highlights: Sequence[str], scale: float) -> bytes:
    width, height = page.get_size()
    scale = min(scale, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
    bitmap = page.render(scale=scale, rev_byteorder=True)
    image = bitmap.to_pil().convert("RGB")
    text_page = page.get_textpage()
    boxes = [box for quote in highlights for box in find_quote(text_page, quote)]
    picture = _mark(image, [_place_on_bitmap(page, box, image.size) for box in boxes])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def find_quote(text_page: PdfTextPage, quote: str) -> list[Box]:
    """Return the boxes of a quote on its page, a line each: left, bottom, right, top in points.

    A quote that is not there as a whole, because it goes on elsewhere or something lies between its lines,
    is looked for in pieces of a few words.
    """
    characters = list(_read_characters(text_page))
    page_text = "".join(character for _, character in characters)
    words = clean_characters(quote).split()
    pieces = [words] if _squash(" ".join(words)) in page_text else _split_words(words)
    boxes: list[Box] = []
    for piece in pieces:
        squashed = _squash("".join(piece))
        start = page_text.find(squashed) if squashed else -1
        if start >= 0:
            first, last = characters[start][0], characters[start + len(squashed) - 1][0]
            boxes += _find_boxes(text_page, first, last - first + 1)
    return boxes


def _split_words(words: list[str]) -> list[list[str]]:
    pieces = [words[at : at + _WORDS_A_PIECE] for at in range(0, len(words), _WORDS_A_PIECE)]
    if len(pieces) > 1 and len(pieces[-1]) < _WORDS_A_PIECE:
        pieces[-1] = words[-_WORDS_A_PIECE:]
    return pieces


def _read_characters(text_page: PdfTextPage) -> Iterator[tuple[int, str]]:
    """Yield the characters that count, each with its index on the page."""
    from pypdfium2.raw import FPDFText_GetUnicode

    for index in range(text_page.count_chars()):
        for character in _squash(chr(min(FPDFText_GetUnicode(text_page, index), 0x10FFFF))):
            yield index, character


def _squash(text: str) -> str:
    """Return the characters that count for a comparison, in one form for ligatures and accents."""
    kept = (character for character in unicodedata.normalize("NFKD", text) if not character.isspace())
    return "".join(character for character in kept if character not in _IGNORED)


def _find_boxes(text_page: PdfTextPage, start: int, count: int) -> list[Box]:
    return [text_page.get_rect(index) for index in range(text_page.count_rects(start, count))]


def _place_on_bitmap(page: PdfPage, box: Box, size: tuple[int, int]) -> Box:
    """Return where a box in points lies on the picture, in pixels: left, top, right, bottom."""
    from pypdfium2.raw import FPDF_PageToDevice

    corners = []
    for x, y in (box[:2], box[2:]):
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, device_x, device_y)
        corners.append((device_x.value, device_y.value))
    (x1, y1), (x2, y2) = corners
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _mark(image: Image, boxes: Sequence[Box]) -> Image:
    """Return the picture as if a highlighter had gone over the boxes: white turns yellow, ink stays."""
    from PIL import Image as ImageModule
    from PIL import ImageChops, ImageDraw

    if not boxes:
        return image
    overlay = ImageModule.new("RGB", image.size, "white")
    draw = ImageDraw.Draw(overlay)
    for left, top, right, bottom in boxes:
        pad = _PADDING_PIXELS
        draw.rectangle((left - pad, top - pad, right + pad, bottom + pad), fill=_MARKER_COLOUR)
    return ImageChops.multiply(image, overlay)
