"""One queue for all questions: so many are answered at once, so many wait, the next one is turned away."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from chatbot.errors import BusyError

LOOK_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 60


class Admission:
    """Lets questions in, first come, first served. Safe to use from several threads.

    :param parallel: how many are answered at the same time.
    :param waiting: how many more may wait for their turn.
    """

    def __init__(self, *, parallel: int, waiting: int) -> None:
        self._parallel = parallel
        self._longest_queue = waiting
        self._queue: deque[object] = deque()
        self._running = 0
        self._last_seconds = 1.0
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many questions wait for their turn."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """How many questions are being answered."""
        return self._running

    def count_before(self, ticket: object) -> int:
        """How many questions are before the one that waits with this ticket; 0 when it need not wait.

        Those that are being answered count too.
        """
        with self._changed:
            before = self._running + self._queue.index(ticket) if ticket in self._queue else 0
            return before if before >= self._parallel else 0

    @contextmanager
    def enter(self, stop: threading.Event, ticket: object = None) -> Iterator[None]:
        """Wait for a turn and hold it until the `with` block is left.

        :param stop: when it is set, the question is taken back.
        :param ticket: what `count_before` knows the question by.
        :raises BusyError: at once when too many wait, and when it was taken back before its turn.
        """
        self._wait_for_turn(stop, ticket or object())
        started = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._last_seconds = time.monotonic() - started
                self._changed.notify_all()

    def _wait_for_turn(self, stop: threading.Event, ticket: object) -> None:
        with self._changed:
            if self._running + len(self._queue) >= self._parallel + self._longest_queue:
                raise BusyError(
                    "The chatbot is busy: too many questions are waiting already.",
                    "Try again in a few seconds.",
                    self._estimate_seconds(),
                )
            self._queue.append(ticket)
            try:
                while self._queue[0] is not ticket or self._running >= self._parallel:
                    if stop.is_set():
                        raise BusyError("The question was taken back before its turn.", "Ask it again.")
                    self._changed.wait(LOOK_SECONDS)
                self._running += 1
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _estimate_seconds(self) -> int:
        """About when the next place in the queue is free, at the pace of the last answer."""
        seconds = math.ceil(self._last_seconds / self._parallel)
        return min(max(seconds, 1), LONGEST_RETRY_SECONDS)
