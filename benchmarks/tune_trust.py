"""Chooses the constants of `chatbot/trust.py` for the reading model at hand, on questions of other people.

    python benchmarks/tune_trust.py [--sets "squad, searched" qed_nq] [--most 200]

Every question is searched, read and ranked once, as an answer would be; then each constant is tried. The
model was taught with none of these questions, nor are they those of the shipped corpus. Printed are:
the fit of trust to the odds; for several odds how often a short answer would stand in front and be right;
for several odds what would be declined; and for several weights and margins how often the quotes, and
the first alone, are right, how many are quoted, and how many of those hold the answer.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from answer_table import SETS
from question_sets import QuestionSet, make_parser, prepare_plan

from chatbot.assistant import Assistant
from chatbot.bands import keep_right_bands
from chatbot.build import set_offline_environment
from chatbot.evaluation.command import EvaluationPlan, choose_sources, open_library
from chatbot.evaluation.datasets import Question, load_questions
from chatbot.evaluation.metrics import is_right, measure_f1
from chatbot.evidence import Evidence, rank_evidence
from chatbot.grounding import SourceSpan, list_source_spans
from chatbot.quotes import choose_quotes, choose_short_answer
from chatbot.retrieval.search import ALL_WAYS
from chatbot.settings import load_settings
from chatbot.trust import TRUST_IN_ORDER, measure_margin, measure_trust
from chatbot.types import Passage

NAMES = ("squad, searched", "qed_nq")
RIGHT_F1 = 0.5
"""Words of the reading model are right where they hold the expected ones, or share this much with them."""
WEIGHTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
MARGINS = ((0.0, 0.0), (0.05, 0.05), (0.0, 0.1), (0.09, 0.09), (0.05, 0.15), (0.15, 0.15), (0.0, 0.2))
"""For words that the model is sure of, and for those that it is not sure of."""
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Odds are tried that so many of the questions reach, or stay below."""


@dataclass(frozen=True, slots=True)
class Read:
    """A question with what was found and read for it; `best` are the odds of the model's likeliest words."""

    question: Question
    spans: Sequence[SourceSpan]
    evidence: Sequence[Evidence]
    best: Evidence

    @property
    def is_best_right(self) -> bool:
        """Whether the model's likeliest words answer."""
        answer, passage = self.best.answer, self.best.span.passage
        words = passage.text[answer.start : answer.end] if answer else ""
        gold = self.question.answers
        return self.question.answerable and (is_right(words, gold) or measure_f1(words, gold) >= RIGHT_F1)


def main() -> None:
    """Read the questions of the sets and print what each constant would do."""
    parser = make_parser(__doc__, SETS)
    parser.set_defaults(most=200, sets=list(NAMES))
    options = parser.parse_args()
    set_offline_environment(offline=True)
    read: list[Read] = []
    for item in SETS:
        if item.name in options.sets and (options.data / item.questions).exists():
            read += read_set(replace(item, most=min(item.most, options.most)), options.data)
            print(f"{item.name}: {len(read)} questions read", file=sys.stderr, flush=True)
    if not read:
        sys.exit(f"skipped: {options.data} is not there")
    print("\n\n".join([describe_fit(read), describe_sure(read), describe_none(read), describe_order(read)]))


def read_set(item: QuestionSet, data: Path) -> Iterator[Read]:
    """Search, read and rank each question of a set."""
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="trust-") as folder:
        plan = prepare_plan(item, data, settings, Path(folder), EvaluationPlan(given=item.given))
        questions = load_questions(plan.questions) if plan.questions else []
        with open_library(plan, settings, lambda _: None) as (service, corpus):
            assistant = service.make_assistant()
            find, _ = choose_sources(plan, service, corpus)
            for question in questions:
                found = find(question, ALL_WAYS)
                one = rank(assistant, question, found.trace.searched_for, found.passages)
                if one is not None:
                    yield one


def rank(assistant: Assistant, question: Question, asked: str, passages: Sequence[Passage]) -> Read | None:
    """The evidence for a question; None where nothing was found or read."""
    passages = passages[: assistant.rules.passage_limit]
    spans = list_source_spans(passages)
    known = assistant.read_sentence_vectors(passages) if assistant.read_sentence_vectors else {}
    reading = assistant.read_passages(asked, passages) if assistant.read_passages else None
    evidence = rank_evidence(asked, spans, assistant.embedder, known_vectors=known, reading=reading)
    told = [item for item in evidence if item.odds is not None and item.answer is not None]
    if not told:
        return None
    return Read(question, spans, evidence, max(told, key=lambda item: item.odds or 0.0))


