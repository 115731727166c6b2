"""Ingests over HTTP: what one would do, which there were, how each file fared; and an end to one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from chatbot.web.access import choose_corpus, find_job, get_service
from chatbot.web.api import CorpusName
from chatbot.web.examples import ERRORS, describe_json
from chatbot.web.schemas import Json, changes_to_json, job_to_json

LARGEST_NUMBER = 2**63 - 1

JobNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="The number of a job.")]

router = APIRouter(prefix="/api", responses=ERRORS, tags=["Chatbot"])


@router.get("/changes", responses=describe_json("changes"))
def find_changes(request: Request, corpus: CorpusName = "") -> Json:
    """What an ingest would do now. Needs the scope ingest."""
    return changes_to_json(get_service(request).upkeep.find_changes(choose_corpus(request, corpus)))


@router.get("/jobs", responses=describe_json("jobs"))
def list_jobs(request: Request, corpus: CorpusName = "") -> Json:
    """The latest ingests of a corpus, the newest first. Needs the scope ingest."""
    jobs = get_service(request).ingests.jobs.list_jobs(choose_corpus(request, corpus))
    return {"jobs": [job_to_json(job) for job in jobs]}


@router.get("/jobs/{number}", responses=describe_json("job"))
def get_job(request: Request, number: JobNumber) -> Json:
    """An ingest with its files, refused ones first. Needs the scope ingest."""
    job = find_job(request, number)
    return job_to_json(job, get_service(request).ingests.jobs.list_files(number))


@router.delete("/jobs/{number}", responses=describe_json("stopped_job"))
def cancel_job(request: Request, number: JobNumber) -> Json:
    """End an ingest after the file at hand, or take it out while it waits. Needs the scope ingest."""
    find_job(request, number)
    return job_to_json(get_service(request).ingests.cancel(number))
