import pytest

from chatbot.evidence import (
    Evidence,
    answers_another_question,
    asks_for_number,
    cut_text,
    finds_nothing,
    holds_number,
    rank_evidence,
)
from chatbot.grounding import list_source_spans
from chatbot.sentences import find_content_words
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


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Can I work in the evening during leave?", True),
        ("Can I use my holidays after medical leave?", False),
        ("May I use holidays after a medical leave?", False),
    ],
)
@pytest.mark.parametrize("headings", [("Q: Can I use holidays after medical leave?",), ()])
def test_a_no_to_another_question_of_the_document_answers_nothing(question, expected, headings):
    before = "" if headings else "Q: Can I use holidays after medical leave?\n"
    passage = make_passage(f"{before}No, while you are away you are on leave.", headings=headings)
    span = list_source_spans([passage])[-1 if headings else 1]

    assert answers_another_question(span, frozenset(find_content_words(question))) is expected


def test_a_plain_statement_answers_whatever_it_is_below():
    span = list_source_spans([make_passage("No dogs are allowed.", headings=("Are cats allowed?",))])[0]

    assert not answers_another_question(span, frozenset({"dog", "allow"}))


def test_what_a_document_of_a_year_says_is_said_of_that_year():
    passages = [
        make_passage("The allowance is 120 marks.", number=1, path="old.md", date="2023-05-01"),
        make_passage("This replaces the paper of 2023.", number=2, path="new.md", date="2025-05-01"),
    ]

    assert rank("What is the allowance of 2023?", passages)[0].span.text == "The allowance is 120 marks."


@pytest.mark.parametrize("words", ["Not applicable.", "N/A", "A: It depends.", "Thank you for saying so."])
def test_a_sentence_that_says_nothing_counts_less_than_one_that_has_as_little_to_do_with_the_question(words):
    spans = list_source_spans([make_passage(f"{words}\nBlue curtains hang upstairs.")])

    ranked = rank_evidence("When can I enrol in the plan?", spans, HashingEmbedder())

    scores = {item.span.text: item.score for item in ranked}
    assert scores[words] < scores["Blue curtains hang upstairs."] - 0.25


def test_a_sentence_that_begins_like_an_empty_one_is_not_taken_for_one():
    spans = list_source_spans(
        [make_passage("None of the shops open on Sunday.\nThanks to Ada, lunch is free.")]
    )

    evidence = rank_evidence("Which shops open on Sunday?", spans, HashingEmbedder())

    assert evidence[0].span.text == "None of the shops open on Sunday."
    assert evidence[0].score > 0.3
