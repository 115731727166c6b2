"""The product over HTTP, as JSON: what the command line uses while a server owns the data folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from chatbot.types import Message
from chatbot.web.running import AnswerSnapshot, RunningAnswer
from chatbot.web.schemas import (
    FiltersBody,
    Json,
    answer_to_json,
    choices_to_json,
    corpus_to_json,
    document_to_json,
    error_to_json,
    explanation_to_json,
    passage_to_json,
    progress_to_json,
    report_to_json,
    search_to_json,
)
from chatbot.web.viewer import get_service

if TYPE_CHECKING:
    from chatbot.service import Service

POLL_SECONDS = 0.05
MAX_HISTORY = 100

router = APIRouter(prefix="/api")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class HistoryMessage(_Body):
    """An earlier message of the conversation."""

    role: Annotated[str, Field(pattern="^(user|assistant)$")]
    content: Annotated[str, Field(max_length=100_000)]


class AskBody(_Body):
    """A question; the default corpus when none is named."""

    question: Annotated[str, Field(max_length=100_000)]
    corpus: str = ""
    history: Annotated[list[HistoryMessage], Field(max_length=MAX_HISTORY)] = []
    filters: FiltersBody = FiltersBody()


class SearchBody(_Body):
    """A search without an answer; with `explain` it tells how the passages were found."""

    question: Annotated[str, Field(max_length=100_000)]
    corpus: str = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    filters: FiltersBody = FiltersBody()
    explain: bool = False


class IngestBody(_Body):
    """Which corpus to bring up to date."""

    corpus: str = ""


@router.get("/corpora")
def list_corpora(request: Request) -> Json:
    """Every corpus, the default one first."""
    return {"corpora": [corpus_to_json(corpus) for corpus in get_service(request).list_corpora()]}


@router.get("/documents")
def list_documents(request: Request, corpus: Annotated[str, Query()] = "") -> Json:
    """The documents of a corpus, also those that could not be read."""
    service = get_service(request)
    records = service.list_documents(service.find_corpus(corpus))
    return {"documents": [document_to_json(record) for record in records]}


@router.delete("/documents/{document_id}")
def delete_document(request: Request, document_id: str) -> Json:
    """Delete a document's file and everything known of it."""
    get_service(request).delete_document(document_id)
    return {"deleted": document_id}


@router.get("/filters")
def list_filter_choices(request: Request, corpus: Annotated[str, Query()] = "") -> Json:
    """What a search of a corpus can be narrowed to."""
    service = get_service(request)
    return choices_to_json(service.list_filter_choices(service.find_corpus(corpus)))


@router.post("/search")
def search(request: Request, body: SearchBody) -> Json:
    """The passages that match a question best; no language model is called."""
    service = get_service(request)
    corpus, filters = service.find_corpus(body.corpus), body.filters.make_filters()
    if body.explain:
        return explanation_to_json(
            service.explain(body.question, corpus=corpus, limit=body.limit, filters=filters)
        )
    return search_to_json(service.search(body.question, corpus=corpus, limit=body.limit, filters=filters))


@router.post("/ask")
def ask(request: Request, body: AskBody) -> StreamingResponse:
    """Answer a question, a line of JSON at a time; dropping the connection stops the model."""
    service = get_service(request)
    corpus = service.find_corpus(body.corpus)
    history = [
        Message("user" if message.role == "user" else "assistant", message.content)
        for message in body.history
    ]
    filters = body.filters.make_filters()
    running = RunningAnswer(
        lambda stop: service.ask(body.question, corpus=corpus, history=history, filters=filters, stop=stop),
        keep=lambda _: None,
    )
    return _send_lines(_follow_answer(request, running))


@router.post("/ingest")
def ingest(request: Request, body: IngestBody) -> StreamingResponse:
    """Read new and changed files; the last line is the report."""
    service = get_service(request)
    corpus = service.find_corpus(body.corpus)
    service.start_ingest(corpus)
    return _send_lines(_follow_ingest(service, corpus))


async def _follow_answer(request: Request, running: RunningAnswer) -> AsyncIterator[Json]:
    """What is new in a running answer, until it is over or nobody listens."""
    running.start()
    seen = AnswerSnapshot()
    try:
        while not await request.is_disconnected():
            now = running.take_snapshot()
            for event in describe_news(seen, now):
                yield event
            if now.is_over:
                return
            seen = now
            await asyncio.sleep(POLL_SECONDS)
    finally:
        running.stop()


def describe_news(seen: AnswerSnapshot, now: AnswerSnapshot) -> list[Json]:
    """The events that lead from one state of an answer to the next."""
    events: list[Json] = []
    if now.passages and not seen.passages:
        events.append(
            {"type": "passages", "passages": [passage_to_json(passage) for passage in now.passages]}
        )
    if len(now.text) > len(seen.text):
        events.append({"type": "text", "text": now.text[len(seen.text) :]})
    if now.finished:
        events.append({"type": "done", "answer": answer_to_json(now.finished)})
    if now.error:
        events.append({"type": "error", "error": error_to_json(now.error)})
    return events


async def _follow_ingest(service: Service, corpus: str) -> AsyncIterator[Json]:
    last: Any = None
    while (progress := service.ingest_progress(corpus)) is not None:
        if progress != last:
            last = progress
            yield {"type": "progress", "progress": progress_to_json(progress)}
        await asyncio.sleep(POLL_SECONDS * 2)
    report = service.latest_ingest(corpus)
    yield {"type": "report", "report": report_to_json(report) if report else None}


def _send_lines(events: AsyncIterator[Json]) -> StreamingResponse:
    async def write_lines() -> AsyncIterator[str]:
        async for event in events:
            yield json.dumps(event, ensure_ascii=False) + "\n"

    return StreamingResponse(
        write_lines(), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"}
    )
