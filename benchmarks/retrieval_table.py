"""How well search finds the right passage on many sets of questions, beside vectors alone and words alone.

    python benchmarks/retrieval_table.py [--sets squad qed_nq] [--misspelt] [--json table.json]

The sets are real questions and documents of other people (see --data); they are not part of this
project, and without them only the shipped corpus is measured. Each set is read into a library that
vanishes afterwards and asked as `chatbot evaluate --retrieval-only` does; the table is Markdown.
"""

from __future__ import annotations

from typing import Any

from question_sets import (
    QuestionSet,
    ask_clean,
    ask_clear_turn,
    ask_dev_split,
    ask_hops,
    ask_labelled_turn,
    ask_pair,
    ask_within_title,
    make_parser,
    measure_sets,
)

from chatbot.evaluation.command import EvaluationPlan

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
    parser = make_parser(__doc__, SETS)
    parser.add_argument("--misspelt", action="store_true", help="with a slip of the pen in every question")
    options = parser.parse_args()
    plan = EvaluationPlan(retrieval_only=True, misspelt=options.misspelt)
    print(format_table(measure_sets(SETS, options, plan, group="retrieval")))


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
