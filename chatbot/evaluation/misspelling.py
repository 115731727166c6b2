"""Slips of the pen, made on purpose, to measure what search finds for a question typed in haste."""

from __future__ import annotations

import random
import re
import string

from chatbot.evaluation.datasets import Slip
from chatbot.sentences import STOP_WORDS
from chatbot.spelling import find_neighbour_keys

SHORTEST_LETTERS = 4
"""The fewest letters of a word that is misspelt."""

_WORD = re.compile(r"\b[^\W\d_]+\b")
_KINDS = ("insert", "delete", "substitute", "swap", "neighbour")


def misspell(question: str, seed: int) -> tuple[str, Slip | None]:
    """The question with one slip in one of its longer words that carry meaning, and that slip.

    The slips are those of Zhuang and Zuccon ("CharacterBERT and Self-Teaching for Improving the
    Robustness of Dense Retrievers on Queries with Typos", SIGIR 2022): a random letter inserted,
    left out or put in another's place, two neighbours swapped, or a neighbouring key hit. The same
    question and seed give the same slip; a question without such a word comes back as it is.
    """
    matches = [
        match
        for match in _WORD.finditer(question)
        if len(match[0]) >= SHORTEST_LETTERS and match[0].lower() not in STOP_WORDS
    ]
    if not matches:
        return question, None
    chance = random.Random(f"{seed}/{question}")  # noqa: S311 - no secret
    match = chance.choice(matches)
    typed = match[0]
    while typed.lower() == match[0].lower():
        typed = misspell_word(match[0], chance)
    return question[: match.start()] + typed + question[match.end() :], Slip(match[0], typed)


def misspell_word(word: str, chance: random.Random) -> str:
    """A word with one slip, which may leave it the same: where two equal letters are swapped."""
    kind = chance.choice(_KINDS)
    place = chance.randrange(len(word) - (kind == "swap"))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    match kind:
        case "insert":
            return before + chance.choice(string.ascii_lowercase) + letter + after
        case "delete":
            return before + after
        case "swap":
            return before + after[0] + letter + after[1:]
        case "substitute":
            return before + chance.choice(string.ascii_lowercase) + after
    return before + chance.choice(find_neighbour_keys(letter.lower()) or letter) + after
