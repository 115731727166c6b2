import io
import json

import pytest

from chatbot.terminal import (
    Terminal,
    describe_outcome,
    describe_place,
    describe_progress,
    describe_report,
    format_changes,
    format_explanation,
    format_passage,
    format_sources,
    mark_citations,
    shorten,
)
from chatbot.types import SearchFilters
from chatbot.web.schemas import filters_to_json


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
    "also_in": [],
}
PLACE = {"title": "Old ferry", "page": None, "date": None, "path": "old/ferry.md"}
HIT = {
    "path": "ferry.md",
    "title": "Ferry",
    "heading": "Times",
    "page": 3,
    "similarity": 0.5,
    "sentence_similarity": None,
    "vector_rank": 1,
    "word_rank": None,
    "word_score": None,
    "score": 0.0164,
    "number": 1,
    "dropped": "",
}
EXPLANATION = {
    "trace": {
        "question": "When does the fery leave?",
        "searched_for": "When does the ferry leave?",
        "filters": {"formats": ["md"]},
        "corrections": [{"word": "fery", "replacement": "ferry"}],
        "documents": 3,
        "documents_total": 40,
        "hits": [
            HIT,
            HIT | {"number": None, "dropped": "below the first 1", "word_rank": 2, "word_score": 4.25},
            HIT | {"number": None, "dropped": "below the first 1"},
        ],
        "seconds": {"embedding": 0.0124, "unknown": 0.5},
        "notes": ["Nothing holds “tide tables”."],
    },
    "prompt": {
        "messages": [{"role": "user", "content": "Text:\n\n" + "noon " * 40}],
        "tokens": 1234,
        "limit_tokens": 1900,
        "passages": [1],
        "dropped": 2,
    },
    "answerable": True,
    "asks_model": True,
    "is_survey": False,
    "best_evidence": 0.75,
    "floor": 0.6,
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
    assert "slide 3" in describe_place(PASSAGE | {"path": "ferry.PPTX"})
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


def test_other_places_stand_below_their_source_and_their_passage():
    passage = PASSAGE | {"also_in": [PLACE, PLACE | {"page": 2}]}
    expected = "    also in: Old ferry · old/ferry.md; Old ferry · page 2 · old/ferry.md"

    assert expected in format_sources(ANSWER | {"passages": [passage]})
    assert expected in format_passage(passage)


def test_corrections_and_notes_are_told_in_sentences():
    assert format_changes(EXPLANATION["trace"]) == [
        "Did you mean “ferry”? No document holds “fery”, so “ferry” was searched for.",
        "Nothing holds “tide tables”.",
    ]


def test_a_correction_of_an_earlier_question_is_not_told_again():
    trace = EXPLANATION["trace"]

    assert len(format_changes(trace, "When does the fery leave?")) == 2
    assert format_changes(trace, "And on Sundays?") == ["Nothing holds “tide tables”."]


def test_an_explanation_goes_from_the_question_to_the_prompt():
    lines = format_explanation(EXPLANATION)

    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    order = [
        "When does the fery leave?",
        "Searched for  When does the ferry leave?",
        "Did you mean “ferry”?",
        "Filter        type md",
        "3 of 40 were searched",
        "Nothing holds “tide tables”.",
        "[1]   #1   0.500",
        "(a)   #1   0.500   –         #2 4.25",
        "(a)   below the first 1",
        "Making the question's vector:    0.012 s",
        "Unknown:                         0.500 s",
        "The language model would be asked: the best sentence scores 0.75, and 0.60 is needed.",
        "Prompt: 1,234 of 1,900 tokens, passages 1; 2 did not fit",
        "  user",
    ]
    places = [text.find(part) for part in order]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": None}, "No language model is loaded"),
        ({"prompt": None, "trace": EXPLANATION["trace"] | {"question": ""}}, "There is no question"),
        ({"is_survey": True}, "would not be asked: this question is about the documents as a whole"),
        ({"asks_model": False}, "would not be asked: the sentence that is quoted says it best"),
        ({"asks_model": False, "answerable": False, "best_evidence": 0.2}, "scores 0.20, and 0.60 is needed"),
        ({"asks_model": False, "answerable": False}, "do not hold what the question asks for"),
    ],
)
def test_an_explanation_says_why_no_model_would_be_asked(changes, words):
    assert any(words in line for line in format_explanation(EXPLANATION | changes))


def test_a_search_that_found_nothing_is_explained_too():
    trace = EXPLANATION["trace"] | {"hits": []}

    assert "Nothing was found." in format_explanation(EXPLANATION | {"trace": trace})


def test_filters_that_were_typed_are_told_however_many_they_are():
    filters = filters_to_json(
        SearchFilters(files=tuple(f"{number}.md" for number in range(30)), phrases=("a" * 201,))
    )
    trace = EXPLANATION["trace"] | {"filters": filters}

    assert any("file 0.md or 1.md" in line for line in format_explanation(EXPLANATION | {"trace": trace}))
