"""What each way of searching proposes for a question, within what its filters let through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from chatbot.filters import describe_filters, holds_words
from chatbot.library import Library
from chatbot.types import SearchFilters, Vectors

CANDIDATES = 24
"""How many chunks each way of searching proposes, if not more passages are asked for."""
MOST_COMPARED = 5_000
"""Up to so many chunks that filters leave are compared with the question one by one."""
GROWTH, MOST_PROPOSED = 4, 10_240
"""Where too few proposals pass the filters, so many times as many are asked for, up to this many."""


class FindNearest(Protocol):
    """Finds the chunks nearest to a vector: `VectorIndex.find_nearest`."""

    def __call__(self, corpus: str, vector: Vectors, *, limit: int) -> list[tuple[str, float]]:
        """Ids and cosine similarities, nearest first."""


Propose = Callable[[int], Sequence[tuple[str, float]]]
"""Gives at most so many ids with their scores, best first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the filters of a search leave of a corpus.

    `documents` are the ids of those to search, None for all. `chunks` are the ids of all that may be
    found, None for all or where they are too many to be compared one by one. A chunk must hold all
    `phrases` and none of the `excluded` words. `notes` tell the reader what the filters came to.
    """

    corpus: str
    documents: Sequence[str] | None = None
    chunks: Sequence[str] | None = None
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposals:
    """Ids and scores, best first; those that hold an excluded word are kept, with what to say of them."""

    scores: Mapping[str, float]
    dropped: Mapping[str, str]

    def find_rank(self, chunk_id: str) -> int | None:
        """The place of a chunk, from 1; None where it was not proposed."""
        return list(self.scores).index(chunk_id) + 1 if chunk_id in self.scores else None


NO_PROPOSALS = Proposals({}, {})


def open_scope(corpus: str, filters: SearchFilters, library: Library) -> Scope:
    """Find out what the filters leave; a phrase that nothing there holds is let go, with a note."""
    documents = library.match_documents(corpus, filters)
    if documents == []:
        asked = ", ".join(describe_filters(replace(filters, phrases=(), excluded=())))
        return Scope(corpus, documents, (), notes=(f"No document matches: {asked}.",))
    phrases, chunks, notes = _hold_phrases(filters.phrases, corpus, documents, library)
    if not phrases and documents is not None:
        chunks = library.chunks.list_chunks_of(documents, limit=MOST_COMPARED + 1)
    if chunks is not None and len(chunks) > MOST_COMPARED:
        chunks = None
    return Scope(corpus, documents, chunks, phrases, filters.excluded, notes)


def _hold_phrases(
    phrases: tuple[str, ...], corpus: str, documents: Sequence[str] | None, library: Library
) -> tuple[tuple[str, ...], list[str] | None, tuple[str, ...]]:
    """The phrases that stand together in chunks, the ids of those, and notes about the other phrases."""

    def find_holders(wanted: Sequence[str]) -> list[str]:
        ids = library.words.find_phrases(corpus, wanted, limit=MOST_COMPARED + 1, documents=documents)
        if len(ids) > MOST_COMPARED:
            return ids
        return [
            chunk_id
            for chunk_id, text in library.chunks.read_texts(ids).items()
            if all(holds_words(text, words) for words in wanted)
        ]

    if not phrases:
        return (), None, ()
    if holders := find_holders(phrases):
        return phrases, holders, ()
    held = tuple(phrase for phrase in phrases if len(phrases) > 1 and find_holders([phrase]))
    if held == phrases:
        quoted = " and ".join(f"“{phrase}”" for phrase in phrases)
        return (), None, (f"No passage holds {quoted} together; their words were searched instead.",)
    missing = tuple(
        f"No passage holds “{phrase}” word for word; its words were searched instead."
        for phrase in phrases
        if phrase not in held
    )
    kept, chunks, notes = _hold_phrases(held, corpus, documents, library)
    return kept, chunks, missing + notes


def propose_by_vector(
    vector: Vectors,
    scope: Scope,
    *,
    library: Library,
    find_nearest: FindNearest,
    fingerprint: str,
    wanted: int = CANDIDATES,
) -> Proposals:
    """The chunks nearest to a vector, with cosine similarities."""
    if scope.chunks is None:
        return _take_fitting(
            lambda limit: find_nearest(scope.corpus, vector, limit=limit), scope, library, wanted=wanted
        )
    vectors = library.chunks.find_vectors(scope.chunks, fingerprint)
    if not vectors:
        return NO_PROPOSALS
    similarities = np.stack(list(vectors.values())) @ vector
    ids = list(vectors)
    ranked = [(ids[row], float(similarities[row])) for row in np.argsort(-similarities, kind="stable")]
    return _take_fitting(lambda limit: ranked[:limit], scope, library, wanted=wanted)


def propose_by_words(question: str, scope: Scope, *, library: Library, wanted: int = CANDIDATES) -> Proposals:
    """The chunks that share words with the question, with BM25 scores."""

    def propose(limit: int) -> list[tuple[str, float]]:
        return library.words.search_words(
            scope.corpus, question, limit=limit, documents=scope.documents, phrases=scope.phrases
        )

    return _take_fitting(propose, scope, library, wanted=wanted)


def propose_first_chunks(scope: Scope, *, library: Library, wanted: int) -> Proposals:
    """The first chunk of each document, then the second of each, and so on; they have no scores."""

    def propose(limit: int) -> list[tuple[str, float]]:
        ids = library.chunks.list_chunk_ids(scope.corpus, limit=limit, documents=scope.documents)
        return [(chunk_id, 0.0) for chunk_id in ids]

    return _take_fitting(propose, scope, library, wanted=wanted)


def _take_fitting(propose: Propose, scope: Scope, library: Library, *, wanted: int) -> Proposals:
    """The first proposals that the scope lets through; more are asked for while they are too few."""
    limit = wanted
    while True:
        proposed = propose(limit)
        misfits = _find_misfits([chunk_id for chunk_id, _ in proposed], scope, library)
        fitting = [chunk_id for chunk_id, _ in proposed if chunk_id not in misfits][:wanted]
        if len(fitting) == wanted or len(proposed) < limit or limit >= MOST_PROPOSED:
            break
        limit *= GROWTH
    dropped = {chunk_id: misfits[chunk_id] for chunk_id, _ in proposed[:wanted] if misfits.get(chunk_id)}
    shown = dropped.keys() | set(fitting)
    return Proposals({chunk_id: score for chunk_id, score in proposed if chunk_id in shown}, dropped)


def _find_misfits(ids: Sequence[str], scope: Scope, library: Library) -> dict[str, str]:
    """The chunks that the scope leaves out, by id, with what to tell of those that hold excluded words."""
    misfits: dict[str, str] = {}
    if scope.documents is not None:
        inside = library.chunks.keep_chunks_of(scope.documents, ids)
        misfits |= {chunk_id: "" for chunk_id in ids if chunk_id not in inside}
    if scope.phrases or scope.excluded:
        for chunk_id, text in library.chunks.read_texts(ids).items():
            held = [words for words in scope.excluded if holds_words(text, words)]
            if not all(holds_words(text, phrase) for phrase in scope.phrases):
                misfits[chunk_id] = ""
            elif held:
                misfits.setdefault(chunk_id, f"holds “{held[0]}”, which was excluded")
    return misfits
