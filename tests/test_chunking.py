import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.chunking import chunk_document, find_page, hash_text, join_for_embedding, split_sections
from chatbot.documents.text import TextBuilder
from chatbot.types import Block, ParsedDocument

WORDS = st.text(st.sampled_from(string.ascii_letters + "éß漢字。.!?,'-| 0123456789"), max_size=60)
LINES = st.one_of(
    WORDS,
    st.lists(WORDS, min_size=1, max_size=12).map(". ".join),
    st.text(max_size=30),
    st.text("ab ", min_size=1, max_size=3).map(lambda part: part * 80),
)
PIECES = st.one_of(
    st.tuples(st.sampled_from(["paragraph", "code"]), LINES, st.just(0)),
    st.tuples(st.just("heading"), WORDS, st.integers(1, 6)),
    st.tuples(st.just("list_item"), LINES, st.integers(1, 3)),
    st.tuples(st.just("table_header"), st.lists(WORDS, min_size=1, max_size=4), st.just(0)),
    st.tuples(st.just("table_row"), st.lists(WORDS, min_size=1, max_size=4), st.just(0)),
)


def build_document(pieces, *, title="Title") -> ParsedDocument:
    builder = TextBuilder()
    builder.start_page()
    for number, (kind, content, level) in enumerate(pieces):
        if number % 7 == 6:
            builder.start_page()
        if kind in ("table_header", "table_row"):
            builder.add_row(content, header=kind == "table_header")
        else:
            builder.add(kind, content, level)
    text, blocks, page_starts = builder.build()
    return ParsedDocument(title, text, blocks, page_starts)


DOCUMENTS = st.builds(build_document, st.lists(PIECES, max_size=25), title=WORDS)


def count_words(texts):
    return [len(text.split()) + 2 for text in texts]


