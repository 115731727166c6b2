"""The page of a corpus: shown to whoever may read it, changed by whoever may."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import UploadFile

from chatbot.errors import CorpusError, DocumentTooLarge, QuestionError
from chatbot.types import DocumentRecord
from chatbot.web.access import choose_corpus, find_document, get_access, get_service, list_visible_corpora
from chatbot.web.corpus_page import (
    SORT_KEYS,
    Rights,
    View,
    render_corpus_page,
    render_deletion_page,
)

MOST_FILES = 200
"""So many files are taken at once."""

router = APIRouter(include_in_schema=False)


@router.get("/corpus")
def choose_first(request: Request) -> RedirectResponse:
    """The page of the default corpus."""
    return RedirectResponse(f"/corpus/{choose_corpus(request, '')}", 303)


@router.get("/corpus/{corpus}")
def show_corpus(
    request: Request,
    corpus: str,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: str = "title",
    descending: bool = False,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """Every document of a corpus with its state."""
    service, access = get_service(request), get_access(request)
    name = choose_corpus(request, corpus)
    corpora = list_visible_corpora(request)
    chosen = next(item for item in corpora if item.name == name)
    view = View(" ".join(q.split()), sort if sort in SORT_KEYS else "title", descending, page)
    latest = service.ingests.jobs.list_jobs(name, limit=1)
    return HTMLResponse(
        render_corpus_page(
            chosen,
            corpora,
            service.catalogue.list_documents(name),
            view,
            Rights(access.may("ingest"), access.may("admin")),
            progress=service.ingests.progress(name),
            report=service.ingests.last_report(name) or service.ingests.latest(name),
            problem=latest[0].problem if latest and latest[0].state == "failed" else None,
            upload_limit_mb=service.settings.upload_limit_mb,
        )
    )


@router.post("/corpus/{corpus}/check")
def check_folder(request: Request, corpus: str) -> RedirectResponse:
    """Look at the folder again."""
    name = choose_corpus(request, corpus)
    get_service(request).upkeep.start_ingest(name)
    return go_back(name)


@router.post("/corpus/{corpus}/files")
async def add_files(request: Request, corpus: str) -> RedirectResponse:
    """Add the files of a form.

    :raises QuestionError: where there is none.
    :raises DocumentTooLarge: for a file above the limit; none is added then.
    """
    name = await run_in_threadpool(choose_corpus, request, corpus)
    service = get_service(request)
    limit_mb = service.settings.upload_limit_mb
    async with request.form(max_files=MOST_FILES, max_fields=10) as form:
        files = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
        if not files:
            raise QuestionError("No file was chosen.", "Choose one or more files, then add them.")
        for file in files:
            if (file.size or 0) > limit_mb * 1024**2:
                raise DocumentTooLarge(
                    f"“{file.filename}” has more than {limit_mb} MB.", "Split it, or raise the limit."
                )
        await run_in_threadpool(_store_files, request, name, files)
    return go_back(name)


def _store_files(request: Request, corpus: str, files: list[UploadFile]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stored: list[tuple[str, Path]] = []
        for number, file in enumerate(files):
            path = Path(folder) / str(number)
            with path.open("wb") as target:
                shutil.copyfileobj(file.file, target)
            stored.append((file.filename or "document", path))
        get_service(request).upkeep.add_files(corpus, stored)


@router.post("/corpus/{corpus}/documents/{document_id}/read")
def read_again(request: Request, corpus: str, document_id: str) -> RedirectResponse:
    """Read a document's file again though it has not changed."""
    record = find_record(request, corpus, document_id)
    get_service(request).upkeep.read_again(record.id)
    return go_back(record.corpus)


@router.get("/corpus/{corpus}/documents/{document_id}/delete")
def ask_before_deletion(request: Request, corpus: str, document_id: str) -> HTMLResponse:
    """Ask whether a document is to be deleted."""
    return HTMLResponse(render_deletion_page(find_record(request, corpus, document_id)))


@router.post("/corpus/{corpus}/documents/{document_id}/delete")
def delete_document(request: Request, corpus: str, document_id: str) -> RedirectResponse:
    """Delete a document's file and everything known of it."""
    record = find_record(request, corpus, document_id)
    get_service(request).upkeep.delete_document(record.id)
    return go_back(record.corpus)


def find_record(request: Request, corpus: str, document_id: str) -> DocumentRecord:
    """A document of this corpus.

    :raises CorpusError: when there is none that the request may use.
    """
    record = find_document(request, document_id).record
    if record.corpus != corpus:
        raise CorpusError("There is no such document.", "It may have been deleted.")
    return record


def go_back(corpus: str) -> RedirectResponse:
    """To the page, by a request that can be repeated."""
    return RedirectResponse(f"/corpus/{corpus}", 303)
