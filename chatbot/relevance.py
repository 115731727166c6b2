"""Whether passages are likely to hold the answer to a question at all, before a model is asked."""

from __future__ import annotations

from collections.abc import Sequence

from chatbot.sentences import find_content_words
from chatbot.types import Passage


def measure_relevance(question: str, passages: Sequence[Passage]) -> float:
    """Between 0 and 1: how well the best passage matches the question in meaning and in words.

    The mean of the cosine similarity and the share of the question's content words that the passage
    holds, of the passage where it is highest; 0 without passages.
    """
    asked = frozenset(find_content_words(question))
    return max((_measure_passage(asked, passage) for passage in passages), default=0.0)


def _measure_passage(asked: frozenset[str], passage: Passage) -> float:
    words = frozenset(find_content_words(f"{passage.chunk.context} {passage.text}"))
    share = len(asked & words) / len(asked) if asked else 0.0
    return (max(passage.similarity, 0.0) + share) / 2
