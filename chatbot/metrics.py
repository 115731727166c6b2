"""Counts and times of the running chatbot, in the text form that Prometheus reads.

The only importer of prometheus_client. Nothing of a question or an answer is kept, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from chatbot.errors import BusyError, ChatbotError
from chatbot.types import FinishedAnswer

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)


class Metrics:
    """What has happened since the start; the gauges are asked when they are read."""

    def __init__(
        self,
        *,
        count_waiting: Callable[[], int],
        count_running: Callable[[], int],
        count_documents: Callable[[], int],
    ) -> None:
        self._registry = CollectorRegistry()
        self._questions = self._make_counter("chatbot_questions", "Questions that came in.")
        self._declined = self._make_counter(
            "chatbot_declined", "Answers that say that the documents do not hold it."
        )
        self._stopped = self._make_counter("chatbot_stopped", "Answers that were stopped.")
        self._busy = self._make_counter(
            "chatbot_busy", "Questions turned away, or taken back while they waited."
        )
        self._errors = Counter(
            "chatbot_errors", "Questions that ended with an error.", ["kind"], registry=self._registry
        )
        self._first_word_seconds = self._make_histogram(
            "chatbot_first_word_seconds", "From the question's turn to the first word."
        )
        self._answer_seconds = self._make_histogram(
            "chatbot_answer_seconds", "From the question's turn to the last word."
        )
        self._make_gauge("chatbot_waiting_questions", "Questions that wait for their turn.", count_waiting)
        self._make_gauge("chatbot_running_questions", "Questions being answered.", count_running)
        self._make_gauge("chatbot_documents", "Documents that can be searched.", count_documents)

    def count_question(self) -> None:
        """A question came in, whatever becomes of it."""
        self._questions.inc()

    def count_answer(self, answer: FinishedAnswer) -> None:
        """A question was answered, declined or stopped."""
        if answer.stop_reason == "stopped":
            self._stopped.inc()
            return
        if not answer.found:
            self._declined.inc()
        self._first_word_seconds.observe(answer.timings.first_word)
        self._answer_seconds.observe(answer.timings.total)

    def count_error(self, error: ChatbotError) -> None:
        """A question ended with an error, or was turned away."""
        if isinstance(error, BusyError):
            self._busy.inc()
        else:
            self._errors.labels(type(error).__name__).inc()

    def render(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)

    def _make_counter(self, name: str, meaning: str) -> Counter:
        return Counter(name, meaning, registry=self._registry)

    def _make_histogram(self, name: str, meaning: str) -> Histogram:
        return Histogram(name, meaning, buckets=SECONDS, registry=self._registry)

    def _make_gauge(self, name: str, meaning: str, count: Callable[[], int]) -> None:
        Gauge(name, meaning, registry=self._registry).set_function(count)
