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
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from chatbot.grounding import SourceSpan, find_numbers
from chatbot.reading.reading import AnswerSpan, Reading
from chatbot.retrieval.versions import is_newer_version
from chatbot.sentences import find_content_words
from chatbot.trust import SURELY_NONE, TRUST_IN_ANSWER, TRUST_IN_ORDER, measure_trust
from chatbot.types import Embedder, Vectors

MEANING = 0.72
WORDS_IN_PLACE, WORDS_ALONE = 0.14, 0.14
PASSAGE_RANK, PASSAGE_LIKENESS = 0.09, 0.2
LACKS_NUMBER, IS_HEADING, IS_QUESTION = -0.18, -0.45, -0.22
LACKS_CODE, NEAR_CODE, HOLDS_CODE = -0.2, 0.1, 0.25
ANSWERS_ANOTHER, SAME_QUESTION = -0.25, 0.5
"""A "Yes, ..." below another question answers that one; the same question shares this much of its words."""
FOLLOW_UP_SHARE = 0.5
"""How much a follow-up's own words count beside those of the question made to stand alone."""
PART_SHARE = 0.5
"""How much one of two questions counts by itself: the second often leans on the first ("and who pays?")."""
NEWER_MARGIN = 0.3
"""The newer version of a document goes first when its best sentence scores at most this much lower."""
READ_BEST = 3
"""So many sentences that the reading model likes best are scored in any case."""
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
_NEXT_QUESTION = re.compile(
    r",?\s+and\s+(?=(?:what|how|who|when|where|which|why|is|are|do|does|can|may|must|should)\b)",
    re.IGNORECASE,
)
_SAYS_YES_OR_NO = re.compile(r"(?:A(?:nswer)?: ?)?(?:yes|no)\b(?! \w)", re.IGNORECASE)
_SAYS_NOTHING = re.compile(
    r"(?:A(?:nswer)?: ?)?(?:n/?a|none|not (?:applicable|available)|tb[acd]|to be (?:announced|confirmed|done)"
    r"|it depends|(?:good|great) question|thanks?(?: you)?(?: (?:so much|very much|for \w+(?: \w+)?))?)\W*",
    re.IGNORECASE,
)
"""A whole sentence of these words answers nobody."""
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
    """A sentence with its score, which puts it in order.

    `answer` are the words in it that the reading model takes for the answer, `odds` the logarithm of
    how much likelier it finds them than that no passage holds one.
    """

    span: SourceSpan
    score: float
    answer: AnswerSpan | None = None
    odds: float | None = None

    @property
    def confidence(self) -> float:
        """How likely the sentence answers; sound answers have about 0.65 and more."""
        return self.score + TRUST_IN_ANSWER * measure_trust(self.odds)


def finds_nothing(evidence: Sequence[Evidence]) -> bool:
    """Whether the reading model is sure that no sentence answers, however near it is in words and meaning."""
    odds = [item.odds for item in evidence if item.odds is not None]
    return bool(odds) and max(odds) < SURELY_NONE


SentenceVectors = Mapping[tuple[str, int, int], Vectors]
"""Vectors of sentences by document, start and end."""
Answers = dict[tuple[int, int, int], AnswerSpan]
"""The likeliest answer in each sentence, by passage, start and end."""


def rank_evidence(
    question: str,
    spans: Sequence[SourceSpan],
    embedder: Embedder,
    *,
    follow_up: str | None = None,
    known_vectors: SentenceVectors = MappingProxyType({}),
    reading: Reading | None = None,
) -> list[Evidence]:
    """The single sentences among the spans, the likeliest to answer the question first.

    The newer of two versions of a document goes before the older one.

    :param question: as it was searched.
    :param follow_up: the words that were typed, where the question was made to stand alone.
    :param known_vectors: of the sentences as the library holds them; of many sentences they tell the
        likeliest, and only those are read with their headings.
    :param reading: what the reading model made of the passages.
    """
    answers = _find_answers(spans, reading)
    singles = [span for span in spans if span.sentences == 1]
    if len(singles) > MOST_READ:
        read_best = sorted(answers, key=lambda place: -answers[place].score)[:READ_BEST]
        singles = _keep_likeliest(question, singles, known_vectors, embedder, keep=read_best)
    if not singles:
        return []
    in_place = embedder.embed_documents([cut_text(_describe_span(span), embedder) for span in singles])
    scores = score_spans(question, singles, in_place, embedder)
    if reading is not None:
        read = _score_reading(singles, answers, reading)
        scores = [score + own for score, own in zip(scores, read, strict=True)]
    parts = split_question(question)
    if len(parts) > 1:
        each = [
            [
                (1 - PART_SHARE) * whole + PART_SHARE * own
                for whole, own in zip(scores, score_spans(part, singles, in_place, embedder), strict=True)
            ]
            for part in parts
        ]
        ranked = _lead_with_best(singles, scores, each, question)
        return ranked if reading is None else [_tell_answer(item, answers, reading) for item in ranked]
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
    ranked = put_newer_first(sorted(ranked, key=lambda item: -item.score), question)
    return ranked if reading is None else [_tell_answer(item, answers, reading) for item in ranked]


