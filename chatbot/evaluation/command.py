"""The command `chatbot evaluate`: prepares a library for the questions, asks them, reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.build import build_service
from chatbot.conversation.standalone import make_standalone
from chatbot.corpora import find_documents_folder
from chatbot.errors import CorpusError, SettingsError
from chatbot.evaluation.baselines import make_baselines
from chatbot.evaluation.datasets import GivenPassage, Question, load_passages, load_questions
from chatbot.evaluation.run import (
    RETRIEVAL_DEPTH,
    FindPassages,
    GivenPassages,
    evaluate_question,
    misspell_question,
    sample_questions,
)
from chatbot.evaluation.summary import summarize, summarize_retrieval, summarize_spelling
from chatbot.retrieval.search import ALL_WAYS
from chatbot.scratch import make_scratch_settings
from chatbot.service import Service
from chatbot.settings import Settings
from chatbot.types import Block, ParsedDocument, SearchResult, SearchTrace

EVALUATION_CORPUS = "evaluation"
OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What to measure on what; see `chatbot evaluate --help`.

    :param baseline_limit: with `baselines`, only so many of the questions, drawn by the seed, are answered in
        the simpler ways too.
    """

    corpus: str | None = None
    documents: Path | None = None
    passages: Path | None = None
    questions: Path | None = None
    retrieval_only: bool = False
    given: int | None = None
    limit: int | None = None
    seed: int = 0
    misspelt: bool = False
    baselines: bool = False
    baseline_limit: int | None = None


def run_evaluation(plan: EvaluationPlan, settings: Settings, on_progress: OnProgress) -> dict[str, Any]:
    """Ask the plan's questions and return the report.

    :raises SettingsError: for options that contradict each other.
    :raises CorpusError: for questions, passages or documents that cannot be read.
    """
    check_plan(plan)
    if plan.corpus is not None:
        find_documents_folder(settings.corpora_folder, plan.corpus)
    questions = sample_questions(
        load_questions(find_questions(plan, settings)), limit=plan.limit, seed=plan.seed
    )
    if not questions:
        raise CorpusError("There is no question to ask.", "Name a file that holds some.")
    if plan.misspelt:
        questions = [misspell_question(question, plan.seed) for question in questions]
    with open_library(plan, settings, on_progress) as (service, corpus):
        assistant = None if plan.retrieval_only else service.make_assistant()
        find, read_source = choose_sources(plan, service, corpus)
        limit = settings.passage_limit if plan.given is None else None
        alone = sorted(ALL_WAYS) if plan.retrieval_only else []
        baselines = make_baselines(assistant) if plan.baselines and assistant is not None else {}
        compared = sample_questions(questions, limit=plan.baseline_limit, seed=plan.seed)
        results = [
            evaluate_question(
                question,
                find,
                assistant=assistant,
                corpus=corpus,
                passage_limit=limit,
                alone=alone,
                baselines=baselines if question in compared else {},
            )
            for question in count_off(questions, on_progress)
        ]
        report = summarize(results, read_source)
    if plan.given is not None:
        report["retrieval"] = None
    if plan.retrieval_only:
        report = {"retrieval": report["retrieval"]}
        report |= {f"{way} alone": summarize_retrieval(results, way) for way in alone}
    if plan.misspelt and plan.given is None:
        report["spelling"] = summarize_spelling(results)
    report["model"] = None if plan.retrieval_only else settings.generator
    report["questions"] = [result.describe() for result in results]
    return report


def check_plan(plan: EvaluationPlan) -> None:
    """Refuse options that contradict each other.

    :raises SettingsError: with what to change.
    """
    if plan.given is not None and plan.retrieval_only:
        raise SettingsError("--given leaves search out, --retrieval-only leaves all else out.", "Drop one.")
    if plan.baselines and plan.retrieval_only:
        raise SettingsError("--baselines writes answers, --retrieval-only writes none.", "Drop one.")
    if plan.given is not None and plan.given < 1:
        raise SettingsError(f"--given cannot be {plan.given}.", "Choose 1 or more.")
    for name, count in (("--limit", plan.limit), ("--baselines", plan.baseline_limit)):
        if count is not None and count < 1:
            raise SettingsError(f"{name} cannot be {count}.", "Choose 1 or more.")
    if plan.corpus is None and plan.questions is None:
        raise SettingsError("There are no questions.", "Name a file with --questions.")


