"""From ranked matches to passages: copies shown once, neighbours joined, no document too often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from chatbot.retrieval.duplicates import Likeness, describe_likeness, is_nearly_same
from chatbot.retrieval.ranking import Match
from chatbot.types import Chunk, Passage, Place, SearchHit

ReadText = Callable[[str, int, int], str]
"""The characters from start to end of a document, by its id."""


@dataclass(slots=True)
class _Draft:
    """A passage in the making: its best match first, then the neighbours that are joined to it."""

    number: int
    matches: list[Match]
    likenesses: list[Likeness]
    also_in: list[Place] = field(default_factory=list)

    def is_beside(self, match: Match) -> bool:
        """Whether a match continues the same section directly before or after this passage."""
        best = self.matches[0]
        if match.record.id != best.record.id or match.chunk.headings != best.chunk.headings:
            return False
        ordinals = [own.chunk.ordinal for own in self.matches]
        return match.chunk.ordinal in (min(ordinals) - 1, max(ordinals) + 1)

    def add_place(self, place: Place) -> None:
        """Note where else the same stands, a document once."""
        if place.document_id not in [other.document_id for other in self.also_in]:
            self.also_in.append(place)


def choose_passages(
    matches: Sequence[Match], *, corpus: str, limit: int, share: int, read_text: ReadText
) -> tuple[list[Passage], list[SearchHit]]:
    """The passages to give out, and what became of every match.

    Of passages that say nearly the same only the best match is given, with the places of the others.
    Neighbouring chunks of one section become one passage.

    :param matches: best first.
    :param limit: the most passages.
    :param share: the most chunks of one document.
    """
    drafts: list[_Draft] = []
    hits: list[SearchHit] = []
    taken: dict[str, int] = {}
    for match in matches:
        document_id = match.record.id
        if len(drafts) == limit:
            hits.append(make_hit(match, dropped=f"below the first {limit}"))
            continue
        if taken.get(document_id, 0) == share:
            hits.append(make_hit(match, dropped=f"{share} chunks of this document stand before it"))
            continue
        likeness = describe_likeness(match.chunk.text)
        if (same := _find_same(drafts, match, likeness)) is not None:
            same.add_place(make_place(match))
            hits.append(make_hit(match, dropped=f"says nearly the same as passage {same.number}"))
            continue
        taken[document_id] = taken.get(document_id, 0) + 1
        draft = next((draft for draft in drafts if draft.is_beside(match)), None)
        if draft is None:
            draft = _Draft(len(drafts) + 1, [], [])
            drafts.append(draft)
        draft.matches.append(match)
        draft.likenesses.append(likeness)
        hits.append(make_hit(match, number=draft.number))
    return [_make_passage(draft, corpus, read_text) for draft in drafts], hits


def _find_same(drafts: Sequence[_Draft], match: Match, likeness: Likeness) -> _Draft | None:
    return next(
        (
            draft
            for draft in drafts
            if draft.matches[0].record.id != match.record.id
            and any(is_nearly_same(own, likeness) for own in draft.likenesses)
        ),
        None,
    )


def make_place(match: Match) -> Place:
    """Where a match stands."""
    chunk, record = match.chunk, match.record
    return Place(record.id, record.path, record.title, record.date, chunk.page, chunk.start, chunk.end)


def make_hit(match: Match, *, number: int | None = None, dropped: str = "") -> SearchHit:
    """The trace's line about a match."""
    chunk, record = match.chunk, match.record
    return SearchHit(
        chunk_id=chunk.id,
        document_id=record.id,
        path=record.path,
        title=record.title,
        heading=" › ".join(part for part in chunk.headings if part != record.title),
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        score=match.score,
        similarity=match.similarity,
        vector_rank=match.vector_rank,
        word_rank=match.word_rank,
        word_score=match.word_score,
        sentence_similarity=match.sentence_similarity,
        number=number,
        dropped=dropped,
    )


def _make_passage(draft: _Draft, corpus: str, read_text: ReadText) -> Passage:
    best = draft.matches[0]
    return Passage(
        number=draft.number,
        chunk=_join_chunks([match.chunk for match in draft.matches], read_text),
        corpus=corpus,
        path=best.record.path,
        title=best.record.title,
        date=best.record.date,
        score=best.score,
        similarity=best.similarity,
        vector_rank=best.vector_rank,
        word_rank=best.word_rank,
        also_in=tuple(draft.also_in),
    )


def _join_chunks(chunks: Sequence[Chunk], read_text: ReadText) -> Chunk:
    """Neighbouring chunks of a document as one, which goes by the name of the first given."""
    if len(chunks) == 1:
        return chunks[0]
    in_order = sorted(chunks, key=lambda chunk: chunk.ordinal)
    start, end = in_order[0].start, in_order[-1].end
    text = read_text(chunks[0].document_id, start, end)
    if not text:
        return chunks[0]
    return replace(in_order[0], id=chunks[0].id, start=start, end=end, text=text)
