"""The order of what was found: fused by rank, the newer version first, no document too often."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chatbot.types import Chunk, DocumentRecord
from chatbot.versions import is_newer_version

RANK_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009), their value."""
VERSION_MARGIN = 0.1
"""A newer version goes first when its chunk's similarity is at most this much lower."""

Found = tuple[Chunk, DocumentRecord, float]
"""A chunk with its document and its score."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


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
