"""The product over HTTP, as JSON: for other programs, and for the command line while a server runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from chatbot.web.access import choose_corpus, get_service, list_visible_corpora
from chatbot.web.bodies import AskBody, IngestBody, SearchBody
from chatbot.web.examples import ERRORS, describe_json, describe_stream
from chatbot.web.schemas import (
    Json,
    choices_to_json,
    corpus_to_json,
    explanation_to_json,
    progress_to_json,
    report_to_json,
    search_to_json,
)
from chatbot.web.streams import (
    EVENTS,
    LINES,
    POLL_SECONDS,
    AnswerStream,
    list_events,
    start_answer,
    wait_for_beginning,
    write_events,
    write_lines,
)

if TYPE_CHECKING:
    from chatbot.service import Service

CorpusName = Annotated[str, Query(description="A corpus; the default one if left out.")]

router = APIRouter(prefix="/api", responses=ERRORS, tags=["Chatbot"])


@router.get("/corpora", responses=describe_json("corpora"))
def list_corpora(request: Request) -> Json:
    """Every corpus that the key opens, the default one first."""
    return {"corpora": [corpus_to_json(corpus) for corpus in list_visible_corpora(request)]}


@router.get("/filters", responses=describe_json("filters"))
def list_filter_choices(request: Request, corpus: CorpusName = "") -> Json:
    """What a search of a corpus can be narrowed to."""
    return choices_to_json(get_service(request).catalogue.list_filter_choices(choose_corpus(request, corpus)))


@router.post("/search", responses=describe_json("search"))
def search(request: Request, body: SearchBody) -> Json:
    """The passages that match a question best; no language model is called."""
    service = get_service(request)
    corpus, filters = choose_corpus(request, body.corpus), body.filters.make_filters()
    if body.explain:
        # Ranks and reads as an answer does, and so waits in the same queue.
        with service.admission.enter(threading.Event()):
            explained = service.explain(body.question, corpus=corpus, limit=body.limit, filters=filters)
        return explanation_to_json(explained)
    return search_to_json(service.search(body.question, corpus=corpus, limit=body.limit, filters=filters))


@router.post("/ask", response_class=StreamingResponse, responses=describe_stream("ask"))
async def ask(request: Request, body: AskBody) -> StreamingResponse:
    """Answer a question while it is written; dropping the connection stops the model.

    Events of the types waiting (only if it has to), question, passages, text, citations, and at last
    done or error: server-sent events with `Accept: text/event-stream`, else a line of JSON each.
    """
    corpus = await run_in_threadpool(choose_corpus, request, body.corpus)
    filters = body.filters.make_filters()
    running = start_answer(
        get_service(request), body.question, corpus=corpus, history=body.list_history(), filters=filters
    )
    await wait_for_beginning(request, running, tells_place=True)
    events = list_events(request, running)
    if EVENTS in request.headers.get("accept", ""):
        return AnswerStream(running, write_events(events), EVENTS)
    return AnswerStream(running, write_lines(events), LINES)


@router.post("/ingest", response_class=StreamingResponse, responses=describe_stream("ingest"))
def ingest(request: Request, body: IngestBody) -> StreamingResponse:
    """Read new and changed files; the last line is the report. Needs the scope ingest."""
    service = get_service(request)
    corpus = choose_corpus(request, body.corpus)
    service.upkeep.start_ingest(corpus, only_refused=body.only_refused)
    return StreamingResponse(
        write_lines(_follow_ingest(service, corpus)), media_type=LINES, headers={"Cache-Control": "no-store"}
    )


async def _follow_ingest(service: Service, corpus: str) -> AsyncIterator[Json]:
    last: Any = None
    while (progress := service.ingests.progress(corpus)) is not None:
        if progress != last:
            last = progress
            yield {"type": "progress", "progress": progress_to_json(progress)}
        await asyncio.sleep(POLL_SECONDS * 2)
    report = service.ingests.latest(corpus)
    yield {"type": "report", "report": report_to_json(report) if report else None}
