"""One way to ask, search and ingest, whether this process or another one owns the data folder.

Both connections speak in the JSON events of the HTTP API, so that the command line prints the same
either way.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from chatbot import errors
from chatbot.errors import ChatbotError, LibraryInUse, ServerError
from chatbot.event_lines import split_lines
from chatbot.ownership import find_owner_secret, find_owner_url
from chatbot.service import Service
from chatbot.settings import Settings
from chatbot.types import NO_FILTERS, FileOutcome, IngestProgress, Message, SearchFilters
from chatbot.web.receipts import receipt_to_json
from chatbot.web.schemas import (
    answer_to_json,
    changes_to_json,
    document_to_json,
    explanation_to_json,
    filters_to_json,
    job_to_json,
    passage_to_json,
    progress_to_json,
    report_to_json,
    search_to_json,
)

Json = dict[str, Any]
Events = Generator[Json, None, None]


class Connection(Protocol):
    """What the command line needs of a chatbot."""

    def ask(
        self,
        question: str,
        *,
        corpus: str | None,
        history: Sequence[Message] = (),
        filters: SearchFilters = NO_FILTERS,
    ) -> Events:
        """Events of type waiting, passages, text and done; closing stops the answer."""

    def search(
        self,
        question: str,
        *,
        corpus: str | None,
        limit: int,
        filters: SearchFilters = NO_FILTERS,
        explain: bool = False,
    ) -> Json:
        """The passages that match best; with `explain` how they were found and what a model would be sent."""

    def list_documents(self, corpus: str | None) -> list[Json]:
        """The documents of a corpus by path, with their state."""

    def get_answer(self, answer_id: str) -> Json:
        """The receipt of an answer that was given."""

    def ingest(self, corpus: str | None, *, only_refused: bool = False) -> Events:
        """Events of type progress and outcome, at last report; closing stops after the file at hand."""

    def find_changes(self, corpus: str | None) -> Json:
        """What an ingest would do."""

    def list_jobs(self, corpus: str | None) -> list[Json]:
        """The latest ingests of a corpus, the newest first."""

    def get_job(self, number: int) -> Json:
        """An ingest with its files."""

    def cancel_job(self, number: int) -> Json:
        """End an ingest after the file at hand, or take it out if it waits."""


class OwnService:
    """A chatbot in this process; the service must be ready."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def ask(
        self,
        question: str,
        *,
        corpus: str | None,
        history: Sequence[Message] = (),
        filters: SearchFilters = NO_FILTERS,
    ) -> Events:
        name = self._service.catalogue.find_corpus(corpus)
        answer = self._service.ask(question, corpus=name, history=history, filters=filters)
        try:
            yield {"type": "passages", "passages": [passage_to_json(item) for item in answer.passages]}
            for piece in answer:
                if piece:
                    yield {"type": "text", "text": piece}
        finally:
            answer.close()
        if answer.finished is not None:
            yield {"type": "done", "answer": answer_to_json(answer.finished)}

    def search(
        self,
        question: str,
        *,
        corpus: str | None,
        limit: int,
        filters: SearchFilters = NO_FILTERS,
        explain: bool = False,
    ) -> Json:
        name = self._service.catalogue.find_corpus(corpus)
        if explain:
            return explanation_to_json(
                self._service.explain(question, corpus=name, limit=limit, filters=filters)
            )
        return search_to_json(self._service.search(question, corpus=name, limit=limit, filters=filters))

    def list_documents(self, corpus: str | None) -> list[Json]:
        records = self._service.catalogue.list_documents(self._service.catalogue.find_corpus(corpus))
        return [document_to_json(record) for record in records]

    def get_answer(self, answer_id: str) -> Json:
        return receipt_to_json(
            self._service.records.receipts.get(answer_id), self._service.catalogue.get_document
        )

    def ingest(self, corpus: str | None, *, only_refused: bool = False) -> Events:
        name = self._service.catalogue.find_corpus(corpus)
        events: queue.SimpleQueue[Json | Exception] = queue.SimpleQueue()
        stop = threading.Event()
        work = threading.Thread(
            target=self._ingest_into, args=(name, events, stop, only_refused), daemon=True
        )
        work.start()
        try:
            while True:
                event = events.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if event["type"] == "report":
                    return
        finally:
            stop.set()
            work.join()

    def _ingest_into(
        self,
        corpus: str,
        events: queue.SimpleQueue[Json | Exception],
        stop: threading.Event,
        only_refused: bool,
    ) -> None:
        def note_progress(progress: IngestProgress) -> None:
            events.put({"type": "progress", "progress": progress_to_json(progress)})

        def note_outcome(outcome: FileOutcome) -> None:
            events.put({"type": "outcome", "outcome": asdict(outcome)})

        try:
            report = self._service.upkeep.ingest_now(
                corpus, note_progress, note_outcome, stop, only_refused=only_refused
            )
        except Exception as error:  # noqa: BLE001 - raised again where the events are read
            events.put(error)
        else:
            events.put({"type": "report", "report": report_to_json(report)})

    def find_changes(self, corpus: str | None) -> Json:
        return changes_to_json(self._service.upkeep.find_changes(self._service.catalogue.find_corpus(corpus)))

    def list_jobs(self, corpus: str | None) -> list[Json]:
        name = self._service.catalogue.find_corpus(corpus)
        return [job_to_json(job) for job in self._service.ingests.jobs.list_jobs(name)]

    def get_job(self, number: int) -> Json:
        jobs = self._service.ingests.jobs
        return job_to_json(jobs.get_job(number), jobs.list_files(number))

    def cancel_job(self, number: int) -> Json:
        return job_to_json(self._service.ingests.cancel(number))


