"""One place that turns errors into HTTP answers: which status, which words, as JSON or as a page."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.errors import (
    AccessDenied,
    AccessError,
    BusyError,
    ChatbotError,
    CorpusError,
    DocumentError,
    DocumentTooLarge,
    LibraryError,
    LibraryInUse,
    ModelError,
    QuestionError,
    UnsupportedFormat,
)
from chatbot.web.completion_answers import completion_error_to_json
from chatbot.web.pages import render_problem_page
from chatbot.web.running import describe_unexpected
from chatbot.web.schemas import error_to_json

# The first kind that fits counts, so the special ones come before the general.
STATUS_BY_KIND: tuple[tuple[type[ChatbotError], int], ...] = (
    (QuestionError, 422),
    (CorpusError, 404),
    (UnsupportedFormat, 415),
    (DocumentTooLarge, 413),
    (DocumentError, 422),
    (ModelError, 503),
    (LibraryInUse, 409),
    (LibraryError, 503),
    (AccessDenied, 403),
    (AccessError, 401),
    (BusyError, 429),
    (ChatbotError, 500),
)


def find_status(error: ChatbotError) -> int:
    """The HTTP status of a kind of error."""
    return next(status for kind, status in STATUS_BY_KIND if isinstance(error, kind))


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of our own routes in the same form."""
    app.add_exception_handler(ChatbotError, _answer_known)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_middleware(CatchUnexpected)


def _answer_known(request: Request, error: Exception) -> Response:
    assert isinstance(error, ChatbotError)  # noqa: S101 - tells mypy what the registration says
    return make_error_response(request, error, find_status(error))


def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - tells mypy what the registration says
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    problem = QuestionError(
        f"The request is not understood: {where}: {first['msg']}.", "Correct it and send it again."
    )
    return make_error_response(request, problem, 422, field=name_field(first["loc"]))


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - tells mypy what the registration says
    next_step = "Check the address." if error.status_code in (404, 405) else "Correct it and send it again."
    problem = ChatbotError(f"{str(error.detail).rstrip('.')}.", next_step)
    return make_error_response(request, problem, error.status_code)


def name_field(location: Sequence[int | str]) -> str | None:
    """The field of the body that an error speaks of, as OpenAI names it: messages[0].content."""
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[1:4])
    return field.removeprefix(".") or None


class CatchUnexpected:
    """Answers an error that nobody foresaw, inside the walls: with our headers and without its text."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def watch(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 - the outer edge of the application: logged, answered
            problem = describe_unexpected(error)
            if scope["type"] == "http" and not has_started:
                request = Request(scope, receive)
                await make_error_response(request, problem, 500)(scope, receive, send)


def make_error_response(
    request: Request, error: ChatbotError, status: int, *, field: str | None = None
) -> Response:
    """JSON for programs; a small page for people who follow a link to a document or a chat.

    :param field: the field of the request that is at fault, where that is known.
    """
    path, headers = request.url.path, make_error_headers(error)
    if path == "/" or path.startswith(("/documents/", "/chats/", "/corpus")):
        return HTMLResponse(render_problem_page(error), status, headers)
    if path.startswith("/v1/"):
        status = 400 if status == 422 else status
        return JSONResponse(completion_error_to_json(error, status, field), status, headers)
    return JSONResponse({"error": error_to_json(error)}, status, headers)


def make_error_headers(error: ChatbotError) -> dict[str, str]:
    """What a client is told in headers: when to try again, how to show who it is."""
    if isinstance(error, BusyError):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, AccessError) and not isinstance(error, AccessDenied):
        return {"WWW-Authenticate": "Bearer"}
    return {}
