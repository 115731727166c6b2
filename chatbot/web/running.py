"""Runs one answer in a thread, so that whoever shows it can look at any time, stop it, or go away."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatbot.errors import ChatbotError
from chatbot.types import Citation, FinishedAnswer, Passage

if TYPE_CHECKING:
    from chatbot.admission import Admission
    from chatbot.answer import Answer
    from chatbot.metrics import Metrics

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerSnapshot:
    """An answer as far as it has been written.

    `draft` is the sentence that is not yet checked; `before` is how many questions it waits for.
    """

    text: str = ""
    draft: str = ""
    found: bool = True
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[tuple[int, int], ...] = ()
    short_answer: str = ""
    searched_for: str = ""
    finished: FinishedAnswer | None = None
    error: ChatbotError | None = None
    before: int = 0

    @property
    def is_over(self) -> bool:
        return self.finished is not None or self.error is not None


class RunningAnswer:
    """An answer that is being written in its own thread, once it is its turn; it is counted.

    `ask` makes the answer, and gives up looking for it when the event that it is handed is set.
    `keep` is called once with the finished answer, also when it was stopped, before the answer
    counts as over; nothing is kept of an answer that failed.
    """

    def __init__(
        self,
        ask: Callable[[threading.Event], Answer],
        keep: Callable[[FinishedAnswer], object],
        *,
        admission: Admission,
        metrics: Metrics,
    ) -> None:
        self._ask = ask
        self._keep = keep
        self._admission = admission
        self._metrics = metrics
        self._answer: Answer | None = None
        self._finished: FinishedAnswer | None = None
        self._error: ChatbotError | None = None
        self._stop_wanted = threading.Event()
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="answer", daemon=True)

    def start(self) -> RunningAnswer:
        """Begin; returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the search or the model soon; what is written so far is kept. May be called at any time."""
        with self._lock:
            self._stop_wanted.set()
            answer = self._answer
        if answer is not None:
            answer.stop()

    def wait(self, seconds: float) -> bool:
        """Wait until the answer is over, at most so long; return whether it is."""
        return self._is_over.wait(seconds)

    def take_snapshot(self) -> AnswerSnapshot:
        """The answer as it stands."""
        # Whether it is over is read first: a text read before its end would be shown as the whole.
        finished, error = (self._finished, self._error) if self._is_over.is_set() else (None, None)
        answer = self._answer
        if finished is not None:
            return AnswerSnapshot(
                text=finished.text,
                found=finished.found,
                passages=finished.passages,
                citations=finished.citations,
                unsupported=finished.unsupported,
                short_answer=finished.short_answer,
                searched_for=finished.searched_for,
                finished=finished,
            )
        if answer is None:
            return AnswerSnapshot(before=self._admission.count_before(self), error=error)
        return AnswerSnapshot(
            text=answer.text,
            draft=answer.draft,
            found=answer.found,
            passages=tuple(answer.passages),
            citations=tuple(answer.citations),
            unsupported=tuple(answer.unsupported),
            short_answer=answer.short_answer,
            searched_for=answer.request.searched_for,
            error=error,
        )

    def _run(self) -> None:
        self._metrics.count_question()
        try:
            with self._admission.enter(self._stop_wanted, self):
                self._write()
        except ChatbotError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - a thread's outer edge: logged, and told to the reader
            self._error = describe_unexpected(error)
        finally:
            if self._error is not None:
                self._metrics.count_error(self._error)
            self._is_over.set()

    def _write(self) -> None:
        answer = self._ask(self._stop_wanted)
        with self._lock:
            self._answer = answer
            stop_wanted = self._stop_wanted.is_set()
        if stop_wanted:
            answer.stop()
        finished = answer.finish()
        self._metrics.count_answer(finished)
        self._keep(finished)
        self._finished = finished


def describe_unexpected(error: BaseException) -> ChatbotError:
    """Log an error that nobody foresaw; return what may be said about it to a client."""
    error_id = secrets.token_hex(4)
    logger.error("unexpected error %s", error_id, exc_info=error)
    return ChatbotError(f"Something went wrong (id {error_id}).", "The log of the server has the details.")
