"""Passages that say nearly the same: copies in several documents, with a word changed here or there."""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.sentences import find_words

RUN_WORDS = 3
"""Texts are compared by their runs of this many words (shingles, Broder 1997)."""
SAME_SHARE = 0.8
"""Two texts are nearly the same where they share at least this much of the runs that either has."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What of a text decides whether another says nearly the same."""

    runs: frozenset[tuple[str, ...]]
    numbers: frozenset[str]


def describe_likeness(text: str) -> Likeness:
    """The runs of words of a text, and its words with digits: texts that differ in a number differ."""
    words = find_words(text)
    runs = frozenset(
        tuple(words[first : first + RUN_WORDS]) for first in range(max(len(words) - RUN_WORDS + 1, 1))
    )
    return Likeness(runs, frozenset(word for word in words if any(character.isdigit() for character in word)))


def is_nearly_same(text: Likeness, other: Likeness) -> bool:
    """Whether two texts share nearly all their runs of words and hold the same numbers."""
    if text.numbers != other.numbers:
        return False
    shared = len(text.runs & other.runs)
    return shared >= SAME_SHARE * (len(text.runs) + len(other.runs) - shared)
