"""How right the answers are on many sets of questions, beside three simpler ways to answer.

    python benchmarks/answer_table.py [--sets squad qed_nq] [--most 100] [--baselines] [--json table.json]

Each set is asked as `chatbot evaluate` does, in a library that vanishes afterwards, end to end through search
but where the name says that passages are given. The table is Markdown, with 95 % intervals. The sets are
real questions and documents of other people (see --data), none of which the reading model was taught with;
they are not part of this project, and without them only the shipped corpus is measured.
"""

from __future__ import annotations

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


def ask_labelled_turn(row: Row) -> Row | None:
    """A turn of a conversation that its labels answer, with the passages that they name."""
    labels = [label for label in row["labels"] if label["passage_ids"]]
    if not labels:
        return None
    return {
        "question": row["question"],
        "history": row["history"],
        "answers": [label["answer"] for label in labels],
        "passage_ids": sorted({passage for label in labels for passage in label["passage_ids"]}),
    }


def ask_sources(row: Row) -> Row:
    """A question with several sources, each of which gives an answer of its own."""
    telling = [source for source in row["sources"] if source["short_answer"]]
    return {
        "question": row["question"],
        "answers": [source["short_answer"] for source in telling],
        "passage_ids": [name_source(row, source) for source in telling],
    }


def list_sources(row: Row) -> list[Row]:
    """The sources of a row as passages."""
    return [
        {"id": name_source(row, source), "title": source["title"], "text": source["text"]}
        for source in row["sources"]
    ]


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
        choose=ask_labelled_turn,
    ),
]


def main() -> None:
    """Measure the sets that are there and print the table."""
    parser = make_parser(__doc__, SETS)
    parser.add_argument("--baselines", action="store_true", help="answer in the simpler ways too; slow")
    parser.set_defaults(most=300)
    options = parser.parse_args()
    reports = measure_sets(SETS, options, EvaluationPlan(baselines=options.baselines), group="answers")
    print(format_table(reports, baselines=options.baselines))


def format_table(reports: dict[str, Any], *, baselines: bool) -> str:
    """A Markdown table in percent."""
    head = ["Questions", "n", "Right", "F1", "Short, right", "Quotes exist", "Citations support", "of gold"]
    head += ["Declined: P / R / F1", *(f"{name}: right / F1" for name in (BASELINES if baselines else ()))]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for name, report in reports.items():
        answers, citations, abstention = (report[group] for group in ("answers", "citations", "abstention"))
        within = report["intervals"]["answers"]
        cells = [
            name,
            str(answers["n"]),
            f"{percent(answers['right'])} ({spread(within.get('right'))})",
            f"{percent(answers['f1'])} ({spread(within.get('f1'))})",
            f"{percent(answers['short'])}, {percent(answers['short_right'])}",
            percent(citations["exist"]),
            percent(citations["support"]),
            percent(citations["gold"]),
            " / ".join(percent(abstention[figure]) for figure in ("precision", "recall", "f1")),
        ]
        simple = [report.get(way, {}) for way in (BASELINES if baselines else ())]
        cells += [f"{percent(own.get('right'))} / {percent(own.get('f1'))}" for own in simple]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def percent(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.0f}"


def spread(interval: tuple[float, float] | None) -> str:
    """An interval in percent."""
    return "–" if interval is None else f"{100 * interval[0]:.0f} to {100 * interval[1]:.0f}"


if __name__ == "__main__":
    main()
