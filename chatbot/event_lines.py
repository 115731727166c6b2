"""Lines of server-sent events and of JSON lines, as they arrive in pieces."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

_END = re.compile(r"\r\n|\n|\r")


class LineSplitter:
    """Cuts text into lines at line feeds, carriage returns and both together, and nowhere else.

    `str.splitlines` also cuts at U+2028 and others, which may stand unescaped within JSON.
    """

    def __init__(self) -> None:
        self._rest = ""

    def add(self, text: str) -> list[str]:
        """The lines that a further piece of text completes."""
        text = self._rest + text
        # A \r at the end may be the first half of \r\n.
        held = "\r" if text.endswith("\r") else ""
        *lines, rest = _END.split(text.removesuffix("\r") if held else text)
        self._rest = rest + held
        return lines

    def finish(self) -> list[str]:
        """The last line, where it has no end."""
        lines = _END.split(self._rest)
        self._rest = ""
        return [line for line in lines if line]


def split_lines(pieces: Iterator[str]) -> Iterator[str]:
    """The lines of a text that arrives in pieces."""
    splitter = LineSplitter()
    for piece in pieces:
        yield from splitter.add(piece)
    yield from splitter.finish()


async def split_lines_async(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """The lines of a text that arrives in pieces."""
    splitter = LineSplitter()
    async for piece in pieces:
        for line in splitter.add(piece):
            yield line
    for line in splitter.finish():
        yield line
