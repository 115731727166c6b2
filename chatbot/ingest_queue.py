"""Which corpora wait to be brought in step, how far that is, and how it ended."""

from __future__ import annotations

import threading
from collections import deque

from chatbot.types import IngestProgress, IngestReport


class IngestQueue:
    """Which corpora wait to be read, and how far the reading is. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._running: str | None = None
        self._progress: IngestProgress | None = None
        self._reports: dict[str, IngestReport] = {}
        self._last: dict[str, IngestReport | None] = {}
        self.stopping = threading.Event()

    def request(self, corpus: str) -> None:
        with self._changed:
            if corpus not in self._waiting:
                self._waiting.append(corpus)
                self._changed.notify_all()

    def take(self, *, timeout_seconds: float) -> str | None:
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout_seconds)
            if not self._waiting:
                return None
            self._running = self._waiting.popleft()
            self._progress = IngestProgress(self._running, "", 0, 0, 0, 0.0, None)
            return self._running

    def note_progress(self, progress: IngestProgress) -> None:
        with self._changed:
            self._progress = progress

    def finish(self, corpus: str, report: IngestReport | None) -> None:
        with self._changed:
            self._running = self._progress = None
            self._last[corpus] = report
            if report is not None and (report.outcomes or corpus not in self._reports):
                self._reports[corpus] = report

    def progress(self, corpus: str) -> IngestProgress | None:
        with self._changed:
            if self._running == corpus:
                return self._progress
            return IngestProgress(corpus, "", 0, 0, 0, 0.0, None) if corpus in self._waiting else None

    def report(self, corpus: str) -> IngestReport | None:
        with self._changed:
            return self._reports.get(corpus)

    def last(self, corpus: str) -> IngestReport | None:
        """The report of the last ingest, also of one that found nothing to do; None if it failed."""
        with self._changed:
            return self._last.get(corpus)

    def stop(self) -> None:
        self.stopping.set()
