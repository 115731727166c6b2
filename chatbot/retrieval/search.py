"""The passages that may answer a question: nearest vectors and shared words, ranked together.

Every search keeps a trace: what each way of searching proposed, what was left out, and why.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import ceil

from chatbot.library import Library
from chatbot.retrieval.candidates import (
    CANDIDATES,
    NO_PROPOSALS,
    FindNearest,
    Proposals,
    Scope,
    open_scope,
    propose_by_vector,
    propose_by_words,
    propose_first_chunks,
)
from chatbot.retrieval.choosing import choose_passages, make_hit
from chatbot.retrieval.copies import cite_copies
from chatbot.retrieval.correction import correct_question
from chatbot.retrieval.ranking import Match, put_newer_first, score_candidate
from chatbot.sentences import split_rows_and_sentences
from chatbot.types import (
    NO_FILTERS,
    Embedder,
    Passage,
    SearchFilters,
    SearchHit,
    SearchResult,
    SearchTrace,
    Vectors,
)

DOCUMENT_SHARE = 4
"""At most this many chunks of one document, so that none floods the list."""

VECTORS, WORDS = "vectors", "words"
ALL_WAYS = frozenset({VECTORS, WORDS})
"""The ways of searching; a measurement may take one alone."""


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
    """The passages that match the question best, numbered from 1, within what the filters leave.

    An empty question finds nothing; with filters beside it, see `list_first_passages`.
    """
    watch = Stopwatch()
    if not question.strip() and filters.is_empty:
        return SearchResult((), SearchTrace(question, question))
    with watch.timing("filters"):
        scope = open_scope(corpus, filters, library)
    if not question.strip():
        passages, hits = list_first_passages(scope, library, limit=limit)
        passages = cite_copies(passages, filters, library)
        return SearchResult(tuple(passages), make_trace(question, filters, scope, library, hits, watch))
    with watch.timing("correction"):
        asked = question
        question, corrections = correct_question(
            asked, corpus=corpus, library=library, embedder=embedder, filters=filters
        )
    matches = find_matches(
        question,
        scope,
        library=library,
        find_nearest=find_nearest,
        embedder=embedder,
        ways=ways,
        wanted=max(CANDIDATES, limit),
        watch=watch,
    )
    with watch.timing("choosing"):
        passages, hits = choose_passages(
            [match for match in matches if not match.misfit],
            corpus=corpus,
            limit=limit,
            share=choose_share(scope, limit),
            read_text=library.read_text,
        )
        hits += [make_hit(match, dropped=match.misfit) for match in matches if match.misfit]
        passages = cite_copies(passages, filters, library)
    trace = make_trace(asked, filters, scope, library, hits, watch)
    return SearchResult(tuple(passages), replace(trace, searched_for=question, corrections=corrections))


def find_matches(
    question: str,
    scope: Scope,
    *,
    library: Library,
    find_nearest: FindNearest,
    embedder: Embedder,
    ways: frozenset[str],
    wanted: int,
    watch: Stopwatch,
) -> list[Match]:
    """What the ways of searching propose for a question, at most `wanted` each, the best match first."""

    def look_for_words() -> Proposals:
        with watch.timing("words"):
            return propose_by_words(question, scope, library=library, wanted=wanted)

    with ThreadPoolExecutor(max_workers=1) as pool:  # SQLite and the model work at the same time
        words = pool.submit(look_for_words) if WORDS in ways else None
        with watch.timing("embedding"):
            vector = embedder.embed_query(question)
        nearest = NO_PROPOSALS
        if VECTORS in ways:
            with watch.timing("vectors"):
                nearest = propose_by_vector(
                    vector,
                    scope,
                    library=library,
                    find_nearest=find_nearest,
                    fingerprint=embedder.fingerprint,
                    wanted=wanted,
                )
        by_words = words.result() if words else NO_PROPOSALS
    with watch.timing("ranking"):
        matches = rank_matches(vector, nearest, by_words, library=library, fingerprint=embedder.fingerprint)
        if ways != ALL_WAYS:
            matches.sort(key=lambda match: match.vector_rank or match.word_rank or 0)
        return put_newer_first(matches, question)


def rank_matches(
    vector: Vectors, nearest: Proposals, by_words: Proposals, *, library: Library, fingerprint: str
) -> list[Match]:
    """What both ways of searching proposed, the best match first."""
    chunks = library.chunks.find_chunks([*nearest.scores, *by_words.scores])
    similarities = dict(nearest.scores)
    missing = [chunk_id for chunk_id in chunks if chunk_id not in similarities]
    for chunk_id, chunk_vector in library.chunks.find_vectors(missing, fingerprint).items():
        similarities[chunk_id] = float(chunk_vector @ vector)
    sentences = {
        chunk_id: float((vectors @ vector).max())
        for chunk_id, vectors in library.chunks.find_sentence_vectors(list(chunks), fingerprint).items()
        if len(vectors)
    }
    most = max(by_words.scores.values(), default=0.0)
    matches = []
    for chunk_id, (chunk, record) in chunks.items():
        similarity, word_score = similarities.get(chunk_id, 0.0), by_words.scores.get(chunk_id)
        word_share = word_score / most if word_score and most > 0 else 0.0
        matches.append(
            Match(
                chunk,
                record,
                score=score_candidate(similarity, sentences.get(chunk_id, similarity), word_share),
                similarity=similarity,
                sentence_similarity=sentences.get(chunk_id),
                vector_rank=nearest.find_rank(chunk_id),
                word_rank=by_words.find_rank(chunk_id),
                word_score=word_score,
                misfit=nearest.dropped.get(chunk_id) or by_words.dropped.get(chunk_id, ""),
            )
        )
    return sorted(matches, key=lambda match: (-match.score, match.record.path, match.chunk.ordinal))


def list_first_passages(
    scope: Scope, library: Library, *, limit: int
) -> tuple[list[Passage], list[SearchHit]]:
    """The beginnings of the documents that filters leave, by path: the first passage of each, and so on."""
    proposals = propose_first_chunks(scope, library=library, wanted=limit)
    chunks = library.chunks.find_chunks(list(proposals.scores))
    matches = [
        Match(chunk, record, misfit=proposals.dropped.get(key, "")) for key, (chunk, record) in chunks.items()
    ]
    matches.sort(key=lambda match: (match.record.path, match.chunk.ordinal))
    passages, hits = choose_passages(
        [match for match in matches if not match.misfit],
        corpus=scope.corpus,
        limit=limit,
        share=limit,
        read_text=library.read_text,
    )
    return passages, hits + [make_hit(match, dropped=match.misfit) for match in matches if match.misfit]


def choose_share(scope: Scope, limit: int) -> int:
    """How many chunks one document may give: more where filters leave too few to fill the list."""
    return max(DOCUMENT_SHARE, ceil(limit / len(scope.documents)) if scope.documents else 0)


def make_trace(
    question: str,
    filters: SearchFilters,
    scope: Scope,
    library: Library,
    hits: Sequence[SearchHit],
    watch: Stopwatch,
) -> SearchTrace:
    """How the passages of a search were found."""
    total = library.count_documents(scope.corpus)
    return SearchTrace(
        question,
        question,
        filters,
        documents=total if scope.documents is None else len(scope.documents),
        documents_total=total,
        hits=tuple(hits),
        seconds=tuple(watch.seconds.items()),
        notes=scope.notes,
    )


def read_sentence_vectors(
    passages: Sequence[Passage], *, library: Library, fingerprint: str
) -> dict[tuple[str, int, int], Vectors]:
    """The vectors of the passages' sentences by document, start and end, as the library holds them."""
    found: dict[tuple[str, int, int], Vectors] = {}
    for passage in passages:
        document_id = passage.chunk.document_id
        original_id = library.find_original(document_id)
        chunks = library.chunks.read_sentences(
            original_id, passage.chunk.start, passage.chunk.end, fingerprint
        )
        for offset, text, vectors in chunks:
            spans = split_rows_and_sentences(text)
            if len(spans) == len(vectors):
                for (start, end), vector in zip(spans, vectors, strict=True):
                    found[document_id, offset + start, offset + end] = vector
    return found
