import io
import json

import pytest

from chatbot.terminal import (
    Terminal,
    describe_outcome,
    describe_place,
    describe_progress,
    describe_report,
    format_passage,
    format_sources,
    mark_citations,
    shorten,
)


class Screen(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


PASSAGE = {
    "number": 1,
    "title": "Ferry",
    "heading": "Times",
    "page": 3,
    "date": "2025-03-01",
    "path": "ferry.md",
    "similarity": 0.5,
    "vector_rank": 1,
    "word_rank": None,
    "text": "The ferry leaves at noon.",
}
ANSWER = {
    "text": "At noon. Dogs pay.",
    "found": True,
    "citations": [
        {"passage_number": 1, "answer_end": 8, "quote": "The ferry leaves at noon."},
        {"passage_number": 2, "answer_end": 18, "quote": "Dogs pay."},
    ],
    "unsupported": [],
    "passages": [PASSAGE, PASSAGE | {"number": 2}, PASSAGE | {"number": 3}],
}


def test_results_and_progress_go_to_different_streams():
    output, progress = Screen(is_terminal=False), Screen(is_terminal=False)
    terminal = Terminal(output, progress)
    terminal.note("working")
    terminal.say("result")
    terminal.say_json({"ü": 1})

    assert progress.getvalue() == "working\n"
    assert output.getvalue().splitlines()[0] == "result"
    assert json.loads(output.getvalue().removeprefix("result\n")) == {"ü": 1}


def test_on_a_terminal_a_note_replaces_the_last_and_leaves_no_trace(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    progress = Screen(is_terminal=True)
    terminal = Terminal(Screen(is_terminal=True), progress)
    with terminal.noting():
        terminal.note("a long note that does not fit")
        terminal.note("short")

    written = progress.getvalue()
    assert "\n" not in written
    assert all(len(part) <= 19 for part in written.split("\r"))
    assert written.split("\r")[-1] == ""


def test_every_cited_sentence_gets_its_number():
    assert mark_citations(ANSWER) == "At noon. [1] Dogs pay. [2]"


def test_only_cited_passages_are_sources():
    assert [line.split()[0] for line in format_sources(ANSWER) if line.startswith("[")] == ["[1]", "[2]"]


def test_without_an_answer_the_nearest_passages_are_named():
    lines = format_sources(ANSWER | {"found": False, "citations": []})

    assert [line.split()[0] for line in lines] == ["[1]", "[2]", "[3]"]


def test_a_place_names_each_thing_once():
    assert describe_place(PASSAGE) == "Ferry · Times · page 3 · 2025-03-01 · ferry.md"
    assert (
        describe_place(PASSAGE | {"heading": "Ferry", "page": None, "date": None, "path": "Ferry"}) == "Ferry"
    )


def test_a_passage_says_why_it_was_found():
    lines = format_passage(PASSAGE)

    assert "nearest vector #1" in lines[1]
    assert "shared words" not in lines[1]
    assert lines[2] == "    The ferry leaves at noon."


@pytest.mark.parametrize(
    ("seconds", "left", "expected"),
    [(1.0, 9.0, "1 s"), (3.0, 9.0, "about 9 s left"), (3.0, None, "3 s")],
)
def test_progress_tells_what_is_left_once_it_can_be_known(seconds, left, expected):
    progress = {"files_done": 0, "files_total": 2, "current": "a.md", "chunks_done": 0}

    assert describe_progress(progress | {"seconds": seconds, "seconds_left": left}).endswith(expected)


def test_outcomes_name_file_and_reason():
    failed = {"result": "failed", "path": "a.pdf", "reason": "It is damaged."}

    assert describe_outcome(failed) == "failed   a.pdf: It is damaged."
    assert describe_outcome({"result": "added", "path": "b.md", "chunks": 2}) == "added    b.md (2 chunks)"
    assert describe_outcome({"result": "removed", "path": "c.md", "chunks": 0}) == "removed  c.md"


def test_a_report_counts_every_kind():
    report = {
        "corpus": "notes",
        "outcomes": [{"result": "added"}, {"result": "failed"}, {"result": "added"}],
        "unchanged": 4,
        "chunks": 7,
        "seconds": 1.25,
        "stopped": True,
    }

    text = describe_report(report)
    assert text.startswith("notes: stopped; 2 added, 0 changed, 0 removed, 1 failed, 4 unchanged")


def test_long_text_is_cut_between_words():
    assert shorten("one  two\nthree", 10) == "one two…"
    assert shorten("short", 10) == "short"


def test_a_sentence_without_a_source_says_so():
    answer = ANSWER | {"citations": ANSWER["citations"][:1], "unsupported": [[9, 18]]}

    assert mark_citations(answer) == "At noon. [1] Dogs pay. [no source]"
