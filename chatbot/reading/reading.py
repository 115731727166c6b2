"""What the reading model makes of passages: for every stretch of their text, how likely it is the answer.

The model gives every token two numbers, how likely an answer begins and ends there, and every passage a
third, how likely the answer is not in it (Devlin et al. 2019 for SQuAD 2.0). The numbers of several passages
can be compared with each other: the model was trained on groups of passages under one sum (shared
normalisation, Clark & Gardner 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chatbot.types import Passage

LONGEST_ANSWER_TOKENS = 30

Numbers = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """The characters `start` to `end` of a passage's text; `score` is the sum of its two numbers."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What the model read off one passage.

    `offsets`, of shape (tokens, 2), are the characters of each token in the passage's text; `begins` and
    `ends`, of shape (tokens,), the logits of an answer that begins or ends there; `nothing` is the score
    of there being no answer.
    """

    offsets: Offsets
    begins: Numbers
    ends: Numbers
    nothing: float

    def find_best(self, start: int = 0, end: int | None = None) -> AnswerSpan | None:
        """The likeliest answer within the characters `start` to `end`; None where there is no token."""
        inside = self.offsets[:, 0] >= start
        if end is not None:
            inside &= self.offsets[:, 1] <= end
        rows = np.flatnonzero(inside)
        if not len(rows):
            return None
        begins, ends = self.begins[rows], self.ends[rows]
        scores = begins[:, None] + ends[None, :]
        places = np.arange(len(rows))
        length = places[None, :] - places[:, None]
        scores[(length < 0) | (length >= LONGEST_ANSWER_TOKENS)] = -np.inf
        first, last = np.unravel_index(int(scores.argmax()), scores.shape)
        return AnswerSpan(
            int(self.offsets[rows[first], 0]), int(self.offsets[rows[last], 1]), float(scores[first, last])
        )


@dataclass(frozen=True, slots=True)
class OddsScale:
    """How a model's odds are read, so that the same number means the same whichever model said it.

    Models are more or less sure of themselves; `offset` and `factor` are fitted on held-out questions so
    that odds are about those of the small reading model (Platt 1999).
    """

    offset: float
    factor: float

    def apply(self, odds: float) -> float:
        """Odds (a logarithm) on the common scale."""
        return self.offset + self.factor * odds


UNCHANGED = OddsScale(offset=0.0, factor=1.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model read off the passages for one question, by the passages' numbers.

    `unread` more passages were found and not read: each is taken to hold the answer as little as that of
    the read ones which holds it least.
    """

    passages: Mapping[int, PassageReading]
    scale: OddsScale = UNCHANGED
    unread: int = 0

    @property
    def nothing(self) -> float:
        """The score of there being no answer in any of the passages."""
        if not self.passages:
            return 0.0
        read = [passage.nothing for passage in self.passages.values()]
        return float(np.logaddexp.reduce(read + [max(read)] * self.unread))

    def measure_odds(self, span: AnswerSpan) -> float:
        """The logarithm of the odds of an answer against there being none, on the scale of all models."""
        return self.scale.apply(span.score - self.nothing)


ReadPassages = Callable[[str, Sequence[Passage]], Reading]
"""Reads passages for a question."""


def merge_windows(windows: Sequence[PassageReading]) -> PassageReading:
    """One reading of a passage that was read in overlapping windows.

    A token that stands in two of them has the numbers of the window that is surer of it; the
    passage holds nothing where the surest window finds nothing.
    """
    if len(windows) == 1:
        return windows[0]
    offsets = np.concatenate([window.offsets for window in windows])
    begins = np.concatenate([window.begins for window in windows])
    ends = np.concatenate([window.ends for window in windows])
    places, rows = np.unique(offsets, axis=0, return_inverse=True)
    best_begins, best_ends = (np.full(len(places), -np.inf, dtype=np.float32) for _ in range(2))
    np.maximum.at(best_begins, rows.reshape(-1), begins)
    np.maximum.at(best_ends, rows.reshape(-1), ends)
    return PassageReading(places, best_begins, best_ends, min(window.nothing for window in windows))
