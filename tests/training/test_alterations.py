from random import Random

import pytest

from chatbot.training.alterations import alter_question, leave_out_answer

TEXT = "The ferry Marta left Tolsay in 1990. The ferry Greta left Oban in 1994."


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "question",
    [
        "When did Marta leave Tolsay first?",
        "What left Tolsay in 1990?",
        "Which ferry was the largest?",
        "How many crew did Marta carry in 1990?",
    ],
)
def test_an_altered_question_is_another_one(question, seed):
    altered = alter_question(question, TEXT, TEXT, Random(seed))

    assert altered != question


def test_a_number_becomes_another_number_of_the_text():
    altered = {alter_question("what sank in 1990?", TEXT, "", Random(seed)) for seed in range(20)}

    assert altered == {"what sank in 1994?"}


def test_a_name_becomes_one_of_its_kind():
    altered = {alter_question("where did Marta go", TEXT, "Then Greta came.", Random(1)) for _ in range(5)}

    assert altered <= {"where did Greta go", "where did not Marta go"}


def test_a_question_with_nothing_to_alter_gives_none():
    assert alter_question("why so blue", TEXT, TEXT, Random(1)) is None


def test_the_answer_is_left_out_with_its_sentence():
    start = TEXT.index("1990")

    assert leave_out_answer(TEXT, start, start + 4) == "The ferry Greta left Oban in 1994."


def test_an_answer_that_stands_twice_cannot_be_left_out():
    start = TEXT.index("ferry")

    assert leave_out_answer(TEXT, start, start + 5) is None


def test_a_text_of_one_sentence_cannot_lose_it():
    assert leave_out_answer("It left in 1990.", 11, 15) is None
