"""How much one visitor may ask: so many things a minute, so many answers at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from chatbot.errors import LimitReached
from chatbot.web.running import RunningAnswer

MINUTE_SECONDS = 60.0
MOST_NAMES = 20_000


class MinuteLimits:
    """Counts what happened under a name within the last minute. Safe to call from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, names: tuple[str, ...], limit: int) -> None:
        """Count one more under each name.

        :raises LimitReached: when one of them has reached the limit; nothing is counted then.
        """
        now = self._clock()
        with self._lock:
            counted = [self._find_times(name, now) for name in names]
            for times in counted:
                if len(times) >= limit:
                    seconds = max(1, round(times[0] + MINUTE_SECONDS - now)) if times else 60
                    raise LimitReached("That is too much for one minute.", "Wait a moment.", seconds)
            for times in counted:
                times.append(now)

    def _find_times(self, name: str, now: float) -> deque[float]:
        times = self._times.setdefault(name, deque())
        self._times.move_to_end(name)
        while times and times[0] <= now - MINUTE_SECONDS:
            times.popleft()
        while len(self._times) > MOST_NAMES:
            self._times.popitem(last=False)
        return times


class ParallelLimits:
    """Counts the answers that are being written under a name. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[tuple[tuple[str, ...], RunningAnswer]] = []

    def start(self, names: tuple[str, ...], limit: int, start: Callable[[], RunningAnswer]) -> RunningAnswer:
        """Start one more answer and count it under each name until it is over.

        :raises LimitReached: when so many are being written under one of them already.
        """
        with self._lock:
            self._running = [held for held in self._running if not held[1].wait(0)]
            for name in names:
                if sum(name in held_names for held_names, _ in self._running) >= limit:
                    raise LimitReached("An answer is still being written.", "Wait until it is there.", 2)
            answer = start()
            self._running.append((names, answer))
            return answer

    def stop(self, name: str) -> None:
        """Stop the answers that are being written under a name; what is written so far is kept."""
        with self._lock:
            answers = [answer for names, answer in self._running if name in names]
        for answer in answers:
            answer.stop()
