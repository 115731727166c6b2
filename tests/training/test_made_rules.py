import pytest

from chatbot.training.made_rules import QUESTIONS_A_PAGE, load_matters, make_rule_questions

QUESTIONS = make_rule_questions(200, seed=1)


def test_the_same_seed_makes_the_same_pages():
    assert make_rule_questions(20, seed=1) == QUESTIONS[: 20 * QUESTIONS_A_PAGE]
    assert make_rule_questions(20, seed=2) != QUESTIONS[: 20 * QUESTIONS_A_PAGE]


def test_every_answer_is_a_whole_sentence_of_the_question_s_matter():
    sentences = {
        question: {matter.says[place].rstrip(".") for place in places}
        for matter in load_matters()
        for question, places in matter.asked.items()
    }

    for item in QUESTIONS:
        if item.answer is not None:
            start, end = item.answer
            assert item.gold.text[start:end] in sentences[item.question]


def test_a_page_that_does_not_answer_holds_no_sentence_that_does():
    answers = {
        question: [matter.says[place].rstrip(".") for place in places]
        for matter in load_matters()
        for question, places in matter.asked.items()
    }
    unanswered = [item for item in QUESTIONS if item.answer is None]

    assert 0.3 < len(unanswered) / len(QUESTIONS) < 0.6
    for item in unanswered:
        assert not any(answer in item.gold.text for answer in answers[item.question])


def test_near_misses_are_on_other_matters_than_the_question():
    for item in QUESTIONS:
        told = item.gold.text[slice(*item.answer)] if item.answer else None
        assert told is None or not any(told in near.text for near in item.near_misses)


@pytest.mark.parametrize("matter", load_matters(), ids=lambda matter: matter.says[0][:30])
def test_every_matter_is_told_asked_about_and_evaded(matter):
    assert len(matter.says) > 1
    assert matter.evades
    assert matter.asked
    assert all(places and places <= set(range(len(matter.says))) for places in matter.asked.values())
    assert not set(matter.evades) & set(matter.says)
