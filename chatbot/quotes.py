"""What an answer quotes: which of the likeliest sentences, and how much of what stands around them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.bands import settles_amount
from chatbot.evidence import NEWER_MARGIN, Evidence, asks_for_number, names_year, split_question
from chatbot.grounding import SourceSpan, find_numbers, make_source_span
from chatbot.retrieval.versions import is_newer_version
from chatbot.sentences import find_content_words, split_rows_and_sentences, stem_word
from chatbot.trust import SURE_ODDS, measure_margin

MOST_QUOTES, MOST_SENTENCES, MOST_LINES = 2, 4, 6
SAME_WORDS = 0.8
"""A quote that shares this much of its words with what was said already is left out."""

WHOLE_SHARE = 0.8
"""An answer that is more than this share of its sentence is not told apart from it."""

_COUNTED = re.compile(r"\bhow many (?:\w+ )??(\w+s)\b", re.IGNORECASE)
_WORDS_BEHIND = re.compile(r"(?: [^\W\d_]+){1,3}")
_WORD = re.compile(r"\w+")
_IN_WORD = re.compile(r"\w\w|\d[.,:]\d|[.,:]\d")
_EDGE_MARKS = " \t\n.,;:!?()[]{}\"'“”‘’|*_`"
_PARTNERS = {"(": ")", ")": "(", "[": "]", "]": "[", "{": "}", "}": "{", "“": "”", "”": "“"}
_LABEL = re.compile(r"(?:(?:A|Answer):|\[!\w+\])\s+(?=\S)")
_ASKS_WHETHER = re.compile(
    r"(?:^|.*, )(?:is|are|was|were|am|do|does|did|can|could|may|might|must|shall|should|will|would"
    r"|has|have|had)\b",
    re.IGNORECASE,
)
_WANTS_EXPLANATION = re.compile(
    r"\b(?:what (?:does|do) .+ mean|what (?:should|must|do|can) (?:i|we|you|one|they) do|what happens"
    r"|how (?:do|does|can|should|is|are|to)|why|explain|describe|tell me about)\b",
    re.IGNORECASE,
)


def choose_quotes(
    evidence: Sequence[Evidence], question: str, *, margin: float | None = None
) -> list[SourceSpan]:
    """What to quote: the best sentence, and the next where it is nearly as good and says more.

    Neighbours become one quote; a question that asks for an explanation gets the sentences that
    follow; an older version is not quoted beside the newer one.

    :param margin: how much lower the second sentence may score; when None, by the reading model's trust in
        the first, and nothing where the first tells the band that holds an amount of the question.
    """
    if margin is None and evidence:
        is_settled = settles_amount(evidence[0].span, question)
        margin = 0.0 if is_settled else measure_margin(evidence[0].odds)
    quotes: list[SourceSpan] = []
    for item in evidence:
        if item.score < evidence[0].score - (margin or 0.0) or len(quotes) == MOST_QUOTES:
            break
        if any(_makes_needless(quote, item.span, question) for quote in quotes):
            continue
        quotes.append(item.span)
    if quotes and asks_for_explanation(question):
        return [drop_label(complete_list(extend_span(quotes[0], MOST_SENTENCES)))]
    return [drop_label(complete_list(quote)) for quote in join_neighbours(quotes)]


def find_older_statement(
    evidence: Sequence[Evidence], quotes: Sequence[SourceSpan], question: str
) -> SourceSpan | None:
    """The sentence of an older version of the first quote's document that gives other numbers.

    None where there is none, and for a question that names a year or wants an explanation.
    """
    if not quotes or names_year(question) or asks_for_explanation(question):
        return None
    newest, numbers = quotes[0].passage, find_numbers(quotes[0].text)
    for item in evidence:
        old = item.span.passage
        is_rival = (
            is_newer_version(newest.path, newest.date, old.path, old.date)
            and old.chunk.headings[-1:] == newest.chunk.headings[-1:]
            and item.score >= evidence[0].score - NEWER_MARGIN
        )
        if is_rival:
            older = find_numbers(item.span.text)
            return item.span if numbers and older and not older <= numbers else None
    return None


def choose_short_answer(
    evidence: Sequence[Evidence], question: str, *, sure_odds: float = SURE_ODDS
) -> SourceSpan | None:
    """The few words of the best sentence that answer the question, where the reading model is sure of them.

    None where the question wants an explanation, a yes or no, or two things at once, where the words are
    nearly the whole sentence, and in the row of a table, whose cells the reading model confuses.
    """
    if not evidence or asks_for_explanation(question) or asks_whether(question):
        return None
    if len(split_question(question)) > 1:
        return None
    best = evidence[0]
    if best.answer is None or best.odds is None or best.odds < sure_odds or best.span.table_header:
        return None
    passage = best.span.passage
    start, end = trim_answer(passage.text, *complete_words(passage.text, best.answer.start, best.answer.end))
    end = include_counted(passage.text, end, best.span.end - passage.chunk.start, question)
    answer = widen_span(best.span, passage.chunk.start + start, passage.chunk.start + end)
    is_whole = len(answer.text) > WHOLE_SHARE * len(best.span.text)
    return None if is_whole or not answer.text else answer


def asks_whether(question: str) -> bool:
    """Whether a yes or a no is wanted, for which no words of a source stand."""
    return _ASKS_WHETHER.match(question) is not None


def complete_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The characters of an answer grown to whole words and numbers: "£18,400", not "£18"."""
    while start > 0 and _IN_WORD.match(text, start - 1):
        start -= 1
    while 0 < end < len(text) and _IN_WORD.match(text, end - 1):
        end += 1
    return start, end


