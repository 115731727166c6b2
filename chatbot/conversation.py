"""A follow-up question made to stand alone, so that search knows what it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.sentences import STOP_WORDS, find_words
from chatbot.types import Message

_CONTINUES = re.compile(r"^(?:and|but|or|so|then|also|what about|how about)\b", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|one|ones"
    r"|the same|the former|the latter|such)\b",
    re.IGNORECASE,
)
FEW_WORDS = 2
"""A question with at most this many words of its own says too little to be searched alone."""


def make_standalone(question: str, history: Sequence[Message]) -> str:
    """The question as it should be searched: with the last question's words when it leans on them.

    A question that stands alone, and the first of a conversation, is returned as it is.
    """
    previous = [message.content for message in history if message.role == "user"]
    if not previous or not is_follow_up(question):
        return question
    topic = previous[-1]
    if len(previous) > 1 and is_follow_up(topic):
        topic = f"{previous[-2].strip()} {topic}"
    return f"{topic.strip()} {_strip_opening(question)}"


def is_follow_up(question: str) -> bool:
    """Whether the question points back to what was said before, or says too little alone."""
    words = [word for word in find_words(question) if word not in STOP_WORDS]
    if _CONTINUES.match(question.strip()):
        return True
    if len(words) <= FEW_WORDS and len(find_words(question)) <= 4:
        return True
    return len(words) <= 6 and _POINTS_BACK.search(question) is not None


def _strip_opening(question: str) -> str:
    rest = _CONTINUES.sub("", question.strip(), count=1).strip(" ,")
    return rest or question
