"""Which of the found passages the reading model reads: those with the likeliest sentences.

It takes most of the time to the first word, and what it says of a passage without a likely sentence rarely
changes an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from chatbot.evidence import SentenceVectors, score_spans
from chatbot.grounding import SourceSpan
from chatbot.reading.reading import Reading, ReadPassages
from chatbot.types import Embedder, Passage

FEWEST, MOST = 2, 4
"""So many passages are read at least, and at most."""
NEAR = 0.2
"""In between those whose best sentence scores at most this much below the best of all."""


def read_likeliest_passages(
    read: ReadPassages,
    question: str,
    passages: Sequence[Passage],
    spans: Sequence[SourceSpan],
    known_vectors: SentenceVectors,
    embedder: Embedder,
) -> Reading:
    """What the reading model makes of the passages with the likeliest sentences, by their stored vectors.

    All are read where a sentence's vector is not known.
    """
    chosen = choose_passages(question, passages, spans, known_vectors, embedder)
    return replace(read(question, chosen), unread=len(passages) - len(chosen))


def choose_passages(
    question: str,
    passages: Sequence[Passage],
    spans: Sequence[SourceSpan],
    known_vectors: SentenceVectors,
    embedder: Embedder,
) -> list[Passage]:
    """The passages with the likeliest sentences, in their order."""
    singles = [span for span in spans if span.sentences == 1]
    places = [(span.passage.chunk.document_id, span.start, span.end) for span in singles]
    if len(passages) <= FEWEST or not all(place in known_vectors for place in places):
        return list(passages)
    best = {passage.number: -np.inf for passage in passages}
    if singles:
        vectors = np.stack([known_vectors[place] for place in places])
        for span, score in zip(singles, score_spans(question, singles, vectors, embedder), strict=True):
            best[span.passage.number] = max(best[span.passage.number], score)
    ranked = sorted(best, key=lambda number: -best[number])[:MOST]
    kept = {number for number in ranked if best[number] >= best[ranked[0]] - NEAR} | {*ranked[:FEWEST]}
    return [passage for passage in passages if passage.number in kept]
