"""Cuts a document into chunks along its structure, each small enough for the embedding model.

A chunk holds whole blocks (paragraphs, list items, table rows) of one section, beginning with the
section's heading; a block that is too long is cut between sentences, a sentence that is too long
between words. What a chunk needs to be understood alone (the document's title, the headings above,
the header of its table) stands in its context, which is embedded in front of it.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chatbot.sentences import split_sentences
from chatbot.types import Block, Chunk, NumberedStart, ParsedDocument, SheetStart

CHUNKING_VERSION = 1
"""Raised whenever the same document would be cut otherwise, so that libraries are brought up to date."""

CONTEXT_SHARE = 0.4
"""The context may take at most this share of a chunk's tokens."""

_WORD = re.compile(r"\S+")

CountTokens = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A stretch of text that is not cut any further, with its size in tokens."""

    start: int
    end: int
    tokens: int
    table_header: str = ""


@dataclass(slots=True)
class _Section:
    """The blocks below one heading; `headings` is the path from the document's top to it."""

    headings: tuple[str, ...]
    blocks: list[Block] = field(default_factory=list)


def chunk_document(
    document: ParsedDocument, *, document_id: str, count_tokens: CountTokens, max_tokens: int
) -> list[Chunk]:
    """Cut a document into chunks whose context and text together have at most `max_tokens` tokens.

    Every character of `document.text` that is not white space lies in exactly one chunk.

    :param count_tokens: Counts as the embedding model does, its special tokens included.
    """
    cutter = _Cutter(document.text, count_tokens, max_tokens)
    numbered = _NumberedPlaces(document)
    chunks: list[Chunk] = []
    seen: dict[str, int] = {}
    for section, places in cutter.cut(document.title, split_sections(document)):
        for context, start, end in places:
            embedded = f"{context}\n{document.text[start:end]}"
            occurrence = seen[embedded] = seen.get(embedded, 0) + 1
            chunks.append(
                Chunk(
                    id=hash_text(f"{document_id}\0{occurrence}\0{embedded}"),
                    document_id=document_id,
                    ordinal=len(chunks),
                    start=start,
                    end=end,
                    text=document.text[start:end],
                    headings=section.headings,
                    context=context,
                    page=find_page(document.page_starts, start),
                    sheet=find_sheet(document.sheets, start),
                    starts=tuple(numbered.list_within(start, end)),
                )
            )
    return chunks


def hash_text(text: str) -> str:
    """A short stable identifier of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def find_page(page_starts: Sequence[int], offset: int) -> int | None:
    """The page (from 1) on which the character at `offset` stands; None without pages."""
    return bisect_right(page_starts, offset) or 1 if page_starts else None


def find_sheet(sheets: Sequence[SheetStart], offset: int) -> str | None:
    """The name of the sheet in which the character at `offset` stands; None without sheets."""
    begun = bisect_right(sheets, offset, key=lambda sheet: sheet[0])
    return sheets[max(begun - 1, 0)][1] if sheets else None


class _NumberedPlaces:
    """Where the rows of a document's sheets begin, else its pages."""

    def __init__(self, document: ParsedDocument) -> None:
        if document.sheets:
            self._starts = [(block.start, block.row) for block in document.blocks if block.row]
        else:
            self._starts = [(start, number) for number, start in enumerate(document.page_starts, 1)]
        self._reaches_back = bool(document.sheets)

    def list_within(self, start: int, end: int) -> Sequence[NumberedStart]:
        """Those that begin behind `start` and before `end`, and the row that goes on at `start`."""
        first = bisect_right(self._starts, start, key=lambda place: place[0])
        last = bisect_left(self._starts, end, key=lambda place: place[0])
        return self._starts[max(first - 1, 0) if self._reaches_back else first : last]


def join_for_embedding(chunk: Chunk) -> str:
    """The text that is embedded for a chunk."""
    return f"{chunk.context}\n{chunk.text}" if chunk.context else chunk.text


def split_sections(document: ParsedDocument) -> list[_Section]:
    """The document's blocks by the heading above them; a heading belongs to its own section."""
    path: list[tuple[int, str]] = []
    sections = [_Section(())]
    for block in document.blocks:
        if block.kind == "heading":
            title = document.text[block.start : block.end]
            path = [(level, text) for level, text in path if level < block.level] + [(block.level, title)]
            headings = tuple(text for _, text in path)
            if _has_only_headings(sections[-1]):
                sections[-1].headings = headings
            else:
                sections.append(_Section(headings))
        sections[-1].blocks.append(block)
    return [section for section in sections if section.blocks]


