import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.sentences import find_content_words, find_words, split_sentences, stem_word


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   \n ", []),
        ("One.", ["One."]),
        ("One is left. Two! Three? Four", ["One is left.", "Two!", "Three?", "Four"]),
        ("It costs 3.50 marks. Pay at noon.", ["It costs 3.50 marks.", "Pay at noon."]),
        ("Ask Dr. Smith. He knows.", ["Ask Dr. Smith.", "He knows."]),
        ("Bring tools, e.g. A hammer.", ["Bring tools, e.g. A hammer."]),
        ("J. Smith left.", ["J. Smith left."]),
        ("1. Open the valve.", ["1. Open the valve."]),
        ("First line\nSecond line", ["First line", "Second line"]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("可以休假。需要申请。", ["可以休假。", "需要申请。"]),
        ("Wait... Then go.", ["Wait...", "Then go."]),
        ("Dogs. They travel free. Cats pay.", ["Dogs. They travel free.", "Cats pay."]),
        ("It is late.\nLost property. Hand it in.", ["It is late.", "Lost property. Hand it in."]),
        ("Dogs travel free. Always. On all ships.", ["Dogs travel free.", "Always.", "On all ships."]),
        ("Version 2.1 is out. Über alles.", ["Version 2.1 is out.", "Über alles."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, expected):
    assert expected == split(text)


@given(st.text(st.sampled_from("ab AB.!?\"')\n 1。é")))
def test_sentences_are_in_order_and_leave_only_blanks_out(text):
    spans = split_sentences(text)

    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert "".join(text.split()) == "".join("".join(split(text)).split())
    assert all(piece == piece.strip() != "" for piece in split(text))


def test_words_keep_codes_and_numbers_together():
    assert find_words("Error GW-410 at 10:15 costs 3.50, don't!") == [
        "error",
        "gw-410",
        "at",
        "10:15",
        "costs",
        "3.50",
        "don't",
    ]


def test_content_words_meet_in_their_forms():
    assert find_content_words("The requests were cancelled") == find_content_words("requested cancelling")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ferries", "ferry"),
        ("requests", "requested"),
        ("boats", "boat"),
        ("prices", "price"),
        ("company's", "company"),
        ("cars", "car"),
        ("working", "works"),
    ],
)
def test_forms_of_a_word_have_one_stem(one, other):
    assert stem_word(one) == stem_word(other)


@pytest.mark.parametrize("word", ["gw-410", "2025", "bus", "class", "gas", "status", "1990s"])
def test_what_only_looks_like_an_ending_stays(word):
    assert word == stem_word(word)
