import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.amounts import Amount
from chatbot.bands import find_amounts_asked, find_bands, keep_right_bands, settles_amount
from chatbot.evidence import rank_evidence
from chatbot.grounding import list_source_spans
from tests.fakes import HashingEmbedder
from tests.makers import make_passage

TABLE = """Value | Approved by
up to £500 | Budget holder
£500.01 to £5,000 | Team lead
£5,000.01 to £100,000 | Director
above £100,000 | Board"""
APPROVERS = [(500, "Budget holder"), (5_000, "Team lead"), (100_000, "Director"), (math.inf, "Board")]


def choose(question, *texts):
    passages = [make_passage(text, number=number) for number, text in enumerate(texts, 1)]
    spans = list_source_spans(passages)
    evidence = rank_evidence(question, spans, HashingEmbedder())
    return evidence, keep_right_bands(evidence, spans, question)


def list_texts(evidence):
    return [item.span.text for item in evidence]


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("up to £500", 500, 500.01),
        ("under £500", 499.99, 500),
        ("above £500", 500.01, 500),
        ("at least £500", 500, 499),
        ("£500 or more", 500, 499),
        ("£500+", 500, 499),
        ("£500 or less", 500, 501),
        ("no more than £500", 500, 501),
        ("≤ £500", 500, 501),
        ("> £500", 501, 500),
        ("£10k to £20k", 20_000, 20_001),
        ("£10 to under £20", 19.5, 20),
        ("between £10 and £20", 10, 9),
        ("£1 million upwards", 1_000_000, 999_999),
    ],
)
def test_a_band_holds_the_amounts_within_its_bounds(text, inside, outside):
    (band,) = find_bands(text)

    assert band.holds(Amount(inside, "£"))
    assert not band.holds(Amount(outside, "£"))
    assert not band.holds(Amount(inside, "mass"))


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("more than 5 kg", "A parcel of 6,000 g"),
        ("Child, 5 to 15 years", "How much for a child of eight?"),
        ("Children under 5 travel free", "for a 4-year-old"),
        ("between three and eight years", "after 60 months"),
        ("Parties of 12 or more foot passengers", "We are 15 people"),
        ("From the eighth day we need a note", "ill for ten days"),
        ("Goods vehicles over 7.5 tonnes", "a lorry of 8,000 kg"),
        ("stops at 32 to 40 knots", "at 60 km/h"),
        ("a share of 20-30%", "with 25 per cent"),
        ("up to 20 megabytes", "a file of 12 MB"),
    ],
)
def test_units_are_told_apart_and_brought_to_one_measure(text, question):
    (amount,) = find_amounts_asked(question)
    (band,) = find_bands(text)

    assert band.holds(amount)


@pytest.mark.parametrize(
    "text", ["The meeting on 3 to 5 May", "LS-437 or more", "Route 1 to 3", "GW-410", ""]
)
def test_what_measures_nothing_is_no_band(text):
    assert find_bands(text) == []


def test_the_name_of_a_column_may_hold_the_unit():
    (band,) = find_bands("5–20", "Weight (kg)")

    assert band.holds(Amount(20, "mass"))


@given(st.integers(min_value=1, max_value=10_000_000))
def test_of_a_table_of_bands_only_the_row_that_holds_the_amount_is_left(pounds):
    question = f"Who approves a contract worth £{pounds:,}?"

    _, kept = choose(question, TABLE)

    rows = [text for text in list_texts(kept) if text != TABLE.split("\n")[0]]
    assert [row.split(" | ")[1] for row in rows] == [next(who for most, who in APPROVERS if pounds <= most)]


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text):
    for band in find_bands(text):
        assert band.low is None or band.high is None or band.low <= band.high


@given(
    st.integers(min_value=0, max_value=10**9),
    st.integers(min_value=0, max_value=10**9),
    st.sampled_from(["£", "$", "€"]),
)
def test_a_range_holds_its_bounds_and_nothing_beyond(first, second, sign):
    low, high = sorted((first, second))

    (band,) = find_bands(f"from {sign}{low:,} to {sign}{high:,}")

    assert band.holds(Amount(low, sign))
    assert band.holds(Amount(high, sign))
    assert not band.holds(Amount(high + 1, sign))
    assert not band.holds(Amount(low - 1, sign))


def test_the_right_row_takes_the_best_place_of_its_table():
    evidence, kept = choose("Who approves £60,000 of spending by a budget holder?", TABLE)

    assert kept[0].span.text == "£5,000.01 to £100,000 | Director"
    assert kept[0].score == max(item.score for item in evidence if "£" in item.span.text)


def test_of_nested_bands_the_closest_answers():
    text = "Value | Approved by\nup to £100 | Anna\nup to £1,000 | Board of two\nup to £10,000 | Council"

    _, kept = choose("Who approves £700?", text)

    assert [text for text in list_texts(kept) if "£" in text] == ["up to £1,000 | Board of two"]


def test_a_question_for_more_than_an_amount_means_the_band_above_it():
    _, kept = choose("Who approves contracts above £100,000?", TABLE)

    assert "above £100,000 | Board" in list_texts(kept)
    assert "£5,000.01 to £100,000 | Director" not in list_texts(kept)


def test_sentences_of_one_paragraph_are_alternatives():
    text = "Contracts up to £50,000 are signed by the director. Contracts above £50,000 need the board."

    _, kept = choose("Who signs contracts of £80,000?", text)

    assert list_texts(kept) == ["Contracts above £50,000 need the board."]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Who approves a contract?", TABLE),
        ("Who approves 60 kg?", TABLE),
        ("Who gets £2,000?", "We pay up to £1,800 a year. Ask at the desk."),
        ("Who gets £2,000?", "We pay up to £1,800 a year.\n\nAnything above £500 needs a receipt."),
        ("Who signs for £60?", "Below £50 nobody signs and above £50 the board does. It meets on Mondays."),
    ],
)
def test_nothing_changes_where_no_other_line_holds_the_amount(question, text):
    evidence, kept = choose(question, text)

    assert kept == evidence


def test_tables_of_different_documents_do_not_tell_each_other_off():
    other = "Length | Fee\nup to £100 | nothing\nabove £100 | a tenth"

    _, kept = choose("What is the fee for £60,000?", TABLE, other)

    texts = list_texts(kept)
    assert "above £100 | a tenth" in texts
    assert "£5,000.01 to £100,000 | Director" in texts
    assert "up to £100 | nothing" not in texts


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Who approves £60?", "Value | By\nup to £500 | Anna", True),
        ("Who approves £600?", "Value | By\nup to £500 | Anna", False),
        ("Who approves it?", "Value | By\nup to £500 | Anna", False),
        ("Is a receipt needed for $30?", "Receipts for expenses over $25 are needed.", True),
        ("Is a receipt needed for 30 days?", "Receipts for expenses over $25 are needed.", False),
        ("What of 5 kg?", "Weight (kg) | Fee\n0-10 | £3", True),
    ],
)
def test_a_band_that_holds_the_amount_settles_the_question(question, text, expected):
    span = [span for span in list_source_spans([make_passage(text)]) if span.sentences == 1][-1]

    assert settles_amount(span, question) is expected
