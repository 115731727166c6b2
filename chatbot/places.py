"""Where words of a passage stand: on which page, or in which rows of which sheet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from chatbot.types import Chunk, SheetRows


def find_page(chunk: Chunk, offset: int) -> int | None:
    """The page (from 1) on which a character of a chunk stands; None without pages.

    :param offset: of the character in the document.
    """
    begun = bisect_right(chunk.starts, offset, key=lambda start: start[0])
    if chunk.page is None or not begun:
        return chunk.page
    return chunk.starts[begun - 1][1]


def find_rows(chunk: Chunk, start: int, end: int) -> SheetRows | None:
    """The rows of a sheet that the characters from start to end of a chunk's document are; None elsewhere."""
    if chunk.sheet is None:
        return None
    first = max(bisect_right(chunk.starts, start, key=lambda row: row[0]) - 1, 0)
    last = bisect_left(chunk.starts, end, key=lambda row: row[0])
    numbers = [number for _, number in chunk.starts[first:last]]
    return SheetRows(chunk.sheet, numbers[0], numbers[-1]) if numbers else None


def join_starts(chunks: list[Chunk]) -> tuple[tuple[int, int], ...]:
    """Where rows and pages begin in several chunks of a document, which are given in their order."""
    first, *others = chunks
    starts = list(first.starts)
    for chunk in others:
        page = starts[-1][1] if starts else first.page
        if chunk.sheet is None and chunk.page is not None and chunk.page != page:
            starts.append((chunk.start, chunk.page))
        starts += chunk.starts
    return tuple(dict.fromkeys(starts))
