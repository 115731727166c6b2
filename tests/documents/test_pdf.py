"""PDF: pages, headings, joined lines, mended words, removed margins, and pictures of pages."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from chatbot.documents.formats import load_document
from chatbot.documents.pdf_layout import HYPHENATION_MARK, mend_hyphenation
from chatbot.documents.pdf_page import render_page
from chatbot.documents.reader import DocumentReader
from chatbot.errors import DocumentError

BODY, BOLD = "Helvetica", "Helvetica-Bold"
PARAGRAPH = (
    "The committee met to discuss the inter-",
    "national agreement on well-known matters and it",
    "decided that nothing should be decided.",
)


def page_of(number: int) -> list:
    """Return a page with a header, a heading, two paragraphs, an item and a footer."""
    lines = [
        (BODY, 8, 800, f"ACME confidential {2020 + number}"),
        (BOLD, 18, 740, f"Chapter {'IXV'[number]} begins"),
    ]
    lines += [(BODY, 11, 700 - 14 * at, words) for at, words in enumerate(PARAGRAPH)]
    lines += [
        (BODY, 11, 640, f"Another paragraph, the only one of page {number}."),
        (BODY, 11, 620, "• An item"),
    ]
    return [*lines, (BODY, 8, 40, f"Page {number + 1} of 3")]


@pytest.fixture
def report(make_pdf) -> Path:
    return make_pdf([page_of(number) for number in range(3)])


def test_pdf_reads_like_the_page(report: Path):
    """Lines become paragraphs, sizes become headings, and repeated margins go."""
    document = load_document(report)

    first_page = document.text[: document.page_starts[1]]
    assert first_page == (
        "Chapter I begins\n\nThe committee met to discuss the international agreement on well-known matters "
        "and it decided that nothing should be decided.\n\n"
        "Another paragraph, the only one of page 0.\n\nAn item\n\n"
    )
    assert [block.kind for block in document.blocks][:4] == ["heading", "paragraph", "paragraph", "list_item"]
    assert document.title == "Chapter I begins"
    assert "confidential" not in document.text
    assert "of 3" not in document.text


def test_page_starts_point_at_the_first_word_of_each_page(report: Path):
    """Every page start is where that page's text begins."""
    document = load_document(report)

    assert [document.text[start:].split("\n")[0] for start in document.page_starts] == [
        "Chapter I begins",
        "Chapter X begins",
        "Chapter V begins",
    ]


def test_chapters_at_the_top_of_pages_are_no_headers(make_pdf):
    """Large lines that differ in their number stay; one that every page repeats stays once."""
    pages = [
        [
            (BOLD, 18, 800, "The Report"),
            (BOLD, 15, 780, f"Chapter {n}"),
            (BODY, 11, 700, "Words of the body. " * 3),
        ]
        for n in range(4)
    ]

    text = load_document(make_pdf(pages)).text

    assert text.count("The Report") == 1
    assert [text.count(f"Chapter {n}") for n in range(4)] == [1, 1, 1, 1]


def test_page_without_text_layer_stays_a_page(make_pdf):
    """A blank page between others keeps its number."""
    path = make_pdf([[(BODY, 11, 700, "One.")], [], [(BODY, 11, 700, "Three.")], []], title="Own title")

    document = load_document(path)

    assert document.page_starts == (0, 6, 6, 12)
    assert (document.text, document.title) == ("One.\n\nThree.", "Own title")


def test_stated_date_comes_before_that_of_the_file(make_pdf):
    """The date in the text is taken; without one the file's own."""
    dated = make_pdf([[(BODY, 11, 700, "Version of 12 June 2019")]], name="dated.pdf")
    undated = make_pdf([[(BODY, 11, 700, "No day is named.")]], name="undated.pdf")

    assert load_document(dated).date == "2019-06-12"
    assert (load_document(undated).date or "") > "2020"


def test_hyphens_stay_in_words_that_have_one():
    """A word broken at a line's end loses its hyphen unless the document writes it with one."""
    mark = HYPHENATION_MARK
    texts = [
        f"inter{mark}national Anglo{mark}Saxon well{mark}known in{mark}ter{mark}nal x{mark}",
        "well-known",
    ]

    assert mend_hyphenation(texts) == ["international Anglo-Saxon well-known internal x-", "well-known"]


def count_marked(png: bytes) -> int:
    """Return how many pixels of a picture are as yellow as the marker."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    pixels = image.tobytes()
    return sum(1 for at in range(0, len(pixels), 3) if pixels[at] > 240 and pixels[at + 2] < 150)


@pytest.mark.parametrize(
    "quote",
    [
        "discuss the international agreement",
        "Chapter I begins",
        "decided.  Another   paragraph, the only one",
    ],
)
def test_quote_is_marked_on_the_page(report: Path, quote: str):
    """Words over line ends, hyphenation and paragraph ends are found and marked."""
    assert count_marked(render_page(report, 1, highlights=[quote])) > 1000


def test_quote_that_goes_on_elsewhere_is_marked_in_part(report: Path):
    """What is on the page of a longer quote is marked."""
    quote = "Another paragraph, the only one of page 0. And then words that are on no page at all, ever."

    assert count_marked(render_page(report, 1, highlights=[quote])) > 1000


def test_page_is_shown_without_marks_where_the_words_are_not(report: Path):
    """An unknown quote and an empty one leave the page as it is."""
    assert count_marked(render_page(report, 1, highlights=["nowhere to be found", " "])) == 0


def test_scale_sets_the_size_and_is_bounded(report: Path):
    """A picture has scale pixels a point, but never more than the limit."""
    small = Image.open(io.BytesIO(render_page(report, 1, scale=0.5)))
    huge = Image.open(io.BytesIO(render_page(report, 1, scale=1000)))

    assert small.size == (298, 421)
    assert huge.width * huge.height < 21_000_000


def test_reader_renders_in_its_child(report: Path):
    """The reader gives the same picture, and the same error for a page that is not there."""
    with DocumentReader() as reader:
        assert reader.render_page(report, 2, scale=0.5) == render_page(report, 2, scale=0.5)
        with pytest.raises(DocumentError, match="has no page 9"):
            reader.render_page(report, 9)


def test_threads_may_render_at_once(report: Path):
    """The engine, which no two threads may use, is used by one after the other."""
    with ThreadPoolExecutor(4) as threads:
        pictures = list(threads.map(lambda number: render_page(report, 1 + number % 3, scale=0.5), range(12)))

    assert pictures == pictures[:3] * 4


def test_page_written_sideways_reads_like_any_other(tmp_path: Path):
    """Lines are put together along the direction in which they are written."""
    canvas = Canvas(str(tmp_path / "sideways.pdf"))
    canvas.setPageRotation(90)
    canvas.translate(595, 0)
    canvas.rotate(90)
    canvas.setFont(BODY, 11)
    for at, words in enumerate(PARAGRAPH):
        canvas.drawString(72, 460 - 14 * at, words)
    canvas.save()

    document = load_document(tmp_path / "sideways.pdf")

    assert len(document.blocks) == 1
    assert (
        count_marked(render_page(tmp_path / "sideways.pdf", 1, highlights=["the international agreement"]))
        > 1000
    )
