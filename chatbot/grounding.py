"""Which words of the sources each sentence of an answer rests on.

The model is not trusted to cite. Each sentence that it wrote is laid beside every sentence of the
passages; where one holds its words, its numbers and its names, that is the citation, down to the
characters. A sentence that no source backs is known as such. Works for any model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from chatbot.places import find_page, find_rows
from chatbot.sentences import (
    CELL_MARK,
    STOP_WORDS,
    find_content_words,
    find_words,
    split_rows_and_sentences,
    stem_word,
)
from chatbot.types import Citation, Passage

ENOUGH_SUPPORT = 0.6
"""The share of an answer sentence's words that its source must hold."""
LONGEST_QUOTE = 2
"""A citation quotes at most this many neighbouring sentences."""

_NEGATIONS = frozenset({"not", "never", "cannot", "without", "neither", "nor", "none"})
_CITATION_MARK = re.compile(r"\s*\[\d{1,2}(?:\s*,\s*\d{1,2})*\]")
_MARKUP = re.compile(r"[*_`#]+")
_SIGNS = "£$€%"
_AMOUNT = re.compile(rf"[{_SIGNS}]?\d[\d.,]*(?<![.,])%?")
_WITH_SIGN = re.compile(r"[£$€]\d[\d.,]*(?<![.,])|\d[\d.,]*(?<![.,])%")
_NUMBER_WORDS = dict(
    zip(
        "two three four five six seven eight nine ten eleven twelve".split(),
        map(str, range(2, 13)),
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """One or two neighbouring sentences of a passage; offsets are those of the document."""

    passage: Passage
    start: int
    end: int
    words: frozenset[str]
    numbers: frozenset[str]
    negated: bool
    text: str
    sentences: int = 1
    is_table_header: bool = False
    table_header: str = ""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a sentence says, as far as words can tell."""

    words: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    negated: bool


def list_source_spans(passages: Iterable[Passage]) -> list[SourceSpan]:
    """Every sentence of the passages, and every two neighbouring ones of a passage."""
    return [span for passage in passages for span in _list_passage_spans(passage)]


def _list_passage_spans(passage: Passage) -> Iterator[SourceSpan]:
    sentences = split_rows_and_sentences(passage.text)
    headers = list(list_table_headers(passage, sentences))
    for length in range(1, LONGEST_QUOTE + 1):
        for first in range(len(sentences) - length + 1):
            start, end = sentences[first][0], sentences[first + length - 1][1]
            header = headers[first]
            span = make_source_span(passage, start, end, table_header=header)
            is_header = length == 1 and header == passage.text[start:end]
            yield replace(span, sentences=length, is_table_header=is_header)


def make_source_span(passage: Passage, start: int, end: int, *, table_header: str = "") -> SourceSpan:
    """The characters `start` to `end` of a passage's text as a span.

    :param table_header: the first row of the table that the characters are a row of.
    """
    place = f"{passage.title} {passage.heading} {passage.chunk.context} {passage.date or ''}"
    text = passage.text[start:end]
    return SourceSpan(
        passage=passage,
        start=passage.chunk.start + start,
        end=passage.chunk.start + end,
        words=frozenset(find_content_words(f"{place} {table_header} {text}")),
        numbers=find_numbers(text) | find_numbers(place),
        negated=_is_negated(text),
        text=text,
        table_header=table_header,
    )


def list_table_headers(passage: Passage, sentences: Sequence[tuple[int, int]]) -> Iterator[str]:
    """For each sentence the header of the table that it is a row of; empty for prose.

    A table that began in an earlier chunk has its header in the context.
    """
    last_context_line = passage.chunk.context.rsplit("\n", 1)[-1]
    header = last_context_line if CELL_MARK in last_context_line else ""
    for start, end in sentences:
        text = passage.text[start:end]
        header = (header or text) if CELL_MARK in text else ""
        yield header


def ground_sentence(
    sentence: str, start: int, spans: Sequence[SourceSpan], *, question: str
) -> Citation | None:
    """The source of one sentence of an answer, or None when no passage backs it.

    :param start: where the sentence begins in the answer.
    :param question: its words may be repeated in the answer without standing in the source.
    """
    claim = _read_claim(sentence)
    asked = frozenset(find_content_words(question))
    best: tuple[float, float, SourceSpan] | None = None
    for span in spans:
        support = measure_support(claim, span, asked)
        if support < ENOUGH_SUPPORT:
            continue
        # Between equals the shorter quote, then the one that also speaks of the question, is better.
        precision = len(claim.words & span.words) + 0.5 * len(asked & span.words)
        rank = (round(support, 3), precision - 0.02 * len(span.text.split()), span)
        if best is None or rank[:2] > best[:2]:
            best = rank
    if best is None:
        return None
    support, _, span = best
    return make_citation(span, start, start + len(sentence), support=support)


def make_citation(span: SourceSpan, answer_start: int, answer_end: int, *, support: float) -> Citation:
    """The citation of a source span by `text[answer_start:answer_end]` of an answer."""
    return Citation(
        passage_number=span.passage.number,
        answer_start=answer_start,
        answer_end=answer_end,
        document_id=span.passage.chunk.document_id,
        source_start=span.start,
        source_end=span.end,
        quote=span.text,
        page=find_page(span.passage.chunk, span.start),
        support=support,
        rows=find_rows(span.passage.chunk, span.start, span.end),
    )


def measure_support(claim: _Claim, span: SourceSpan, asked: frozenset[str]) -> float:
    """The share of the claim's words that the source holds; 0 when a number, a name or a "not" differs."""
    if not claim.words or claim.numbers - span.numbers - (asked & claim.numbers):
        return 0.0
    if claim.names - span.words - asked or (claim.negated and not span.negated):
        return 0.0
    own = claim.words - (asked - span.words)
    if not own & span.words:
        return 0.0
    return len(own & span.words) / len(own)


def picks_among_numbers(sentence: str, source: str, question: str) -> bool:
    """Whether a sentence names some of several numbers of its source, and so may name the wrong one."""
    choices = find_amounts(source) - find_amounts(question)
    return bool(choices & find_amounts(sentence)) and bool(choices - find_amounts(sentence))


def keeps_units(sentence: str, source: str) -> bool:
    """Whether every number of a sentence has the sign of money or per cent that it has in the source."""
    with_sign = {match[0] for match in _WITH_SIGN.finditer(source)}
    bare = {number.strip(_SIGNS) for number in with_sign}
    return all(
        match[0] in with_sign or match[0].strip(_SIGNS) not in bare for match in _AMOUNT.finditer(sentence)
    )


def find_amounts(text: str) -> frozenset[str]:
    """The numbers of a text as whole words, in digits."""
    return frozenset(number for number in find_numbers(text) if number[0].isdigit())


def is_made_of(sentence: str, source: str) -> bool:
    """Whether every content word of a sentence stands in the source."""
    return frozenset(find_content_words(strip_markup(sentence))) <= frozenset(find_content_words(source))


def _read_claim(sentence: str) -> _Claim:
    plain = strip_markup(sentence)
    return _Claim(
        words=frozenset(find_content_words(plain)),
        numbers=find_numbers(plain),
        names=frozenset(_find_names(plain)),
        negated=_is_negated(plain),
    )


def strip_markup(text: str) -> str:
    """Text without Markdown signs and without the model's own citation numbers."""
    return _MARKUP.sub("", _CITATION_MARK.sub("", text))


def find_numbers(text: str) -> frozenset[str]:
    """The numbers and codes of a text, small ones in digits however they are written."""
    words = find_words(text)
    numbers = {word.replace(",", "") for word in words if any(sign.isdigit() for sign in word)}
    parts = {part for word in numbers for part in re.split(r"[:/-]", word) if part.isdigit()}
    return frozenset(numbers | parts | {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS})


def _find_names(sentence: str) -> Iterator[str]:
    """Capitalised words inside a sentence, as stems; its first word only before another such word."""
    words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", sentence)
    capitalised = [word[0].isupper() and len(word) > 1 for word in words]
    first = 0 if capitalised[:2] == [True, True] else 1
    for word, is_capitalised in zip(words[first:], capitalised[first:], strict=True):
        if is_capitalised and word.lower() not in STOP_WORDS:
            yield stem_word(word.lower())


def _is_negated(text: str) -> bool:
    lowered = text.lower().replace("’", "'")
    return "n't" in lowered or not _NEGATIONS.isdisjoint(find_words(lowered))
