"""Turns an answer's text into safe HTML.

Only a small part of Markdown is understood: paragraphs, lists, code blocks, headings (shown as bold
lines), bold, italics and inline code. Everything else is text: no links, no images, no raw HTML.
Marks (such as citation numbers) are placed by character offsets of the untouched text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from typing import Literal

BlockTag = Literal["p", "ul", "ol", "pre", "h4"]

_FENCE = re.compile(r"^\s*```")
_ITEM = re.compile(r"^\s*(?:[-*•]|(?P<number>\d{1,3})[.)])\s+")
_HEADING = re.compile(r"^#{1,6}\s+")
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`|\*\*(?P<bold>[^\s*](?:[^*]|\*(?!\*))*)\*\*|\*(?P<italic>[^\s*][^*\n]*)\*"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Trusted HTML to show right after the character before `position`."""

    position: int
    html: str


@dataclass(frozen=True, slots=True)
class Style:
    """A CSS class (and a title to hover over) for the characters `start` to `end`."""

    start: int
    end: int
    css_class: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters within the same elements; `tags` are those around them, outermost first."""

    start: int
    end: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an item of a list, a line of code or a heading: the characters `start` to `end`."""

    tag: BlockTag
    start: int
    end: int


def render_markup(text: str, marks: Sequence[Mark] = (), styles: Sequence[Style] = ()) -> str:
    """Return the text as HTML, with marks and styles in their places."""
    waiting = sorted(marks, key=lambda mark: mark.position)
    parts: list[str] = []
    for tag, blocks in groupby(split_blocks(text), key=lambda block: block.tag):
        bodies = [_render_block(text, block, waiting, styles) for block in blocks]
        if tag in ("ul", "ol"):
            parts.append(f"<{tag}>{''.join(f'<li>{body}</li>' for body in bodies)}</{tag}>")
        else:
            parts.extend(f"<{tag}>{body}</{tag}>" for body in bodies)
    parts.extend(mark.html for mark in waiting)
    return "".join(parts)


def split_blocks(text: str) -> Iterator[Block]:
    """The blocks of the text in order, without their Markdown signs."""
    code_start: int | None = None
    paragraph: Block | None = None
    for start, line in _lines(text):
        end = start + len(line)
        kind = None if code_start is not None else _block_of_line(line, start)
        joins = kind is not None and kind.tag == "p"
        if paragraph is not None and not joins:
            yield paragraph
            paragraph = None
        if _FENCE.match(line):
            if code_start is not None:
                yield Block("pre", code_start, max(code_start, start - 1))
            code_start = end + 1 if code_start is None else None
        elif kind is not None and joins:
            paragraph = Block("p", paragraph.start if paragraph else kind.start, end)
        elif kind is not None:
            yield kind
    if paragraph is not None:
        yield paragraph
    if code_start is not None and code_start < len(text):
        yield Block("pre", code_start, len(text))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for line in text.split("\n"):
        yield position, line
        position += len(line) + 1


def _block_of_line(line: str, start: int) -> Block | None:
    """The block that a line outside of code is, or None for a blank line or a fence."""
    if not line.strip() or _FENCE.match(line):
        return None
    if item := _ITEM.match(line):
        return Block("ol" if item["number"] else "ul", start + item.end(), start + len(line))
    if heading := _HEADING.match(line):
        return Block("h4", start + heading.end(), start + len(line))
    return Block("p", start, start + len(line))


def split_pieces(text: str, block: Block, cuts: set[int]) -> Iterator[Piece]:
    """The inside of one block, without Markdown signs, cut at some offsets of the text."""
    if block.tag == "pre":
        wholes = [Piece(block.start, block.end, ("code",))]
    else:
        wholes = list(_split_inline(text, block.start, block.end, ()))
    for whole in wholes:
        yield from _cut(whole, cuts)


def _render_block(text: str, block: Block, waiting: list[Mark], styles: Sequence[Style]) -> str:
    """The inside of one block; takes the marks that belong to it off the waiting list."""
    cuts = {mark.position for mark in waiting} | list_edges(styles)
    parts: list[str] = []
    for piece in split_pieces(text, block, cuts):
        parts.extend(_take_marks(waiting, piece.start))
        parts.append(_render_piece(text, piece, styles))
    parts.extend(_take_marks(waiting, block.end))
    return "".join(parts)


def list_edges(styles: Sequence[Style]) -> set[int]:
    """Where styles begin and end."""
    return {edge for style in styles for edge in (style.start, style.end)}


def _split_inline(text: str, start: int, end: int, tags: tuple[str, ...]) -> Iterator[Piece]:
    """The runs of one style between two offsets, Markdown signs left out."""
    position = start
    for match in _INLINE.finditer(text, start, end):
        if match.start() > position:
            yield Piece(position, match.start(), tags)
        if match["code"] is not None:
            yield Piece(*match.span("code"), (*tags, "code"))
        elif match["bold"] is not None:
            yield from _split_inline(text, *match.span("bold"), (*tags, "strong"))
        else:
            yield Piece(*match.span("italic"), (*tags, "em"))
        position = match.end()
    if position < end:
        yield Piece(position, end, tags)


def _cut(piece: Piece, cuts: set[int]) -> Iterator[Piece]:
    edges = [piece.start, *sorted(cut for cut in cuts if piece.start < cut < piece.end), piece.end]
    for start, end in pairwise(edges):
        yield Piece(start, end, piece.tags)


def _take_marks(waiting: list[Mark], position: int) -> Iterator[str]:
    while waiting and waiting[0].position <= position:
        yield waiting.pop(0).html


def _render_piece(text: str, piece: Piece, styles: Sequence[Style]) -> str:
    body = escape(text[piece.start : piece.end])
    for tag in reversed(piece.tags):
        body = f"<{tag}>{body}</{tag}>"
    for style in styles:
        if style.start <= piece.start and piece.end <= style.end:
            title = f' title="{escape(style.title)}"' if style.title else ""
            body = f'<span class="{style.css_class}"{title}>{body}</span>'
    return body
