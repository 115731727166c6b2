"""The builder's promise: blocks and text agree, whatever goes in. And dates, for whatever is written."""

from __future__ import annotations

import time
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.documents.metadata import find_date, is_meaningful_title
from chatbot.documents.text import TextBuilder, clean_line, join_cells, split_cells

any_text = st.text(
    st.characters() | st.sampled_from("\x00\u200b\u200d\ufeff\ud800\U000e0041 \n\r\t|\u0301é\u2028")
)
step = st.one_of(
    st.tuples(st.sampled_from(["heading", "paragraph", "list_item", "code"]), any_text),
    st.tuples(st.sampled_from(["table_row", "table_header"]), st.lists(any_text, max_size=4)),
    st.sampled_from([("page", ""), ("end", "")]),
)


def build(steps: list) -> TextBuilder:
    """Return a builder that has taken all steps."""
    builder = TextBuilder()
    for kind, content in steps:
        match kind:
            case "page":
                builder.start_page()
            case "end":
                builder.end_group()
            case "table_row" | "table_header":
                builder.add_row(content, header=kind == "table_header")
            case _:
                builder.add(kind, content, 1)
    return builder


@given(st.lists(step))
def test_blocks_hold_all_words_in_order(steps: list):
    """Blocks lie in order, hold what is not white space, and are a line or a blank line apart."""
    text, blocks, _ = build(steps).build()
    end = 0
    for block in blocks:
        assert text[end : block.start] in ({""} if end == 0 else {"\n", "\n\n"})
        assert text[block.start : block.end].strip()
        end = block.end
    assert end == len(text)


@given(st.lists(step))
def test_text_is_clean(steps: list):
    """No hidden or control character is left, and the text is in form NFC."""
    text, _, _ = build(steps).build()
    assert unicodedata.is_normalized("NFC", text)
    assert not any(
        unicodedata.category(character) in ("Cc", "Cs") for character in text if character not in "\n\t"
    )
    assert not {"\u200b", "\ufeff", "\U000e0041"} & set(text)


@given(st.lists(step))
def test_pages_begin_at_blocks(steps: list):
    """The first page begins at 0, others at a block or at the end, in order."""
    text, blocks, pages = build(steps).build()
    places = {0, len(text)} | {block.start for block in blocks}
    assert len(pages) == sum(1 for kind, _ in steps if kind == "page")
    assert list(pages) == sorted(pages)
    assert set(pages) <= places


@given(any_text)
def test_cleaning_twice_changes_nothing(text: str):
    """Clean text is clean."""
    assert clean_line(clean_line(text)) == clean_line(text)


@given(st.lists(any_text, min_size=1))
def test_cells_come_apart_as_they_were_joined(cells: list[str]):
    """Every cell, empty ones too, is found again in its row."""
    row = join_cells(cells)
    clean = [clean_line(cell) for cell in cells]
    assert row == "" or len(split_cells(row)) == len(clean)
    if row and not any("|" in cell for cell in clean):
        assert [row[start:end] for start, end in split_cells(row)] == clean


def test_lists_and_tables_are_a_line_apart():
    """Items and rows follow each other closely; what ends a group opens a gap."""
    builder = TextBuilder()
    builder.add("list_item", "a", 1)
    builder.add("list_item", "b", 2)
    builder.add_row(["h", "i"], header=True)
    builder.add_row(["1", "2"])
    builder.add_row(["k", "l"], header=True)
    assert builder.build()[0] == "a\nb\n\nh | i\n1 | 2\n\nk | l"


def test_joiners_stay_where_a_script_needs_them():
    """A joiner between Persian letters is spelling; between Latin letters it only hides something."""
    assert clean_line("می\u200cخواهم") == "می\u200cخواهم"
    assert clean_line("pass\u200cword") == "password"


def test_ligatures_become_letters():
    """Words that a font draws with ligatures can be found by their letters."""
    assert clean_line("e\ufb03cient work\u2011flow") == "efficient work-flow"


WRITINGS = (
    "Effective {day} {month} {year}",
    "Last reviewed: {iso}",
    "Version of {day} {month} {year}",
    "Date: {month} {day}, {year}",
    "Some Heading\n\n{day}th {short}. {year}\n\nText",
    "(last updated on {iso})",
    "Published {day:02}.{number:02}.{year}",
    "Version 2.1, as of {iso}",
)
MONTHS = "January February March April May June July August September October November December".split()


@given(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(WRITINGS), st.text("abc \n", max_size=40)
)
def test_stated_dates_are_found(day: date, writing: str, before: str):
    """A date that is announced, or alone on its line, is found however it is written."""
    month = MONTHS[day.month - 1]
    parts = {
        "day": day.day,
        "month": month,
        "short": month[:3],
        "number": day.month,
        "year": day.year,
        "iso": day,
    }
    assert find_date(f"{before}\n{writing.format(**parts)}\nand text") == day.isoformat()


OTHER_DATES = (
    "",
    "The war ended on 8 May 1945.",
    "Effective 31 February 2025",
    "Date: 3/4/2025",
    "Version 1.2.2025.3",
    "x" * 1500 + "\nDate: 2025-01-01",
)


@pytest.mark.parametrize("text", OTHER_DATES)
def test_other_dates_are_not_taken(text: str):
    """Dates in a sentence, impossible, ambiguous or far down are not the document's."""
    assert find_date(text) is None


def test_long_rows_of_signs_take_no_time():
    """Words and signs that lead to no date are given up at once."""
    started = time.monotonic()
    assert find_date("Date" + " :" * 700) is None
    assert find_date("Version 1" + " on 1.1 :" * 150) is None
    assert time.monotonic() - started < 1


@given(st.text())
def test_find_date_takes_anything(text: str):
    """Whatever the text, the answer is a day or None."""
    found = find_date(text)
    assert found is None or date.fromisoformat(found)


def test_titles_of_programs_do_not_count():
    """Names that programs put in are told from titles."""
    assert not any(
        map(is_meaningful_title, ["", "untitled", "(anonymous)", "Document1", "report_v2.docx", "--"])
    )
    assert is_meaningful_title("Document retention policy")
