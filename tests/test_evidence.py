import pytest

from chatbot.evidence import (
    Evidence,
    asks_for_number,
    cut_text,
    finds_nothing,
    holds_number,
    rank_evidence,
)
from chatbot.grounding import list_source_spans
from chatbot.trust import SURELY_NONE
from tests.fakes import HashingEmbedder
from tests.makers import make_passage

PASSAGES = [
    make_passage("Opening hours\nThe harbour office opens daily. Bring your papers."),
    make_passage(
        "The harbour office opens at 08:30. Is the harbour office open? Dogs wait outside.", number=2
    ),
]


def rank(question, passages=PASSAGES):
    return rank_evidence(question, list_source_spans(passages), HashingEmbedder())


def test_the_sentence_that_answers_comes_first():
    assert rank("Where do dogs wait?")[0].span.text == "Dogs wait outside."


def test_a_question_for_a_number_wants_one():
    assert (
        rank("At what time does the harbour office open?")[0].span.text
        == "The harbour office opens at 08:30."
    )


def test_a_question_answers_nothing():
    evidence = rank("Is the harbour office open?")

    assert not evidence[0].span.text.endswith("?")


def test_every_single_sentence_is_scored_best_first():
    evidence = rank("When does the office open?")

    assert len(evidence) == 6
    assert sorted((item.score for item in evidence), reverse=True) == [item.score for item in evidence]


@pytest.mark.parametrize("passages", [[], [make_passage("")]])
def test_nothing_gives_no_evidence(passages):
    assert rank("When?", passages) == []


@pytest.mark.parametrize("question", ["", "what is it?", "???"])
def test_a_question_without_words_of_its_own_is_no_error(question):
    assert len(rank(question)) == 6


def test_a_sentence_longer_than_the_model_reads_is_cut_for_its_score_only():
    long = make_passage("ferry " * 500)

    [evidence] = rank("ferry", [long])

    assert long.text.strip() == evidence.span.text
    assert HashingEmbedder().count_tokens([cut_text(long.text, HashingEmbedder())])[0] <= 128


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many days?", True),
        ("When is it?", True),
        ("Who approves it?", False),
        ("What is the fee?", True),
    ],
)
def test_questions_for_numbers_are_known(question, expected):
    assert expected is asks_for_number(question)


@pytest.mark.parametrize(
    ("text", "expected"), [("at 8", True), ("on Monday", True), ("twelve", True), ("the office", False)]
)
def test_numbers_in_digits_and_words_are_known(text, expected):
    assert expected is holds_number(text)


def test_a_reading_model_that_finds_nothing_anywhere_is_believed():
    span = list_source_spans([make_passage("The code of the door is changed every month.")])[0]

    def weigh(*odds: float | None) -> bool:
        return finds_nothing([Evidence(span, 1.0, odds=item) for item in odds])

    assert weigh(SURELY_NONE - 1, SURELY_NONE - 5)
    assert not weigh(SURELY_NONE - 5, SURELY_NONE + 1)
    assert not weigh(None)
    assert not weigh()
