"""How well search finds the right passage on many sets of questions, beside vectors alone and words alone.

    python benchmarks/retrieval_table.py [--sets squad qed_nq] [--misspelt] [--json table.json]

The sets are real questions and documents of other people (see --data); they are not part of this
project, and without them only the shipped corpus is measured. Each set is read into a library that
vanishes afterwards and asked as `chatbot evaluate --retrieval-only` does; the table is Markdown.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatbot.build import set_offline_environment
from chatbot.evaluation.command import EvaluationPlan, run_evaluation
from chatbot.settings import Settings, load_settings

PROJECT = Path(__file__).resolve().parent.parent
Row = dict[str, Any]
GROUPS = ("retrieval", "vectors alone", "words alone")
FIGURES = ("recall@1", "recall@5", "mrr")


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions over a folder of documents, or over passages; files are below the data folder.

    :param choose: what of a row of the question file is asked: the row as it should be, or None.
    :param most: more questions than this are sampled.
    """

    name: str
    questions: str
    documents: str = ""
    passages: str = ""
    choose: Callable[[Row], Row | None] = lambda row: row if row.get("answerable", True) else None
    most: int = 1000


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


SETS = [
    QuestionSet("shipped corpus", "", documents="marrowick-ferries"),
    QuestionSet(
        "handbook_sourcegraph",
        "handbook_sourcegraph_heading_questions.jsonl",
        documents="handbook_sourcegraph",
    ),
    QuestionSet("docs_govuk", "docs_govuk_heading_questions.jsonl", documents="docs_govuk"),
    QuestionSet("mixed_documents", "mixed_documents_questions.jsonl", documents="mixed_documents"),
    QuestionSet("faq_pairs", "faq_pairs/pairs.jsonl", passages="faq_pairs/pairs.jsonl", choose=ask_pair),
    QuestionSet(
        "squad", "squad/questions.jsonl", passages="squad/passages.jsonl", choose=ask_dev_split, most=2000
    ),
    QuestionSet("qed_nq", "qed_nq/questions.jsonl", passages="qed_nq/passages.jsonl", most=2000),
    QuestionSet(
        "policyqa", "policyqa/questions.jsonl", passages="policyqa/passages.jsonl", choose=ask_within_title
    ),
    QuestionSet("tatqa", "tatqa/questions.jsonl", passages="tatqa/passages.jsonl"),
    QuestionSet(
        "hotpot",
        "multihop/hotpot_questions.jsonl",
        passages="multihop/hotpot_passages.jsonl",
        choose=ask_hops,
    ),
    QuestionSet(
        "musique",
        "multihop/musique_questions.jsonl",
        passages="multihop/musique_passages.jsonl",
        choose=ask_hops,
    ),
    QuestionSet(
        "coqa",
        "conversational/coqa_turns.jsonl",
        passages="conversational/coqa_passages.jsonl",
        choose=ask_clear_turn,
    ),
    QuestionSet(
        "inscit",
        "conversational/inscit_turns.jsonl",
        passages="conversational/inscit_passages.jsonl",
        choose=ask_labelled_turn,
    ),
    QuestionSet(
        "disfluent squad", "noisy_queries/disfluent_squad.jsonl", passages="squad/passages.jsonl", most=600
    ),
    QuestionSet(
        "disfluent squad, clean",
        "noisy_queries/disfluent_squad.jsonl",
        passages="squad/passages.jsonl",
        choose=ask_clean,
        most=600,
    ),
]


def main() -> None:
    """Measure the sets that are there and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--sets", nargs="+", choices=[item.name for item in SETS], metavar="SET")
    parser.add_argument("--misspelt", action="store_true", help="with a slip of the pen in every question")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--most", type=int, help="ask at most so many questions of each set")
    options = parser.parse_args()
    settings = load_settings()
    set_offline_environment(offline=True)
    reports: dict[str, Any] = {}
    for item in SETS:
        if options.sets and item.name not in options.sets:
            continue
        if item.questions and not (options.data / item.questions).exists():
            print(f"{item.name}: skipped, {options.data} is not there", file=sys.stderr)
            continue
        item = replace(item, most=min(item.most, options.most or item.most))
        reports[item.name] = measure_set(item, options.data, settings, misspelt=options.misspelt)
        print(f"{item.name}: {reports[item.name]['retrieval']}", file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(reports, indent=1))
    print(format_table(reports))


def measure_set(item: QuestionSet, data: Path, settings: Settings, *, misspelt: bool) -> dict[str, Any]:
    """The report of one set, without its questions."""
    with tempfile.TemporaryDirectory(prefix="table-") as folder:
        plan = EvaluationPlan(retrieval_only=True, misspelt=misspelt)
        if item.questions:
            plan = replace(
                plan, questions=write_rows(Path(folder) / "questions.jsonl", list_questions(item, data))
            )
        else:
            shipped = settings.corpora_folder / item.documents
            plan = replace(plan, questions=shipped / "questions.jsonl", documents=shipped / "documents")
        if item.passages:
            rows = (
                row | {"text": row.get("text", row.get("passage"))} for row in read_rows(data / item.passages)
            )
            titled = (row | {"title": row.get("title", row.get("page_title", ""))} for row in rows)
            plan = replace(plan, passages=write_rows(Path(folder) / "passages.jsonl", titled))
        elif item.questions:
            plan = replace(plan, documents=data / item.documents)
        report = run_evaluation(plan, settings, lambda _: None)
    return {name: figures for name, figures in report.items() if isinstance(figures, dict)}


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


def write_rows(path: Path, rows: Iterator[Row] | list[Row]) -> Path:
    """Write objects as JSONL."""
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def format_table(reports: dict[str, Any]) -> str:
    """A Markdown table: recall@1 / recall@5 / MRR in percent, all together and each way alone."""
    lines = [
        "| Questions | n | Search | Vectors alone | Words alone | All gold in 10 |",
        "| --- | ---: | --- | --- | --- | ---: |",
    ]
    for name, report in reports.items():
        cells = [" / ".join(f"{100 * report[group][figure]:.1f}" for figure in FIGURES) for group in GROUPS]
        found = report["retrieval"]
        lines.append(f"| {name} | {found['n']} | {' | '.join(cells)} | {100 * found['all@10']:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
