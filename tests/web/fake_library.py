# ruff: noqa: E501 - documents have long lines
"""Realistic documents for the fake service: the staff handbook of an imaginary coffee roaster."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from chatbot.types import Block, Chunk, Document, DocumentRecord, Passage, Place, SearchHit

REFUNDS = """# Refunds and returns

## How long a customer may return goods

Unopened bags of coffee may be returned within 30 days of delivery for a full refund. The customer does not have to give a reason.

Opened bags can be exchanged once within 14 days if the customer is unhappy with the roast. Equipment such as grinders and brewers follows the rules of the manufacturer.

## How the money goes back

Refunds are paid to the card or account that the customer paid with. The shop starts a refund within two working days of receiving the goods; banks usually show it three to five days later.

Refunds above 250 euros need the approval of the shift manager. | Amount | Approval |
"""

SHIFTS = """# Opening and closing the shop

The first person in switches off the alarm, starts the espresso machine and lets it warm up for 25 minutes. The till float is 150 euros and is counted by two people.

The last person out cleans the group heads, empties the knock box and sets the alarm. The back door is locked from the inside.
"""

HYGIENE = """# Food hygiene

Milk is kept between 2 and 5 degrees. A fridge that reads more than 8 degrees for over an hour is reported to the shift manager, and its milk is thrown away.

Hands are washed before every shift, after every break and after touching money.
"""

ROASTING = """# Roasting guide

Our house roast, Harbour, is developed for 18 percent of the total roast time and dropped at 212 degrees. Single origins are dropped between 204 and 208 degrees.

Every batch is logged with the charge temperature, first crack and drop temperature. Beans rest for at least 48 hours before they are sold.
"""

HOLIDAY = """# Holidays and sick days

Everyone has 28 days of paid holiday a year. Holiday is asked for at least four weeks ahead in the rota.

Whoever is ill calls the shift manager before the shift starts. From the fourth day on a doctor's note is needed.
"""

_FILES = [
    ("shop/refunds-and-returns.pdf", "Refunds and returns", "pdf", "2026-03-02", REFUNDS),
    ("shop/opening-and-closing.docx", "Opening and closing the shop", "docx", "2025-11-18", SHIFTS),
    ("shop/food-hygiene.md", "Food hygiene", "markdown", None, HYGIENE),
    ("roastery/roasting-guide.pdf", "Roasting guide", "pdf", "2026-01-09", ROASTING),
    ("people/holidays-and-sick-days.html", "Holidays and sick days", "html", "2025-12-01", HOLIDAY),
]


def make_documents(corpus: str = "handbook") -> list[Document]:
    """The documents of the handbook, read and ready."""
    return [make_document(corpus, *file) for file in _FILES]


def make_document(corpus: str, path: str, title: str, kind: str, date: str | None, text: str) -> Document:
    """One document with its blocks; a PDF has two pages."""
    blocks = split_blocks(text)
    page_starts = (0, text.index("\n\n", len(text) // 2) + 2) if kind == "pdf" else ()
    record = DocumentRecord(
        id=hashlib.sha256(f"{corpus}/{path}".encode()).hexdigest()[:16],
        corpus=corpus,
        path=path,
        title=title,
        format=kind,
        size_bytes=len(text) * 11,
        modified_ns=0,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        date=date,
        pages=len(page_starts),
        chunks=len(split_chunks(text)),
        added_at="2026-04-11T09:30:00+00:00",
    )
    return Document(record, text, tuple(blocks), page_starts)


def make_failed_record(corpus: str = "handbook") -> DocumentRecord:
    """A file that could not be read."""
    return DocumentRecord(
        id="f" * 16,
        corpus=corpus,
        path="people/wages-2026.pdf",
        title="wages-2026",
        format="pdf",
        size_bytes=182_000,
        modified_ns=0,
        sha256="0" * 64,
        date=None,
        pages=0,
        chunks=0,
        added_at="2026-04-11T09:31:00+00:00",
        problem="The file opens only with a password. Save a copy without one and add that.",
    )


def split_blocks(text: str) -> list[Block]:
    """Headings and paragraphs, one a line."""
    blocks, position = [], 0
    for line in text.split("\n"):
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            blocks.append(Block("heading", position + level + 1, position + len(line), level))
        elif line:
            blocks.append(Block("paragraph", position, position + len(line)))
        position += len(line) + 1
    return blocks


def split_chunks(text: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """(start, end, headings) of the text under each heading."""
    chunks: list[tuple[int, int, tuple[str, ...]]] = []
    headings: list[str] = []
    start = end = 0
    for block in split_blocks(text):
        if block.kind == "heading":
            if end > start:
                chunks.append((start, end, tuple(headings)))
            headings = [*headings[: block.level - 1], text[block.start : block.end]]
            start = end = block.end
        else:
            start = block.start if start == end else start
            end = block.end
    return [*chunks, (start, end, tuple(headings))] if end > start else chunks


def make_passage(document: Document, ordinal: int, number: int) -> Passage:
    """The passage that search would return for one chunk of a document."""
    start, end, headings = split_chunks(document.text)[ordinal]
    page = sum(page_start <= start for page_start in document.page_starts) or None
    chunk = Chunk(
        id=f"{document.record.id}-{ordinal}",
        document_id=document.record.id,
        ordinal=ordinal,
        start=start,
        end=end,
        text=document.text[start:end],
        headings=headings,
        context=document.record.title,
        page=page,
    )
    record = document.record
    return Passage(
        number, chunk, record.corpus, record.path, record.title, record.date, 1 / number, 0.7, number, number
    )


def make_place(document: Document) -> Place:
    """The first chunk of a document as a place where the same words stand."""
    start, end, _ = split_chunks(document.text)[0]
    record = document.record
    return Place(record.id, record.path, record.title, record.date, None, start, end)


def make_hit(passage: Passage) -> SearchHit:
    """The trace's line about a passage."""
    chunk = passage.chunk
    return SearchHit(
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        path=passage.path,
        title=passage.title,
        heading=passage.heading,
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        score=passage.score,
        similarity=passage.similarity,
        vector_rank=passage.vector_rank,
        word_rank=passage.word_rank,
        word_score=4.5,
        sentence_similarity=0.8,
        number=passage.number,
    )


def make_dropped_hit(document: Document) -> SearchHit:
    """The trace's line about a chunk that became no passage."""
    hit = make_hit(make_passage(document, 0, 9))
    return replace(hit, word_rank=None, word_score=None, number=None, dropped="below the first 4")
