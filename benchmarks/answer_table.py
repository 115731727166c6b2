"""How right the answers are on many sets of questions, beside three simpler ways to answer.

    python benchmarks/answer_table.py [--sets qed_nq clapnq] [--most 100] [--baselines [60]] [--json FILE]

Each set is asked as `chatbot evaluate` does, in a library that vanishes afterwards, end to end through search
but where the name says that passages are given. The table is Markdown, with 95 % intervals. The sets are
real questions and documents of other people (see --data), none of which the reading model was taught with;
they are not part of this project, and without them only the shipped corpus is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from question_sets import (
    LEARNED_ARTICLES,
    QuestionSet,
    Row,
    ask_hops,
    make_parser,
    measure_sets,
)

from chatbot.evaluation.command import EvaluationPlan

BASELINES = ("best sentence", "model untaught", "no documents")


def ask_unlearned(row: Row) -> Row | None:
    """Questions of SQuAD 2.0's development part on articles that the reading model never saw."""
    return row if row["split"] == "dev" and row["title"] not in LEARNED_ARTICLES else None


def ask_any(row: Row) -> Row:
    """A question whether or not its passage answers it."""
    return row


def ask_answered_hops(row: Row) -> Row:
    """A question over several passages with its answers."""
    return ask_hops(row) | {"answers": row["answers"]}


def ask_turn(row: Row) -> Row | None:
    """A turn of a conversation, with the answers and passages of the people who found one.

    A turn to which nobody found an answer is unanswerable; one that was only asked back is left out.
    """
    labels = row["labels"]
    answered = [label for label in labels if label["type"] == "directAnswer" and label["passage_ids"]]
    if not answered and any(label["type"] in ("directAnswer", "clarification") for label in labels):
        return None
    return {
        "question": row["question"],
        "history": row["history"],
        "answerable": bool(answered),
        "answers": [label["answer"] for label in answered],
        "passage_ids": sorted({passage for label in answered for passage in label["passage_ids"]}),
    }


def ask_sources(row: Row) -> Row | None:
    """A question with several sources, each of which gives an answer of its own; each question once."""
    if not is_first_answer(row):
        return None
    telling = [source for source in row["sources"] if source["short_answer"]]
    return {
        "question": row["question"],
        "answers": [source["short_answer"] for source in telling],
        "passage_ids": [name_source(row, source) for source in telling],
    }


def list_sources(row: Row) -> list[Row]:
    """The sources of a row as passages; none for another answer to the same question."""
    return [
        {"id": name_source(row, source), "title": source["title"], "text": source["text"]}
        for source in (row["sources"] if is_first_answer(row) else ())
    ]


def is_first_answer(row: Row) -> bool:
    """Whether a row is the first of those with the same question and sources."""
    return str(row["id"]).endswith("_0")


def name_source(row: Row, source: Row) -> str:
    """The id of a source."""
    return f"{row['id']}-{source['n']}"


SETS = [
    QuestionSet("shipped corpus", "", documents="marrowick-ferries"),
    QuestionSet(
        "squad, given among five",
        "squad/questions.jsonl",
        passages="squad/passages.jsonl",
        choose=ask_unlearned,
        given=5,
    ),
    QuestionSet(
        "squad, searched", "squad/questions.jsonl", passages="squad/passages.jsonl", choose=ask_unlearned
    ),
    QuestionSet("qed_nq", "qed_nq/questions.jsonl", passages="qed_nq/passages.jsonl"),
    QuestionSet("clapnq", "clapnq/questions.jsonl", passages="clapnq/passages.jsonl", choose=ask_any),
    QuestionSet(
        "hotpot",
        "multihop/hotpot_questions.jsonl",
        passages="multihop/hotpot_passages.jsonl",
        choose=ask_answered_hops,
    ),
    QuestionSet(
        "musique",
        "multihop/musique_questions.jsonl",
        passages="multihop/musique_passages.jsonl",
        choose=ask_answered_hops,
    ),
    QuestionSet(
        "quotesum",
        "quotesum/cited_answers.jsonl",
        passages="quotesum/cited_answers.jsonl",
        choose=ask_sources,
        read_passages=list_sources,
    ),
    QuestionSet(
        "inscit",
        "conversational/inscit_turns.jsonl",
        passages="conversational/inscit_passages.jsonl",
        choose=ask_turn,
    ),
]


def main() -> None:
    """Measure the sets that are there and print the table."""
    parser = make_parser(__doc__, SETS)
    parser.add_argument(
        "--baselines",
        type=int,
        nargs="?",
        const=0,
        metavar="N",
        help="answer in the simpler ways too, N questions of each set, all if no number is given; slow",
    )
    parser.set_defaults(most=300)
    options = parser.parse_args()
    is_compared = options.baselines is not None
    plan = EvaluationPlan(baselines=is_compared, baseline_limit=options.baselines or None)
    reports = measure_sets(SETS, options, plan, group="answers")
    print(format_table(reports))
    if is_compared:
        print(f"\n{format_baselines(reports)}")


def format_table(reports: dict[str, Any]) -> str:
    """A Markdown table in percent, with 95 % intervals."""
    head = ["Questions", "n", "Right", "F1", "Short, right", "Quotes exist", "Citations support", "of gold"]
    rows = []
    for name, report in reports.items():
        answers, citations, abstention = (report[group] for group in ("answers", "citations", "abstention"))
        rows.append(
            [
                name,
                str(answers["n"]),
                give_interval(report, "answers", "right"),
                give_interval(report, "answers", "f1"),
                f"{percent(answers['short'])}, {percent(answers['short_right'])}",
                percent(citations["exist"]),
                give_interval(report, "citations", "support"),
                percent(citations["gold"]),
                percent(citations["reached"]),
                " / ".join(percent(abstention[figure]) for figure in ("precision", "recall", "f1")),
            ]
        )
    return format_rows([*head, "Gold reached", "Declined: P / R / F1"], rows)


def format_baselines(reports: dict[str, Any]) -> str:
    """A Markdown table of the simpler ways to answer, right / F1 in percent, with 95 % intervals."""
    rows = []
    for name, report in reports.items():
        asked = next((report[way]["n"] for way in BASELINES if way in report), 0)
        cells = [
            f"{give_interval(report, way, 'right')} / {percent(report.get(way, {}).get('f1'))}"
            for way in ("answers", *BASELINES)
        ]
        rows.append([name, str(asked), *cells])
    return format_rows(["Questions", "n", "Chatbot (all questions)", *BASELINES], rows)


def format_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells as a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def give_interval(report: dict[str, Any], group: str, figure: str) -> str:
    """A figure in percent with its 95 % interval."""
    value = percent(report.get(group, {}).get(figure))
    interval = report["intervals"].get(group, {}).get(figure)
    return value if interval is None else f"{value} ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})"


def percent(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.0f}"


if __name__ == "__main__":
    main()
