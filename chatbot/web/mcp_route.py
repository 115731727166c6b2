"""The tools of the Model Context Protocol over HTTP: with the same keys and the same queue as all else."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from chatbot.errors import ChatbotError
from chatbot.web.access import choose_corpus
from chatbot.web.failures import make_error_response
from chatbot.web.mcp_tools import load_server
from chatbot.web.schemas import Json, answer_to_json, search_to_json
from chatbot.web.streams import POLL_SECONDS, start_answer

if TYPE_CHECKING:
    from chatbot.service import Service

NOT_INSTALLED_STATUS = 501


class RequestBackend:
    """Calls the service for who sent the request."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def search(self, question: str, *, corpus: str, limit: int, request: object) -> Json:
        chosen = await self._choose_corpus(request, corpus)
        result = await run_in_threadpool(self.service.search, question, corpus=chosen, limit=limit)
        return search_to_json(result)

    async def ask(self, question: str, *, corpus: str, request: object) -> Json:
        running = start_answer(self.service, question, corpus=await self._choose_corpus(request, corpus))
        try:
            while not running.take_snapshot().is_over:
                await asyncio.sleep(POLL_SECONDS)
        finally:
            running.stop()
        snapshot = running.take_snapshot()
        if snapshot.finished is None:
            raise snapshot.error or ChatbotError("The answer broke off.", "Ask again.")
        return answer_to_json(snapshot.finished)

    def find_site(self, request: object) -> str:
        """The public address, else the one that the request came to."""
        base = str(request.base_url) if isinstance(request, Request) else ""
        return self.service.settings.public_url or base.rstrip("/")

    async def _choose_corpus(self, request: object, name: str) -> str:
        assert isinstance(request, Request)  # noqa: S101 - the HTTP transport always hands one over
        return await run_in_threadpool(choose_corpus, Request(request.scope), name)


class McpRoute:
    """Answers `/mcp`. The package is loaded by the first request, so that the page opens sooner."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = asyncio.Lock()
        self._app: ASGIApp | None = None
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the protocol's own implementation."""
        try:
            app = await self._open()
        except ChatbotError as error:
            request = Request(scope, receive)
            await make_error_response(request, error, NOT_INSTALLED_STATUS)(scope, receive, send)
            return
        await app(scope, receive, send)

    async def close(self) -> None:
        """End what answers."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._task = self._app = None

    async def _open(self) -> ASGIApp:
        async with self._lock:
            if self._app is None:
                server = await run_in_threadpool(load_server, RequestBackend(self._service))
                opened: asyncio.Future[ASGIApp] = asyncio.get_running_loop().create_future()

                async def run() -> None:
                    from chatbot.web.mcp_server import open_http_app

                    async with open_http_app(server) as app:
                        opened.set_result(app)
                        await asyncio.Event().wait()

                # A task of its own: what the package opens must be closed by the task that opened it.
                self._task = asyncio.create_task(run())
                self._app = await opened
            return self._app
