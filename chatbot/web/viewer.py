"""Shows documents: as our own page with the quote marked, page by page as pictures, and as they are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from chatbot.errors import CorpusError
from chatbot.explanation import name_page_kind
from chatbot.types import Document, SheetRows
from chatbot.web.access import find_document, get_service
from chatbot.web.export import write_chat
from chatbot.web.pages import STYLE_PATH, ViewerLinks, render_viewer_page

if TYPE_CHECKING:
    from chatbot.service import Service

SANDBOX_POLICY = "sandbox; default-src 'none'"

Offset = Annotated[int, Query(ge=0, le=2**31)]

router = APIRouter(include_in_schema=False)


@router.get("/documents/{document_id}")
def show_document(request: Request, document_id: str, start: Offset = 0, end: Offset = 0) -> HTMLResponse:
    """The document as a page; `text[start:end]` is marked."""
    document = find_document(request, document_id)
    address = f"/documents/{document_id}"
    picture = f"{address}/pages/{{page}}.png?start={start}&end={end}"
    links = ViewerLinks(STYLE_PATH, picture, original=f"{address}/original")
    return show_text(document, start, end, links)


@router.get("/documents/{document_id}/pages/{page_number}.png")
def show_page(
    request: Request, document_id: str, page_number: int, start: Offset = 0, end: Offset = 0
) -> Response:
    """A page of a PDF as a picture, with the quoted words marked."""
    document = find_document(request, document_id)
    return draw_page(get_service(request), document, page_number, start, end)


@router.get("/documents/{document_id}/original")
def send_original(request: Request, document_id: str) -> FileResponse:
    """The file itself, to be saved and never to be run."""
    record = find_document(request, document_id).record
    path = get_service(request).catalogue.document_file(document_id)
    name = record.path.rsplit("/", 1)[-1]
    return FileResponse(
        path,
        filename=name,
        media_type="application/octet-stream",
        headers={"Content-Security-Policy": SANDBOX_POLICY},
    )


@router.get("/chats/{chat_id}/export")
def export_chat(request: Request, chat_id: str) -> Response:
    """A chat as a Markdown file."""
    chat = get_service(request).chats.get_chat(chat_id)
    name = quote("".join(letter if letter.isalnum() else "-" for letter in chat.title)[:60] or "chat")
    return Response(
        write_chat(chat),
        media_type="text/markdown; charset=utf-8",
        headers={
            "Content-Disposition": f"attachment; filename*=utf-8''{name}.md",
            "Content-Security-Policy": SANDBOX_POLICY,
        },
    )


def show_text(document: Document, start: int, end: int, links: ViewerLinks) -> HTMLResponse:
    """A document as a page; `text[start:end]` is marked."""
    from chatbot.documents.page import render_document_html

    highlight = clip_span(document, start, end)
    article = render_document_html(
        document.record.title,
        document.text,
        document.blocks,
        document.page_starts,
        page_kind=name_page_kind(document.record.path),
        highlight=highlight,
    )
    page = find_page(document, highlight[0] if highlight else 0)
    rows = find_rows(document, *highlight) if highlight else None
    return HTMLResponse(
        render_viewer_page(document, article, links, page=page, rows=rows, has_quote=highlight is not None)
    )


def draw_page(service: Service, document: Document, page_number: int, start: int, end: int) -> Response:
    """A page of a PDF as a picture, with the quoted words marked.

    :raises CorpusError: when there is no such page.
    """
    if document.record.format != "pdf" or not 1 <= page_number <= document.record.pages:
        raise CorpusError(f"This document has no page {page_number}.", "Open the document without a page.")
    span = clip_span(document, start, end)
    words = [document.text[span[0] : span[1]]] if span else []
    with service.admission.enter(threading.Event()):
        picture = service.catalogue.render_page(document.record.id, page_number, highlights=words)
    return Response(picture, media_type="image/png")


def clip_span(document: Document, start: int, end: int) -> tuple[int, int] | None:
    """The span inside the document's text, or None when nothing is left of it."""
    start, end = min(start, len(document.text)), min(end, len(document.text))
    return (start, end) if start < end else None


def find_rows(document: Document, start: int, end: int) -> SheetRows | None:
    """The rows of a sheet that `text[start:end]` is; None for what stands in no sheet."""
    names = [name for begin, name in document.sheets if begin <= start]
    rows = [block.row for block in document.blocks if block.row and block.start < end and start < block.end]
    return SheetRows(names[-1], rows[0], rows[-1]) if names and rows else None


def find_page(document: Document, offset: int) -> int | None:
    """The page that an offset lies on; None for formats without pages."""
    return sum(start <= offset for start in document.page_starts) or None
