"""The passages that may answer a question: nearest vectors and shared words, ranked together.

Every search keeps a trace: what each way of searching proposed, what was left out, and why.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from chatbot.library import Library
from chatbot.ranking import Found, fuse_ranks, put_newer_first
from chatbot.types import (
    NO_FILTERS,
    Chunk,
    DocumentRecord,
    Embedder,
    Passage,
    SearchFilters,
    SearchHit,
    SearchResult,
    SearchTrace,
    Vectors,
)

CANDIDATES = 40
"""How many chunks each way of searching proposes."""
DOCUMENT_SHARE = 3
"""At most this many passages of one document, so that none floods the list."""

VECTORS, WORDS = "vectors", "words"
ALL_WAYS = frozenset({VECTORS, WORDS})
"""The ways of searching; a measurement may take one alone."""


class FindNearest(Protocol):
    """Finds the chunks nearest to a vector: `VectorIndex.find_nearest`."""

    def __call__(self, corpus: str, vector: Vectors, *, limit: int) -> list[tuple[str, float]]:
        """Ids and cosine similarities, nearest first."""


@dataclass(slots=True)
class Stopwatch:
    """Seconds of each stage, by its name, in the order of the stages."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Time what happens inside."""
        started = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the ways of searching proposed: ids with cosine similarity, ids with BM25 score, best first."""

    by_vector: dict[str, float]
    by_words: dict[str, float]


def search_passages(
    question: str,
    *,
    corpus: str,
    limit: int,
    library: Library,
    find_nearest: FindNearest,
    embedder: Embedder,
    filters: SearchFilters = NO_FILTERS,
    ways: frozenset[str] = ALL_WAYS,
) -> SearchResult:
    """The passages that match the question best, numbered from 1; none for an empty question."""
    if not question.strip():
        return SearchResult((), SearchTrace(question, question, filters))
    watch = Stopwatch()
    with watch.timing("embedding"):
        vector = embedder.embed_query(question)
    with watch.timing("vectors"):
        nearest = dict(find_nearest(corpus, vector, limit=CANDIDATES)) if VECTORS in ways else {}
    with watch.timing("words"):
        by_words = dict(library.search_words(corpus, question, limit=CANDIDATES)) if WORDS in ways else {}
    candidates = Candidates(nearest, by_words)
    with watch.timing("ranking"):
        scores = fuse_ranks([list(candidates.by_vector), list(candidates.by_words)])
        chunks = library.find_chunks(list(scores))
        similarities = dict(candidates.by_vector)
        missing = [chunk_id for chunk_id in chunks if chunk_id not in similarities]
        for chunk_id, chunk_vector in library.find_vectors(missing, embedder.fingerprint).items():
            similarities[chunk_id] = float(chunk_vector @ vector)
        found = [(*chunks[chunk_id], score) for chunk_id, score in scores.items() if chunk_id in chunks]
        ordered = put_newer_first(found, similarities, question)
        passages, hits = choose_passages(ordered, candidates, similarities, corpus=corpus, limit=limit)
    trace = SearchTrace(
        question,
        question,
        filters,
        hits=tuple(hits),
        seconds=tuple(watch.seconds.items()),
    )
    return SearchResult(tuple(passages), trace)


def choose_passages(
    ordered: Sequence[Found],
    candidates: Candidates,
    similarities: Mapping[str, float],
    *,
    corpus: str,
    limit: int,
) -> tuple[list[Passage], list[SearchHit]]:
    """The passages to give out, and what became of every chunk."""
    passages: list[Passage] = []
    hits = []
    taken: dict[str, int] = {}
    vector_ranks = {chunk_id: rank for rank, chunk_id in enumerate(candidates.by_vector, 1)}
    word_ranks = {chunk_id: rank for rank, chunk_id in enumerate(candidates.by_words, 1)}
    for chunk, record, score in ordered:
        hit = make_hit(chunk, record, score, similarities.get(chunk.id, 0.0))
        hit = replace(
            hit,
            vector_rank=vector_ranks.get(chunk.id),
            word_rank=word_ranks.get(chunk.id),
            word_score=candidates.by_words.get(chunk.id),
        )
        if len(passages) == limit:
            hit = replace(hit, dropped=f"below the first {limit}")
        elif taken.get(record.id, 0) == DOCUMENT_SHARE:
            hit = replace(hit, dropped=f"{DOCUMENT_SHARE} passages of this document stand before it")
        else:
            taken[record.id] = taken.get(record.id, 0) + 1
            hit = replace(hit, number=len(passages) + 1)
            passages.append(make_passage(chunk, record, hit, corpus))
        hits.append(hit)
    return passages, hits


def make_hit(chunk: Chunk, record: DocumentRecord, score: float, similarity: float) -> SearchHit:
    """The trace's line about a chunk."""
    heading = " › ".join(part for part in chunk.headings if part != record.title)
    return SearchHit(
        chunk_id=chunk.id,
        document_id=record.id,
        path=record.path,
        title=record.title,
        heading=heading,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        score=score,
        similarity=similarity,
        vector_rank=None,
        word_rank=None,
        word_score=None,
    )


def make_passage(chunk: Chunk, record: DocumentRecord, hit: SearchHit, corpus: str) -> Passage:
    """The passage that a chunk becomes."""
    return Passage(
        number=hit.number or 0,
        chunk=chunk,
        corpus=corpus,
        path=record.path,
        title=record.title,
        date=record.date,
        score=hit.score,
        similarity=hit.similarity,
        vector_rank=hit.vector_rank,
        word_rank=hit.word_rank,
    )
