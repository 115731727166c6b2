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
from chatbot.reading.reading import ReadPassages, Reading
from chatbot.types import Embedder, Passage

MOST_PASSAGES = 3
"""So many passages are read of those that were found."""


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
    if len(passages) <= MOST_PASSAGES or not all(place in known_vectors for place in places):
        return list(passages)
    best = {passage.number: -np.inf for passage in passages}
    if singles:
        vectors = np.stack([known_vectors[place] for place in places])
        for span, score in zip(singles, score_spans(question, singles, vectors, embedder), strict=True):
            best[span.passage.number] = max(best[span.passage.number], score)
    likeliest = sorted(passages, key=lambda passage: -best[passage.number])[:MOST_PASSAGES]
    return [passage for passage in passages if passage in likeliest]