def count_characters(texts):
    """Joined texts have a token more than their parts, as they may with byte-pair vocabularies."""
    return [-(-len(text) // 3) + 2 for text in texts]


def cut(document, *, count_tokens=count_words, max_tokens=40, document_id="doc"):
    return chunk_document(document, document_id=document_id, count_tokens=count_tokens, max_tokens=max_tokens)


def make_paragraph(text: str) -> ParsedDocument:
    return ParsedDocument("", text, (Block("paragraph", 0, len(text)),))


@given(DOCUMENTS, st.sampled_from([count_words, count_characters]), st.sampled_from([32, 40, 100]))
def test_every_visible_character_lies_in_exactly_one_chunk(document, count_tokens, max_tokens):
    chunks = cut(document, count_tokens=count_tokens, max_tokens=max_tokens)

    covered = [0] * len(document.text)
    for chunk in chunks:
        assert document.text[chunk.start : chunk.end] == chunk.text
        for offset in range(chunk.start, chunk.end):
            covered[offset] += 1
    expected = [1] * len("".join(document.text.split()))
    assert expected == [
        count for count, sign in zip(covered, document.text, strict=True) if not sign.isspace()
    ]
    assert max(covered, default=0) <= 1


@given(DOCUMENTS, st.sampled_from([32, 40, 100]))
def test_no_embedded_text_has_more_tokens_than_the_limit(document, max_tokens):
    chunks = cut(document, max_tokens=max_tokens)

    assert all(count <= max_tokens for count in count_words([join_for_embedding(item) for item in chunks]))


@given(DOCUMENTS)
def test_ids_are_unique_and_a_second_run_gives_the_same_chunks(document):
    first, second = cut(document), cut(document)

    assert first == second
    assert len(first) == len({chunk.id for chunk in first})
    assert list(range(len(first))) == [chunk.ordinal for chunk in first]


@given(DOCUMENTS)
def test_every_chunk_carries_the_page_on_which_it_begins(document):
    for chunk in cut(document):
        assert chunk.page is not None
        assert document.page_starts[chunk.page - 1] <= chunk.start


@given(DOCUMENTS, DOCUMENTS)
def test_chunks_of_two_documents_never_share_an_id(one, other):
    first = {chunk.id for chunk in cut(one, document_id="a")}

    assert first.isdisjoint(chunk.id for chunk in cut(other, document_id="b"))


def test_an_edit_leaves_the_ids_of_the_other_sections_alone():
    sections = [("heading", f"Part {number}", 1) for number in range(4)]
    texts = [("paragraph", f"Text of part {number}.", 0) for number in range(4)]
    before = [piece for pair in zip(sections, texts, strict=True) for piece in pair]
    after = [*before[:3], ("paragraph", "Something else.", 0), *before[4:]]

    ids_before = [chunk.id for chunk in cut(build_document(before))]
    ids_after = [chunk.id for chunk in cut(build_document(after))]

    assert [index for index in range(4) if ids_before[index] == ids_after[index]] == [0, 2, 3]


def test_the_same_paragraph_twice_becomes_two_chunks_with_two_ids():
    pieces = [("heading", "Same", 1), ("paragraph", "Same words.", 0)] * 2

    first, second = cut(build_document(pieces))

    assert first.text == second.text
    assert first.id != second.id


def test_a_table_header_is_repeated_as_context_of_later_rows():
    rows = [("table_row", [f"row {number}", "cell"], 0) for number in range(30)]
    document = build_document([("heading", "Prices", 2), ("table_header", ["Name", "Value"], 0), *rows])

    chunks = cut(document)

    assert len(chunks) > 1
    assert ["Name | Value"] * (len(chunks) - 1) == [chunk.context.split("\n")[-1] for chunk in chunks[1:]]
    assert "Name | Value" in chunks[0].text
    assert "Name | Value" not in chunks[0].context


def test_a_header_does_not_reach_the_table_after_a_paragraph():
    pieces = [
        ("table_header", ["Name", "Value"], 0),
        ("table_row", ["a", "b"], 0),
        ("paragraph", "word " * 30, 0),
        ("table_row", ["x", "y"], 0),
    ]

    assert "Name" not in cut(build_document(pieces))[-1].context


def test_headings_of_a_chunk_are_the_path_from_the_top():
    pieces = [
        ("heading", "Leave", 1),
        ("paragraph", "About leave.", 0),
        ("heading", "Parents", 2),
        ("paragraph", "About parents.", 0),
        ("heading", "Pay", 1),
        ("paragraph", "About pay.", 0),
    ]

    chunks = cut(build_document(pieces, title="Handbook"))

    assert [chunk.headings for chunk in chunks] == [("Leave",), ("Leave", "Parents"), ("Pay",)]
    assert [chunk.context for chunk in chunks] == [
        "Handbook > Leave",
        "Handbook > Leave > Parents",
        "Handbook > Pay",
    ]


def test_a_heading_stands_with_the_text_below_it():
    pieces = [("heading", "One", 1), ("heading", "Two", 2), ("paragraph", "Text.", 0)]

    [section] = split_sections(build_document(pieces))

    assert [block.kind for block in section.blocks] == ["heading", "heading", "paragraph"]


def test_a_document_without_words_has_no_chunks():
    assert cut(ParsedDocument("Empty", "", ())) == []


def test_a_title_longer_than_the_limit_leaves_room_for_the_text():
    document = build_document([("paragraph", "Short text.", 0)], title="long " * 500)

    [chunk] = cut(document)

    assert chunk.text == "Short text."
    assert count_words([join_for_embedding(chunk)])[0] <= 40


def test_a_megabyte_in_one_paragraph_is_cut_in_linear_time():
    document = make_paragraph(("The ferry leaves at noon. " * 40_000).strip())

    chunks = cut(document, max_tokens=100)

    assert sum(len(chunk.text.split()) for chunk in chunks) == len(document.text.split())


def test_a_megabyte_without_blanks_is_cut():
    document = make_paragraph("x" * 1_000_000)

    chunks = cut(document, count_tokens=count_characters, max_tokens=200)

    assert document.text == "".join(chunk.text for chunk in chunks)


@pytest.mark.parametrize(("offset", "page"), [(0, 1), (9, 1), (10, 2), (10_000, 3)])
def test_an_offset_is_on_the_page_that_begins_at_or_before_it(offset, page):
    assert find_page((0, 10, 20), offset) == page


def test_a_document_without_pages_has_no_page_numbers():
    assert find_page((), 5) is None


def test_a_hash_takes_text_that_is_not_valid_unicode():
    assert len(hash_text("\ud800")) == 32


HARD_TEXTS = {
    "long word": "Donaudampfschifffahrtsgesellschaft" * 200,
    "Chinese": "我们的政策规定员工可以休假。" * 300,
    "long line": "a1-b2_c3/" * 1200,
    "emoji": "🏳️‍🌈👩‍👩‍👧‍👦" * 200,
    "accents": "ǎéîȱü̈" * 500,
    "one sentence": "the ferry " * 2000,
    "special tokens": "[CLS] [SEP] <|endoftext|> [MASK] " * 200,
    "newlines": "line\n" * 3000,
}


@pytest.mark.models
@pytest.mark.parametrize("name", HARD_TEXTS)
def test_chunks_fit_the_real_embedding_model_whatever_the_text(minilm, name):
    text = HARD_TEXTS[name].strip()
    document = ParsedDocument("A title of some words", text, (Block("paragraph", 0, len(text)),))

    chunks = cut(document, count_tokens=minilm.count_tokens, max_tokens=minilm.max_tokens)

    assert max(minilm.count_tokens([join_for_embedding(chunk) for chunk in chunks])) <= minilm.max_tokens
    assert "".join(text.split()) == "".join("".join(chunk.text.split()) for chunk in chunks)


@pytest.mark.models
@given(document=DOCUMENTS)
def test_random_documents_fit_the_real_embedding_model(minilm, document):
    chunks = cut(document, count_tokens=minilm.count_tokens, max_tokens=64)

    assert max(minilm.count_tokens([join_for_embedding(chunk) for chunk in chunks]), default=0) <= 64


@pytest.mark.models
def test_the_chunks_of_the_shipped_corpus_fit_the_real_embedding_model(minilm, reader):
    folder = Path(__file__).parent.parent / "corpora" / "marrowick-ferries" / "documents"

    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        chunks = cut(reader.read(path), count_tokens=minilm.count_tokens, max_tokens=200)
        assert max(minilm.count_tokens([join_for_embedding(chunk) for chunk in chunks])) <= 200
