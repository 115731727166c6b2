"""Sets of questions and documents of other people, as the benchmarks ask them; nothing of it is ours.

Each set is a small adapter: which rows are asked, and what of a row is the question.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatbot.build import set_offline_environment
from chatbot.evaluation.command import EvaluationPlan, run_evaluation
from chatbot.settings import Settings, load_settings

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT.parent / "shared" / "data"
Row = dict[str, Any]

LEARNED_ARTICLES = frozenset(
    {
        "1973 oil crisis",
        "Computational complexity theory",
        "European Union law",
        "Force",
        "French and Indian War",
    }
)
"""Articles of SQuAD 2.0's development part that the packaged reading model was taught with."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions over a folder of documents, or over passages; files are below the data folder.

    :param choose: what of a row of the question file is asked: the row as it should be, or None.
    :param read_passages: the passages that a row of the passage file holds.
    :param most: more questions than this are sampled.
    :param given: no search: the gold passage is given among so many.
    """

    name: str
    questions: str
    documents: str = ""
    passages: str = ""
    choose: Callable[[Row], Row | None] = lambda row: row if row.get("answerable", True) else None
    read_passages: Callable[[Row], list[Row]] = lambda row: [describe_passage(row)]
    most: int = 1000
    given: int | None = None


def describe_passage(row: Row) -> Row:
    """A row of a passage file with the names of its fields made one."""
    return row | {
        "text": row.get("text", row.get("passage")),
        "title": row.get("title", row.get("page_title", "")),
    }


def ask_dev_split(row: Row) -> Row | None:
    """Questions of SQuAD 2.0's development part, which no part of this project was fitted to."""
    return row if row["answerable"] and row["split"] == "dev" else None


def ask_within_title(row: Row) -> Row:
    """PolicyQA's questions are asked of every website: search within the one that is meant."""
    return row | {"filters": {"files": [row["title"]]}}


def ask_pair(row: Row) -> Row:
    """A question whose passage stands in the same row."""
    return {"question": row["question"], "passage_id": row["id"]}


def ask_hops(row: Row) -> Row:
    """A question that needs several passages; its field `source` names the set, not a document."""
    return {"question": row["question"], "passage_ids": row["passage_ids"]}


def ask_clear_turn(row: Row) -> Row | None:
    """A turn of a conversation that means one thing."""
    return None if row["ambiguous"] else row


def ask_labelled_turn(row: Row) -> Row | None:
    """A turn with the passages that its labels name."""
    ids = sorted({passage for label in row["labels"] for passage in label["passage_ids"]})
    return {"question": row["question"], "history": row["history"], "passage_ids": ids} if ids else None


def ask_clean(row: Row) -> Row | None:
    """The question as it was meant, where it was spoken with a correction."""
    return row | {"question": row["clean_question"]} if row["answerable"] else None


def prepare_plan(
    item: QuestionSet, data: Path, settings: Settings, folder: Path, plan: EvaluationPlan
) -> EvaluationPlan:
    """The plan with the set's questions, and its passages or documents, as files in `folder`."""
    if not item.questions:
        shipped = settings.corpora_folder / item.documents
        return replace(plan, questions=shipped / "questions.jsonl", documents=shipped / "documents")
    questions = write_rows(folder / "questions.jsonl", list_questions(item, data))
    plan = replace(plan, questions=questions)
    if not item.passages:
        return replace(plan, documents=data / item.documents)
    rows = (row for row in map(item.read_passages, read_rows(data / item.passages)))
    passages = write_rows(folder / "passages.jsonl", (passage for own in rows for passage in own))
    return replace(plan, passages=passages)


def list_questions(item: QuestionSet, data: Path) -> list[Row]:
    """The questions to ask, a sample where there are many; titles are those of the passages."""
    titles = {}
    if item.passages:
        titles = {row["id"]: row.get("title", "") for row in read_rows(data / item.passages)}
    rows = [
        chosen
        for row in read_rows(data / item.questions)
        if (chosen := item.choose(row | {"title": titles.get(row.get("passage_id"), "")})) is not None
    ]
    return rows if len(rows) <= item.most else random.Random(0).sample(rows, item.most)  # noqa: S311


def read_rows(path: Path) -> Iterator[Row]:
    """The objects of a JSONL file."""
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            yield json.loads(line)


def write_rows(path: Path, rows: Iterable[Row]) -> Path:
    """Write objects as JSONL."""
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def make_parser(description: str | None, sets: Sequence[QuestionSet]) -> argparse.ArgumentParser:
    """The options that every table of sets takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", choices=[item.name for item in sets], metavar="SET")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--most", type=int, help="ask at most so many questions of each set")
    return parser


def measure_sets(
    sets: Sequence[QuestionSet], options: argparse.Namespace, plan: EvaluationPlan, *, group: str
) -> dict[str, Any]:
    """The reports of the sets that are wanted and there, without their questions.

    :param plan: what to measure of each set; its questions and passages are filled in.
    :param group: the group of figures that is told while the next set is measured.
    """
    settings = load_settings()
    set_offline_environment(offline=True)
    reports: dict[str, Any] = {}
    for item in sets:
        if options.sets and item.name not in options.sets:
            continue
        if item.questions and not (options.data / item.questions).exists():
            print(f"{item.name}: skipped, {options.data} is not there", file=sys.stderr)
            continue
        item = replace(item, most=min(item.most, options.most or item.most))
        with tempfile.TemporaryDirectory(prefix="table-") as folder:
            own = replace(plan, given=item.given)
            own = prepare_plan(item, options.data, settings, Path(folder), own)
            report = run_evaluation(own, settings, lambda _: None)
        reports[item.name] = {name: values for name, values in report.items() if isinstance(values, dict)}
        print(f"{item.name}: {reports[item.name][group]}", file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(reports, indent=1))
    return reports
