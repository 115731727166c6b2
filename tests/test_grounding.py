import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.grounding import ground_sentence, keeps_units, list_source_spans, strip_markup
from chatbot.sentences import split_sentences
from tests.makers import make_passage

DOCUMENT = (
    "Annual leave is paid. Shore staff have 27 days of annual leave. Crew have 32 days instead. "
    "Carried-over leave must not be taken after 30 June. Maria Kellan approves every request. "
    "The blue shed was painted in March."
)
CUT = DOCUMENT.index("Carried-over")
PASSAGES = [
    make_passage(DOCUMENT[:CUT].strip(), number=1, page=4),
    make_passage(DOCUMENT[CUT:], number=2, start=CUT, page=5),
]
SPANS = list_source_spans(PASSAGES)


def ground(sentence: str, *, start: int = 0, question: str = ""):
    return ground_sentence(sentence, start, SPANS, question=question)


def test_a_sentence_is_traced_to_the_very_characters_that_say_it():
    citation = ground("Shore staff get 27 days of annual leave.", start=10)

    assert citation is not None
    assert citation.quote == "Shore staff have 27 days of annual leave."
    assert citation.quote == DOCUMENT[citation.source_start : citation.source_end]
    assert (citation.answer_start, citation.answer_end) == (10, 50)
    assert (citation.passage_number, citation.page, citation.document_id) == (1, 4, "id of handbook.md")


def test_a_sentence_of_a_later_passage_points_into_its_place_of_the_document():
    citation = ground("Maria Kellan approves requests.")

    assert citation is not None
    assert (citation.passage_number, citation.page) == (2, 5)
    assert DOCUMENT[citation.source_start : citation.source_end] == "Maria Kellan approves every request."


def test_a_sentence_that_draws_on_two_neighbours_is_traced_to_both():
    citation = ground("Shore staff have 27 days of annual leave and crew have 32.")

    assert citation is not None
    assert "Shore staff" in citation.quote
    assert "Crew" in citation.quote


@pytest.mark.parametrize(
    "sentence",
    [
        "Shore staff have 28 days of annual leave.",
        "Shore staff have seven days of annual leave.",
        "Every request is approved by Peter Kellan.",
        "Shore staff do not have 27 days of annual leave.",
        "Carried-over leave must not be taken after 31 June.",
        "The weather on Mars is cold.",
        "",
        "...",
    ],
)
def test_a_wrong_number_name_or_negation_has_no_source(sentence):
    assert ground(sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "Shore staff have 27 days of annual leave [7].",
        "Shore staff have **27 days** of annual leave [1, 2].",
        "`Shore staff` have 27 days of annual leave.",
    ],
)
def test_the_model_s_own_marks_are_neither_words_nor_numbers(sentence):
    citation = ground(sentence)

    assert citation is not None
    assert citation.passage_number == 1
    assert citation.quote == "Shore staff have 27 days of annual leave."


def test_words_of_the_question_may_be_repeated_without_a_source():
    question = "How much holiday is granted to shore staff?"

    assert ground("The holiday granted to shore staff is 27 days.", question=question) is not None


def test_repeating_only_the_question_has_no_source():
    assert ground("Holiday is granted.", question="Which holiday is granted?") is None


def test_without_passages_nothing_has_a_source():
    assert ground_sentence("Shore staff have 27 days.", 0, [], question="") is None


def test_small_numbers_are_the_same_in_digits_and_words():
    spans = list_source_spans([make_passage("The ferry runs four times a day.")])

    assert ground_sentence("The ferry runs 4 times a day.", 0, spans, question="") is not None


def test_marks_are_taken_out_of_text():
    assert strip_markup("**Text** [1] and `more` [2, 3].") == "Text and more."


WORDS = sorted(set(DOCUMENT.replace(".", " ").split()))
ANSWERS = st.lists(
    st.lists(st.sampled_from([*WORDS, "28", "[3]", "not", "Zebra", "—"]), min_size=1, max_size=9).map(
        " ".join
    ),
    min_size=1,
    max_size=5,
).map(". ".join)


@given(ANSWERS, st.sampled_from(["", "How many days of leave?"]))
def test_whatever_is_answered_every_citation_points_at_characters_that_exist(answer, question):
    for start, end in split_sentences(answer):
        citation = ground(answer[start:end], start=start, question=question)
        if citation is None:
            continue
        assert citation.quote == DOCUMENT[citation.source_start : citation.source_end]
        assert answer[start:end] == answer[citation.answer_start : citation.answer_end]
        assert 0 < citation.support <= 1
        assert citation.passage_number in (1, 2)


@pytest.mark.parametrize(
    ("sentence", "source", "kept"),
    [
        ("One person can hold £15,000.", "A holding is limited to £15,000.", True),
        ("One person can hold 15,000.", "A holding is limited to £15,000.", False),
        ("One person can hold $15,000.", "A holding is limited to £15,000.", False),
        ("Wages went up by 3.4.", "Wages rise by 3.4%.", False),
        ("Wages went up by 3.4%.", "Wages rise by 3.4%.", True),
        ("You get 27 days.", "You get 27 days, and £27 a day.", False),
        ("You get 27 days.", "You get 27 days.", True),
        ("It costs £5.", "It costs 5 pounds.", True),
    ],
)
def test_a_number_keeps_the_sign_it_has_in_its_source(sentence, source, kept):
    assert keeps_units(sentence, source) == kept
