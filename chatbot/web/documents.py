"""Documents by program: listed, added, deleted, and how far the reading of them is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile

from chatbot.errors import DocumentTooLarge, QuestionError
from chatbot.web.access import choose_corpus, find_document, get_service
from chatbot.web.api import CorpusName
from chatbot.web.examples import ERRORS, describe_json
from chatbot.web.schemas import Json, document_to_json, progress_to_json, report_to_json

MOST_FILES = 100
Files = Annotated[list[UploadFile], File(description="Files to read; one of the same name is replaced.")]

router = APIRouter(prefix="/api", responses=ERRORS, tags=["Chatbot"])


@router.get("/documents", responses=describe_json("documents"))
def list_documents(request: Request, corpus: CorpusName = "") -> Json:
    """The documents of a corpus, also those that could not be read."""
    records = get_service(request).catalogue.list_documents(choose_corpus(request, corpus))
    return {"documents": [document_to_json(record) for record in records]}


@router.post("/documents", status_code=202, responses=describe_json("added", status=202))
def add_documents(request: Request, files: Files, corpus: Annotated[str, Form()] = "") -> Json:
    """Put files into a corpus and begin to read them; see GET /api/ingest. Needs the scope ingest."""
    service = get_service(request)
    chosen = choose_corpus(request, corpus)
    limit_mb = service.settings.upload_limit_mb
    if not 1 <= len(files) <= MOST_FILES:
        raise QuestionError(f"{len(files)} files cannot be added at once.", f"Send 1 to {MOST_FILES}.")
    for file in files:
        if (file.size or 0) > limit_mb * 1024**2:
            raise DocumentTooLarge(
                f"{file.filename} is larger than {limit_mb} MB.",
                "Split it, or raise the setting upload_limit_mb.",
            )
    with tempfile.TemporaryDirectory(prefix="chatbot-") as folder:
        stored = [
            (file.filename or "document", copy_upload(file, Path(folder) / str(place)))
            for place, file in enumerate(files)
        ]
        names = service.upkeep.add_files(chosen, stored)
    return {"corpus": chosen, "added": names}


@router.delete("/documents/{document_id}", responses=describe_json("deleted"))
def delete_document(request: Request, document_id: str) -> Json:
    """Delete a document's file and everything known of it. Needs the scope admin."""
    find_document(request, document_id)
    get_service(request).upkeep.delete_document(document_id)
    return {"deleted": document_id}


@router.get("/ingest", responses=describe_json("progress"))
def show_ingest(request: Request, corpus: CorpusName = "") -> Json:
    """How far the reading of a corpus is, null when nothing is being read, and what the latest one did."""
    service, chosen = get_service(request), choose_corpus(request, corpus)
    progress, report = service.ingests.progress(chosen), service.ingests.latest(chosen)
    return {
        "corpus": chosen,
        "progress": progress_to_json(progress) if progress else None,
        "report": report_to_json(report) if report else None,
    }


def copy_upload(file: UploadFile, target: Path) -> Path:
    """Write an uploaded file to the disk."""
    with target.open("wb") as copy:
        shutil.copyfileobj(file.file, copy)
    return target
