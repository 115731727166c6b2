"""Where sentences begin and end, and which of their words carry meaning."""

from __future__ import annotations

import re

SPLITTING_VERSION = 2
"""Raised whenever the same text would be split otherwise: the library keeps a vector for each sentence."""

_BOUNDARY = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9À-ÖØ-Þ])|(?<=[。！？])\s*|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|ext|no|nos|fig|sec|dr|mr|mrs|ms|prof|st|inc|ltd|dept|p|pp|vol|jan|feb|mar|apr"
    r"|jun|jul|aug|sept?|oct|nov|dec|a\.m|p\.m)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_ENUMERATION = re.compile(r"^\W*(?:\d{1,3}|[a-zA-Z])[.)]$")
_LEAD_IN = re.compile(r"^\s*(?:[^\W\d_][\w'’-]*\s+)?[^\W\d_][\w'’-]*\.$")
_SIGNS = re.compile(r"[\W_]+")
_WORD = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*")

CELL_MARK = " | "
"""Stands between the cells of a table row in a document's text."""

STOP_WORDS = frozenset(
    """
    a about after again all also am an and any are as at be because been before being between both but
    by can could did do does doing down during each few for from further had has have having he her here
    hers him his how i if in into is it its itself just me more most my no nor not now of off on once
    only or other our ours out over own same she should so some such than that the their theirs them
    then there these they this those through to too under until up very was we were what when where
    which while who whom why will with would you your yours shall may might must tell please many much
    long get s t
    """.split()
)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence of `text`, blanks around it left out.

    A line break ends a sentence; an abbreviation, an initial, the number of a list item, or one or two
    words in front of a paragraph ("Dogs. They travel free.") do not.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        before = text[start : match.start()]
        if "\n" not in match[0] and (_ABBREVIATION.search(before) or _ENUMERATION.match(before.strip())):
            continue
        begins_line = start == 0 or text[start - 1] == "\n"
        if "\n" not in match[0] and begins_line and _LEAD_IN.match(before):
            continue
        _append_span(spans, text, start, match.end())
        start = match.end()
    _append_span(spans, text, start, len(text))
    return spans


def split_rows_and_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence of a passage, where a row of a table is one."""
    spans = []
    position = 0
    for line in text.split("\n"):
        inside = split_sentences(line)
        if CELL_MARK in line and inside:
            inside = [(inside[0][0], inside[-1][1])]
        spans += [(position + start, position + end) for start, end in inside]
        position += len(line) + 1
    return spans


def _append_span(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        first = start + piece.index(stripped)
        spans.append((first, first + len(stripped)))


def part_words(text: str) -> str:
    """A text with a blank for every sign, also between words that only a sign joins, as in a path."""
    return _SIGNS.sub(" ", text)


def find_words(text: str) -> list[str]:
    """The words of `text` in order, in lower case."""
    return [match[0].lower() for match in _WORD.finditer(text)]


def find_content_words(text: str) -> list[str]:
    """The words that carry meaning, in order, cut to a common stem."""
    return [stem_word(word) for word in find_words(text) if word not in STOP_WORDS]


def stem_word(word: str) -> str:
    """`word` without its commonest English endings, so that "requests" meets "requested".

    A light form of the S-stemmer (Harman, "How effective is suffixing?", 1991) that also drops
    -ed and -ing; numbers and codes are left alone.
    """
    word = word.removesuffix("'s").removesuffix("’s")
    if not word.isalpha() or len(word) < 5:
        return (
            word[:-1] if word.isalpha() and len(word) == 4 and word[-1] == "s" and word[-2] != "s" else word
        )
    for ending, replacement in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "us")):
            word = word[: -len(ending)] + replacement
            break
    return word.removesuffix("e") if len(word) > 4 else word
