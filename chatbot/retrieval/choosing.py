"""From ranked matches to passages: copies shown once, neighbours joined, no document too often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from chatbot.places import find_rows, join_starts
from chatbot.retrieval.duplicates import Likeness, describe_likeness, is_nearly_same
from chatbot.retrieval.ranking import Match
from chatbot.types import Chunk, Passage, Place, SearchHit

ReadText = Callable[[str, int, int], str]
"""The characters from start to end of a document, by its id."""


@dataclass(slots=True)
class _Draft:
    """A passage in the making: its best match first, then the neighbours that are joined to it."""

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

    def join(self, other: _Draft) -> None:
        """Take in the matches of a passage that this one now touches."""
        self.matches += other.matches
        self.likenesses += other.likenesses
        for place in other.also_in:
            self.add_place(place)

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
    copied: dict[str, str] = {}
    dropped: dict[str, str] = {}
    taken: dict[str, int] = {}
    for match in matches:
        key, document_id = match.chunk.id, match.record.id
        if len(drafts) == limit:
            dropped[key] = f"below the first {limit}"
            continue
        if taken.get(document_id, 0) == share:
            dropped[key] = f"{share} chunks of this document stand before it"
            continue
        likeness = describe_likeness(match.chunk.text)
        if (same := _find_same(drafts, match, likeness)) is not None:
            same.add_place(make_place(match))
            copied[key] = same.matches[0].chunk.id
            continue
        taken[document_id] = taken.get(document_id, 0) + 1
        _place_match(drafts, match, likeness)
    numbers = {match.chunk.id: number for number, draft in enumerate(drafts, 1) for match in draft.matches}
    dropped |= {key: f"says nearly the same as passage {numbers[best]}" for key, best in copied.items()}
    hits = [
        make_hit(match, number=numbers.get(match.chunk.id), dropped=dropped.get(match.chunk.id, ""))
        for match in matches
    ]
    passages = [
        make_passage(
            draft.matches[0],
            corpus,
            number=number,
            chunk=_join_chunks([match.chunk for match in draft.matches], read_text),
            also_in=tuple(draft.also_in),
        )
        for number, draft in enumerate(drafts, 1)
    ]
    return passages, hits


def _place_match(drafts: list[_Draft], match: Match, likeness: Likeness) -> None:
    """Join a match to the passage that it continues, or to both that it stands between; else begin one."""
    beside = [draft for draft in drafts if draft.is_beside(match)]
    if not beside:
        drafts.append(_Draft([match], [likeness]))
        return
    first, *others = beside
    first.matches.append(match)
    first.likenesses.append(likeness)
    for other in others:
        first.join(other)
        drafts.remove(other)


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
    rows = find_rows(chunk, chunk.start, chunk.end)
    return Place(record.id, record.path, record.title, record.date, chunk.page, chunk.start, chunk.end, rows)


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
        rows=find_rows(chunk, chunk.start, chunk.end),
    )


def make_passage(
    match: Match, corpus: str, *, number: int = 0, chunk: Chunk | None = None, also_in: tuple[Place, ...] = ()
) -> Passage:
    """The passage that a match becomes.

    :param chunk: in place of the match's own, where neighbours were joined to it.
    """
    return Passage(
        number=number,
        chunk=chunk or match.chunk,
        corpus=corpus,
        path=match.record.path,
        title=match.record.title,
        date=match.record.date,
        score=match.score,
        similarity=match.similarity,
        vector_rank=match.vector_rank,
        word_rank=match.word_rank,
        also_in=also_in,
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
    starts = join_starts(in_order)
    return replace(in_order[0], id=chunks[0].id, start=start, end=end, text=text, starts=starts)
