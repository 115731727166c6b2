"""What the whole corpus holds for a survey: from the register, and from every chunk with the words asked
for, not only the best few.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chatbot.filters import describe_filters, fold_text, holds_words, select_documents
from chatbot.grounding import SourceSpan, list_table_headers, make_source_span
from chatbot.library import Library
from chatbot.retrieval.candidates import FindNearest
from chatbot.retrieval.choosing import make_passage
from chatbot.retrieval.correction import correct_question
from chatbot.retrieval.ranking import Match
from chatbot.retrieval.search import Stopwatch
from chatbot.sentences import STOP_WORDS, find_content_words, find_words, split_rows_and_sentences
from chatbot.spelling import apply_corrections
from chatbot.surveys.survey import Survey
from chatbot.types import (
    Chunk,
    DocumentRecord,
    Embedder,
    Passage,
    SearchFilters,
    SearchHit,
    SearchTrace,
    Vectors,
)

MOST_DOCUMENTS, MOST_ITEMS, MOST_NEAREST = 50, 12, 4
"""So many documents or items are shown, and so many passages where nothing was found."""
NEIGHBOURS = 200
"""Documents that are near in meaning are looked for among so many chunks nearest to the topic."""
NEAR_SIMILARITY = 0.4
"""A chunk with at least this cosine to a topic is about it."""
PASSAGES_PER_QUOTE = 8
"""The quote of a document is chosen from so many of its passages."""
FEWEST_WORDS = 4
"""Between sentences that say as much of the topic, one with so many content words is quoted."""
CHUNKS_PER_READ = 5000

_ALTERNATIVES = re.compile(r"\s+or\s+", re.IGNORECASE)
_RELATION = re.compile(r"\b(?:in|of|for|at|on|with|from|to|by|that|which|who|where)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A document or an item that answers a survey.

    `passages` are those of the document that were found, best first. `span` is its quote; None while
    none was chosen, and for a document without a sentence.
    """

    record: DocumentRecord
    passages: tuple[Passage, ...] = ()
    span: SourceSpan | None = None
    is_near: bool = False


@dataclass(frozen=True, slots=True)
class SurveyFindings:
    """What a survey found, and how much of the corpus was looked at.

    `shown` are the first of `count` documents or items, which lie in `documents` documents; it is empty
    where all documents were only to be counted. The last `near` are near in meaning only.
    Of `total` readable documents `searched` were let through by `limits`, a short text each. `undated`
    documents might belong to the period asked for but state no date, and `unread` files could not be
    read. `passages` are those of `shown`, or the nearest where nothing was found.
    """

    survey: Survey
    shown: tuple[Finding, ...]
    count: int
    near: int
    documents: int
    searched: int
    total: int
    undated: int
    unread: int
    limits: tuple[str, ...]
    passages: tuple[Passage, ...]
    trace: SearchTrace

    @property
    def is_left_open(self) -> bool:
        """Whether nothing was found that an ordinary search might not find under other words."""
        return not self.count and self.survey.kind in ("list_items", "count_pages")


@dataclass(frozen=True, slots=True)
class SurveyScope:
    """Where a survey looks.

    `records` are the documents that were let through, by id; chunks must satisfy `filters` too. `vector`
    is that of the topic, made by the embedding model with this `fingerprint`.
    """

    corpus: str
    library: Library
    records: Mapping[str, DocumentRecord]
    filters: SearchFilters
    vector: Vectors
    fingerprint: str


