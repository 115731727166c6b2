import json
from random import Random

import pytest

from chatbot.errors import CorpusError
from chatbot.training.lessons import (
    LONGEST_TEXT_CHARACTERS,
    LabelledQuestion,
    PassageText,
    cut_around,
    draw_lesson,
    load_labelled_questions,
)

PASSAGES = [
    {"id": "a", "title": "Ferry_times", "text": "The Marta leaves at noon. It returns at dusk."},
    {"id": "b", "title": "Ferry_times", "text": "The Greta leaves Oban at seven. Dogs travel free."},
    {"id": "c", "title": "Hostel", "text": "A berth costs 12 marks."},
    {"id": "d", "title": "Unasked", "text": "The Marta leaves at noon, they say."},
]
QUESTIONS = [
    {"question": "When does the Marta leave?", "answers": ["noon"], "answer_start": 20, "passage_id": "a"},
    {"question": "When does the Greta leave?", "answers": ["seven"], "passage_id": "b", "split": "train"},
    {"question": "What costs 12 marks?", "answers": ["A berth"], "passage_id": "c", "split": "dev"},
    {"question": "Who sails?", "answers": [], "answerable": False, "passage_id": "a"},
    {"question": "Where?", "answers": ["nowhere in it"], "passage_id": "a"},
]


@pytest.fixture
def files(tmp_path):
    for name, rows in (("passages", PASSAGES), ("questions", QUESTIONS)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return tmp_path / "passages.jsonl", tmp_path / "questions.jsonl"


def test_questions_are_labelled_with_the_place_of_their_answer(files):
    labelled = load_labelled_questions(*files)

    assert [(item.question, item.answer and item.gold.text[slice(*item.answer)]) for item in labelled] == [
        ("When does the Marta leave?", "noon"),
        ("When does the Greta leave?", "seven"),
        ("What costs 12 marks?", "A berth"),
        ("Who sails?", None),
    ]
    assert labelled[0].gold.context == "Ferry times"


def test_questions_of_another_split_are_left_out(files):
    labelled = load_labelled_questions(*files, split="train")

    assert [item.question for item in labelled] == [
        "When does the Marta leave?",
        "When does the Greta leave?",
        "Who sails?",
    ]


def test_near_misses_are_other_passages_that_somebody_asks_about_and_hold_no_answer(files):
    for item in load_labelled_questions(*files):
        assert item.near_misses
        for miss in item.near_misses:
            assert miss != item.gold
            assert miss.context != "Unasked"
            if item.answer is not None:
                assert item.gold.text[slice(*item.answer)].lower() not in miss.text.lower()


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": "noon"},
        {"answers": [""]},
        {"answers": [7]},
        {"answer_start": "twenty"},
        {"question": None},
        {"question": "When? " * 100},
        {"passage_id": "nowhere"},
    ],
)
def test_a_question_that_cannot_be_learned_from_is_left_out(tmp_path, changes):
    for name, rows in (("passages", PASSAGES), ("questions", [QUESTIONS[0] | changes, QUESTIONS[1]])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))

    labelled = load_labelled_questions(tmp_path / "passages.jsonl", tmp_path / "questions.jsonl")

    assert [item.question for item in labelled] == [QUESTIONS[1]["question"]]


def test_files_without_a_usable_question_are_refused(files):
    with pytest.raises(CorpusError, match="holds no question whose answer"):
        load_labelled_questions(files[0], files[0])


ITEM = LabelledQuestion(
    "When does the Marta leave?",
    PassageText("Ferries", "It is late. The Marta leaves at noon."),
    (32, 36),
    near_misses=(PassageText("", "The Greta leaves at seven."), PassageText("", "A berth costs 12 marks.")),
    altered=("When does the Greta leave?",),
    left_out="It is late.",
)


@pytest.mark.parametrize("seed", range(200))
def test_every_lesson_with_an_answer_holds_it_in_its_first_passage(seed):
    lesson = draw_lesson(ITEM, Random(seed))

    if lesson.answer is None:
        is_altered = lesson.question in ITEM.altered
        assert is_altered or all("noon" not in passage.text for passage in lesson.passages)
    else:
        start, end = lesson.answer
        assert lesson.passages[0].text[start:end] == "noon"
        assert lesson.question.rstrip("?") == "When does the Marta leave"


def test_lessons_of_every_kind_are_drawn():
    lessons = [draw_lesson(ITEM, Random(seed)) for seed in range(300)]

    kinds = {(item.answer is None, len(item.passages), item.question) for item in lessons}

    assert len(kinds) >= 7


def test_a_question_that_its_passage_does_not_answer_is_a_lesson_without_an_answer():
    item = LabelledQuestion("Who sails?", PassageText("", "It is late. " * 200), None)

    lesson = draw_lesson(item, Random(1))

    assert (lesson.question, lesson.answer) == ("Who sails?", None)
    assert lesson.longest_characters <= LONGEST_TEXT_CHARACTERS


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("start", [0, 700, 2990])
def test_a_long_passage_is_cut_around_its_answer(seed, start):
    text = ("word " * 600)[:2990] + " the answer" + " word" * 300
    item = LabelledQuestion("?", PassageText("", text), (start, start + 4))

    cut, (first, last) = cut_around(item, Random(seed))

    assert len(cut.text) <= LONGEST_TEXT_CHARACTERS
    assert cut.text[first:last] == text[start : start + 4]
