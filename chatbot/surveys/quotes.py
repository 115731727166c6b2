"""Which words of a document are quoted for it, and how passages and quotes are numbered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chatbot.grounding import SourceSpan, make_source_span
from chatbot.retrieval.copies import make_copy_place
from chatbot.sentences import split_rows_and_sentences
from chatbot.surveys.findings import Finding
from chatbot.surveys.scope import SurveyScope, read_own_passages
from chatbot.surveys.topics import find_stems
from chatbot.types import Passage

PASSAGES_PER_QUOTE = 8
"""The quote of a document is chosen from so many of its passages."""
FEWEST_WORDS = 4
"""Between sentences that say as much of the topic, one with so many content words is quoted."""


def choose_quote(finding: Finding, scope: SurveyScope, topics: Sequence[str]) -> Finding:
    """A finding with the sentence to quote: its own, else the first that holds most words of a topic.

    A sentence of nothing but those words, such as "Dogs.", is quoted with the next one.
    """
    scope.check_stop()
    if stretch := finding.stretch:
        passage = finding.passages[0]
        span = make_source_span(passage, stretch.start, stretch.end, table_header=stretch.table_header)
        return replace(finding, span=span)
    wanted = frozenset[str]().union(*map(find_stems, topics))
    best = (-1, False, False)
    chosen: SourceSpan | None = None
    passages = finding.passages or read_own_passages(finding.record, scope, most=1)
    for passage in passages[:PASSAGES_PER_QUOTE]:
        spans = list_quotable(passage)
        for (start, end), following in zip(spans, [*spans[1:], None], strict=True):
            words = find_stems(passage.text[start:end])
            rank = (len(words & wanted), bool(words - wanted), len(words) >= FEWEST_WORDS)
            if rank > best:
                last = following[1] if following and not rank[1] else end
                best, chosen = rank, make_source_span(passage, start, last)
    return replace(finding, span=chosen, tells_nothing=finding.group != "near" and best[0] < 1)


def list_quotable(passage: Passage) -> list[tuple[int, int]]:
    """Start and end of the sentences of a passage that are no heading; all where nothing else is there."""
    sentences = split_rows_and_sentences(passage.text)
    headings = (passage.title, *passage.chunk.headings)
    return [span for span in sentences if passage.text[slice(*span)] not in headings] or sentences


def number_passages(findings: Sequence[Finding], scope: SurveyScope) -> list[Finding]:
    """The findings with the passages of their quotes numbered from 1, each with every place it stands in."""
    copies = {record.id: group for group in scope.holders.values() for record in group}
    numbered: dict[str, Passage] = {}
    result = []
    for finding in findings:
        if finding.span is not None:
            passage = finding.span.passage
            if passage.chunk.id not in numbered:
                others = [copy for copy in copies[finding.record.id] if copy.id != finding.record.id]
                places = tuple(make_copy_place(record, passage) for record in others)
                passage = replace(passage, number=len(numbered) + 1, also_in=places)
            passage = numbered.setdefault(passage.chunk.id, passage)
            finding = replace(finding, span=replace(finding.span, passage=passage))
        result.append(finding)
    return result


def list_passages(findings: Iterable[Finding]) -> list[Passage]:
    """The passages of the findings' quotes, each once, by number."""
    spans = [finding.span for finding in findings if finding.span is not None]
    return list({span.passage.number: span.passage for span in spans}.values())


def number_nearest(passages: Sequence[Passage]) -> list[Passage]:
    """The passages numbered from 1."""
    return [replace(passage, number=number) for number, passage in enumerate(passages, 1)]