def conduct_survey(
    survey: Survey,
    question: str,
    *,
    corpus: str,
    library: Library,
    find_nearest: FindNearest,
    embedder: Embedder,
    filters: SearchFilters,
) -> SurveyFindings:
    """Look through the whole corpus for what a survey asks; no language model is used.

    :param question: as it stands alone; it is kept in the trace.
    :param filters: beside the limits that the question names.
    """
    watch = Stopwatch()
    with watch.timing("correction"):
        topic, corrections = correct_question(
            survey.topic, corpus=corpus, library=library, embedder=embedder, filters=filters
        )
        survey = replace(survey, topic=topic)
    records = library.list_documents(corpus)
    readable = [record for record in records if record.problem is None]
    with watch.timing("filters"):
        selected = select_documents(select_documents(readable, filters), survey.filters)
    with watch.timing("embedding"):
        vector = embedder.embed_query(survey.topic)
    by_id = {record.id: record for record in selected}
    scope = SurveyScope(corpus, library, by_id, filters, vector, embedder.fingerprint)
    with watch.timing("words"):
        found = find_all(survey, scope)
    near: list[Finding] = []
    nearest: list[Passage] = []
    with watch.timing("vectors"):
        if survey.topic and (survey.about or not found):
            ids = list_nearest(scope, find_nearest, is_whole=len(selected) == len(readable))
            nearest = read_passages(scope, ids)[:NEIGHBOURS]
        if survey.about:
            near = find_near(nearest, scope, known={finding.record.id for finding in found})
    both = [*found, *near]
    limits = (*describe_filters(filters), *describe_filters(survey.filters))
    most = choose_most(survey, is_limited=bool(limits))
    shown = number_passages([choose_quote(finding, scope, survey.topic) for finding in both[:most]])
    passages = list_passages(shown) if both else number_nearest(nearest[:MOST_NEAREST])
    return SurveyFindings(
        survey,
        tuple(shown),
        count=len(both),
        near=len(near),
        documents=len({finding.record.id for finding in both}),
        searched=len(selected),
        total=len(readable),
        undated=count_undated(readable, filters, survey.filters),
        unread=len(records) - len(readable),
        limits=limits,
        passages=tuple(passages),
        trace=SearchTrace(
            question,
            apply_corrections(question, corrections),
            filters,
            corrections,
            documents=len(selected),
            documents_total=len(readable),
            hits=tuple(describe_hit(passage) for passage in passages),
            seconds=tuple(watch.seconds.items()),
        ),
    )


def choose_most(survey: Survey, *, is_limited: bool) -> int:
    """How many documents or places to show; none where only all documents are counted."""
    if survey.kind == "list_items":
        return MOST_ITEMS
    is_plain_count = survey.kind == "count_documents" and not survey.topic and not is_limited
    return 0 if is_plain_count else MOST_DOCUMENTS


def find_all(survey: Survey, scope: SurveyScope) -> list[Finding]:
    """Every document or item that a survey asks for, those nearest to the topic first."""
    if not survey.topic:
        return [Finding(record) for record in list_fitting(scope)]
    named = [Finding(record) for record in list_fitting(scope) if is_named(record, survey.topic)]
    if survey.kind == "count_pages":
        return named
    passages = read_passages(scope, find_holding(survey.topic, scope))
    if survey.kind == "list_items":
        return list_items(passages, survey.topic, scope.records)
    speaking = [passage for passage in passages if speaks_of(passage, survey.topic)]
    holding = group_by_document(speaking, scope.records)
    known = {finding.record.id for finding in holding}
    return holding + [finding for finding in named if survey.about and finding.record.id not in known]


def list_fitting(scope: SurveyScope) -> list[DocumentRecord]:
    """The documents that hold all phrases of the filters and none of the excluded words, wherever in them."""

    def find_holders(words: str) -> set[str]:
        ids = scope.library.find_phrases(scope.corpus, [words], limit=sys.maxsize)
        passages = read_passages(replace(scope, filters=SearchFilters(phrases=(words,))), ids)
        return {passage.chunk.document_id for passage in passages}

    left = set(scope.records)
    for phrase in scope.filters.phrases:
        left &= find_holders(phrase)
    for words in scope.filters.excluded:
        left -= find_holders(words)
    return [record for record in scope.records.values() if record.id in left]


def list_nearest(scope: SurveyScope, find_nearest: FindNearest, *, is_whole: bool) -> list[str]:
    """Ids of the chunks nearest to the topic; those of a few documents of the corpus, all of them.

    :param is_whole: whether no document of the corpus is left out. Among the chunks that are nearest in the
        whole corpus there may be none of those that a filter leaves.
    """
    if not is_whole:
        ids = scope.library.list_chunks_of(list(scope.records), limit=CHUNKS_PER_READ + 1)
        if len(ids) <= CHUNKS_PER_READ:
            return ids
    return [chunk_id for chunk_id, _ in find_nearest(scope.corpus, scope.vector, limit=NEIGHBOURS)]


def split_topic(topic: str) -> list[str]:
    """The topics of which any will do: "dogs or cats" are two."""
    return [part for part in _ALTERNATIVES.split(topic) if find_content_words(part)]


