"""What the whole corpus holds for a survey: from the register, and from every chunk with the words asked
for, not only the best few.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chatbot.filters import describe_filters, narrow_filters, select_documents
from chatbot.library import Library
from chatbot.retrieval.candidates import FindNearest
from chatbot.retrieval.choosing import make_hit
from chatbot.retrieval.correction import correct_question
from chatbot.retrieval.ranking import Match
from chatbot.retrieval.search import Stopwatch
from chatbot.spelling import apply_corrections
from chatbot.surveys.findings import Finding, SurveyFindings
from chatbot.surveys.items import list_items
from chatbot.surveys.members import list_members
from chatbot.surveys.outlines import find_named, outline_document
from chatbot.surveys.quotes import choose_quote, list_passages, number_nearest, number_passages
from chatbot.surveys.register import count_groups, order_documents
from chatbot.surveys.scope import (
    NEIGHBOURS,
    SurveyScope,
    SurveyStopped,
    find_holding,
    find_speaking,
    group_copies,
    list_fitting,
    list_nearest,
    read_passages,
)
from chatbot.surveys.survey import Survey
from chatbot.surveys.topics import is_named, split_conjunction, split_topic
from chatbot.types import DocumentRecord, Embedder, Passage, SearchFilters, SearchHit, SearchTrace

MOST_DOCUMENTS, MOST_MEMBERS, MOST_ITEMS, MOST_PARTS, MOST_NEAREST = 50, 50, 12, 12, 4
"""So many documents, members of a list, places or parts of a document are shown, and so many passages where
nothing was found."""
NEAR_SIMILARITY = 0.4
"""A chunk with at least this cosine to a topic is about it."""


@dataclass(slots=True)
class _Found:
    """What is found on the way: the findings in their order, and what is to be told of them."""

    findings: list[Finding] = field(default_factory=list)
    shown: list[Finding] = field(default_factory=list)
    nearest: list[Passage] = field(default_factory=list)
    groups: tuple[tuple[str, int], ...] = ()
    candidates: int = 0
    others: tuple[DocumentRecord, ...] = ()
    uses_file_dates: bool = False
    is_stopped: bool = False

    def list_passages(self) -> list[Passage]:
        """The passages of what is shown, or the nearest ones where nothing was found."""
        return list_passages(self.shown) if self.findings else number_nearest(self.nearest[:MOST_NEAREST])


def conduct_survey(
    survey: Survey,
    question: str,
    *,
    corpus: str,
    library: Library,
    find_nearest: FindNearest,
    embedder: Embedder,
    filters: SearchFilters,
    stop: threading.Event | None = None,
) -> SurveyFindings:
    """Look through the whole corpus for what a survey asks; no language model is used.

    :param question: as it stands alone; it is kept in the trace.
    :param filters: beside the limits that the question names.
    :param stop: when it is set the search is given up, and nothing is found.
    """
    watch = Stopwatch()
    with watch.timing("correction"):
        topic, corrections = correct_question(
            survey.topic, corpus=corpus, library=library, embedder=embedder, filters=filters
        )
        survey = replace(survey, topic=topic)
    records = library.list_documents(corpus)
    readable = [record for record in records if record.problem is None]
    limits = narrow_filters(filters, survey.filters)
    with watch.timing("filters"):
        selected = select_documents(readable, limits)
    with watch.timing("embedding"):
        vector = embedder.embed_query(survey.topic)
    by_id = {record.id: record for record in selected}
    holders = group_copies(readable, selected)
    scope = SurveyScope(corpus, library, by_id, holders, filters, vector, embedder.fingerprint, stop)
    is_whole = len(selected) == len(readable)
    found = search_scope(
        survey, scope, find_nearest, watch, is_whole=is_whole, is_limited=not limits.is_empty
    )
    trace = SearchTrace(
        question,
        apply_corrections(question, corrections),
        limits,
        corrections,
        documents=len(selected),
        documents_total=len(readable),
        hits=tuple(describe_hit(passage, scope.records) for passage in found.list_passages()),
        seconds=tuple(watch.seconds.items()),
    )
    undated = count_undated(readable, limits, survey, uses_file_dates=found.uses_file_dates)
    return _sum_up(survey, found, trace, undated=undated, unread=len(records) - len(readable))


def _sum_up(
    survey: Survey, found: _Found, trace: SearchTrace, *, undated: int, unread: int
) -> SurveyFindings:
    """What a search of the whole corpus found, counted.

    :param undated: documents that a limit of time left out because they tell no date.
    :param unread: documents that could not be read.
    """
    members = list_group(found.findings, "member")
    return SurveyFindings(
        survey,
        trace=trace,
        shown=tuple(found.shown),
        count=len(found.findings) or sum(count for _, count in found.groups),
        members=len(members),
        member_documents=count_documents(members),
        near=len(list_group(found.findings, "near")),
        documents=count_documents(found.findings),
        groups=found.groups,
        candidates=found.candidates,
        searched=trace.documents,
        total=trace.documents_total,
        undated=undated,
        unread=unread,
        uses_file_dates=found.uses_file_dates,
        limits=tuple(describe_filters(trace.filters)),
        passages=tuple(found.list_passages()),
        others=found.others,
        is_stopped=found.is_stopped,
    )


def search_scope(
    survey: Survey,
    scope: SurveyScope,
    find_nearest: FindNearest,
    watch: Stopwatch,
    *,
    is_whole: bool,
    is_limited: bool,
) -> _Found:
    """What the documents of a scope hold for a survey, with what is shown of it; nothing if it is stopped.

    :param is_whole: whether the scope is the whole corpus.
    :param is_limited: whether limits were named, beside the topic.
    """
    parts = split_topic(survey.topic)
    topics = [
        spelling for part in parts for spelling in scope.library.words.list_spellings(scope.corpus, part)
    ]
    try:
        with watch.timing("words"):
            found = find_all(survey, topics, scope)
        with watch.timing("vectors"):
            add_nearest(found, survey, scope, find_nearest, is_whole=is_whole)
        chosen = choose_shown(found.findings, survey, is_limited=is_limited)
        quoted = () if survey.is_negated else topics
        found.shown = number_passages([choose_quote(finding, scope, quoted) for finding in chosen], scope)
    except SurveyStopped:
        return _Found(is_stopped=True)
    return found


def find_all(survey: Survey, topics: Sequence[str], scope: SurveyScope) -> _Found:
    """Every document or item that a survey asks for by words, those nearest to the topic first."""
    if survey.kind == "list_groups":
        return _Found(groups=tuple(count_groups(list_fitting(scope), survey.grouping)))
    if survey.kind == "outline_document":
        named = find_named(survey.topic, list_fitting(scope), scope.corpus)
        return _Found(outline_document(named[0], scope), others=tuple(named[1:])) if named else _Found()
    if survey.kind in ("list_members", "list_items"):
        return _Found(find_places(topics, scope, with_members=survey.kind == "list_members"))
    if survey.kind == "count_pages":
        return _Found([Finding(record) for record in list_fitting(scope) if is_named(record, topics)])
    findings = find_documents(survey, topics, scope)
    if not survey.order:
        return _Found(findings)
    by_id = {finding.record.id: finding for finding in findings}
    records = [finding.record for finding in findings]
    ordered, uses_file_dates = order_documents(records, survey.order, survey.most)
    return _Found(
        [by_id[record.id] for record in ordered], candidates=len(records), uses_file_dates=uses_file_dates
    )


def find_places(topics: Sequence[str], scope: SurveyScope, *, with_members: bool) -> list[Finding]:
    """What documents list under a topic's name, if that is wanted, then the other places that name it."""
    passages = read_passages(scope, find_holding(topics, scope))
    members = list_members(passages, topics, scope) if with_members else []
    texts = [read_stretch(member) for member in members]
    return members + list_items(passages, topics, scope, known=texts)


