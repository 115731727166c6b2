"""The members of what a corpus lists under a name: "List all error codes" where a heading says "Error codes".

A row of a table or an item of a list is a member where the heading right above it, the line that leads to
it, or the first column of its table ends with the name. Below a heading or title with such a name, lines
that begin with codes of one pattern (GW-102, GW-410) are members too, if codes are asked for. Nothing else
is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatbot.filters import fold_text
from chatbot.sentences import CELL_MARK, find_content_words
from chatbot.surveys.findings import Finding, Stretch
from chatbot.surveys.scope import SurveyScope, watch_stop
from chatbot.surveys.topics import find_stems, names_members
from chatbot.types import Block, Document, Passage

FEWEST_CODES = 3
"""So many codes of one pattern make a list; fewer may stand there by chance."""

_CODE_WORDS = find_stems("code number identifier id reference")
_CODE = re.compile(r"\W*(?P<code>(?P<pattern>[A-Z]{1,6})[-–]?\d{1,6}[A-Za-z]?)(?!\w)")


@dataclass(frozen=True, slots=True)
class _Line:
    """A block of a document, the headings above it from the document's down, and its table's first row.

    `names` are what the line may be listed under: the last heading, the line that leads to it, and the first
    column of its table, which says what its rows are.
    """

    block: Block
    headings: tuple[str, ...]
    names: tuple[str, ...]
    table_header: str = ""


def list_members(passages: Sequence[Passage], topics: Sequence[str], scope: SurveyScope) -> list[Finding]:
    """The members of the lists that documents have under a topic's name, each text once.

    :param passages: those that hold the topic's words, in their text or above it.
    """
    findings: dict[str, Finding] = {}
    documents = dict.fromkeys(
        passage.chunk.document_id for passage in watch_stop(passages, scope) if _may_list(passage, topics)
    )
    for document_id in documents:
        scope.check_stop()
        document = scope.library.find_document(document_id)
        if document is None:
            continue
        own = [passage for passage in passages if passage.chunk.document_id == document_id]
        for block, header in find_members(document, topics):
            finding = _make_finding(block, header, own, scope)
            if finding is not None:
                text = fold_text(document.text[block.start : block.end])
                findings.setdefault(text, finding)
    return list(findings.values())


def _may_list(passage: Passage, topics: Sequence[str]) -> bool:
    """Whether a passage stands under a topic's name, or holds a line or a column of that name."""
    lines = [line for line in f"{passage.chunk.context}\n{passage.text}".split("\n") if line.strip()]
    names = [passage.title, *passage.chunk.headings]
    names += [
        name for line in lines for name in line.split(CELL_MARK) if CELL_MARK in line or ":" in line[-2:]
    ]
    return any(names_members(name, topics) for name in names)


def find_members(document: Document, topics: Sequence[str]) -> list[tuple[Block, str]]:
    """The blocks of a document that are listed under a topic's name, each with its table's first row."""
    lines = list(_list_lines(document))
    if asks_for_codes(topics):
        below = [line for line in lines if any(names_members(name, topics) for name in line.headings)]
        if coded := _find_coded(document, below):
            return [(line.block, line.table_header) for line in coded]
    return [
        (line.block, line.table_header)
        for line in lines
        if line.block.kind in ("list_item", "table_row")
        and line.block.level <= 1
        and any(names_members(name, topics) for name in line.names)
    ]


def asks_for_codes(topics: Sequence[str]) -> bool:
    """Whether a topic is one of codes: "error codes", "part numbers"."""
    return any(find_content_words(topic)[-1] in _CODE_WORDS for topic in topics)


def _list_lines(document: Document) -> Iterator[_Line]:
    """Every block of a document with what stands above it."""
    headings: list[tuple[int, str]] = []
    lead = header = ""
    for block in document.blocks:
        text = document.text[block.start : block.end]
        if block.kind == "heading":
            headings = [heading for heading in headings if heading[0] < block.level]
            headings.append((block.level, text))
        if block.kind == "table_header":
            header = text
        elif block.kind != "table_row":
            header = ""
        if block.kind not in ("list_item", "table_row", "table_header"):
            lead = text if text.rstrip().endswith(":") else ""
        above = (document.record.title, *(heading for _, heading in headings))
        yield _Line(block, above, (above[-1], lead, header.split(CELL_MARK)[0]), header)


def _find_coded(document: Document, lines: Sequence[_Line]) -> list[_Line]:
    """The lines that begin with codes of a pattern that enough of them have, each code once."""
    patterns: dict[str, dict[str, _Line]] = {}
    for line in lines:
        if match := _CODE.match(document.text, line.block.start, line.block.end):
            patterns.setdefault(match["pattern"], {}).setdefault(match["code"], line)
    return [line for codes in patterns.values() if len(codes) >= FEWEST_CODES for line in codes.values()]


def _make_finding(
    block: Block, header: str, passages: Sequence[Passage], scope: SurveyScope
) -> Finding | None:
    """The finding of a block, where one of its document's passages holds its beginning."""
    for passage in passages:
        first, last = passage.chunk.start, passage.chunk.end
        if first <= block.start < last:
            stretch = Stretch(block.start - first, min(block.end, last) - first, header)
            record = scope.records[passage.chunk.document_id]
            return Finding(record, (passage,), stretch, group="member")
    return None
