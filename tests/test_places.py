"""A quote is cited with the page, or the sheet and the rows, that it stands in."""

from pathlib import Path

import pytest

from chatbot.chunking import chunk_document
from chatbot.documents.formats import load_document
from chatbot.explanation import name_rows
from chatbot.grounding import make_citation, make_source_span
from chatbot.places import find_page, find_rows, join_starts
from chatbot.types import Block, Chunk, ParsedDocument, Passage, SheetRows
from chatbot.web.export import describe_place, describe_quotes
from tests.documents.test_sheets import write_sparse_sheet


def count_words(texts):
    return [len(text.split()) + 2 for text in texts]


def make_chunks(document: ParsedDocument, max_tokens: int = 16) -> list[Chunk]:
    return chunk_document(document, document_id="d", count_tokens=count_words, max_tokens=max_tokens)


def make_passage(chunk: Chunk, path: str = "stock.xlsx") -> Passage:
    return Passage(1, chunk, "notes", path, "Stock", None, 1.0, 1.0)


def cite(chunk: Chunk, words: str):
    start = chunk.text.index(words)
    span = make_source_span(make_passage(chunk), start, start + len(words))
    return make_citation(span, 0, 1, support=1.0)


@pytest.fixture
def workbook(tmp_path: Path) -> ParsedDocument:
    path = tmp_path / "stock.xlsx"
    write_sparse_sheet(path)
    return load_document(path)


def test_every_row_of_a_workbook_is_cited_with_its_sheet_and_number(workbook):
    """However small the chunks are, and with the chunk's characters exact."""
    for max_tokens in (9, 16, 300):
        chunks = make_chunks(workbook, max_tokens)
        assert all(workbook.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
        for words, number in (("Bolt", 4), ("Nut", 7), ("Washer", 9)):
            [chunk] = [chunk for chunk in chunks if words in chunk.text]
            assert cite(chunk, words).rows == SheetRows("Stock", number, number)


def test_rows_of_a_passage_are_told_as_a_range():
    assert name_rows("Stock", 4, 9) == "sheet “Stock”, rows 4–9"
    assert name_rows("Stock", 4, 4) == "sheet “Stock”, row 4"
    assert name_rows("", 4, 4) == "row 4"


def test_the_place_of_a_passage_names_the_sheet_once(workbook):
    """Without quotes all rows of the passage are named, with some those from the first to the last."""
    chunk = next(chunk for chunk in make_chunks(workbook, 300) if "Bolt" in chunk.text)
    passage = make_passage(chunk)

    assert describe_place(passage) == "Stock of 2024 · sheet “Stock”, rows 1–9"
    quotes = [cite(chunk, "Nut"), cite(chunk, "Bolt")]
    assert describe_quotes(passage, quotes) == "Stock of 2024 · sheet “Stock”, rows 4–7"


def test_a_row_that_is_cut_keeps_its_number_in_all_its_chunks(tmp_path):
    """Also in the chunk that begins in the middle of it, and where neighbours are joined."""
    path = tmp_path / "long.csv"
    path.write_text("Name,Text\nAda," + "long words go on " * 20 + "\nBo,short\n")
    chunks = make_chunks(load_document(path), 24)

    inside = [chunk for chunk in chunks if "words" in chunk.text and "Bo" not in chunk.text]
    assert len(inside) > 2
    assert {cite(chunk, "words").rows for chunk in inside} == {SheetRows("", 2, 2)}
    assert [number for _, number in join_starts(chunks)] == [1, 2, 3]


def test_a_quote_behind_a_page_break_is_cited_with_its_own_page():
    """A chunk that reaches over pages begins on one and may be quoted on another."""
    text = "First page ends here.\n\nSecond page begins here.\n\nThird."
    starts = (0, text.index("Second"), text.index("Third"))
    blocks = tuple(Block("paragraph", at, at + text[at:].find(".") + 1) for at in starts)
    [chunk] = make_chunks(ParsedDocument("Title", text, blocks, starts), 100)

    assert [cite(chunk, words).page for words in ("First", "Second", "Third")] == [1, 2, 3]
    assert find_rows(chunk, 0, 5) is None
    pages = [make_chunks(ParsedDocument("Title", text, blocks, starts), 6)]
    joined = join_starts(pages[0])
    assert joined == tuple((start, number) for number, start in enumerate(starts, 1))[1:]
    assert find_page(chunk, len(text)) == 3
