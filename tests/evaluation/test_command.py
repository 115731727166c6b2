import json
from dataclasses import replace

import pytest

from chatbot import build
from chatbot.errors import CorpusError, SettingsError
from chatbot.evaluation.command import EvaluationPlan, run_evaluation
from chatbot.evaluation.datasets import Question, Slip
from chatbot.evaluation.report import (
    find_shortfalls,
    flatten_figures,
    format_report,
    parse_minimum,
    write_report,
)
from chatbot.evaluation.run import QuestionResult, sample_questions
from chatbot.evaluation.summary import summarize_spelling
from chatbot.settings import load_settings
from chatbot.types import Correction, SearchTrace
from tests.fakes import HashingEmbedder, ScriptedGenerator

DOCUMENTS = {
    "ferry.md": "# Ferry\n\nThe ferry leaves at noon.\n",
    "dogs.md": "# Dogs\n\nDogs travel free of charge.\n",
    "berths.md": "# Berths\n\nA berth costs 12 marks.\n",
}
QUESTIONS = [
    {"question": "When does the ferry leave?", "answers": ["noon"], "source": "ferry.md"},
    {"question": "What does a berth cost?", "answers": ["12 marks"], "source": "berths.md"},
    {"question": "Do dogs travel free of charge?", "answers": ["free of charge"], "source": "dogs.md"},
    {"question": "Zyx qwv plugh?", "answers": [], "answerable": False},
]
REPLIES = [
    "The ferry leaves at noon.",
    "A berth costs 13 marks.",
    "Dogs travel free of charge.",
    "Zebras sing.",
]


