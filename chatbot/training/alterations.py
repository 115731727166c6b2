"""Questions that a passage does not answer, made from one that it answers.

The kinds are those that people wrote for SQuAD 2.0 (Rajpurkar et al. 2018, table 2): another number,
another name, the opposite, a negation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from chatbot.sentences import split_sentences

_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_NAME = re.compile(r"(?<![.?!] )(?<!^)\b[A-Z][\w'-]+(?: (?:of |the |de )?[A-Z][\w'-]+)*")
_VERB = re.compile(r"\b(?:did|does|do|is|was|are|were|can|could|has|have|had|will|would)\b")
_WORD = re.compile(r"[\w-]+")
_NEGATED_SHARE = 0.3
_PAIRS = """
first last, before after, most least, largest smallest, north south, east west, northern southern,
eastern western, oldest newest, highest lowest, increase decrease, increased decreased, more fewer,
best worst, early late, earliest latest, won lost, win lose, start end, started ended, begin finish,
opened closed, male female, men women, above below, inside outside, same different, public private,
major minor, upper lower, top bottom, born buried, bought sold, support oppose, supported opposed,
accepted rejected, included excluded, positive negative, cold hot, old new, long short, large small,
high low, true false, friend enemy, founded dissolved, built destroyed, gained lost, allowed banned,
can cannot, many few, popular unpopular, common rare, internal external, maximum minimum,
full-time part-time, arrive leave, arrived left, teachers students, employees customers, summer winter,
spring autumn, increasing declining, modern ancient, longest shortest, biggest smallest
"""


def _read_pairs(text: str) -> dict[str, str]:
    opposites: dict[str, str] = {}
    for pair in text.split(","):
        one, other = pair.split()
        opposites.setdefault(one, other)
        opposites.setdefault(other, one)
    return opposites


OPPOSITES = _read_pairs(_PAIRS)


def alter_question(question: str, text: str, others: str, chance: Random) -> str | None:
    """A question much like this one that `text` most likely does not answer; None where no way is found.

    :param others: texts on the same subject, whose names may stand in for those of the question.
    """
    ways: list[Callable[[], str | None]] = [
        lambda: _change_number(question, text, chance),
        lambda: _take_opposite(question, chance),
        lambda: _change_name(question, text, others, chance),
        lambda: _negate(question) if chance.random() < _NEGATED_SHARE else None,
    ]
    chance.shuffle(ways)
    return next((altered for way in ways if (altered := way()) is not None), None)


def _change_number(question: str, text: str, chance: Random) -> str | None:
    numbers = _NUMBER.findall(question)
    if not numbers:
        return None
    number = chance.choice(numbers)
    others = [other for other in _NUMBER.findall(text) if other != number and len(other) == len(number)]
    if not others and number.isdigit():
        others = [str(int(number) + chance.choice((-7, -3, 2, 5, 11)))]
    return question.replace(number, chance.choice(others), 1) if others else None


def _take_opposite(question: str, chance: Random) -> str | None:
    words = [word for word in _WORD.findall(question) if word.lower() in OPPOSITES]
    if not words:
        return None
    word = chance.choice(words)
    return re.sub(rf"\b{re.escape(word)}\b", OPPOSITES[word.lower()], question, count=1)


def _change_name(question: str, text: str, others: str, chance: Random) -> str | None:
    names = [match[0] for match in _NAME.finditer(question) if match[0] in text]
    if not names:
        return None
    name = chance.choice(names)
    rivals = [
        match[0]
        for match in _NAME.finditer(others)
        if match[0] not in question and name not in match[0] and len(match[0].split()) == len(name.split())
    ]
    return question.replace(name, chance.choice(rivals), 1) if rivals else None


def _negate(question: str) -> str | None:
    verb = _VERB.search(question)
    return f"{question[: verb.end()]} not{question[verb.end() :]}" if verb else None


def leave_out_answer(text: str, start: int, end: int) -> str | None:
    """The text without the sentences that the characters `start` to `end` stand in.

    None where nothing would be left, or where the answer stands elsewhere in the text too.
    """
    sentences = split_sentences(text)
    kept = [text[first:last] for first, last in sentences if last <= start or first >= end]
    left = " ".join(kept)
    is_whole = len(kept) == len(sentences)
    return None if not kept or is_whole or text[start:end].lower() in left.lower() else left