def read_stretch(finding: Finding) -> str:
    """The words of an item."""
    stretch = finding.stretch
    return finding.passages[0].text[stretch.start : stretch.end] if stretch else ""


def find_documents(survey: Survey, topics: Sequence[str], scope: SurveyScope) -> list[Finding]:
    """The documents of a name, and those that mention a topic, or do not."""
    if not survey.topic:
        named = [survey.named] if survey.named else []
        return [Finding(record) for record in list_fitting(scope) if not named or is_named(record, named)]
    speaking = find_mentions(survey.topic, topics, scope)
    known = {finding.record.id for finding in speaking}
    if survey.is_negated:
        return [Finding(record) for record in list_fitting(scope) if record.id not in known]
    if not survey.about:
        return speaking
    named_so = [record for record in list_fitting(scope) if is_named(record, topics)]
    return speaking + [Finding(record) for record in named_so if record.id not in known]


def find_mentions(topic: str, topics: Sequence[str], scope: SurveyScope) -> list[Finding]:
    """The documents with a sentence on a topic; where none has, those with one on each of its parts."""
    found = group_by_document(find_speaking(topics, scope), scope.records)
    parts = split_conjunction(topic)
    if found or len(parts) < 2:
        return found
    groups = [
        {finding.record.id: finding for finding in find_mentions(part, spell(part, scope), scope)}
        for part in parts
    ]
    first, *others = groups
    return [
        replace(finding, passages=(finding.passages[0], *(group[key].passages[0] for group in others)))
        for key, finding in first.items()
        if all(key in group for group in others)
    ]