def find_questions(plan: EvaluationPlan, settings: Settings) -> Path:
    """The question file: the one named, else the corpus's own."""
    if plan.questions is not None:
        return plan.questions
    return settings.corpora_folder / str(plan.corpus) / "questions.jsonl"


@contextmanager
def open_library(
    plan: EvaluationPlan, settings: Settings, on_progress: OnProgress
) -> Iterator[tuple[Service, str]]:
    """A ready service and the corpus to ask: the library's own, or one in a throw-away data folder."""
    if plan.corpus is not None:
        with run_service(settings, plan, on_progress) as service:
            corpus = service.catalogue.find_corpus(plan.corpus)
            ingest(service, corpus, on_progress)
            yield service, corpus
        return
    if plan.documents is not None and not plan.documents.is_dir():
        raise CorpusError(f"There is no folder {plan.documents}.", "Check --documents.")
    with (
        make_scratch_settings(settings, EVALUATION_CORPUS, documents=plan.documents) as own,
        run_service(own, plan, on_progress) as service,
    ):
        fill_library(service, plan, on_progress)
        yield service, EVALUATION_CORPUS


@contextmanager
def run_service(settings: Settings, plan: EvaluationPlan, on_progress: OnProgress) -> Iterator[Service]:
    """A service with the models that the plan needs, ready."""
    with build_service(settings) as service:
        service.start(generator=not plan.retrieval_only, ingest=False)
        service.wait_until_ready(on_progress)
        yield service


def fill_library(service: Service, plan: EvaluationPlan, on_progress: OnProgress) -> None:
    """Put the plan's documents or passages into the library, where search needs them."""
    if plan.passages is None:
        ingest(service, EVALUATION_CORPUS, on_progress)
    elif plan.given is None:
        passages = load_passages(plan.passages)
        for number, passage in enumerate(passages, 1):
            service.upkeep.add_text(EVALUATION_CORPUS, passage.id, parse_passage(passage))
            if number % 50 == 0:
                on_progress(f"embedding passage {number} of {len(passages)}")


def ingest(service: Service, corpus: str, on_progress: OnProgress) -> None:
    """Bring a corpus in step with its folder."""
    service.upkeep.ingest_now(
        corpus,
        lambda progress: on_progress(f"reading {progress.files_done + 1} of {progress.files_total}"),
        lambda _: None,
    )


def parse_passage(passage: GivenPassage) -> ParsedDocument:
    """A passage as a document whose lines are its paragraphs."""
    blocks = []
    position = 0
    for line in passage.text.split("\n"):
        stripped = line.strip()
        if stripped:
            start = position + line.index(stripped)
            blocks.append(Block("paragraph", start, start + len(stripped)))
        position += len(line) + 1
    return ParsedDocument(passage.title, passage.text, tuple(blocks))


def choose_sources(
    plan: EvaluationPlan, service: Service, corpus: str
) -> tuple[FindPassages, Callable[[str], str | None]]:
    """Where a question's passages come from, and how a cited document's text is read."""
    if plan.given is None:
        return (
            lambda question, ways: service.get_corpus_search().search(
                make_standalone(question.question, question.history),
                corpus=corpus,
                limit=RETRIEVAL_DEPTH,
                filters=question.filters,
                ways=ways,
            ),
            lambda document_id: service.catalogue.get_document(document_id).text,
        )
    passages = (
        load_passages(plan.passages)
        if plan.passages is not None
        else [
            GivenPassage(record.path, record.title, service.catalogue.get_document(record.id).text)
            for record in service.catalogue.list_documents(corpus)
        ]
    )
    texts = {passage.id: passage.text for passage in passages}
    embedder = service.make_assistant().embedder
    given = GivenPassages(passages, embedder, count=plan.given, seed=plan.seed)
    return lambda question, _: give_passages(given, question), texts.get


def give_passages(given: GivenPassages, question: Question) -> SearchResult:
    """The passages chosen for a question, as if a search had found them."""
    standalone = make_standalone(question.question, question.history)
    return SearchResult(tuple(given.choose(question)), SearchTrace(standalone, standalone))


def count_off(questions: Sequence[Question], on_progress: OnProgress) -> Iterator[Question]:
    """Each question, telling how far it is and how long the rest will take."""
    started = time.monotonic()
    for done, question in enumerate(questions):
        left = (time.monotonic() - started) / done * (len(questions) - done) if done else None
        estimate = f", about {left:.0f} s left" if left is not None else ""
        on_progress(f"question {done + 1} of {len(questions)}{estimate}")
        yield question
