"""A language model behind an OpenAI-compatible URL: vLLM, Ollama, llama.cpp's server and others."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence

import httpx

from chatbot.errors import ModelError
from chatbot.tokens import estimate_message_tokens
from chatbot.types import Message, StopReason

CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0
"""The longest wait for the first token, and between two."""


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
        self._client = httpx.Client(headers=headers, timeout=timeout, trust_env=not on_this_machine)
        self._window_tokens = window_tokens
        try:
            self._model = model or self._find_first_model()
        except ModelError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections that are kept for the next question."""
        self._client.close()

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
        try:
            with self._client.stream("POST", f"{self._url}/chat/completions", json=request) as response:
                self._check(response)
                for event in _read_events(response):
                    text, finish = ("", "stop") if event is None else _read_choice(event)
                    # An empty piece too: whoever listens may want to stop while a model only reasons.
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
        if stop_reason is None:
            raise ModelError(f"The answer of the model server at {self._url} broke off.", "Ask again.")
        return stop_reason

    def _find_first_model(self) -> str:
        try:
            response = self._client.get(f"{self._url}/models")
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


def _read_events(response: httpx.Response) -> Iterator[dict[str, object] | None]:
    """The JSON bodies of a stream of server-sent events; None where it says that it is complete."""
    for line in response.iter_lines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or not data:
            continue
        if data == "[DONE]":
            yield None
            return
        yield json.loads(data)


def _read_choice(event: dict[str, object]) -> tuple[str, str | None]:
    """Text and reason to finish of an event's first choice."""
    choices = event.get("choices")
    if not isinstance(choices, list):
        raise KeyError("choices")
    if not choices:
        return "", None
    choice = choices[0]
    return (choice.get("delta") or {}).get("content") or "", choice.get("finish_reason")
