"""A document in its own words: from each of its parts the sentences that say most of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from chatbot.evidence import SentenceVectors, holds_number, names_year
from chatbot.grounding import SourceSpan, list_source_spans
from chatbot.retrieval.search import read_sentence_vectors
from chatbot.retrieval.versions import is_newer_version
from chatbot.sentences import find_content_words, part_words
from chatbot.surveys.findings import Finding, Stretch
from chatbot.surveys.scope import SurveyScope, read_own_passages
from chatbot.surveys.topics import find_stems
from chatbot.types import DocumentRecord, Passage

NAMED_SHARE = 0.5
"""A document is meant where a question has at least this share of the words of its title, or of its file's
name."""
SENTENCES, MOST_OF_PART = 10, 6
"""Of a document with fewer parts, several sentences of each are quoted, but no more than this of one."""
LEADS = 0.1
"""How much nearer to the whole of its part a later sentence must be than the first."""
TELLS_NUMBER = 0.05
"""How much nearer one without a number must be than one with."""
FEWEST_WORDS = 4
"""A sentence of fewer content words says little."""

_KINDS = frozenset(
    find_content_words(
        "policy policies page guide guidelines manual handbook rules procedure report minutes text pdf word"
        " excel spreadsheet presentation slides website article chapter"
    )
)
"""What a document may be called though neither its title nor its file says so."""
_SAYS_LITTLE = re.compile(
    r"[?:]$|^(?:owner|author|version|date|issued|effective|last reviewed)\b", re.IGNORECASE
)
"""A question, what leads to a list, and what is said of a document rather than in it."""
_HAS_DIGIT = re.compile(r"\d")
_OF_CONTENTS = re.compile(r"\.{4}|(?: \.){3}|…{2}")
"""A line of a table of contents."""


def find_named(topic: str, records: Sequence[DocumentRecord], corpus: str) -> list[DocumentRecord]:
    """The documents that words name, the one that is meant first.

    Of versions of a document that is the newest, unless a year is named. Words that only name the corpus mean
    none of its documents.
    """
    asked = find_stems(part_words(topic))
    if not asked or asked <= find_stems(part_words(corpus)):
        return []
    shares = {record.id: measure_share(asked, record) for record in records}
    named = [record for record in records if shares[record.id] >= NAMED_SHARE]
    named.sort(key=lambda record: (shares[record.id], record.date or ""), reverse=True)
    if not named or names_year(topic):
        return named
    best = named[0]
    newer = [item for item in named if is_newer_version(item.path, item.date, best.path, best.date)]
    newest = max([best, *newer], key=lambda record: record.date or "")
    return [newest, *(record for record in named if record.id != newest.id)]


def measure_share(asked: frozenset[str], record: DocumentRecord) -> float:
    """The share of a title's words, or of a file's name's, that were asked for.

    Numbers of a name need not be. It is 0 where other words were asked for too, and where nothing but kinds
    of documents was.
    """
    title, file = (
        {word for word in find_stems(part_words(name)) if word in asked or not _HAS_DIGIT.search(word)}
        for name in (record.title, record.path.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    )
    if not asked <= title | file | _KINDS | {record.format}:
        return 0.0
    telling = [name for name in (title, file) if name and (asked & name - _KINDS or name <= asked)]
    return max((len(asked & name) / len(name) for name in telling), default=0.0)


def outline_document(record: DocumentRecord, scope: SurveyScope) -> list[Finding]:
    """The sentences that say most of a document, in their order, each under the name of its part."""
    passages = read_own_passages(record, scope)
    vectors = read_sentence_vectors(passages, library=scope.library, fingerprint=scope.fingerprint)
    parts = part_passages(passages)
    most = max(1, min(MOST_OF_PART, SENTENCES // max(1, len(parts))))
    findings = []
    for name, own in parts.items():
        scope.check_stop()
        for span in choose_sentences(list_source_spans(own), vectors, most):
            first = span.passage.chunk.start
            stretch = Stretch(span.start - first, span.end - first, span.table_header)
            part = "" if len(parts) == 1 or name.casefold() == record.title.casefold() else name
            findings.append(Finding(record, (span.passage,), stretch, part=part))
    return findings


def part_passages(passages: Sequence[Passage]) -> dict[str, list[Passage]]:
    """Passages by the part of the document that they stand in; what stands before the first has no name.

    Parts are the headings of the highest level, or of the second where all stand below a single one.
    """
    headings = [passage.chunk.headings for passage in passages]
    level = (
        1 if len({path[:1] for path in headings if path}) == 1 and any(path[1:] for path in headings) else 0
    )
    parts: dict[str, list[Passage]] = {}
    for passage, path in zip(passages, headings, strict=True):
        parts.setdefault(path[level] if len(path) > level else "", []).append(passage)
    return parts


def choose_sentences(spans: Sequence[SourceSpan], vectors: SentenceVectors, most: int) -> list[SourceSpan]:
    """The sentences of a part that are nearest in meaning to all of them together, in their order.

    Rows of tables are chosen only for want of prose.

    :param vectors: of the sentences; those without one are left out.
    """
    singles = [span for span in spans if span.sentences == 1 and _place(span) in vectors]
    telling = [span for span in singles if tells_something(span)]
    prose = [span for span in telling if not span.table_header] or telling
    if not prose:
        return []
    own = np.stack([vectors[_place(span)] for span in prose])
    scores = own @ own.mean(axis=0)
    scores += [TELLS_NUMBER * holds_number(span.text) for span in prose]
    scores[0] += LEADS
    rows = sorted(np.argsort(-scores, kind="stable")[:most].tolist())
    return [prose[row] for row in rows]


def tells_something(span: SourceSpan) -> bool:
    """Whether a sentence is no heading, question or mere label."""
    is_heading = span.text in (span.passage.title, *span.passage.chunk.headings) or span.is_table_header
    says_enough = len(find_content_words(span.text)) >= FEWEST_WORDS
    says_enough = says_enough and not _SAYS_LITTLE.search(span.text) and not _OF_CONTENTS.search(span.text)
    return says_enough and not is_heading


def _place(span: SourceSpan) -> tuple[str, int, int]:
    return span.passage.chunk.document_id, span.start, span.end