def write_lines(path, records) -> None:
    path.write_text("\n".join(json.dumps(record) for record in records))


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A corpus with three documents and four questions; the models are scripted."""
    folder = tmp_path / "corpora" / "notes"
    (folder / "documents").mkdir(parents=True)
    for name, text in DOCUMENTS.items():
        (folder / "documents" / name).write_text(text)
    write_lines(folder / "questions.jsonl", QUESTIONS)
    monkeypatch.setattr(build, "make_embedder", lambda *_: HashingEmbedder())
    monkeypatch.setattr(build, "make_generator", lambda *_: ScriptedGenerator(*REPLIES))
    return load_settings(
        corpora_folder=folder.parent, corpus="notes", watch_seconds=0, evidence_floor=0.3, answer_style="free"
    )


def run(settings, **plan):
    return run_evaluation(EvaluationPlan(**plan), settings, lambda _: None)


def test_a_corpus_is_measured_on_its_own_questions(settings):
    report = run(settings, corpus="notes")

    assert report["retrieval"] == {
        "recall@1": 1.0,
        "recall@5": 1.0,
        "recall@10": 1.0,
        "all@10": 1.0,
        "mrr": 1.0,
        "n": 3,
    }
    assert report["answers"]["n"] == 3
    assert report["answers"]["right"] == pytest.approx(1.0)
    assert (report["citations"]["exist"], report["citations"]["support"]) == (1.0, 1.0)
    assert (report["citations"]["gold"], report["citations"]["reached"]) == (1.0, 1.0)
    assert report["questions"][0]["cited"] == ["ferry.md"]
    assert report["abstention"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert [question["question"] for question in QUESTIONS] == [
        question["question"] for question in report["questions"]
    ]
    assert [question["declined"] for question in report["questions"]] == [False, False, False, True]
    json.dumps(report)


def test_simpler_ways_of_answering_are_measured_beside_it(settings, monkeypatch):
    monkeypatch.setattr(build, "make_generator", lambda *_: ScriptedGenerator(REPLIES[0], repeat=True))
    report = run(settings, corpus="notes", baselines=True)

    assert report["best sentence"]["right"] == 1.0
    assert report["best sentence"]["declined"] is None
    assert {"right", "f1", "declined", "n"} == set(report["model untaught"]) == set(report["no documents"])
    first = report["questions"][0]["baselines"]
    assert first["best sentence"] == "The ferry leaves at noon."
    assert first["no documents"] == REPLIES[0]


def test_simpler_ways_can_be_measured_on_a_sample(settings, monkeypatch):
    monkeypatch.setattr(build, "make_generator", lambda *_: ScriptedGenerator(REPLIES[0], repeat=True))
    report = run(settings, corpus="notes", baselines=True, baseline_limit=2)

    assert sum(bool(item["baselines"]) for item in report["questions"]) == 2
    assert report["answers"]["n"] == 3
    low, high = report["intervals"]["best sentence"]["right"]
    assert 0 < low <= report["best sentence"]["right"] <= high
    assert "best sentence  right" in format_report(report)


def test_figures_come_with_their_intervals(settings):
    report = run(settings, corpus="notes")

    low, high = report["intervals"]["answers"]["right"]
    assert 0.3 < low < high == 1.0
    assert f"right 1.000 ({low:.2f} to {high:.2f})" in format_report(report)


def test_a_wrong_number_is_replaced_by_what_the_documents_say(settings):
    [_, berth, *_] = run(settings, corpus="notes")["questions"]

    assert "13" not in berth["answer"]
    assert berth["right"]


def test_retrieval_alone_needs_no_language_model(settings, monkeypatch):
    monkeypatch.setattr(build, "make_generator", lambda *_: pytest.fail("it was loaded"))

    report = run(settings, corpus="notes", retrieval_only=True)

    assert {"retrieval", "vectors alone", "words alone", "model", "questions"} == set(report)
    assert report["model"] is None


def test_each_way_of_searching_is_measured_alone(settings):
    [folder] = settings.corpora_folder.iterdir()
    write_lines(
        folder / "questions.jsonl",
        [{"question": "Fares for hounds, curs and mutts?", "answers": [], "source": "dogs.md"}],
    )
    report = run(settings, corpus="notes", retrieval_only=True)

    assert report["words alone"]["recall@10"] == 0.0
    assert report["vectors alone"]["recall@10"] == report["retrieval"]["recall@10"] == 1.0


def test_a_question_with_filters_is_searched_within_them(settings):
    [folder] = settings.corpora_folder.iterdir()
    asked = {"question": "What does a berth cost?", "answers": [], "source": "berths.md"}
    write_lines(folder / "questions.jsonl", [asked | {"filters": {"files": ["dogs.md"]}}])

    [record] = run(settings, corpus="notes", retrieval_only=True)["questions"]
    assert record["found"] == ["dogs.md"]

    write_lines(folder / "questions.jsonl", [asked | {"filters": {"colour": ["red"]}}])
    with pytest.raises(CorpusError, match="line 1: The filter “colour”"):
        run(settings, corpus="notes", retrieval_only=True)


def test_misspelt_questions_show_what_was_mended(settings):
    report = run(settings, corpus="notes", retrieval_only=True, misspelt=True, seed=2)

    spelling = report["spelling"]
    asked = [item for item in report["questions"] if item["slip"]]
    assert spelling["n"] == len(asked) == 4
    assert spelling["right"] + spelling["wrong"] + spelling["left"] == pytest.approx(1.0)
    for item, written in zip(report["questions"], QUESTIONS, strict=True):
        slip = item["slip"]
        assert item["question"].replace(slip["typed"], slip["word"]) == written["question"]
        if {"word": slip["typed"], "replacement": slip["word"]} in item["corrections"]:
            assert item["searched_for"] == written["question"]
    assert [item["slip"] for item in run(settings, corpus="notes", retrieval_only=True)["questions"]] == [
        None
    ] * len(QUESTIONS)


def make_result(typed: str, word: str, *corrections: tuple[str, str]) -> QuestionResult:
    question = Question(typed, (), True, (), slip=Slip(word, typed))
    trace = SearchTrace(typed, typed, corrections=tuple(Correction(*pair) for pair in corrections))
    return QuestionResult(question, trace, (), None)


def test_a_slip_is_mended_right_or_wrong_or_left_and_other_corrections_are_needless():
    results = [
        make_result("Fery", "Ferry", ("Fery", "ferry")),
        make_result("brth", "berth", ("brth", "birth"), ("Tolsay", "today")),
        make_result("dgos", "dogs"),
        make_result("Fery", "Ferry", ("Fery", "Ferry")),
    ]

    assert summarize_spelling(results) == {
        "right": 0.5,
        "wrong": 0.25,
        "left": 0.25,
        "needless": 0.25,
        "n": 4,
    }


def test_a_folder_of_documents_is_measured_without_touching_the_library(settings, tmp_path):
    report = run(
        settings,
        documents=settings.corpora_folder / "notes" / "documents",
        questions=settings.corpora_folder / "notes" / "questions.jsonl",
    )

    assert report["retrieval"]["recall@1"] == 1.0
    assert not (settings.data_folder / "library.sqlite3").exists()
    assert all(
        (settings.corpora_folder / "notes" / "documents" / name).read_text() == text
        for name, text in DOCUMENTS.items()
    )


def test_given_passages_are_read_without_a_search(settings, tmp_path):
    write_lines(
        tmp_path / "passages.jsonl",
        [{"id": name, "title": name, "text": text} for name, text in DOCUMENTS.items()],
    )

    report = run(
        settings,
        passages=tmp_path / "passages.jsonl",
        questions=settings.corpora_folder / "notes" / "questions.jsonl",
        given=2,
    )

    assert report["retrieval"] is None
    assert report["citations"]["exist"] == 1.0
    assert all(len(question["found"]) == 2 for question in report["questions"])
    assert next("ferry.md" in question["found"] for question in report["questions"])


def test_a_passage_file_is_searched(settings, tmp_path):
    write_lines(tmp_path / "p.jsonl", [{"id": name, "text": text} for name, text in DOCUMENTS.items()])
    write_lines(tmp_path / "q.jsonl", [{"question": "When does the ferry leave?", "passage_id": "ferry.md"}])

    report = run(settings, passages=tmp_path / "p.jsonl", questions=tmp_path / "q.jsonl", retrieval_only=True)

    assert report["retrieval"]["recall@1"] == 1.0


def test_a_sample_is_the_same_for_the_same_seed():
    drawn = [sample_questions(list(range(100)), limit=10, seed=seed) for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert sorted(drawn[0]) == drawn[0]
    assert list(range(5)) == sample_questions(list(range(5)), limit=10, seed=1)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"given": 3, "retrieval_only": True}, "--given"),
        ({"given": 0}, "--given cannot be 0"),
        ({"limit": 0}, "--limit cannot be 0"),
        ({"baselines": True, "baseline_limit": 0}, "--baselines cannot be 0"),
        ({"corpus": None}, "no questions"),
    ],
)
def test_plans_that_cannot_work_are_refused(settings, changes, complaint):
    with pytest.raises(SettingsError, match=complaint):
        run_evaluation(replace(EvaluationPlan(corpus="notes"), **changes), settings, lambda _: None)


def test_what_is_missing_is_named(settings, tmp_path):
    (tmp_path / "none.jsonl").write_text("")

    with pytest.raises(CorpusError, match="no question"):
        run(settings, corpus="notes", questions=tmp_path / "none.jsonl")
    with pytest.raises(CorpusError, match=r"missing\.jsonl"):
        run(settings, corpus="notes", questions=tmp_path / "missing.jsonl")
    with pytest.raises(CorpusError, match="nowhere"):
        run(
            settings,
            documents=tmp_path / "nowhere",
            questions=settings.corpora_folder / "notes" / "questions.jsonl",
        )


REPORT = {
    "retrieval": {"recall@5": 0.75, "mrr": None, "n": 4},
    "answers": {"right": 0.5, "n": 4},
    "seconds": {"answer": {"median": 1.5, "p95": None}},
    "model": "scripted",
    "questions": [],
}


def test_figures_have_a_full_and_a_short_name():
    figures = flatten_figures(REPORT)

    assert {"retrieval.recall@5": 0.75, "recall@5": 0.75, "answers.right": 0.5, "right": 0.5}.items() <= (
        figures.items()
    )
    assert (figures["seconds.answer.median"], figures["answer.median"]) == (1.5, 1.5)


def test_figures_below_their_minimum_are_named():
    assert find_shortfalls(REPORT, [("right", 0.5)]) == []
    assert find_shortfalls(REPORT, [("right", 0.6), ("recall@5", 0.7)]) == ["right is 0.500, below 0.6"]
    with pytest.raises(SettingsError, match="no figure 'speed'"):
        find_shortfalls(REPORT, [("speed", 1)])


@pytest.mark.parametrize("text", ["right", "right=", "=0.5", "right=high"])
def test_a_minimum_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="NAME=NUMBER"):
        parse_minimum(text)


def test_a_report_is_written_as_lines_and_as_json(tmp_path):
    write_report(REPORT, tmp_path / "out.json")

    assert json.loads((tmp_path / "out.json").read_text()) == REPORT
    assert [line.split()[0] for line in format_report(REPORT).splitlines()] == [
        "retrieval",
        "answers",
        "seconds",
    ]
    with pytest.raises(SettingsError, match="could not be written"):
        write_report(REPORT, tmp_path / "missing" / "out.json")
