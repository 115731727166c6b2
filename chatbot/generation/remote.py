"""A language model behind an OpenAI-compatible URL: vLLM, Ollama, llama.cpp's server and others."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any

import httpx

from chatbot.errors import ModelError
from chatbot.event_lines import split_lines_async
from chatbot.generation import LOOK_SECONDS
from chatbot.tokens import estimate_message_tokens
from chatbot.types import Message, StopReason

CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0
"""The longest wait for the first token, and between two."""
DONE = "data: [DONE]"


class RemoteGenerator:
    """Streams answers from `POST {url}/chat/completions`.

    :param url: as servers give it, for instance http://127.0.0.1:8000/v1.
    :param model: the server's name of the model; its first one when None.
    """

    def __init__(self, url: str, *, model: str | None, key: str | None, window_tokens: int) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        self._url = url.rstrip("/")
        on_this_machine = httpx.URL(url).host in ("127.0.0.1", "localhost", "::1")
        self._options: dict[str, Any] = {
            "headers": headers,
            "timeout": timeout,
            "trust_env": not on_this_machine,
            "verify": httpx.create_ssl_context(trust_env=not on_this_machine),
        }
        self._window_tokens = window_tokens
        self._model = model or self._find_first_model()

    @property
    def name(self) -> str:
        return self._model

    @property
    def window_tokens(self) -> int:
        return self._window_tokens

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return estimate_message_tokens(messages)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Generator[str, None, StopReason]:
        """Yield text as the server sends it; closing the generator closes the connection.

        :raises ModelError: when the server cannot be reached, refuses, or sends what is no answer.
        """
        request = {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": max_new_tokens,
            "temperature": 0,
            "stream": True,
        }
        stop_reason: StopReason | None = None
        reading = Reading(self._open_stream(request))
        try:
            for line in reading:
                # An empty piece too: whoever listens may want to stop while a model is silent.
                text, finish = read_line(line)
                yield text
                if finish and stop_reason is None:
                    stop_reason = "length" if finish == "length" else "end"
        except httpx.HTTPError as error:
            raise self._describe_failure(error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"The model server at {self._url} sent an answer that is not OpenAI-compatible.",
                "Check that the setting generator ends in the right path, often /v1.",
            ) from error
        finally:
            reading.close()
        if stop_reason is None:
            raise ModelError(f"The answer of the model server at {self._url} broke off.", "Ask again.")
        return stop_reason

    async def _open_stream(self, request: dict[str, object]) -> AsyncIterator[str]:
        """The lines that the server answers with."""
        async with (
            httpx.AsyncClient(**self._options) as client,
            client.stream("POST", f"{self._url}/chat/completions", json=request) as response,
        ):
            self._check(response)
            async for line in split_lines_async(response.aiter_text()):
                yield line

    def _find_first_model(self) -> str:
        try:
            with httpx.Client(**self._options) as client:
                response = client.get(f"{self._url}/models")
            self._check(response)
            return str(response.json()["data"][0]["id"])
        except httpx.HTTPError as error:
            raise self._describe_failure(error) from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise ModelError(
                f"The model server at {self._url} does not list its models.",
                "Name one with the setting generator_model.",
            ) from error

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        if response.status_code in (401, 403):
            next_step = "Check the setting generator_key."
        elif response.status_code == 404:
            next_step = "Check the settings generator (often ends in /v1) and generator_model."
        else:
            next_step = "Look at the server's own log, then ask again."
        raise ModelError(f"The model server at {self._url} answered {response.status_code}.", next_step)

    def _describe_failure(self, error: httpx.HTTPError) -> ModelError:
        return ModelError(
            f"The model server at {self._url} cannot be reached ({type(error).__name__}).",
            "Start it, or change the setting generator.",
        )


class Reading:
    """Lines that a thread reads; an empty one now and then while there are none.

    Iterating raises what the thread met. `close` ends the thread and its connection at any moment, also
    before the server's first byte.
    """

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self._read: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._follow())
        self._thread = threading.Thread(target=self._run, name="model server", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                item = self._read.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                item = ""
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            if item == DONE:
                return

    def close(self) -> None:
        """Close the connection and wait for the thread."""
        # The loop is closed where the thread has ended already.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _follow(self) -> None:
        end: BaseException | None = None
        try:
            async for line in self._lines:
                self._read.put(line)
        except Exception as error:  # noqa: BLE001 - raised again where the lines are read
            end = error
        finally:
            self._read.put(end)


def read_line(line: str) -> tuple[str, str | None]:
    """Text and reason to finish of a line of a stream of server-sent events; none where it holds no event."""
    data = line.removeprefix("data:").strip()
    if not line.startswith("data:") or not data:
        return "", None
    return ("", "stop") if line == DONE else _read_choice(json.loads(data))


def _read_choice(event: dict[str, object]) -> tuple[str, str | None]:
    """Text and reason to finish of an event's first choice."""
    choices = event.get("choices")
    if not isinstance(choices, list):
        raise KeyError("choices")
    if not choices:
        return "", None
    choice = choices[0]
    return (choice.get("delta") or {}).get("content") or "", choice.get("finish_reason")