def trim_answer(text: str, start: int, end: int) -> tuple[int, int]:
    """The characters of an answer without marks at its edges, and with its currency or percent sign."""
    while start < end and not _belongs(text, start, start, end):
        start += 1
    while start < end and not _belongs(text, end - 1, start, end):
        end -= 1
    if end - start > 1 and _PARTNERS.get(text[start]) == text[end - 1]:
        return trim_answer(text, start + 1, end - 1)
    if not any(character.isalnum() for character in text[start:end]):
        return start, start
    if 0 < start < end and text[start - 1] in "£$€" and text[start].isdigit():
        start -= 1
    if end < len(text) and text[end] == "%":
        end += 1
    return start, end


def _belongs(text: str, place: int, start: int, end: int) -> bool:
    """Whether the character at an edge of `text[start:end]` is part of the answer, and no mark around it."""
    if text[place] not in _EDGE_MARKS:
        return True
    if text[place] == "." and place == end - 1:
        last_word = text[start:place].rsplit(maxsplit=1)[-1:]
        is_abbreviation = bool(last_word) and "." in last_word[0]
        return is_abbreviation or text[end : end + 2].strip()[:1].islower()
    return _PARTNERS.get(text[place], "\0") in text[start:end]


def include_counted(text: str, end: int, sentence_end: int, question: str) -> int:
    """Where an answer that ends at `end` ends together with what was counted: "15 working days", not "15".

    That is the word behind "how many" where it, or its singular, follows within a few words.
    """
    asked = _COUNTED.search(question)
    if asked is None:
        return end
    counted = stem_word(asked[1].lower())
    behind = _WORDS_BEHIND.match(text, end, sentence_end)
    for word in _WORD.finditer(behind[0]) if behind else ():
        if stem_word(word[0].lower()) == counted:
            return end + word.end()
    return end


def _makes_needless(quote: SourceSpan, span: SourceSpan, question: str) -> bool:
    new, old = quote.passage, span.passage
    is_superseded = is_newer_version(new.path, new.date, old.path, old.date)
    return shares_words(span.text, quote.text) or (is_superseded and not names_year(question))


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


def drop_label(span: SourceSpan) -> SourceSpan:
    """The span without the "A:" that answers in lists of questions begin with, or the "[!NOTE]" of notes."""
    label = _LABEL.match(span.text)
    return widen_span(span, span.start + label.end(), span.end) if label else span


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
