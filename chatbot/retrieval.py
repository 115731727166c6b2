"""The passages that may answer a question: nearest vectors and shared words, fused by rank."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from chatbot.library import Library
from chatbot.types import Chunk, DocumentRecord, Embedder, Passage, Vectors
from chatbot.versions import is_newer_version

CANDIDATES = 40
"""How many chunks each way of searching proposes."""
RANK_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009), their value."""
DOCUMENT_SHARE = 3
"""At most this many passages of one document, so that none floods the list."""
VERSION_MARGIN = 0.1
"""A newer version goes first when its chunk's similarity is at most this much lower."""

Found = tuple[Chunk, DocumentRecord, float]
"""A chunk with its document and its fused score."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


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
    found = [(*chunks[chunk_id], score) for chunk_id, score in scores.items() if chunk_id in chunks]
    chosen = limit_documents(put_newer_first(found, similarities, question))[:limit]
    return [
        Passage(
            number=number,
            chunk=chunk,
            corpus=corpus,
            path=record.path,
            title=record.title,
            date=record.date,
            score=score,
            similarity=similarities.get(chunk.id, 0.0),
            vector_rank=vector_ranks.get(chunk.id),
            word_rank=word_ranks.get(chunk.id),
        )
        for number, (chunk, record, score) in enumerate(chosen, 1)
    ]


def limit_documents(found: Sequence[Found]) -> list[Found]:
    """The list without what exceeds a document's share."""
    taken: dict[str, int] = {}
    kept = []
    for item in found:
        document_id = item[1].id
        taken[document_id] = taken.get(document_id, 0) + 1
        if taken[document_id] <= DOCUMENT_SHARE:
            kept.append(item)
    return kept


def put_newer_first(found: Sequence[Found], similarities: Mapping[str, float], question: str) -> list[Found]:
    """The list with the newer of two versions of a document in the older one's place.

    Versions are documents whose paths differ in numbers only and whose dates differ, where both chunks
    stand under the same heading or match the question about equally well. A question that names the
    older one's year is left alone.
    """
    ordered = list(found)
    years = set(_YEAR.findall(question))
    for place in range(len(ordered)):
        older = ordered[place]
        if years & set(_YEAR.findall(f"{older[1].path} {older[1].date}")):
            continue
        for later in range(place + 1, len(ordered)):
            if _replaces(ordered[later], older, similarities):
                ordered[place], ordered[later] = ordered[later], older
                break
    return ordered


def _replaces(item: Found, other: Found, similarities: Mapping[str, float]) -> bool:
    """Whether a chunk says in a newer version what another says in an older one."""
    (new, new_record, _), (old, old_record, _) = item, other
    if not is_newer_version(new_record.path, new_record.date, old_record.path, old_record.date):
        return False
    gap = similarities.get(old.id, 0.0) - similarities.get(new.id, 0.0)
    return new.headings[-1:] == old.headings[-1:] or gap <= VERSION_MARGIN


def fuse_ranks(rankings: Sequence[Sequence[str]]) -> dict[str, float]:
    """Score of each id by reciprocal rank fusion, best first; ties keep the first ranking's order."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, chunk_id in enumerate(ranking, 1):
            scores[chunk_id] = scores.get(chunk_id, 0.0) + 1.0 / (RANK_CONSTANT + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
