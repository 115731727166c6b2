"""Metrics as pure functions; each names where it comes from."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from statistics import median

import numpy as np

RESAMPLES = 1000
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation + "“”‘’–—…")


def normalize_answer(text: str) -> str:
    """Lower case without punctuation, articles and extra blanks (SQuAD, Rajpurkar et al. 2016)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def is_right(answer: str, gold: Sequence[str]) -> bool:
    """Whether the answer holds one of the gold answers as whole words, both normalised."""
    padded = f" {normalize_answer(answer)} "
    return any(f" {normalize_answer(text)} " in padded for text in gold if normalize_answer(text))


def measure_f1(answer: str, gold: Sequence[str]) -> float:
    """The best token F1 of the answer with any gold answer (SQuAD, Rajpurkar et al. 2016)."""
    return max((_measure_token_f1(answer, text) for text in gold), default=0.0)


def _measure_token_f1(answer: str, gold: str) -> float:
    answered, expected = normalize_answer(answer).split(), normalize_answer(gold).split()
    common = sum((Counter(answered) & Counter(expected)).values())
    if not common:
        return 0.0
    precision, recall = common / len(answered), common / len(expected)
    return 2 * precision * recall / (precision + recall)


def measure_recall(found: Sequence[str], gold: Sequence[str], k: int) -> float:
    """The share of the gold ids among the first k found."""
    return len(set(gold) & set(found[:k])) / len(set(gold))


def measure_reciprocal_rank(found: Sequence[str], gold: Sequence[str]) -> float:
    """1 / rank of the first gold id found, else 0 (mean of it: MRR)."""
    return next((1.0 / rank for rank, item in enumerate(found, 1) if item in gold), 0.0)


def combine_f1(precision: float | None, recall: float | None) -> float | None:
    """The harmonic mean of both; None where one of them is not known."""
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def estimate_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean: of 0s and 1s by Wilson (1927), of others by the percentile bootstrap.

    :param values: at least one.
    """
    mean, count = sum(values) / len(values), len(values)
    if set(values) <= {0.0, 1.0}:
        share = 1.96**2 / count
        centre = (mean + share / 2) / (1 + share)
        reach = (share * (mean * (1 - mean) + share / 4)) ** 0.5 / (1 + share)
        return max(0.0, centre - reach), min(1.0, centre + reach)
    drawn = np.random.default_rng(0).choice(np.asarray(values), size=(RESAMPLES, count))
    low, high = np.percentile(drawn.mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def take_mean(values: Sequence[float]) -> float | None:
    """The mean, or None of nothing."""
    return sum(values) / len(values) if values else None


def summarize_seconds(values: Sequence[float]) -> dict[str, float | None]:
    """Median and 95th percentile (nearest rank)."""
    if not values:
        return {"median": None, "p95": None}
    ordered = sorted(values)
    return {"median": median(ordered), "p95": ordered[max(0, -(-95 * len(ordered) // 100) - 1)]}
