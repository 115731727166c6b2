"""Reading the words in pictures (OCR) with Tesseract, where that program is installed."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from chatbot.documents.text import TextBuilder

if TYPE_CHECKING:
    from PIL.Image import Image

INSTALL_STEP = (
    "Install Tesseract (on Debian and Ubuntu: apt install tesseract-ocr) and check the folder again, "
    "or run text recognition (OCR) over the file and add the result."
)

RECOGNIZED_SUFFIXES = (".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif")
"""Endings of files that may hold pictures of pages."""

MAX_PIXELS = 40_000_000

_PROGRAM = "tesseract"
_SECONDS_TO_ASK = 10
_SECONDS_A_PICTURE = 60
_MAX_LANGUAGES = 4
_NO_LANGUAGES = ("osd", "equ")
# Below this, of 100, a paragraph is more often made of dirt and drawings than read. Single words are never
# left out: a sentence that lacks its "not" is worse than one that is misspelt.
_MIN_PARAGRAPH_CONFIDENCE = 60
_SURE_CONFIDENCE = 75
_SMALL_PIXELS = 2_000_000
_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[a-zß-ÿ])")

Word = dict[str, str]
"""A row of Tesseract's table."""


@dataclass(frozen=True, slots=True)
class Recognizer:
    """The program that reads pictures, and the languages that it has learnt."""

    program: str
    languages: tuple[str, ...]

    def read_picture(self, picture: Image) -> list[str]:
        """Return the paragraphs in a picture, without what could hardly be read.

        A small picture in which much is unsure is read once more at twice its size. Raises OSError or
        subprocess.SubprocessError where the program fails.
        """
        grey = _make_grey(picture)
        words = self._read_words(grey)
        is_small = grey.width * grey.height <= _SMALL_PIXELS
        if words and is_small and _rate_words(words) < _SURE_CONFIDENCE:
            larger = self._read_words(grey.resize((grey.width * 2, grey.height * 2)))
            words = max(words, larger, key=_rate_words)
        return list(_join_paragraphs(words))

    def _read_words(self, grey: Image) -> list[Word]:
        """Return the program's table, which has a row for each word."""
        buffer = io.BytesIO()
        grey.save(buffer, "PNG")
        command = [self.program, "stdin", "stdout", "-l", "+".join(self.languages)]
        finished = subprocess.run(
            [*command, "-c", "tessedit_create_tsv=1"],
            input=buffer.getvalue(),
            capture_output=True,
            timeout=_SECONDS_A_PICTURE,
            check=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        table = io.StringIO(finished.stdout.decode("utf-8", "replace"))
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row.get("level") == "5" and (row.get("text") or "").strip()]


def find_recognizer() -> Recognizer | None:
    """Return the installed program and up to four of its languages, English first; None without it."""
    program = shutil.which(_PROGRAM)
    if not program:
        return None
    try:
        finished = subprocess.run(
            [program, "--list-langs"], capture_output=True, timeout=_SECONDS_TO_ASK, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = finished.stdout.decode("utf-8", "replace").split("\n")[1:]
    languages = sorted(
        (name.strip() for name in found if name.strip() not in ("", *_NO_LANGUAGES)),
        key=lambda name: (name != "eng", "/" in name, name),
    )
    return Recognizer(program, tuple(languages[:_MAX_LANGUAGES])) if languages else None


def is_recognizer_installed() -> bool:
    """Whether the program is there; it is not asked anything."""
    return shutil.which(_PROGRAM) is not None


def add_paragraphs(builder: TextBuilder, paragraphs: list[str]) -> None:
    """Append what was read in a picture: lists and headings are taken from how they look."""
    from chatbot.documents.plain import add_plain_text

    add_plain_text(builder, "\n\n".join(paragraphs))


def _make_grey(picture: Image) -> Image:
    """Return the picture in shades of grey on white, made smaller where it is huge."""
    from PIL import Image as Images

    if picture.has_transparency_data:
        opaque = picture.convert("RGBA")
        picture = Images.alpha_composite(Images.new("RGBA", opaque.size, "white"), opaque)
    grey = picture.convert("L")
    scale = (MAX_PIXELS / (grey.width * grey.height)) ** 0.5
    if scale < 1:
        grey = grey.resize((max(1, int(grey.width * scale)), max(1, int(grey.height * scale))))
    return grey


def _join_paragraphs(words: list[Word]) -> Iterator[str]:
    """Yield the paragraphs of which enough could be read."""
    for _, group in groupby(words, key=lambda row: (row["page_num"], row["block_num"], row["par_num"])):
        paragraph = list(group)
        if _rate_words(paragraph) >= _MIN_PARAGRAPH_CONFIDENCE:
            lines = groupby(paragraph, key=lambda row: row["line_num"])
            text = "\n".join(" ".join(word["text"] for word in line) for _, line in lines)
            yield _HYPHENATED.sub("", text)


def _rate_words(words: list[Word]) -> float:
    """Return how sure the program is of these words, from 0 to 100."""
    return sum(map(_rate, words)) / len(words) if words else 0.0


def _rate(row: Word) -> float:
    try:
        return float(row["conf"])
    except (KeyError, TypeError, ValueError):
        return 0.0
