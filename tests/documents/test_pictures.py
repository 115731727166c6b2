"""Pictures and scanned pages: read by a program where there is one, else refused with what to install."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from chatbot.documents import image
from chatbot.documents.formats import load_document
from chatbot.documents.reader import DocumentReader
from chatbot.documents.recognition import find_recognizer
from chatbot.errors import CorruptDocument, DocumentTooLarge, EmptyDocument, UnsupportedFormat
from tests.documents.test_formats import describe

HEAD = "level page_num block_num par_num line_num word_num left top width height conf text".split()


def make_row(paragraph: int, line: int, confidence: float, word: str) -> str:
    """A row for a word as Tesseract writes it."""
    return "\t".join(map(str, (5, 1, 1, paragraph, line, 1, 0, 0, 9, 9, confidence, word)))


ROWS = (
    *(make_row(1, 1, 96, word) for word in ("The", "ferry", "de-")),
    *(make_row(1, 2, 95, word) for word in ("parts", "at", "noon.")),
    make_row(1, 2, 12, "Not"),
    *(make_row(2, 1, 20, word) for word in ("~|", "#@")),
)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A picture of one sentence."""
    picture = Image.new("RGBA", (1400, 220), (0, 0, 0, 0))
    ImageDraw.Draw(picture).text((40, 60), "The ferry departs at noon.", "black", ImageFont.load_default(72))
    path = tmp_path / "scan.png"
    picture.save(path)
    return path


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program with Tesseract's name that reads the same rows in every picture."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "rows").write_text("\n".join(["\t".join(HEAD), *ROWS]) + "\n")
    program = folder / "tesseract"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = --list-langs ]; then printf "List:\\ndeu\\neng\\nosd\\n"; exit; fi\n'
        f'while read -r _; do :; done\nIFS=; while read -r row; do echo "$row"; done < {folder}/rows\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return program


@pytest.fixture
def no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program at all can be found."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def make_scanned_pdf(path: Path, picture: Path) -> Path:
    """A PDF of a page with words, one with a picture, and an empty one."""
    canvas = Canvas(str(path))
    canvas.drawString(72, 700, "Words of the first page.")
    canvas.showPage()
    canvas.drawImage(str(picture), 60, 400, 480, 80, mask="auto")
    canvas.showPage()
    canvas.showPage()
    canvas.save()
    return path


def test_words_in_a_picture_are_read(scan: Path, stand_in: Path):
    """Paragraphs are put together of the program's words; those that it hardly could read are left out."""
    with DocumentReader() as reader:
        document = reader.read(scan)

    assert describe(document) == "paragraph 0 The ferry departs at noon. Not\n"
    assert document.title == "Scan"


def test_languages_are_those_installed_english_first(stand_in: Path):
    """The program is asked for what it can read, and data that are no language left aside."""
    recognizer = find_recognizer()

    assert recognizer is not None
    assert recognizer.languages == ("eng", "deu")


@pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")
def test_the_real_program_reads_a_picture_and_a_scanned_page(scan: Path, tmp_path: Path):
    """Tesseract itself reads a sentence in a picture, and in a page of a PDF, inside the child's limits."""
    pdf = make_scanned_pdf(tmp_path / "scan.pdf", scan)

    with DocumentReader() as reader:
        assert reader.read(scan).text == "The ferry departs at noon."
        assert reader.read(pdf).text == "Words of the first page.\n\nThe ferry departs at noon."


def test_scanned_pages_are_read_in_their_place(scan: Path, tmp_path: Path, stand_in: Path):
    """A page without a text layer is read as a picture, an empty one is not; all keep their numbers."""
    document = load_document(make_scanned_pdf(tmp_path / "mixed.pdf", scan))

    assert document.text == "Words of the first page.\n\nThe ferry departs at noon. Not"
    assert document.page_starts == (0, 26, len(document.text))
    assert (document.recognized_pages, document.unread_pages) == ("2", "3")


def test_every_page_of_a_scan_is_read(scan: Path, tmp_path: Path, stand_in: Path):
    """The pictures in one TIFF are pages."""
    path = tmp_path / "fax.tiff"
    with Image.open(scan) as picture:
        page = picture.convert("RGB")
    page.save(path, save_all=True, append_images=[page, page])

    document = load_document(path)

    assert document.text.count("The ferry departs") == 3
    assert len(document.page_starts) == 3


def test_without_the_program_pictures_are_refused_with_what_to_install(scan: Path, no_program: None):
    """The error says that a program is missing and which."""
    with pytest.raises(UnsupportedFormat, match="no program that reads") as refusal:
        load_document(scan)

    assert "apt install tesseract-ocr" in refusal.value.next_step


def test_without_the_program_scans_are_told_from_other_pdfs(scan: Path, tmp_path: Path, no_program: None):
    """Pages with a text layer are read as ever; a PDF of pictures alone says what to install."""
    mixed = make_scanned_pdf(tmp_path / "mixed.pdf", scan)
    canvas = Canvas(str(tmp_path / "scans.pdf"))
    canvas.drawImage(str(scan), 60, 400, 480, 80)
    canvas.save()

    document = load_document(mixed)
    assert document.text == "Words of the first page."
    assert (document.recognized_pages, document.unread_pages) == ("", "2-3")
    with pytest.raises(EmptyDocument, match="no text layer") as refusal:
        load_document(tmp_path / "scans.pdf")
    assert "Tesseract" in refusal.value.next_step


def test_pictures_without_words_say_so(scan: Path, stand_in: Path):
    """A photograph is refused: there are no words in it."""
    (stand_in.parent / "rows").write_text("\t".join(HEAD) + "\n")

    with pytest.raises(EmptyDocument, match="no words could be read"):
        load_document(scan)


def test_a_program_that_fails_costs_one_file(scan: Path, stand_in: Path):
    """Where the program ends with an error the picture is refused by name."""
    stand_in.write_text(
        '#!/bin/sh\nif [ "$1" = --list-langs ]; then printf "List:\\neng\\n"; exit; fi\nexit 1\n'
    )

    with pytest.raises(CorruptDocument, match="Tesseract failed"):
        load_document(scan)


def test_broken_and_huge_pictures_are_refused(tmp_path: Path, stand_in: Path):
    """Half a picture, bytes that are none, and one of too many pixels never reach the program."""
    cut, other, huge = tmp_path / "cut.png", tmp_path / "other.jpg", tmp_path / "huge.png"
    Image.effect_noise((400, 400), 50).save(cut)
    cut.write_bytes(cut.read_bytes()[:5000])
    other.write_bytes(b"GIF8 and no more")
    Image.new("1", (20_000, image.MAX_PIXELS // 20_000 + 1)).save(huge)

    for path in (cut, other):
        with pytest.raises(CorruptDocument, match="is damaged"):
            load_document(path)
    with pytest.raises(DocumentTooLarge, match="million pixels"):
        load_document(huge)
