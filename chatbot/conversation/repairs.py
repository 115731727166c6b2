"""Spoken self-corrections: "In what country is Norse, no wait, Normandy?" asks of Normandy.

A self-repair is the words to be replaced, an editing term ("no wait") and the words that replace them
(E. Shriberg, Preliminaries to a Theory of Speech Disfluencies, 1994). Only what such a term marks is touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.conversation.noun_phrases import (
    AUXILIARIES,
    FUNCTION_WORDS,
    QUESTION_WORDS,
    REQUESTS,
    find_nouns,
)
from chatbot.sentences import find_words

# The editing terms of English, as spoken and as written down.
_FILLER = r"(?:u+h+|u+m+|erm?|hm+)"
_ADMISSION = (
    r"(?:(?:i'm |i am )?(?:so )?sorry|i mean|i meant(?: to (?:say|ask))?|i misspoke|oops|nope"
    r"|my (?:mistake|bad|fault)|scratch that(?: and)?)"
)
_EXCLAMATION = r"(?:no|or|oh|ah+|ugh|wait)"
_HINT = (
    r"(?:rather|instead|actually|not that|i guess|make that|strike that|excuse me|tell me|i want to know"
    r"|just|like)"
)
_GAP = r"(?:[\s,;:…—–-]|\.{2,3}){1,6}"
_PART = re.compile(rf"\b(?:{_FILLER}|{_ADMISSION}|{_EXCLAMATION}|{_HINT})\b", re.IGNORECASE)
_TERM = re.compile(
    rf"(?P<gap>{_GAP})(?P<words>{_PART.pattern}(?:{_GAP}{_PART.pattern})*)(?P<rest>{_GAP})", re.IGNORECASE
)
_ENGLISH = re.compile(r"\b(?:who|what|which|when|where|why|how|the)\b", re.IGNORECASE)
"""Says that "er" and "um" are no words of another language."""
_TAKE_BACK = frozenset("no wait rather instead actually".split())
"""What takes back alone where a question is then asked anew: "How many, actually what"."""
_BEFORE_SORRY = frozenset("am is are was be feel say says said song called word i'm im".split())
_BEFORE_I_MEAN = frozenset("do does did can what that".split())
_NEGATED = re.compile(r"(?P<right>.+?),? (?:and )?not (?P<wrong>.+?)\W*", re.IGNORECASE)
_ARTICLES = frozenset(("the", "a", "an"))
REACH_WORDS = 6
"""A repair starts again at most this many words back."""
LONGEST_CHARACTERS = 2_000
"""A longer text was not spoken, and would take long to look through."""
MOST_REPAIRS = 3
"""So many corrections of one question are resolved."""


def resolve_self_correction(question: str) -> str:
    """The question as its speaker meant it; word for word where nothing was corrected."""
    if len(question) > LONGEST_CHARACTERS:
        return question
    for _ in range(MOST_REPAIRS):
        repaired = _resolve_one(question)
        if repaired == question:
            break
        question = repaired
    return question


def _resolve_one(question: str) -> str:
    for term in _TERM.finditer(question):
        before, after = question[: term.start()], question[term.end() :]
        if find_words(_PART.sub("", before)) and find_words(after) and _is_editing_term(term, before, after):
            repaired = " ".join(_repair(before.split(), after.split(), _is_filler(term["words"])))
            return repaired[0].upper() + repaired[1:] if question[0].isupper() else repaired
    return question


def _is_filler(words: str) -> bool:
    return re.fullmatch(rf"{_FILLER}(?:{_GAP}{_FILLER})*", words, re.IGNORECASE) is not None


def _is_editing_term(term: re.Match[str], before: str, after: str) -> bool:
    """Whether the words take something back, rather than belong to the question."""
    parts = [match[0].lower() for match in _PART.finditer(term["words"])]
    last, following = _strip(before.split()[-1]), [_strip(word) for word in after.split()[:2]]
    if not re.sub(r"\bI\b", "i", term["words"]).islower():
        return False
    if any(re.fullmatch(_FILLER, part) for part in parts):
        return _ENGLISH.search(before + after) is not None
    if any(re.fullmatch(_ADMISSION, part) for part in parts):
        return len(parts) > 1 or not _speaks_of(parts[0], last, following[0])
    asks_anew = _opens_question(following) and not QUESTION_WORDS.isdisjoint(find_words(before))
    if len(parts) > 1 and parts not in (["or", "no"], ["or", "like"], ["or", "just"]):
        return re.fullmatch(_EXCLAMATION, parts[0]) is not None and last not in _ARTICLES
    if asks_anew:
        return len(parts) > 1 or parts[0] in _TAKE_BACK
    return parts == ["no"] and _takes_back(term, before, after, following[0])


def _takes_back(no: re.Match[str], before: str, after: str, following: str) -> bool:
    """Whether a lone "no" stands between commas or names, or before an article: "the EU, no, the TFEU"."""
    between_commas = not no["gap"].isspace() and not no["rest"].isspace()
    *others, last = before.split()
    between_names = bool(others) and last[0].isupper() and after[0].isupper()
    return between_commas or between_names or following in _ARTICLES


def _opens_question(words: Sequence[str]) -> bool:
    return words[0] in QUESTION_WORDS or (words[0] in FUNCTION_WORDS and words[-1] in QUESTION_WORDS)


def _speaks_of(admission: str, last: str, following: str) -> bool:
    """Whether "sorry" or "I mean" is part of what is asked, as in "What do I mean by scope?"."""
    if admission == "sorry":
        return last in _BEFORE_SORRY or following in ("for", "about", "that")
    if admission.startswith("i mean"):
        return last in _BEFORE_I_MEAN and following not in QUESTION_WORDS
    return admission.startswith("scratch") and last in _ARTICLES


def _repair(left: Sequence[str], right: Sequence[str], is_filler: bool) -> list[str]:
    """The words of the corrected question: those said first without what the later ones replace."""
    said, new = [_strip(word) for word in left], [_strip(word) for word in right]
    if not QUESTION_WORDS.isdisjoint(new[:2]) or new[0] in REQUESTS or {new[0], said[0]} <= AUXILIARIES:
        return _restart(left, said, right, new)
    negated = _NEGATED.fullmatch(" ".join(right))
    if negated:
        wrong = re.compile(rf"\b{re.escape(negated['wrong'])}\b", re.IGNORECASE)
        if wrong.search(" ".join(left)):
            return wrong.sub(lambda _: negated["right"], " ".join(left)).split()
    keep = _find_anchor(said, new)
    if keep is None:
        keep = _count_kept(left, said, right, is_filler)
    return [*left[:keep], *right]


def _restart(left: Sequence[str], said: Sequence[str], right: Sequence[str], new: Sequence[str]) -> list[str]:
    """A question asked anew, or only its question word."""
    asked = [place for place, word in enumerate(said) if word in QUESTION_WORDS]
    if asked and asked[-1] > 2 and new[0] in QUESTION_WORDS:
        return [*left[: asked[-1]], *right]
    says_little = len(find_nouns(" ".join(right))) < 2
    if says_little and len(find_nouns(" ".join(left))) > 2:
        return [*left[:-1], f"{left[-1]},", *right]
    return list(right)


def _find_anchor(said: Sequence[str], new: Sequence[str]) -> int | None:
    """How many words to keep where some are said again: up to the first, or second, word of the correction.

    An article counts as any other, and "relocate to, I mean flee to" as said again from "relocate".
    """
    wanted = _ARTICLES if new[0] in _ARTICLES else {new[0]}
    near = range(len(said) - 1, max(len(said) - 1 - REACH_WORDS, 0), -1)
    again = [place for place in near if said[place] in wanted]
    if again:
        return again[0]
    if len(new) > 1 and new[1] not in FUNCTION_WORDS:
        again = [place - 1 for place in near if said[place] == new[1]]
    elif said[-1] in FUNCTION_WORDS and said[-1] in new[1:3]:
        again = [len(said) - 2 - new[1:3].index(said[-1])]
    return max(again[0], 1) if again else None


def _count_kept(left: Sequence[str], said: Sequence[str], right: Sequence[str], is_filler: bool) -> int:
    """How many words to keep where nothing is repeated: name replaces name, number number, word word."""
    keep = len(left)
    if right[0][0].isupper() and left[-1][0].isupper():
        while keep and left[keep - 1][0].isupper() and said[keep - 1] not in FUNCTION_WORDS:
            keep -= 1
        return keep
    if right[0][0].isdigit() and left[-1][0].isdigit():
        return keep - 1
    return keep if is_filler or said[-1] in FUNCTION_WORDS else max(keep - 1, 1)


def _strip(word: str) -> str:
    return word.strip(".,;:?!\"'“”()").lower()
