"""The command `chatbot mcp`: tools for an assistant that starts it and talks to it over a pipe."""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

from chatbot.commands.options import add_corpus_option, add_generator_option
from chatbot.connecting import open_connection
from chatbot.errors import ChatbotError
from chatbot.settings import Settings
from chatbot.terminal import Terminal
from chatbot.web.mcp_tools import load_server

if TYPE_CHECKING:
    from chatbot.connection import Connection

Json = dict[str, Any]


class ConnectionBackend:
    """Calls a chatbot that may still be opening; tools wait for it."""

    def __init__(self, opening: Future[Connection], corpus: str | None) -> None:
        self._opening = opening
        self._corpus = corpus

    async def search(self, question: str, *, corpus: str, limit: int, request: object) -> Json:
        del request
        connection = await asyncio.wrap_future(self._opening)
        return await asyncio.to_thread(
            connection.search, question, corpus=corpus or self._corpus, limit=limit
        )

    async def ask(self, question: str, *, corpus: str, request: object) -> Json:
        del request
        connection = await asyncio.wrap_future(self._opening)
        stop = threading.Event()
        try:
            return await asyncio.to_thread(follow_answer, connection, question, corpus or self._corpus, stop)
        finally:
            stop.set()

    def find_site(self, request: object) -> str:
        """None: what runs for a pipe shows no documents."""
        del request
        return ""


def follow_answer(connection: Connection, question: str, corpus: str | None, stop: threading.Event) -> Json:
    """The answer at the end of its events; the model is stopped when `stop` is set.

    :raises ChatbotError: when there is none.
    """
    events = connection.ask(question, corpus=corpus)
    try:
        for event in events:
            if event["type"] == "done":
                answer: Json = event["answer"]
                return answer
            if stop.is_set():
                break
    finally:
        events.close()
    raise ChatbotError("The answer broke off.", "Ask again.")


def serve_pipe(opening: AbstractContextManager[Connection], corpus: str | None) -> None:
    """Answer what comes by standard input until it ends; the chatbot opens meanwhile.

    :raises ModelError: where the package mcp is not installed.
    """
    opened: Future[Connection] = Future()
    server = load_server(ConnectionBackend(opened, corpus))
    with ExitStack() as stack:

        def open_chatbot() -> None:
            try:
                opened.set_result(stack.enter_context(opening))
            except BaseException as error:  # noqa: BLE001 - raised again by the tools, which tell of it
                opened.set_exception(error)

        thread = threading.Thread(target=open_chatbot, name="opening the chatbot")
        thread.start()
        try:
            asyncio.run(server.run_stdio_async())
        finally:
            thread.join()


def add_mcp_options(parser: argparse.ArgumentParser) -> None:
    add_corpus_option(parser)
    add_generator_option(parser)


def run_mcp(_options: argparse.Namespace, settings: Settings) -> int:
    """Answer an assistant over standard input and output until it leaves; notes go to standard error."""
    opening = open_connection(settings, Terminal(sys.stderr, sys.stderr), generator=True, ingest=True)
    serve_pipe(opening, settings.corpus)
    return 0
