"""The sentences of the passages that most likely answer a question, and how likely.

Each sentence is scored by its likeness to the question in meaning (read with its title and headings)
and in words (rare ones count more), by the rank of its passage, and by whether it looks
like an answer at all: a question for a number wants one, a heading or a question answers nothing.
The weights are round numbers near the best of a search over the shipped corpus's questions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from chatbot.grounding import SourceSpan, find_numbers, make_source_span
from chatbot.retrieval.versions import is_newer_version
from chatbot.sentences import find_content_words, split_rows_and_sentences
from chatbot.types import Embedder, Vectors

MEANING = 0.72
WORDS_IN_PLACE, WORDS_ALONE = 0.14, 0.14
PASSAGE_RANK, PASSAGE_LIKENESS = 0.09, 0.2
LACKS_NUMBER, IS_HEADING, IS_QUESTION = -0.18, -0.45, -0.22
LACKS_CODE, NEAR_CODE, HOLDS_CODE = -0.2, 0.1, 0.25
FOLLOW_UP_SHARE = 0.5
"""How much a follow-up's own words count beside those of the question made to stand alone."""
PART_SHARE = 0.5
"""How much one of two questions counts by itself: the second often leans on the first ("and who pays?")."""
QUOTE_MARGIN = 0.09
"""A second sentence is quoted too when its score is at most this much below the best."""
MOST_QUOTES, MOST_SENTENCES, MOST_LINES = 2, 4, 6
SAME_WORDS = 0.8
"""A quote that shares this much of its words with what was said already is left out."""
NEWER_MARGIN = 0.3
"""The newer version of a document goes first when its best sentence scores at most this much lower."""
MOST_READ = 24
"""So many sentences, the likeliest by the vectors they were stored with, are read with their headings."""
LONGEST_CHARACTERS = 600
"""Only the beginning of a longer sentence is embedded."""