def is_named(record: DocumentRecord, topic: str) -> bool:
    """Whether a document's title and path hold all words of a topic."""
    name = find_stems(re.sub(r"[\W_]+", " ", f"{record.title} {record.path}"))
    return any(find_stems(part) <= name for part in split_topic(topic))


def find_stems(text: str) -> frozenset[str]:
    """The content words of a text, each part of a compound a word, cut to their stems."""
    return frozenset(find_content_words(re.sub(r"[-–/]", " ", text)))


def find_holding(topic: str, scope: SurveyScope) -> list[str]:
    """Ids of all chunks that hold every word of the topic, in any of their forms.

    FTS5's stems miss some plurals, such as "walruses"; so ours are searched too.
    """
    ids: dict[str, None] = {}
    for part in split_topic(topic):
        words = [word for word in find_words(part) if word not in STOP_WORDS]
        for forms in (words, find_content_words(part)):
            ids |= dict.fromkeys(scope.library.find_phrases(scope.corpus, forms, limit=sys.maxsize))
    return list(ids)


def read_passages(scope: SurveyScope, ids: Sequence[str]) -> list[Passage]:
    """The chunks that the scope lets through, the most similar to the topic first."""
    passages = []
    for first in range(0, len(ids), CHUNKS_PER_READ):
        some = ids[first : first + CHUNKS_PER_READ]
        vectors = scope.library.find_vectors(some, scope.fingerprint)
        for chunk, record in scope.library.find_chunks(some).values():
            if record.id in scope.records and satisfies(chunk, scope.filters):
                similarity = float(vectors[chunk.id] @ scope.vector) if chunk.id in vectors else 0.0
                passages.append(make_passage(Match(chunk, record, similarity, similarity), scope.corpus))
    return sorted(passages, key=lambda passage: -passage.similarity)


def satisfies(chunk: Chunk, filters: SearchFilters) -> bool:
    """Whether a chunk with its context holds the phrases of the filters and none of the excluded words."""
    text = f"{chunk.context}\n{chunk.text}"
    has_phrases = all(holds_words(text, phrase) for phrase in filters.phrases)
    return has_phrases and not any(holds_words(text, words) for words in filters.excluded)


def group_by_document(passages: Iterable[Passage], records: Mapping[str, DocumentRecord]) -> list[Finding]:
    """A finding for each document, in the order of their first passages."""
    groups: dict[str, list[Passage]] = {}
    for passage in passages:
        groups.setdefault(passage.chunk.document_id, []).append(passage)
    return [Finding(records[document_id], tuple(group)) for document_id, group in groups.items()]


def find_near(nearest: Sequence[Passage], scope: SurveyScope, *, known: set[str]) -> list[Finding]:
    """The documents, but for those known, with a passage that is near enough in meaning."""
    near = [passage for passage in nearest if passage.similarity >= NEAR_SIMILARITY]
    others = [passage for passage in near if passage.chunk.document_id not in known]
    return [replace(finding, is_near=True) for finding in group_by_document(others, scope.records)]


def list_items(
    passages: Iterable[Passage], topic: str, records: Mapping[str, DocumentRecord]
) -> list[Finding]:
    """The sentences, list items and table rows that name the topic, each text once.

    Those with the topic's words side by side come first.
    """
    items: dict[str, SourceSpan] = {}
    for passage in passages:
        for part in split_topic(topic):
            for span in find_items(passage, part):
                items.setdefault(fold_text(span.text), span)
    ordered = sorted(items.values(), key=lambda span: not holds_words(span.text, topic))
    return [Finding(records[span.passage.chunk.document_id], span=span) for span in ordered]


def find_items(passage: Passage, topic: str) -> Iterator[SourceSpan]:
    """The sentences of a passage that name the topic; one of nothing else, "Dogs.", with the next one.

    The words before the topic's first preposition must stand in the sentence itself; for the row of a
    table, in its header or a heading will do. The other words may stand in the title or a heading.
    """
    wanted = find_stems(topic)
    head = find_stems(_RELATION.split(topic, maxsplit=1)[0]) or wanted
    place = find_stems(describe_place(passage))
    sentences = split_rows_and_sentences(passage.text)
    headers = list_table_headers(passage, sentences)
    for (start, end), following, header in zip(sentences, [*sentences[1:], None], headers, strict=True):
        text = passage.text[start:end]
        if text == header or text.endswith("?") or text in (passage.title, *passage.chunk.headings):
            continue
        own = find_stems(text)
        named = own | place | find_stems(header) if header else own
        if head <= named and wanted <= named | place:
            last = following[1] if following and own <= wanted else end
            yield make_source_span(passage, start, last, table_header=header)


