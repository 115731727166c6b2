"""Questions that ask for something to be computed, told by how they begin; `binding.py` reads the rest.

Whether such a question is one of a table is known only when every word of it was found there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from chatbot.surveys import grammar

Operation = Literal["sum", "average", "median", "maximum", "minimum", "count", "list", "lookup"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: an operation, and the words that say of which column and which rows.

    `most` is how many rows an extreme is asked for, `adjective` the word for it (of a list, the word that it
    began with). `is_person` where it began with "who". A number of things that is a `total` may be that of a
    column, such as units sold; so may one that is of all there are, as in "how many units do we have".
    """

    operation: Operation
    words: str
    most: int = 1
    adjective: str = ""
    is_person: bool = False
    is_total: bool = False
    is_of_all: bool = False


_IS = r"(?:is|was|are|were|'s|’s)"
_WHAT = rf"(?:what ?{_IS} |(?:calculate|compute|give me|show me|show|tell me|find) )?"
_THE = r"(?:(?:the|an?|our|their|all|every|of|for)\b ?)*"
_HIGH = r"(?:highest|largest|biggest|greatest|maximum|max|most|top|longest|heaviest|tallest)"
_LOW = r"(?:lowest|smallest|minimum|min|least|fewest|shortest|lightest)"
_PRICED = r"(?:most expensive|costliest|dearest|least expensive|cheapest)"
_SUPERLATIVE = rf"(?P<super>{_PRICED}|{_HIGH}|{_LOW}|(?:latest|newest|most recent|earliest|oldest))"
_NUMBER = r"(?P<number>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)"
_MINIMA = re.compile(rf"{_LOW}|least expensive|cheapest|earliest|oldest", re.IGNORECASE)
_TOTAL_WORDS = re.compile(r"\b(?:in total|altogether|all together|overall|combined|in all)\b", re.IGNORECASE)
_AMOUNT_VERBS = re.compile(
    r"\b(?:sold|shipped|delivered|produced|ordered|bought|spent|earned|used)\b", re.IGNORECASE
)
_OF_ALL = re.compile(
    r"\b(?:are|were|is|was) there\b|\b(?:do|did) (?:we|you) (?:have|own|keep|hold|stock)\b"
    r"|\bwe (?:have|own|keep|hold|stock)\b|\b(?:in stock|on hand)\b",
    re.IGNORECASE,
)

# The first that matches counts; what it leaves is read with the table's own words.
_BEGINNINGS: tuple[tuple[Operation, str], ...] = (
    ("average", rf"{_WHAT}{_THE}(?:average|mean|avg)\b {_THE}"),
    ("median", rf"{_WHAT}{_THE}median\b {_THE}"),
    ("sum", rf"{_WHAT}{_THE}(?:sum total|grand total|total sum|sum|total(?! number)|combined)\b {_THE}"),
    ("sum", rf"(?:add|sum|total) up {_THE}"),
    ("count", rf"(?:how many|{_WHAT}{_THE}(?:total )?(?:number|count) of|count) {_THE}"),
)
_EXTREMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<who>who) (?:has|have|had|{_IS}|earns?|gets?|got|made|sold|spent|ordered|paid) {_THE}"
        rf"{_SUPERLATIVE} (?P<rest>.+)",
        rf"(?:which|what) (?P<entity>.+?) (?:has|have|had|{_IS}|with|got|shows?|costs?|sold|made) {_THE}"
        rf"{_SUPERLATIVE}(?P<rest> .+)?",
        rf"{_WHAT}{_THE}top {_NUMBER} (?P<rest>.+)",
        rf"(?:{_WHAT}|which {_IS} |what are |which are |list |who {_IS} ){_THE}(?:{_NUMBER} )?"
        rf"{_SUPERLATIVE} (?P<rest>.+)",
    )
)
_LISTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<who>who(?:m)?(?: all)?) (?P<rest>.+)",
        r"(?:which|what) (?P<rest>.+)",
        r"(?:list|show(?: me)?|find(?: me)?|give me|name|display) (?P<rest>.+)",
    )
)


def read_request(question: str) -> Request | None:
    """How a question can be read as one to compute; None for an ordinary question."""
    sentence = " ".join(question.split()).rstrip(" ?!.…")
    sentence = re.sub(rf"^(?:{grammar.POLITE})+", "", sentence, flags=re.IGNORECASE)
    readings = (_read_beginning, _read_extreme, _read_list)
    return next((request for read in readings if (request := read(sentence))), None)


def _read_beginning(sentence: str) -> Request | None:
    for operation, pattern in _BEGINNINGS:
        if match := re.match(pattern, sentence + " ", re.IGNORECASE):
            rest = sentence[match.end() :]
            total = " total " in f" {match[0].lower()} " or bool(
                _TOTAL_WORDS.search(rest) or _AMOUNT_VERBS.search(rest)
            )
            is_of_all = _OF_ALL.search(rest) is not None
            words = _TOTAL_WORDS.sub(" ", rest).strip()
            return Request(operation, words, is_total=total, is_of_all=is_of_all)
    return None


def _read_extreme(sentence: str) -> Request | None:
    for pattern in _EXTREMES:
        if match := pattern.fullmatch(sentence):
            found = match.groupdict()
            word = (found.get("super") or "top").lower()
            operation: Operation = "minimum" if _MINIMA.fullmatch(word) else "maximum"
            words = " of ".join(filter(None, [found.get("entity"), found.get("rest")]))
            request = Request(operation, words.strip(), adjective=word, is_person=bool(found.get("who")))
            return replace(request, most=_read_number(found.get("number")))
    return None


def _read_number(text: str | None) -> int:
    if not text:
        return 1
    return max(1, int(text)) if text.isdigit() else grammar.NUMBERS[text.lower()]


def _read_list(sentence: str) -> Request | None:
    for pattern in _LISTS:
        if match := pattern.fullmatch(sentence):
            opening = sentence[: match.start("rest")].strip().lower()
            return Request("list", match["rest"], adjective=opening, is_person=opening.startswith("who"))
    return None