def _has_only_headings(section: _Section) -> bool:
    return all(block.kind == "heading" for block in section.blocks)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Units that are to be a chunk, if their context and text together have not too many tokens."""

    context: str
    units: Sequence[_Unit]

    @property
    def full_context(self) -> str:
        """The context with the header of the table that it begins in."""
        return "\n".join(part for part in (self.context, self.units[0].table_header) if part)

    @property
    def place(self) -> tuple[str, int, int]:
        """Context, start and end of the chunk."""
        return self.full_context, self.units[0].start, self.units[-1].end

    def join(self, text: str) -> str:
        """What would be embedded."""
        context, start, end = self.place
        return f"{context}\n{text[start:end]}" if context else text[start:end]


class _Cutter:
    """Cuts the sections of one text; holds what all of them share.

    Texts are counted many at a time, which is several times as fast as one by one, and each once.
    """

    def __init__(self, text: str, count_tokens: CountTokens, max_tokens: int) -> None:
        self.text = text
        self.max_tokens = max_tokens
        self._count_tokens = count_tokens
        self._counts: dict[str, int] = {}
        [self.special_tokens] = self.count_tokens([""])

    def cut(
        self, title: str, sections: Sequence[_Section]
    ) -> Iterator[tuple[_Section, Iterator[tuple[str, int, int]]]]:
        """Yield each section with context, start and end of its chunks."""
        contexts = [_describe_place(title, section.headings) for section in sections]
        blocks = [block for section in sections for block in section.blocks]
        self.count_tokens([*contexts, *(self.text[block.start : block.end] for block in blocks)])
        cut = [
            list(self.cut_section(context, section))
            for context, section in zip(contexts, sections, strict=True)
        ]
        self.count_tokens(
            [piece.join(self.text) for pieces in cut for piece in pieces if len(piece.units) > 1]
        )
        for section, pieces in zip(sections, cut, strict=True):
            yield section, (place for piece in pieces for place in self.fit_chunk(piece))

    def cut_section(self, context: str, section: _Section) -> Iterator[_Piece]:
        """Yield the pieces of a section."""
        context = self.shorten_context(context)
        [context_tokens] = self.count([context])
        budget = self.max_tokens - self.special_tokens - context_tokens
        units = self.split_units(section.blocks, budget)
        for first, last in _pack_units(units, budget):
            yield _Piece(context, units[first:last])

    def fit_chunk(self, piece: _Piece) -> Iterator[tuple[str, int, int]]:
        """One chunk of these units, or several where the whole counts more tokens than its parts."""
        units = piece.units
        if len(units) == 1 or self.count_tokens([piece.join(self.text)])[0] <= self.max_tokens:
            yield piece.place
            return
        middle = len(units) // 2
        yield from self.fit_chunk(_Piece(piece.context, units[:middle]))
        yield from self.fit_chunk(_Piece(piece.context, units[middle:]))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, the model's special ones included."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._counts]:
            self._counts.update(zip(new, self._count_tokens(new), strict=True))
        return [self._counts[text] for text in texts]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text without the model's special tokens."""
        return [count - self.special_tokens for count in self.count_tokens(texts)]

    def shorten_context(self, context: str) -> str:
        """`context` cut to its last words where it would take too much of the chunk."""
        limit = int(self.max_tokens * CONTEXT_SHARE)
        while context and self.count([context])[0] > limit:
            words = context.split()
            context = " ".join(words[len(words) // 2 :]) if len(words) > 1 else ""
        return context

    def split_units(self, blocks: Sequence[Block], budget: int) -> list[_Unit]:
        """The stretches between which a section may be cut."""
        spans: list[tuple[int, int, str]] = []
        header = ""
        for block in blocks:
            if block.kind == "table_header":
                header = self.text[block.start : block.end]
                spans.append((block.start, block.end, ""))
                continue
            header = header if block.kind == "table_row" else ""
            spans.append((block.start, block.end, header))
        counts = self.count([self.text[start:end] for start, end, _ in spans])
        units: list[_Unit] = []
        for (start, end, table_header), tokens in zip(spans, counts, strict=True):
            kept_header = table_header if self.fits_beside_header(table_header, tokens, budget) else ""
            if tokens <= budget:
                units.append(_Unit(start, end, tokens, kept_header))
            else:
                units.extend(self.split_long(start, end, budget))
        return units

    def fits_beside_header(self, header: str, tokens: int, budget: int) -> bool:
        """Whether a table's header can be repeated as context of one of its rows."""
        return bool(header) and self.count([header])[0] + tokens <= budget

    def split_long(self, start: int, end: int, budget: int) -> Iterator[_Unit]:
        """The sentences of a block that is too long; words where a sentence is too long itself."""
        text = self.text[start:end]
        sentences = split_sentences(text)
        counts = self.count([text[first:last] for first, last in sentences])
        for (first, last), tokens in zip(sentences, counts, strict=True):
            if tokens <= budget:
                yield _Unit(start + first, start + last, tokens)
            else:
                yield from self.split_words(start + first, start + last, budget)

    def split_words(self, start: int, end: int, budget: int) -> Iterator[_Unit]:
        """Runs of words that fit; a word that is too long itself is halved until it fits."""
        words = [(start + word.start(), start + word.end()) for word in _WORD.finditer(self.text[start:end])]
        counts = self.count([self.text[first:last] for first, last in words])
        run_start, run_tokens = words[0][0], 0
        for (first, _), tokens, (_, previous_end) in zip(words, counts, [words[0], *words], strict=False):
            if run_tokens and run_tokens + tokens > budget:
                yield from self.split_characters(run_start, previous_end, budget)
                run_start, run_tokens = first, 0
            run_tokens += tokens
        yield from self.split_characters(run_start, words[-1][1], budget)

    def split_characters(self, start: int, end: int, budget: int) -> Iterator[_Unit]:
        """The stretch itself if it fits, else its halves, and so on."""
        [tokens] = self.count([self.text[start:end]])
        if tokens <= budget or end - start == 1:
            yield _Unit(start, end, tokens)
            return
        middle = (start + end) // 2
        yield from self.split_characters(start, middle, budget)
        yield from self.split_characters(middle, end, budget)


def _describe_place(title: str, headings: Sequence[str]) -> str:
    """The document's title and the headings down to the section's own, each once."""
    return " > ".join(dict.fromkeys(part for part in (title, *headings) if part))


def _pack_units(units: Sequence[_Unit], budget: int) -> Iterator[tuple[int, int]]:
    """Yield first and last index (excluded) of each run of units that fits the budget together."""
    first = 0
    tokens = 0
    for index, unit in enumerate(units):
        header_tokens = len(unit.table_header) // 3 if index == first else 0
        if index > first and tokens + unit.tokens > budget:
            yield first, index
            first, tokens = index, 0
            header_tokens = len(unit.table_header) // 3
        tokens += unit.tokens + header_tokens
    if units:
        yield first, len(units)
