"""The sentences of the passages that most likely answer a question, and how likely.

Each sentence is scored by its likeness to the question in meaning (with and without its title and
headings) and in words (rare ones count more), by the rank of its passage, and by whether it looks
like an answer at all: a question for a number wants one, a heading or a question answers nothing.
The weights are round numbers near the best of a search over the shipped corpus's questions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.grounding import SourceSpan
from chatbot.sentences import find_content_words, split_sentences
from chatbot.types import Embedder

MEANING_IN_PLACE, MEANING_ALONE = 0.45, 0.27
WORDS_IN_PLACE, WORDS_ALONE = 0.14, 0.14
PASSAGE_RANK = 0.09
LACKS_NUMBER, IS_HEADING, IS_QUESTION = -0.18, -0.45, -0.22
LONGEST_CHARACTERS = 600
"""Only the beginning of a longer sentence is embedded."""

_WANTS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|long|old|far|large|big|high|heavy|often|quickly|soon|late|fast)|when"
    r"|(?:at|by|until) what|what (?:time|date|number|percentage|share|year)|which (?:number|date|day)"
    r"|what (?:is|was|are) the (?:\w+ )?"
    r"(?:maximum|minimum|limit|rate|price|cost|fee|number|deadline|amount))\b",
    re.IGNORECASE,
)
_HAS_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|daily|weekly|monthly"
    r"|yearly|annually|never|always|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march"
    r"|april|may|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence with its score; sound answers score about 0.5 and more."""

    span: SourceSpan
    score: float


def rank_evidence(question: str, spans: Sequence[SourceSpan], embedder: Embedder) -> list[Evidence]:
    """The single sentences among the spans, the likeliest to answer the question first."""
    singles = [span for span in spans if len(split_sentences(span.text)) == 1]
    if not singles:
        return []
    asked = frozenset(find_content_words(question))
    weights = _weigh_words(asked, singles)
    vector = embedder.embed_query(question)
    texts = [_describe_span(span) for span in singles] + [span.text for span in singles]
    likeness = embedder.embed_documents([cut_text(text, embedder) for text in texts]) @ vector
    in_place, alone = likeness[: len(singles)], likeness[len(singles) :]
    wants_number = asks_for_number(question)
    scored = [
        Evidence(
            span,
            MEANING_IN_PLACE * float(in_place[row])
            + MEANING_ALONE * float(alone[row])
            + _score_words(span, asked, weights)
            + PASSAGE_RANK / span.passage.number
            + _score_form(span, asked, wants_number=wants_number),
        )
        for row, span in enumerate(singles)
    ]
    return sorted(scored, key=lambda item: -item.score)


def asks_for_number(question: str) -> bool:
    """Whether only a number, an amount, a date or a time can answer the question."""
    return _WANTS_NUMBER.search(question) is not None


def holds_number(text: str) -> bool:
    """Whether a text holds a number, a day or a date, in digits or words."""
    return _HAS_NUMBER.search(text) is not None


def _weigh_words(asked: frozenset[str], spans: Sequence[SourceSpan]) -> dict[str, float]:
    """The share of each word of the question: the rarer among the sentences, the more."""
    frequency = Counter(word for span in spans for word in span.words & asked)
    raw = {word: 1.0 / (1.0 + frequency[word]) ** 0.5 for word in asked}
    total = sum(raw.values())
    return {word: weight / total for word, weight in raw.items()}


def _score_words(span: SourceSpan, asked: frozenset[str], weights: dict[str, float]) -> float:
    own = frozenset(find_content_words(span.text))
    in_place = sum(weights[word] for word in asked & span.words)
    return WORDS_IN_PLACE * in_place + WORDS_ALONE * sum(weights[word] for word in asked & own)


def _score_form(span: SourceSpan, asked: frozenset[str], *, wants_number: bool) -> float:
    score = 0.0
    if wants_number and not holds_number(span.text):
        score += LACKS_NUMBER
    if span.text in span.passage.chunk.headings or not set(find_content_words(span.text)) - asked:
        score += IS_HEADING
    if span.text.endswith("?"):
        score += IS_QUESTION
    return score


def _describe_span(span: SourceSpan) -> str:
    return ". ".join(part for part in (span.passage.title, span.passage.heading, span.text) if part)


def cut_text(text: str, embedder: Embedder) -> str:
    """The beginning of a text that the embedding model reads whole: only its likeness is wanted."""
    cut = text[:LONGEST_CHARACTERS]
    while embedder.count_tokens([cut])[0] > embedder.max_tokens:
        cut = cut[: len(cut) // 2]
    return cut
