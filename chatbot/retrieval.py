"""The passages that may answer a question: nearest vectors and shared words, fused by rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatbot.library import Library
from chatbot.types import Embedder, Passage, Vectors

CANDIDATES = 40
"""How many chunks each way of searching proposes."""
RANK_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009), their value."""
DOCUMENT_SHARE = 3
"""At most this many passages of one document, so that none floods the list."""


class FindNearest(Protocol):
    """Finds the chunks nearest to a vector: `VectorIndex.find_nearest`."""

    def __call__(self, corpus: str, vector: Vectors, *, limit: int) -> list[tuple[str, float]]:
        """Ids and cosine similarities, nearest first."""


def search_passages(
    question: str,
    *,
    corpus: str,
    limit: int,
    library: Library,
    find_nearest: FindNearest,
    embedder: Embedder,
) -> list[Passage]:
    """The passages that match the question best, numbered from 1; none for an empty question."""
    if not question.strip():
        return []
    vector = embedder.embed_query(question)
    nearest = find_nearest(corpus, vector, limit=CANDIDATES)
    by_vector = [chunk_id for chunk_id, _ in nearest]
    by_words = library.search_words(corpus, question, limit=CANDIDATES)
    scores = fuse_ranks([by_vector, by_words])
    chunks = library.find_chunks(list(scores))
    similarities = dict(nearest)
    missing = [chunk_id for chunk_id in chunks if chunk_id not in similarities]
    for chunk_id, chunk_vector in library.find_vectors(missing, embedder.fingerprint).items():
        similarities[chunk_id] = float(chunk_vector @ vector)
    vector_ranks = {chunk_id: rank for rank, chunk_id in enumerate(by_vector, 1)}
    word_ranks = {chunk_id: rank for rank, chunk_id in enumerate(by_words, 1)}
    passages: list[Passage] = []
    taken: dict[str, int] = {}
    for chunk_id, score in scores.items():
        if chunk_id not in chunks or len(passages) == limit:
            continue
        chunk, record = chunks[chunk_id]
        taken[record.id] = taken.get(record.id, 0) + 1
        if taken[record.id] > DOCUMENT_SHARE:
            continue
        passages.append(
            Passage(
                number=len(passages) + 1,
                chunk=chunk,
                corpus=corpus,
                path=record.path,
                title=record.title,
                date=record.date,
                score=score,
                similarity=similarities.get(chunk_id, 0.0),
                vector_rank=vector_ranks.get(chunk_id),
                word_rank=word_ranks.get(chunk_id),
            )
        )
    return passages


def fuse_ranks(rankings: Sequence[Sequence[str]]) -> dict[str, float]:
    """Score of each id by reciprocal rank fusion, best first; ties keep the first ranking's order."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, chunk_id in enumerate(ranking, 1):
            scores[chunk_id] = scores.get(chunk_id, 0.0) + 1.0 / (RANK_CONSTANT + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
