import pytest

from chatbot.training.kinds import KINDS
from chatbot.training.made_pages import QUESTIONS_A_PAGE, make_page_questions

QUESTIONS = make_page_questions(300, seed=1)


def test_the_same_seed_makes_the_same_pages():
    assert make_page_questions(20, seed=1) == QUESTIONS[: 20 * QUESTIONS_A_PAGE]
    assert make_page_questions(20, seed=2) != QUESTIONS[: 20 * QUESTIONS_A_PAGE]


def test_every_answer_is_whole_and_stands_where_it_is_said_to():
    for item in QUESTIONS:
        if item.answer is None:
            continue
        start, end = item.answer
        text = item.gold.text
        assert text[start:end].strip() == text[start:end] != ""
        around = text[max(start - 1, 0) : start] + text[end : end + 1]
        assert not any(character.isalnum() for character in around.removesuffix("s")), (item.question, text)


def test_some_questions_are_not_answered_by_their_page():
    unanswered = [item for item in QUESTIONS if item.answer is None]

    assert 0.25 < len(unanswered) / len(QUESTIONS) < 0.6


def test_a_question_that_its_page_does_not_answer_may_speak_of_what_the_page_names():
    unanswered = [item for item in QUESTIONS if item.answer is None]

    names = [any(word in item.gold.text for word in item.question.split()[-2:]) for item in unanswered]

    assert 0.2 < sum(names) / len(names) < 1.0


def test_pages_are_tables_and_lists_and_prose():
    texts = {item.gold.text for item in QUESTIONS}

    assert sum(" | " in text for text in texts) > 50
    assert sum(" | " not in text and ": " in text for text in texts) > 30
    assert sum(". " in text and " | " not in text for text in texts) > 30


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.label)
def test_every_property_is_asked_for_told_and_spoken_of_by_name(kind):
    for item in kind.properties:
        assert all("{e}" in question for question in item.questions)
        assert all("{e}" in sentence and "{v}" in sentence for sentence in item.sentences)
        assert item.evasions
        assert not any("{v}" in evasion for evasion in item.evasions)