_WANTS_NUMBER = re.compile(
    r"\b(?:how (?:many|much|long|old|far|large|big|high|heavy|often|quickly|soon|late|fast)|when"
    r"|(?:at|by|until) what|what (?:time|date|number|percentage|share|year)|which (?:number|date|day)"
    r"|what (?:is|was|are) the (?:\w+ )?"
    r"(?:maximum|minimum|limit|rate|price|cost|fee|number|deadline|amount))\b",
    re.IGNORECASE,
)
_WANTS_EXPLANATION = re.compile(
    r"\b(?:what (?:does|do) .+ mean|what (?:should|must|do|can) (?:i|we|you|one|they) do|what happens"
    r"|how (?:do|does|can|should|is|are|to)|why|explain|describe|tell me about)\b",
    re.IGNORECASE,
)
_NEXT_QUESTION = re.compile(
    r",?\s+and\s+(?=(?:what|how|who|when|where|which|why|is|are|do|does|can|may|must|should)\b)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_CODE = re.compile(r"\b(?=[\w-]*\d)[a-z][a-z0-9]*(?:-[a-z0-9]+)+\b|\b(?:19|20)\d\d\b", re.IGNORECASE)
_HAS_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|daily|weekly|monthly"
    r"|yearly|annually|never|always|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march"
    r"|april|may|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence with its score; sound answers score about 0.6 and more."""

    span: SourceSpan
    score: float


SentenceVectors = Mapping[tuple[str, int, int], Vectors]
"""Vectors of sentences by document, start and end."""


def rank_evidence(
    question: str,
    spans: Sequence[SourceSpan],
    embedder: Embedder,
    *,
    follow_up: str | None = None,
    known_vectors: SentenceVectors = MappingProxyType({}),
) -> list[Evidence]:
    """The single sentences among the spans, the likeliest to answer the question first.

    The newer of two versions of a document goes before the older one.

    :param question: as it was searched.
    :param follow_up: the words that were typed, where the question was made to stand alone.
    :param known_vectors: of the sentences as the library holds them; of many sentences they tell the
        likeliest, and only those are read with their headings.
    """
    singles = [span for span in spans if span.sentences == 1]
    if len(singles) > MOST_READ:
        singles = _keep_likeliest(question, singles, known_vectors, embedder)
    if not singles:
        return []
    in_place = embedder.embed_documents([cut_text(_describe_span(span), embedder) for span in singles])
    scores = score_spans(question, singles, in_place, embedder)
    parts = split_question(question)
    if len(parts) > 1:
        each = [
            [
                (1 - PART_SHARE) * whole + PART_SHARE * own
                for whole, own in zip(scores, score_spans(part, singles, in_place, embedder), strict=True)
            ]
            for part in parts
        ]
        return _lead_with_best(singles, scores, each, question)
    if follow_up is not None:
        own = score_spans(follow_up, singles, in_place, embedder)
        # The order is that of both questions, the height that of the one that stands alone.
        height = max(scores)
        scores = [
            (1 - FOLLOW_UP_SHARE) * score + FOLLOW_UP_SHARE * score_own
            for score, score_own in zip(scores, own, strict=True)
        ]
        scores = [score + height - max(scores) for score in scores]
    ranked = [Evidence(span, score) for span, score in zip(singles, scores, strict=True)]
    return put_newer_first(sorted(ranked, key=lambda item: -item.score), question)


def split_question(question: str) -> list[str]:
    """The questions that one sentence asks: "How many, and who pays?" asks two."""
    return [part.strip() for part in _NEXT_QUESTION.split(question) if part.strip()]


def _lead_with_best(
    spans: Sequence[SourceSpan], scores: Sequence[float], each: Sequence[Sequence[float]], question: str
) -> list[Evidence]:
    """The best sentence of every part of the question first, at the height of the best of all."""
    height = max(max(scores), *(max(part) for part in each))
    leaders: dict[int, Evidence] = {}
    for part in each:
        ranked = sorted(
            (Evidence(span, score) for span, score in zip(spans, part, strict=True)),
            key=lambda item: -item.score,
        )
        best = put_newer_first(ranked, question)[0]
        leaders.setdefault(id(best.span), Evidence(best.span, height))
    rest = [
        Evidence(span, score) for span, score in zip(spans, scores, strict=True) if id(span) not in leaders
    ]
    return [*leaders.values(), *sorted(rest, key=lambda item: -item.score)]


def _keep_likeliest(
    question: str, spans: Sequence[SourceSpan], known_vectors: SentenceVectors, embedder: Embedder
) -> list[SourceSpan]:
    """The spans, in their order, that are likely by the vectors they were stored with; all if those lack."""
    places = [(span.passage.chunk.document_id, span.start, span.end) for span in spans]
    if not all(place in known_vectors for place in places):
        return list(spans)
    scores = score_spans(question, spans, np.stack([known_vectors[place] for place in places]), embedder)
    likeliest = np.argsort(np.negative(scores), kind="stable")[:MOST_READ]
    return [spans[row] for row in sorted(likeliest)]


def score_spans(
    question: str, spans: Sequence[SourceSpan], vectors: Vectors, embedder: Embedder
) -> list[float]:
    """The score of each span for a question; `vectors` has shape (len(spans), dimension)."""
    asked = frozenset(find_content_words(question))
    weights = _weigh_words(asked, spans)
    vector = embedder.embed_query(question)
    wants_number = asks_for_number(question)
    codes = find_codes(question)
    return [
        MEANING * float(vectors[row] @ vector)
        + _score_words(span, asked, weights)
        + PASSAGE_RANK / span.passage.number
        + PASSAGE_LIKENESS * span.passage.similarity
        + _score_form(span, asked, codes, wants_number=wants_number)
        for row, span in enumerate(spans)
    ]


def put_newer_first(evidence: Sequence[Evidence], question: str) -> list[Evidence]:
    """The list with each sentence of an older version behind the newer version's nearest to it.

    A question that names a year is left alone.
    """
    if _YEAR.search(question):
        return list(evidence)
    ranked: list[Evidence] = []
    waiting = list(evidence)
    while waiting:
        item = waiting.pop(0)
        newer = next((other for other in waiting if _supersedes(other, item)), None)
        if newer is not None:
            waiting.remove(newer)
            ranked.append(Evidence(newer.span, item.score))
        ranked.append(item)
    return ranked


def _supersedes(item: Evidence, other: Evidence) -> bool:
    """Whether a sentence says in a newer version what another says in an older one."""
    new, old = item.span.passage, other.span.passage
    return (
        is_newer_version(new.path, new.date, old.path, old.date)
        and new.chunk.headings[-1:] == old.chunk.headings[-1:]
        and item.score >= other.score - NEWER_MARGIN
    )


def choose_quotes(evidence: Sequence[Evidence], question: str) -> list[SourceSpan]:
    """What to quote: the best sentence, and the next where it is nearly as good and says more.

    Neighbours become one quote; a question that asks for an explanation gets the sentences that
    follow; an older version is not quoted beside the newer one.
    """
    quotes: list[SourceSpan] = []
    for item in evidence:
        if item.score < evidence[0].score - QUOTE_MARGIN or len(quotes) == MOST_QUOTES:
            break
        if any(_makes_needless(quote, item.span, question) for quote in quotes):
            continue
        quotes.append(item.span)
    if quotes and asks_for_explanation(question):
        return [complete_list(extend_span(quotes[0], MOST_SENTENCES))]
    return [complete_list(quote) for quote in join_neighbours(quotes)]


def _makes_needless(quote: SourceSpan, span: SourceSpan, question: str) -> bool:
    new, old = quote.passage, span.passage
    is_superseded = is_newer_version(new.path, new.date, old.path, old.date)
    return shares_words(span.text, quote.text) or (is_superseded and not _YEAR.search(question))


def shares_words(text: str, other: str) -> bool:
    """Whether nearly all content words and all numbers of `text` stand in `other`."""
    words, others = (frozenset(find_content_words(part)) for part in (text, other))
    shared = len(words & others) / len(words) if words else 1.0
    return shared >= SAME_WORDS and find_numbers(text) <= find_numbers(other)


def asks_for_explanation(question: str) -> bool:
    """Whether one sentence is unlikely to be enough: what something means, how or why it is done."""
    return _WANTS_EXPLANATION.search(question) is not None and not asks_for_number(question)


def extend_span(span: SourceSpan, most: int) -> SourceSpan:
    """The span's paragraph; of one with more than `most` sentences, those around the span."""
    text = span.passage.text
    position = span.start - span.passage.chunk.start
    first = text.rfind("\n", 0, position) + 1
    last = text.find("\n", position)
    sentences = split_rows_and_sentences(text[first : last if last >= 0 else len(text)])
    own = next(index for index, (_, end) in enumerate(sentences) if first + end > position)
    begin = 0 if len(sentences) <= most else max(0, own - 1)
    chosen = sentences[begin : begin + most]
    offset = span.passage.chunk.start + first
    return widen_span(span, offset + chosen[0][0], offset + chosen[-1][1])


def complete_list(span: SourceSpan) -> SourceSpan:
    """A span that ends with a colon together with the lines that it announces."""
    if not span.text.endswith(":"):
        return span
    position = span.end - span.passage.chunk.start
    announced = span.passage.text[position:].strip().split("\n\n")[0]
    lines = announced.split("\n")[:MOST_LINES]
    if not announced:
        return span
    first = span.passage.text.index(lines[0], position)
    return widen_span(span, span.start, span.passage.chunk.start + first + len("\n".join(lines)))


def join_neighbours(quotes: Sequence[SourceSpan]) -> list[SourceSpan]:
    """Two quotes of one passage with nothing but blanks between them as one."""
    if len(quotes) != 2 or quotes[0].passage.number != quotes[1].passage.number:
        return list(quotes)
    first, second = sorted(quotes, key=lambda span: span.start)
    chunk = first.passage.chunk
    between = chunk.text[first.end - chunk.start : second.start - chunk.start]
    if between.strip() or "\n" in between:
        return list(quotes)
    return [widen_span(first, first.start, second.end)]


def widen_span(span: SourceSpan, start: int, end: int) -> SourceSpan:
    """The characters `start` to `end` of the same passage as a span."""
    first = span.passage.chunk.start
    return make_source_span(span.passage, start - first, end - first, table_header=span.table_header)


def names_what_is_missing(question: str, spans: Sequence[SourceSpan]) -> bool:
    """Whether the question names a code or a year of which no sentence speaks."""
    known = frozenset(number for span in spans for number in span.numbers)
    return bool(find_codes(question) - known)


def find_codes(question: str) -> frozenset[str]:
    """The codes (GW-410) and years that a question names; amounts of money are neither."""
    return frozenset(
        match[0].lower() for match in _CODE.finditer(question) if not _is_amount(question, match.start())
    )


def _is_amount(text: str, start: int) -> bool:
    return text[max(start - 1, 0) : start] in ("£", "$", "€")


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


def _score_form(
    span: SourceSpan, asked: frozenset[str], codes: frozenset[str], *, wants_number: bool
) -> float:
    score = 0.0
    if codes:
        near = NEAR_CODE if codes <= span.numbers else LACKS_CODE
        score += HOLDS_CODE if codes <= find_numbers(span.text) else near
    if wants_number and not holds_number(span.text):
        score += LACKS_NUMBER
    if (
        span.is_table_header
        or span.text in span.passage.chunk.headings
        or not set(find_content_words(span.text)) - asked
    ):
        score += IS_HEADING
    if span.text.endswith("?"):
        score += IS_QUESTION
    return score


def _describe_span(span: SourceSpan) -> str:
    passage = span.passage
    parts = (passage.title, passage.heading, span.table_header, span.text)
    return ". ".join(dict.fromkeys(part for part in parts if part))


def cut_text(text: str, embedder: Embedder) -> str:
    """The beginning of a text that the embedding model reads whole: only its likeness is wanted."""
    cut = text[:LONGEST_CHARACTERS]
    while embedder.count_tokens([cut])[0] > embedder.max_tokens:
        cut = cut[: len(cut) // 2]
    return cut