def spell(topic: str, scope: SurveyScope) -> list[str]:
    """A topic in all ways in which the corpus may write its compounds."""
    return scope.library.words.list_spellings(scope.corpus, topic)


def group_by_document(passages: Iterable[Passage], records: Mapping[str, DocumentRecord]) -> list[Finding]:
    """A finding for each document, in the order of their first passages."""
    groups: dict[str, list[Passage]] = {}
    for passage in passages:
        groups.setdefault(passage.chunk.document_id, []).append(passage)
    return [Finding(records[document_id], tuple(group)) for document_id, group in groups.items()]


def add_nearest(
    found: _Found, survey: Survey, scope: SurveyScope, find_nearest: FindNearest, *, is_whole: bool
) -> None:
    """Add what is near in meaning: documents where they are asked for, passages where nothing was found."""
    is_complete = survey.kind == "outline_document" or survey.order or survey.is_negated
    if not survey.topic or is_complete or (found.findings and not survey.about):
        return
    ids = list_nearest(scope, find_nearest, is_whole=is_whole)
    found.nearest = read_passages(scope, ids)[:NEIGHBOURS]
    if survey.about:
        known = {finding.record.id for finding in found.findings}
        found.findings += find_near(found.nearest, scope, known=known)


def find_near(nearest: Sequence[Passage], scope: SurveyScope, *, known: set[str]) -> list[Finding]:
    """The documents, but for those known, with a passage that is near enough in meaning."""
    near = [passage for passage in nearest if passage.similarity >= NEAR_SIMILARITY]
    others = [passage for passage in near if passage.chunk.document_id not in known]
    return [replace(finding, group="near") for finding in group_by_document(others, scope.records)]


def choose_shown(findings: Sequence[Finding], survey: Survey, *, is_limited: bool) -> list[Finding]:
    """The documents or places to show; none where only all documents are counted."""
    if survey.kind == "outline_document":
        return list(findings[:MOST_PARTS])
    if survey.kind in ("list_members", "list_items"):
        members = list_group(findings, "member")[:MOST_MEMBERS]
        return members + list_group(findings, "named")[:MOST_ITEMS]
    is_plain_count = survey.kind == "count_documents" and not (survey.topic or survey.named or is_limited)
    return [] if is_plain_count else list(findings[:MOST_DOCUMENTS])


def list_group(findings: Sequence[Finding], group: str) -> list[Finding]:
    """The findings of one group."""
    return [finding for finding in findings if finding.group == group]


def count_documents(findings: Sequence[Finding]) -> int:
    """How many documents findings lie in."""
    return len({finding.record.id for finding in findings})


def describe_hit(passage: Passage, records: Mapping[str, DocumentRecord]) -> SearchHit:
    """The trace's line about a passage."""
    match = Match(passage.chunk, records[passage.chunk.document_id], passage.score, passage.similarity)
    return make_hit(match, number=passage.number)


def count_undated(
    records: Sequence[DocumentRecord], limits: SearchFilters, survey: Survey, *, uses_file_dates: bool
) -> int:
    """How many documents a period or an order left out only because they state no date."""
    if uses_file_dates or not (survey.order or limits.after or limits.before):
        return 0
    undated = [record for record in records if record.date is None]
    return len(select_documents(undated, replace(limits, after=None, before=None)))
