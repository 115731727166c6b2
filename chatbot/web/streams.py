"""Answers sent while they are written: waited for, followed, and stopped when nobody listens any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from chatbot.types import NO_FILTERS, FinishedAnswer, Message, SearchFilters
from chatbot.web.running import AnswerSnapshot, RunningAnswer
from chatbot.web.schemas import Json, answer_to_json, citation_to_json, error_to_json, passage_to_json

if TYPE_CHECKING:
    from chatbot.service import Service

POLL_SECONDS = 0.05
LINES, EVENTS = "application/x-ndjson", "text/event-stream"


class AnswerStream(StreamingResponse):
    """A response made of a running answer, which is stopped however the response ends."""

    def __init__(self, running: RunningAnswer, content: AsyncIterator[str], media_type: str) -> None:
        super().__init__(content, media_type=media_type, headers={"Cache-Control": "no-store"})
        self.running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.running.stop()


def start_answer(
    service: Service,
    question: str,
    *,
    corpus: str,
    history: Sequence[Message] = (),
    filters: SearchFilters = NO_FILTERS,
) -> RunningAnswer:
    """Answer a question in a thread of its own, once it is its turn."""
    return RunningAnswer(
        lambda stop: service.ask(question, corpus=corpus, history=history, filters=filters, stop=stop),
        keep=lambda _: None,
        admission=service.admission,
        metrics=service.metrics,
    ).start()


async def wait_for_beginning(request: Request, running: RunningAnswer, *, tells_place: bool = False) -> None:
    """Return when the first words or passages are there, so that a refusal still has its status.

    :param tells_place: return as soon as others are before it too, for whoever is told how many.
    :raises ChatbotError: what went wrong before that.
    """
    await _wait(request, running, until_over=False, tells_place=tells_place)


async def wait_for_end(request: Request, running: RunningAnswer) -> FinishedAnswer | None:
    """The whole answer; None when nobody waits for it any more.

    :raises ChatbotError: what went wrong.
    """
    return (await _wait(request, running, until_over=True)).finished


async def _wait(
    request: Request, running: RunningAnswer, *, until_over: bool, tells_place: bool = False
) -> AnswerSnapshot:
    is_wanted = False
    try:
        while not await request.is_disconnected():
            now = running.take_snapshot()
            if now.error and (until_over or not now.text):
                raise now.error
            has_begun = now.passages or now.text or (tells_place and now.before)
            if now.is_over or (has_begun and not until_over):
                is_wanted = True
                return now
            await asyncio.sleep(POLL_SECONDS)
        return AnswerSnapshot()
    finally:
        if not is_wanted:
            running.stop()


async def follow(
    request: Request, running: RunningAnswer
) -> AsyncIterator[tuple[AnswerSnapshot, AnswerSnapshot]]:
    """Each state of an answer with the one before it, until it is over or nobody listens."""
    seen = AnswerSnapshot()
    while not await request.is_disconnected():
        now = running.take_snapshot()
        yield seen, now
        if now.is_over:
            return
        seen = now
        await asyncio.sleep(POLL_SECONDS)


async def list_events(request: Request, running: RunningAnswer) -> AsyncIterator[Json]:
    """An answer as events: waiting, question, passages, text and citations, at last done or error."""
    async for seen, now in follow(request, running):
        for event in describe_news(seen, now):
            yield event


def describe_news(seen: AnswerSnapshot, now: AnswerSnapshot) -> list[Json]:
    """The events that lead from one state of an answer to the next."""
    events: list[Json] = []
    if now.before != seen.before:
        events.append({"type": "waiting", "before": now.before})
    if now.searched_for and not seen.searched_for:
        events.append({"type": "question", "searched_for": now.searched_for})
    if now.passages and not seen.passages:
        events.append(
            {"type": "passages", "passages": [passage_to_json(passage) for passage in now.passages]}
        )
    if len(now.text) > len(seen.text):
        events.append({"type": "text", "text": now.text[len(seen.text) :]})
    if len(now.citations) > len(seen.citations):
        fresh = now.citations[len(seen.citations) :]
        events.append({"type": "citations", "citations": [citation_to_json(item) for item in fresh]})
    if now.finished:
        events.append({"type": "done", "answer": answer_to_json(now.finished)})
    if now.error:
        events.append({"type": "error", "error": error_to_json(now.error)})
    return events


async def write_lines(events: AsyncIterator[Json]) -> AsyncIterator[str]:
    """Events as a line of JSON each."""
    async for event in events:
        yield json.dumps(event) + "\n"


async def write_events(events: AsyncIterator[Json]) -> AsyncIterator[str]:
    """Events as a browser's EventSource reads them, named by their type."""
    async for event in events:
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
