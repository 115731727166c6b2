"""The order of what was found: by meaning and words together, the newer of two versions first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.retrieval.versions import is_newer_version
from chatbot.types import Chunk, DocumentRecord

MEANING_OF_ALL, MEANING_OF_SENTENCE, SHARED_WORDS = 0.15, 0.7, 0.15
"""What the cosine of question and chunk, that of question and the chunk's best sentence, and the BM25
score count: round numbers that come nearest to being the best on all sets of docs/evaluation.md at once."""
VERSION_MARGIN = 0.1
"""A newer version goes first when its chunk's similarity is at most this much lower."""


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk that was found, with its document and how well it matches; see `SearchHit`.

    `misfit` says why a filter leaves it out; it is empty where none does.
    """

    chunk: Chunk
    record: DocumentRecord
    score: float = 0.0
    similarity: float = 0.0
    sentence_similarity: float | None = None
    vector_rank: int | None = None
    word_rank: int | None = None
    word_score: float | None = None
    misfit: str = ""


_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def put_newer_first(matches: Sequence[Match], question: str) -> list[Match]:
    """The list with the newer of two versions of a document in the older one's place.

    Versions are documents whose paths differ in numbers only and whose dates differ, where both chunks
    stand under the same heading or match the question about equally well. A question that names the
    older one's year is left alone.
    """
    ordered = list(matches)
    years = set(_YEAR.findall(question))
    for place in range(len(ordered)):
        older = ordered[place]
        if not older.record.date or years & set(_YEAR.findall(f"{older.record.path} {older.record.date}")):
            continue
        for later in range(place + 1, len(ordered)):
            if _replaces(ordered[later], older):
                ordered[place], ordered[later] = ordered[later], older
                break
    return ordered


def _replaces(new: Match, old: Match) -> bool:
    """Whether a chunk says in a newer version what another says in an older one."""
    if not is_newer_version(new.record.path, new.record.date, old.record.path, old.record.date):
        return False
    same_heading = new.chunk.headings[-1:] == old.chunk.headings[-1:]
    return same_heading or old.similarity - new.similarity <= VERSION_MARGIN


def score_candidate(similarity: float, sentence_similarity: float, word_share: float) -> float:
    """How well a chunk matches a question: likeness in meaning of the whole and of its best sentence,
    and shared words.

    A weighted sum of scores rather than of ranks keeps how sure each way of searching is (Bruch, Gai
    and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023).

    :param word_share: the BM25 score as a share of the best candidate's; 0 where no word is shared.
    """
    return MEANING_OF_ALL * similarity + MEANING_OF_SENTENCE * sentence_similarity + SHARED_WORDS * word_share
