"""Pictures (.png, .jpg and others): the words in them, where a program that reads them is installed."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.documents.files import read_bytes
from chatbot.documents.metadata import finish_document, name_from_path
from chatbot.documents.recognition import (
    INSTALL_STEP,
    RECOGNIZED_SUFFIXES,
    Recognizer,
    add_paragraphs,
    find_recognizer,
)
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument, DocumentTooLarge, EmptyDocument, UnsupportedFormat
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from PIL.Image import Image

NAME = "pictures"
SUFFIXES = tuple(suffix for suffix in RECOGNIZED_SUFFIXES if suffix != ".pdf")

MAX_PIXELS = 100_000_000
MAX_PAGES = 200

_KINDS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
_MARKS = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"GIF8")


def accepts(head: bytes) -> bool:
    """Whether the first bytes are those of a picture, of whichever kind."""
    return head.startswith(_MARKS) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def load(path: Path) -> ParsedDocument:
    """Read the words in a picture; each page of a scan that has several is a page.

    Raises UnsupportedFormat where no program is installed that reads them, EmptyDocument where it found no
    words, and DocumentError.
    """
    read_bytes(path, 1)  # so that a missing file and a missing right are told apart from a damaged one
    recognizer = find_recognizer()
    if recognizer is None:
        raise UnsupportedFormat(
            f"“{path.name}” is a picture, and no program that reads the words in pictures is installed.",
            INSTALL_STEP,
        )
    builder = TextBuilder()
    _add_pages(builder, path, recognizer)
    if builder.is_empty:
        raise EmptyDocument(
            f"“{path.name}” is a picture in which no words could be read.",
            "If there are words in it, scan it again larger and clearer.",
        )
    return finish_document(builder, path, titles=[name_from_path(path)])


def _add_pages(builder: TextBuilder, path: Path, recognizer: Recognizer) -> None:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():  # the size is checked here
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_KINDS) as picture:
                _check_size(path, picture)
                _read_pages(builder, picture, recognizer)
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except UnidentifiedImageError as error:
        raise _damaged(path) from error
    except (OSError, ValueError, SyntaxError, LookupError, TypeError, EOFError) as error:
        raise _damaged(path) from error
    except subprocess.SubprocessError as error:
        raise CorruptDocument(
            f"The words in “{path.name}” could not be read: Tesseract failed.",
            "Save the picture again, and try tesseract on it by hand.",
        ) from error


def _check_size(path: Path, picture: Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(path)


def _read_pages(builder: TextBuilder, picture: Image, recognizer: Recognizer) -> None:
    """Add the words of each page of a TIFF, and of the first frame of anything else."""
    pages = min(getattr(picture, "n_frames", 1), MAX_PAGES) if picture.format == "TIFF" else 1
    for number in range(pages):
        picture.seek(number)
        if pages > 1:
            builder.start_page()
        add_paragraphs(builder, recognizer.read_picture(picture))


def _too_large(path: Path) -> DocumentTooLarge:
    return DocumentTooLarge(
        f"“{path.name}” has more than {MAX_PIXELS // 10**6} million pixels.", "Save it smaller, or cut it up."
    )


def _damaged(path: Path) -> CorruptDocument:
    return CorruptDocument(
        f"“{path.name}” is damaged and could not be opened.", "Save the picture again and add that."
    )
