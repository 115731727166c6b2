"""Fits how a reading model's odds are read, so that they mean the same as those of another model.

For each of the two a logistic regression tells, from its best odds in the passages of a question, whether
one of them answers (Platt 1999). The odds that both call equally likely are the same odds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from chatbot.evaluation.datasets import Question
from chatbot.reading.passage_reader import PassageReader
from chatbot.reading.reading import OddsScale, Reading
from chatbot.types import Passage

WEAK_PENALTY = 1e4
"""The inverse of the strength with which the fit is kept from extremes: next to none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The best odds that a model found in the passages of a question, and whether one of them answers."""

    odds: float
    is_answerable: bool


@dataclass(frozen=True, slots=True)
class Logistic:
    """The logarithm of the odds of there being an answer is `offset + factor * odds`."""

    offset: float
    factor: float


def judge_questions(
    reader: PassageReader, questions: Iterable[Question], choose: Callable[[Question], Sequence[Passage]]
) -> Iterator[Judgement]:
    """What a model makes of each question on the passages that are chosen for it."""
    for question in questions:
        reading = reader.read(question.question, choose(question))
        yield Judgement(find_best_odds(reading), question.answerable)


def find_best_odds(reading: Reading) -> float:
    """The highest odds in all passages as the model itself says them, on no scale."""
    spans = [passage.find_best() for passage in reading.passages.values()]
    return max(span.score for span in spans if span is not None) - reading.nothing


def fit_logistic(judgements: Sequence[Judgement]) -> Logistic:
    """The logistic regression of whether there is an answer on the best odds.

    :raises ValueError: where all questions are answerable, or none.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=WEAK_PENALTY)
    model.fit([[item.odds] for item in judgements], [item.is_answerable for item in judgements])
    return Logistic(float(model.intercept_[0]), float(model.coef_[0][0]))


def align_odds(own: Logistic, reference: Logistic) -> OddsScale:
    """The scale on which a model's odds are those of the reference with the same likelihood."""
    return OddsScale((own.offset - reference.offset) / reference.factor, own.factor / reference.factor)