def describe_place(passage: Passage) -> str:
    """Title, headings and context of a passage, which need not be repeated in its sentences."""
    return f"{passage.title}\n{passage.heading}\n{passage.chunk.context}"


def speaks_of(passage: Passage, topic: str) -> bool:
    """Whether a passage that holds all words of a topic has one sentence with them.

    Some may stand in the title, the headings or the header of the table. Words are compared by their
    beginnings, because FTS5 cuts them to other stems than ours.
    """
    place, text = describe_place(passage).lower(), passage.text.lower()
    for part in split_topic(topic):
        beginnings = [stem if len(stem) < 6 else stem[:-2] for stem in find_stems(part)]
        missing = [beginning for beginning in beginnings if beginning not in place]
        if not all(beginning in text for beginning in missing):
            continue
        # Sentences are told apart only where they must be: a word may stand in very many passages.
        if len(missing) < 2 or holds_together(passage, missing):
            return True
    return False


def holds_together(passage: Passage, beginnings: Sequence[str]) -> bool:
    """Whether one sentence of a passage, or a row with its table's header, holds all beginnings of words."""
    spans = split_rows_and_sentences(passage.text)
    rows = zip(spans, list_table_headers(passage, spans), strict=True)
    sentences = (f"{header}\n{passage.text[start:end]}".lower() for (start, end), header in rows)
    return any(all(beginning in sentence for beginning in beginnings) for sentence in sentences)


def choose_quote(finding: Finding, scope: SurveyScope, topic: str) -> Finding:
    """A finding with the sentence to quote: the first that holds most words of the topic.

    A sentence of nothing but those words, such as "Dogs.", is quoted with the next one.
    """
    if finding.span is not None:
        return finding
    wanted = find_stems(topic)
    best = (-1, False, False)
    chosen: SourceSpan | None = None
    passages = finding.passages or read_first_passage(finding.record, scope)
    for passage in passages[:PASSAGES_PER_QUOTE]:
        spans = list_quotable(passage)
        for (start, end), following in zip(spans, [*spans[1:], None], strict=True):
            words = find_stems(passage.text[start:end])
            rank = (len(words & wanted), bool(words - wanted), len(words) >= FEWEST_WORDS)
            if rank > best:
                last = following[1] if following and not rank[1] else end
                best, chosen = rank, make_source_span(passage, start, last)
    return replace(finding, span=chosen)


def list_quotable(passage: Passage) -> list[tuple[int, int]]:
    """Start and end of the sentences of a passage that are no heading; all where nothing else is there."""
    sentences = split_rows_and_sentences(passage.text)
    headings = (passage.title, *passage.chunk.headings)
    return [span for span in sentences if passage.text[slice(*span)] not in headings] or sentences


def read_first_passage(record: DocumentRecord, scope: SurveyScope) -> tuple[Passage, ...]:
    """The first passage of a document, if it has any."""
    ids = scope.library.list_chunks_of([record.id], limit=1)
    return tuple(
        make_passage(Match(chunk, record), scope.corpus)
        for chunk, record in scope.library.find_chunks(ids).values()
    )


def number_passages(findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the passages of their quotes numbered from 1."""
    numbered: dict[str, Passage] = {}
    result = []
    for finding in findings:
        if finding.span is not None:
            passage = finding.span.passage
            passage = numbered.setdefault(passage.chunk.id, replace(passage, number=len(numbered) + 1))
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


def describe_hit(passage: Passage) -> SearchHit:
    """The trace's line about a passage."""
    chunk = passage.chunk
    return SearchHit(
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        path=passage.path,
        title=passage.title,
        heading=passage.heading,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        score=passage.score,
        similarity=passage.similarity,
        vector_rank=None,
        word_rank=None,
        word_score=None,
        number=passage.number,
    )


def count_undated(records: Sequence[DocumentRecord], *limits: SearchFilters) -> int:
    """How many documents a period left out only because they state no date."""
    if not any(filters.after or filters.before for filters in limits):
        return 0
    undated = [record for record in records if record.date is None]
    for filters in limits:
        undated = select_documents(undated, replace(filters, after=None, before=None))
    return len(undated)