def _find_answers(spans: Sequence[SourceSpan], reading: Reading | None) -> Answers:
    """The likeliest answer within each single sentence, where the reading model saw a token of it."""
    answers = {}
    for span in spans if reading is not None else ():
        passage = reading.passages.get(span.passage.number) if reading is not None else None
        if span.sentences > 1 or passage is None:
            continue
        first = span.passage.chunk.start
        answer = passage.find_best(span.start - first, span.end - first)
        if answer is not None:
            answers[_place(span)] = answer
    return answers


def _score_reading(spans: Sequence[SourceSpan], answers: Answers, reading: Reading) -> list[float]:
    """What each sentence gains by what the reading model thinks of it."""
    found = [answers.get(_place(span)) for span in spans]
    return [
        TRUST_IN_ORDER * measure_trust(reading.measure_odds(answer) if answer else -np.inf)
        for answer in found
    ]


def _tell_answer(item: Evidence, answers: Answers, reading: Reading) -> Evidence:
    answer = answers.get(_place(item.span))
    return replace(item, answer=answer, odds=reading.measure_odds(answer) if answer else -np.inf)


def _place(span: SourceSpan) -> tuple[int, int, int]:
    return span.passage.number, span.start, span.end


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
    question: str,
    spans: Sequence[SourceSpan],
    known_vectors: SentenceVectors,
    embedder: Embedder,
    *,
    keep: Sequence[tuple[int, int, int]],
) -> list[SourceSpan]:
    """The spans, in their order, that are likely by the vectors they were stored with; all if those lack.

    :param keep: places of spans that stay in any case.
    """
    places = [(span.passage.chunk.document_id, span.start, span.end) for span in spans]
    if not all(place in known_vectors for place in places):
        return list(spans)
    scores = score_spans(question, spans, np.stack([known_vectors[place] for place in places]), embedder)
    likeliest = np.argsort(np.negative(scores), kind="stable")[:MOST_READ]
    kept = {*likeliest.tolist(), *(row for row, span in enumerate(spans) if _place(span) in keep)}
    return [spans[row] for row in sorted(kept)]


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
    if names_year(question):
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


def names_what_is_missing(question: str, spans: Sequence[SourceSpan]) -> bool:
    """Whether the question names a code or a year of which no sentence speaks."""
    known = frozenset(number for span in spans for number in span.numbers)
    return bool(find_codes(question) - known)


def find_codes(question: str) -> frozenset[str]:
    """The codes (GW-410) and years that a question names; amounts of money are neither."""
    return frozenset(
        match[0].lower() for match in _CODE.finditer(question) if not _is_amount(question, match.start())
    )


def find_named_codes(question: str) -> frozenset[str]:
    """The codes that a question names, without years."""
    return frozenset(code for code in find_codes(question) if not _YEAR.fullmatch(code))


def _is_amount(text: str, start: int) -> bool:
    return text[max(start - 1, 0) : start] in ("£", "$", "€")


def names_year(question: str) -> bool:
    """Whether the question is about a certain year."""
    return _YEAR.search(question) is not None


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
        # What a document of a year says is said of that year, whether or not the sentence repeats it.
        in_place = HOLDS_CODE if all(map(_YEAR.fullmatch, codes)) else NEAR_CODE
        near = in_place if codes <= span.numbers else LACKS_CODE
        score += HOLDS_CODE if codes <= find_numbers(span.text) else near
    if wants_number and not holds_number(span.text):
        score += LACKS_NUMBER
    if (
        span.is_table_header
        or span.text in span.passage.chunk.headings
        or not set(find_content_words(span.text)) - asked
        or _SAYS_NOTHING.fullmatch(span.text)
    ):
        score += IS_HEADING
    if span.text.endswith("?"):
        score += IS_QUESTION
    if answers_another_question(span, asked):
        score += ANSWERS_ANOTHER
    return score


def answers_another_question(span: SourceSpan, asked: frozenset[str]) -> bool:
    """Whether a sentence says yes or no to a question of the document that is not the one asked.

    :param asked: the words of the question that carry meaning.
    """
    if not _SAYS_YES_OR_NO.match(span.text):
        return False
    before = span.passage.text[: span.start - span.passage.chunk.start].rstrip()
    heading = (span.passage.chunk.headings or ("",))[-1]
    answered = next((text for text in (before.rsplit("\n", 1)[-1], heading) if text.endswith("?")), "")
    words = frozenset(find_content_words(answered))
    return bool(words) and len(words & asked) < SAME_QUESTION * len(words | asked)


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