class RunningServer:
    """A chatbot that serves in another process on this machine; `secret` opens it."""

    def __init__(self, url: str, secret: str = "") -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._client = httpx.Client(
            base_url=url, headers=headers, timeout=httpx.Timeout(600, connect=5), trust_env=False
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def wait_until_ready(self) -> None:
        """Return when the server can answer.

        :raises ServerError: when it does not answer, or a part of it failed.
        """
        while True:
            status = self._call("GET", "/health")
            if status["ready"]:
                return
            if any(part["state"] == "failed" for part in status["parts"]):
                raise ServerError(str(status["waiting_for"]), "Mend that, then restart the server.")
            time.sleep(0.3)

    def ask(
        self,
        question: str,
        *,
        corpus: str | None,
        history: Sequence[Message] = (),
        filters: SearchFilters = NO_FILTERS,
    ) -> Events:
        turns = [{"role": message.role, "content": message.content} for message in history]
        body = {"question": question, "corpus": corpus or "", "history": turns}
        yield from self._stream("/api/ask", body | {"filters": filters_to_json(filters)})

    def search(
        self,
        question: str,
        *,
        corpus: str | None,
        limit: int,
        filters: SearchFilters = NO_FILTERS,
        explain: bool = False,
    ) -> Json:
        body = {"question": question, "corpus": corpus or "", "limit": limit, "explain": explain}
        return self._call("POST", "/api/search", body | {"filters": filters_to_json(filters)})

    def get_answer(self, answer_id: str) -> Json:
        return self._call("GET", f"/api/answers/{quote(answer_id, safe='')}")

    def list_documents(self, corpus: str | None) -> list[Json]:
        documents: list[Json] = self._call("GET", f"/api/documents?corpus={quote(corpus or '')}")["documents"]
        return documents

    def ingest(self, corpus: str | None, *, only_refused: bool = False) -> Events:
        yield from self._stream("/api/ingest", {"corpus": corpus or "", "only_refused": only_refused})

    def find_changes(self, corpus: str | None) -> Json:
        return self._call("GET", f"/api/changes?corpus={quote(corpus or '')}")

    def list_jobs(self, corpus: str | None) -> list[Json]:
        jobs: list[Json] = self._call("GET", f"/api/jobs?corpus={quote(corpus or '')}")["jobs"]
        return jobs

    def get_job(self, number: int) -> Json:
        return self._call("GET", f"/api/jobs/{number}")

    def cancel_job(self, number: int) -> Json:
        return self._call("DELETE", f"/api/jobs/{number}")

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        try:
            response = self._client.request(method, path, json=body)
            self._check(response)
            values: Json = response.json()
            return values
        except (httpx.HTTPError, ValueError) as error:
            raise self._describe_failure(error) from error

    def _stream(self, path: str, body: Json) -> Iterator[Json]:
        try:
            with self._client.stream("POST", path, json=body) as response:
                if not response.is_success:
                    response.read()
                self._check(response)
                for line in split_lines(response.iter_text()):
                    event: Json = json.loads(line)
                    if event["type"] == "error":
                        raise read_error(event["error"])
                    yield event
        except (httpx.HTTPError, ValueError) as error:
            raise self._describe_failure(error) from error

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        raise read_error(response.json().get("error", {}))

    def _describe_failure(self, error: Exception) -> ServerError:
        return ServerError(
            f"The chatbot at {self._client.base_url} does not answer ({type(error).__name__}).",
            "Restart it, or stop it and try again.",
        )


def read_error(values: Json) -> ChatbotError:
    """The error that a server tells of, of the same kind as it was there."""
    kind = getattr(errors, str(values.get("kind")), ServerError)
    is_known = isinstance(kind, type) and issubclass(kind, ChatbotError)
    return (kind if is_known else ServerError)(
        str(values.get("message", "The running chatbot refused.")),
        str(values.get("next_step", "Look at its own output.")),
    )


def find_running_server(settings: Settings, error: LibraryInUse) -> RunningServer:
    """The server that owns the data folder.

    :raises LibraryInUse: the given error, when the owner serves nothing.
    """
    url = find_owner_url(settings.data_folder)
    if url is None:
        raise error
    return RunningServer(url, find_owner_secret(settings.data_folder) or "")
