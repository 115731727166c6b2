"""The product as a model server: chat completions as OpenAI's clients ask for them, a model per corpus."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from chatbot.errors import ChatbotError
from chatbot.types import FinishedAnswer
from chatbot.web.access import choose_corpus, get_service, list_visible_corpora
from chatbot.web.completion_answers import (
    CompletionForm,
    choose_finish_reason,
    chunk_to_json,
    completion_error_to_json,
    completion_to_json,
    list_annotations,
    make_form,
    model_to_json,
    sources_to_json,
    usage_chunk_to_json,
)
from chatbot.web.completion_requests import CompletionBody, read_conversation
from chatbot.web.examples import COMPLETION_ERRORS, describe_completion, describe_json
from chatbot.web.failures import find_status
from chatbot.web.running import RunningAnswer
from chatbot.web.schemas import Json
from chatbot.web.streams import EVENTS, AnswerStream, follow, start_answer, wait_for_beginning, wait_for_end

CLIENT_CLOSED_STATUS = 499

router = APIRouter(prefix="/v1", responses=COMPLETION_ERRORS, tags=["OpenAI"])


@router.get("/models", responses=describe_json("models"))
def list_models(request: Request) -> Json:
    """A model for every corpus that the key opens."""
    return {"object": "list", "data": [model_to_json(corpus) for corpus in list_visible_corpora(request)]}


@router.get("/models/{model}", responses=describe_json("model"))
def show_model(request: Request, model: str) -> Json:
    """The model of a corpus."""
    name = choose_corpus(request, model)
    return next(model_to_json(corpus) for corpus in list_visible_corpora(request) if corpus.name == name)


@router.post("/chat/completions", responses=describe_completion())
async def complete(request: Request, body: CompletionBody) -> Response:
    """Answer the last message from the documents; dropping the connection stops the model."""
    corpus = await run_in_threadpool(choose_corpus, request, body.model)
    asked = read_conversation(body.messages)
    service = get_service(request)
    form = make_form(
        body.model,
        site=service.settings.public_url or str(request.base_url).rstrip("/"),
        asked=asked,
        limit_tokens=body.limit_tokens,
        with_usage=body.stream_options is not None and body.stream_options.include_usage,
    )
    running = start_answer(service, asked.question, corpus=corpus, history=asked.history)
    if body.stream:
        await wait_for_beginning(request, running)
        return AnswerStream(running, write_chunks(request, running, form), EVENTS)
    answer = await wait_for_end(request, running)
    if answer is None:
        return Response(status_code=CLIENT_CLOSED_STATUS)
    return JSONResponse(await run_in_threadpool(completion_to_json, answer, form))


async def write_chunks(request: Request, running: RunningAnswer, form: CompletionForm) -> AsyncIterator[str]:
    """The answer in pieces; its annotations and sources come with the last piece of text."""
    yield write_event(chunk_to_json(form, {"role": "assistant", "content": ""}))
    sent = ""
    async for _, now in follow(request, running):
        if now.error:
            yield write_event(describe_failure(now.error))
            return
        if now.finished:
            for chunk in list_last_chunks(now.finished, sent, form):
                yield write_event(chunk)
            yield "data: [DONE]\n\n"
            return
        text = form.cut(now.text)
        if len(text) < len(now.text):
            running.stop()
        if len(text) > len(sent):
            yield write_event(chunk_to_json(form, {"content": text[len(sent) :]}))
            sent = text


def list_last_chunks(answer: FinishedAnswer, sent: str, form: CompletionForm) -> list[Json]:
    """What ends a stream, of which `sent` has been sent already."""
    text = form.cut(answer.text)
    text = text if len(text) > len(sent) else answer.text[: len(sent)]
    last = {"content": text[len(sent) :], "annotations": list_annotations(answer, text, form)}
    chunks = [
        chunk_to_json(form, last) | {"sources": sources_to_json(answer, text, form)},
        chunk_to_json(form, {}, choose_finish_reason(answer, text)),
    ]
    return [*chunks, usage_chunk_to_json(text, form)] if form.with_usage else chunks


def describe_failure(error: ChatbotError) -> Json:
    """An error in the midst of a stream."""
    return completion_error_to_json(error, find_status(error))


def write_event(chunk: Json) -> str:
    """A piece as a server-sent event."""
    return f"data: {json.dumps(chunk)}\n\n"
