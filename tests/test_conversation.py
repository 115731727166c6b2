import pytest

from chatbot.conversation import is_follow_up, make_standalone
from chatbot.types import Message


def history(*questions: str) -> list[Message]:
    return [
        message
        for question in questions
        for message in (Message("user", question), Message("assistant", "An answer about zebras."))
    ]


def test_the_first_question_stands_as_it_is():
    assert make_standalone("And what about it?", []) == "And what about it?"


def test_a_question_that_stands_alone_is_left_alone():
    question = "How many days of annual leave do shore staff have?"

    assert question == make_standalone(question, history("When does the ferry to Tolsay leave?"))


@pytest.mark.parametrize(
    "question",
    [
        "And on Sundays?",
        "What about dogs?",
        "How much does it cost?",
        "Why?",
        "Who approves that?",
        "When is it due?",
    ],
)
def test_a_question_that_leans_on_the_last_gets_its_words(question):
    standalone = make_standalone(question, history("When does the ferry to Tolsay leave?"))

    assert is_follow_up(question)
    assert standalone.startswith("When does the ferry to Tolsay leave?")
    assert question.split()[-1] in standalone


def test_two_follow_ups_in_a_row_reach_back_to_the_topic():
    standalone = make_standalone("And on Mondays?", history("When does the ferry leave?", "And on Sundays?"))

    assert "ferry" in standalone
    assert "Mondays" in standalone


def test_the_model_s_own_words_are_never_searched_for():
    assert "zebra" not in make_standalone("And then?", history("When does the ferry leave?"))


@pytest.mark.parametrize("question", ["", "   ", "???", "and"])
def test_a_question_of_nothing_is_no_error(question):
    assert isinstance(make_standalone(question, history("When does the ferry leave?")), str)
