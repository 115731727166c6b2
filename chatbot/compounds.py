"""Compounds that are written in several ways: "lifejacket", "life-jacket" and "life jacket"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise

from chatbot.sentences import STOP_WORDS, find_words, stem_word

FindHeld = Callable[[Sequence[str]], Collection[str]]
"""Those of several words that documents hold just so."""

FEWEST_LETTERS, FEWEST_PART_LETTERS = 5, 3
"""The fewest letters of a word that may be a compound, and of each of its parts."""
PREFIXES = frozenset({"co", "e"})
"""Parts of fewer letters: "co-operate", "e-mail"."""
PARTICLES = frozenset({"in", "off", "out", "up"})
"""Stop words that a compound may end with: "log in", "back up"."""


def list_spellings(text: str, find_held: FindHeld) -> list[str]:
    """A text, and after it the same with each of its compounds as documents may write it too.

    A word is taken apart, with a hyphen, only where both parts are words that documents hold, and put
    together only where they hold the whole. So "lifejackets" is also "life-jackets", and "e-mail" is "email".
    """
    wholes = list(_list_joins(text))
    parts = {word: list(_list_parts(word)) for word in find_words(text)}
    pieces = {piece for pairs in parts.values() for pair in pairs for piece in pair}
    wanted = {form for word in [*(joined for _, joined in wholes), *pieces] for form in _list_forms(word)}
    held = frozenset(find_held(sorted(wanted)))

    def is_held(word: str) -> bool:
        return word in PREFIXES or word in PARTICLES or not held.isdisjoint(_list_forms(word))

    swaps = [(words, joined) for words, joined in wholes if is_held(joined)]
    swaps += [
        (word, f"{first}-{last}")
        for word, pairs in parts.items()
        for first, last in pairs
        if is_held(first) and is_held(last)
    ]
    spellings = [_swap_words(text, old, new) for old, new in swaps]
    return list(dict.fromkeys([text, *spellings]))


def _list_joins(text: str) -> Iterator[tuple[str, str]]:
    """Words of a text that may be one: those with a hyphen, and neighbours with a blank between them."""
    words = find_words(text)
    for word in words:
        if "-" in word:
            yield word, word.replace("-", "")
    for first, last in pairwise(words):
        is_open = first not in STOP_WORDS and (last not in STOP_WORDS or last in PARTICLES)
        if is_open and first.isalpha() and last.isalpha():
            yield f"{first} {last}", first + last


def _list_parts(word: str) -> Iterator[tuple[str, str]]:
    """The two parts that a word may be made of, in all places where it may be cut."""
    if not word.isalpha() or len(word) < FEWEST_LETTERS or word in STOP_WORDS:
        return
    for place in range(1, len(word)):
        first, last = word[:place], word[place:]
        is_first = first in PREFIXES or (place >= FEWEST_PART_LETTERS and first not in STOP_WORDS)
        is_last = last in PARTICLES or (len(last) >= FEWEST_PART_LETTERS and last not in STOP_WORDS)
        if is_first and is_last:
            yield first, last


def _list_forms(word: str) -> set[str]:
    """A word in the singular and the plural."""
    return {word, stem_word(word), f"{word}s"}


def _swap_words(text: str, old: str, new: str) -> str:
    pattern = re.escape(old).replace(r"\ ", r"\s+")
    return re.sub(rf"(?<!\w){pattern}(?!\w)", new, text, flags=re.IGNORECASE)