def describe_fit(read: Sequence[Read]) -> str:
    """EVEN_ODDS and ODDS_SCALE by logistic regression of being right on the odds (Platt 1999)."""
    odds = np.array([item.best.odds for item in read], dtype=np.float64)
    right = np.array([item.is_best_right for item in read], dtype=np.float64)
    features = np.stack([np.ones_like(odds), odds], axis=1)
    weights = np.zeros(2)
    for _ in range(50):
        likely = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        curvature = features.T @ (features * (likely * (1 - likely))[:, None]) + 1e-6 * np.eye(2)
        weights += np.linalg.solve(curvature, features.T @ (right - likely))
    return (
        f"EVEN_ODDS {-weights[0] / weights[1]:.2f}, ODDS_SCALE {1 / weights[1]:.2f} ({len(read)} questions)"
    )


def describe_sure(read: Sequence[Read]) -> str:
    """What short answers there would be with each SURE_ODDS."""
    short = [
        (
            item.evidence[0].odds or 0.0,
            item.question.answerable and is_right(span.text, item.question.answers),
        )
        for item in read
        if (span := choose_short_answer(item.evidence, item.question.question, sure_odds=-np.inf)) is not None
    ]
    lines = ["SURE_ODDS   shown   right (of those shown)"]
    for share in SHARES:
        odds = float(np.quantile([item[0] for item in short], 1 - share))
        shown = [right for own, right in short if own >= odds]
        lines.append(f"{odds:9.1f}   {len(shown) / len(read):5.0%}   {sum(shown) / len(shown):5.0%}")
    return "\n".join(lines)


def describe_none(read: Sequence[Read]) -> str:
    """What would be declined with each SURELY_NONE, of the answerable and of the unanswerable questions."""
    lines = ["SURELY_NONE   declined of the answerable   of the unanswerable"]
    for share in SHARES:
        odds = float(np.quantile([item.best.odds or 0.0 for item in read], share))
        cells = []
        for answerable in (True, False):
            kind = [item.best.odds for item in read if item.question.answerable is answerable]
            below = sum((own or 0.0) < odds for own in kind)
            cells.append(f"{below / len(kind):.0%}" if kind else "–")
        lines.append(f"{odds:11.1f}   {cells[0]:>26}   {cells[1]:>19}")
    return "\n".join(lines)


def describe_order(read: Sequence[Read]) -> str:
    """What would be quoted with each TRUST_IN_ORDER, SURE_MARGIN and UNSURE_MARGIN."""
    known = [item for item in read if item.question.answerable]
    lines = ["TRUST_IN_ORDER   MARGINS       right   first right   quotes   quotes that hold the answer"]
    for weight in WEIGHTS:
        ranked = [(item, weigh_again(item, weight)) for item in known]
        for sure, unsure in MARGINS:
            quoted = []
            for item, evidence in ranked:
                margin = measure_margin(evidence[0].odds, sure=sure, unsure=unsure)
                quotes = choose_quotes(evidence, item.question.question, margin=margin)
                quoted.append([is_right(span.text, item.question.answers) for span in quotes])
            count = sum(map(len, quoted))
            lines.append(
                f"{weight:14.2f}   {sure:.2f}, {unsure:.2f}   {sum(map(any, quoted)) / len(known):5.1%}   "
                f"{sum(own[0] for own in quoted) / len(known):11.1%}   {count / len(known):6.2f}   "
                f"{sum(map(sum, quoted)) / count:5.1%}"
            )
    return "\n".join(lines)


def weigh_again(item: Read, weight: float) -> list[Evidence]:
    """The evidence in the order that it would have with another TRUST_IN_ORDER."""
    change = weight - TRUST_IN_ORDER
    scored = [replace(own, score=own.score + change * measure_trust(own.odds)) for own in item.evidence]
    return keep_right_bands(sorted(scored, key=lambda own: -own.score), item.spans, item.question.question)


if __name__ == "__main__":
    main()
