"""Files with the same content are searched once and cited with every place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatbot.filters import select_documents
from chatbot.library import Library
from chatbot.places import find_rows
from chatbot.types import DocumentRecord, Passage, Place, SearchFilters


def cite_copies(passages: Sequence[Passage], filters: SearchFilters, library: Library) -> list[Passage]:
    """The passages, each with the copies of its document that the filters let through.

    Where they let only copies through, the first of them is cited in place of the document.
    """
    copies = library.list_copies([passage.chunk.document_id for passage in passages])
    return [
        _cite(passage, copies[passage.chunk.document_id], filters, library)
        if passage.chunk.document_id in copies
        else passage
        for passage in passages
    ]


def _cite(
    passage: Passage, copies: Sequence[DocumentRecord], filters: SearchFilters, library: Library
) -> Passage:
    document = library.find_document(passage.chunk.document_id)
    if document is None:  # it went away a moment ago
        return passage
    first, *others = select_documents([document.record, *copies], filters) or [document.record]
    places = [make_copy_place(record, passage) for record in others]
    return replace(
        passage,
        chunk=replace(passage.chunk, document_id=first.id),
        path=first.path,
        title=first.title,
        date=first.date,
        also_in=(*places, *passage.also_in),
    )


def make_copy_place(record: DocumentRecord, passage: Passage) -> Place:
    """Where a passage stands in a copy of its document."""
    chunk = passage.chunk
    rows = find_rows(chunk, chunk.start, chunk.end)
    return Place(record.id, record.path, record.title, record.date, chunk.page, chunk.start, chunk.end, rows)
