import json

import pytest

from chatbot.errors import CorpusError
from chatbot.evaluation.datasets import load_passages, load_questions
from chatbot.types import Message


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "file.jsonl"
        path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        return path

    return write


def test_a_question_comes_with_all_that_is_known_of_it(write):
    [question] = load_questions(
        write(
            {
                "question": "When?",
                "answers": ["noon", "12:00"],
                "source": "ferry.md",
                "category": "lookup",
                "history": [{"role": "user", "text": "Hi"}, {"role": "assistant", "text": "Hello"}],
            }
        )
    )

    assert (
        question.question,
        question.answers,
        question.answerable,
        question.gold,
        question.category,
    ) == ("When?", ("noon", "12:00"), True, ("ferry.md",), "lookup")
    assert (Message("user", "Hi"), Message("assistant", "Hello")) == question.history


@pytest.mark.parametrize(
    ("extra", "gold"),
    [
        ({}, ()),
        ({"source": None}, ()),
        ({"path": "a.md"}, ("a.md",)),
        ({"passage_id": 7}, ("7",)),
        ({"passage_ids": ["p1", 2]}, ("p1", "2")),
    ],
)
def test_the_place_of_the_answer_is_known_by_several_names(write, extra, gold):
    assert gold == load_questions(write({"question": "When?"} | extra))[0].gold


def test_a_question_without_an_answer_is_marked(write):
    assert load_questions(write({"question": "When?", "answerable": False}))[0].answerable is False


def test_empty_lines_are_passed_over(write):
    assert len(load_questions(write("", {"question": "When?"}, "   ", {"question": "Where?"}, ""))) == 2


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[1]",
        '"text"',
        {},
        {"question": ""},
        {"question": 5},
        {"question": "When?", "answers": "noon"},
        {"question": "When?", "answers": [5]},
        {"question": "When?", "history": "before"},
        {"question": "When?", "history": ["before"]},
        {"question": "When?", "history": [{"role": "user"}]},
        {"question": "When?", "history": [{"role": "user", "text": 5}]},
    ],
)
def test_a_broken_line_is_named_by_its_number(write, line):
    with pytest.raises(CorpusError, match="line 2"):
        load_questions(write({"question": "Fine?"}, line))


@pytest.mark.parametrize("line", ["{", {}, {"id": "p1"}, {"text": "no id"}, {"id": "p1", "text": 5}])
def test_a_broken_passage_is_named_by_its_number(write, line):
    with pytest.raises(CorpusError, match="line 2"):
        load_passages(write({"id": 1, "text": "Fine."}, line))


def test_a_passage_has_a_text_and_perhaps_a_title(write):
    first, second = load_passages(write({"id": 1, "text": "A."}, {"id": "p2", "title": "T", "text": "B."}))

    assert (first.id, first.title, first.text) == ("1", "", "A.")
    assert (second.id, second.title, second.text) == ("p2", "T", "B.")


@pytest.mark.parametrize("content", [None, "Büro".encode("latin-1")])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    if content:
        (tmp_path / "file.jsonl").write_bytes(content)

    with pytest.raises(CorpusError, match=r"file\.jsonl"):
        load_questions(tmp_path / "file.jsonl")
