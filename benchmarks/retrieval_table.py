"""How well search finds the right passage on many sets of questions, beside vectors alone and words alone.

    python benchmarks/retrieval_table.py [--sets squad qed_nq] [--misspelt] [--json table.json]

The sets are real questions and documents of other people (see --data); they are not part of this
project, and without them only the shipped corpus is measured. Each set is read into a library that
vanishes afterwards and asked as `chatbot evaluate --retrieval-only` does; the table is Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from question_sets import (
    DATA,
    QuestionSet,
    ask_clean,
    ask_clear_turn,
    ask_dev_split,
    ask_hops,
    ask_labelled_turn,
    ask_pair,
    ask_within_title,
    prepare_plan,
)

from chatbot.build import set_offline_environment
from chatbot.evaluation.command import EvaluationPlan, run_evaluation
from chatbot.settings import Settings, load_settings

GROUPS = ("retrieval", "vectors alone", "words alone")
FIGURES = ("recall@1", "recall@5", "mrr")


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
    parser.add_argument("--data", type=Path, default=DATA)
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
        plan = prepare_plan(item, data, settings, Path(folder), plan)
        report = run_evaluation(plan, settings, lambda _: None)
    return {name: figures for name, figures in report.items() if isinstance(figures, dict)}


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
