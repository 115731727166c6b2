"""Which corpora wait to be brought in step, how far that is, and how it ended.

What must outlive the process is kept by a `JobStore`; this adds what only lasts as long as it: who is
woken, how far the file at hand is, and what stops.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from chatbot.changes import FolderChanges
from chatbot.errors import ChatbotError, LibraryError
from chatbot.jobs import Job, JobStore
from chatbot.types import FileOutcome, IngestProgress, IngestReport


class RunIngest(Protocol):
    """Brings one corpus in step: `Ingestor.ingest_corpus`, given the corpus and its folder."""

    def __call__(
        self,
        *,
        on_changes: Callable[[FolderChanges], None],
        on_begin: Callable[[str], None],
        on_progress: Callable[[IngestProgress], None],
        on_outcome: Callable[[FileOutcome], None],
        stop: threading.Event,
        only_refused: bool,
        attempts: Mapping[str, int],
    ) -> IngestReport:
        """What was done."""


class IngestQueue:
    """Which corpora wait to be read, and how far the reading is. Safe to use from several threads."""

    def __init__(self, jobs: JobStore) -> None:
        self.jobs = jobs
        self._changed = threading.Condition()
        self._running: dict[int, threading.Event] = {}
        self._progress: dict[str, IngestProgress] = {}
        self._reports: dict[str, IngestReport] = {}
        self._last: dict[str, IngestReport | None] = {}
        self._closing = False

    def request(self, corpus: str, *, only_refused: bool = False) -> int:
        """Ask for a corpus to be brought in step; the number of the job that will."""
        with self._changed:
            number = self.jobs.request(corpus, only_refused=only_refused)
            self._changed.notify_all()
            return number

    def take(self, *, timeout_seconds: float) -> Job | None:
        """The job whose turn it is; None where none comes in time."""
        with self._changed:
            if not (waiting := self.jobs.list_waiting()):
                self._changed.wait(timeout_seconds)
                waiting = self.jobs.list_waiting()
            if not waiting or self._closing:
                return None
            self._begin(waiting[0])
            return waiting[0]

    def take_now(
        self, corpus: str, *, only_refused: bool = False, stop: threading.Event | None = None
    ) -> Job:
        """A job that begins at once, whatever else waits; `stop` ends it too."""
        with self._changed:
            job = self.jobs.get_job(self.jobs.request(corpus, only_refused=only_refused))
            self._begin(job, stop)
            return job

    def _begin(self, job: Job, stop: threading.Event | None = None) -> None:
        self.jobs.start(job.number)
        self._running[job.number] = stop or threading.Event()
        self._progress[job.corpus] = IngestProgress(job.corpus, "", 0, 0, 0, 0.0, None)

    def run(
        self,
        job: Job,
        ingest: RunIngest,
        *,
        on_progress: Callable[[IngestProgress], None] = lambda _: None,
        on_outcome: Callable[[FileOutcome], None] = lambda _: None,
    ) -> IngestReport:
        """Do a job that was taken, and keep account of it."""

        def note_progress(progress: IngestProgress) -> None:
            with self._changed:
                self._progress[job.corpus] = progress
            on_progress(progress)

        def note_outcome(outcome: FileOutcome) -> None:
            self.jobs.note_outcome(job.number, outcome)
            on_outcome(outcome)

        try:
            report = ingest(
                on_changes=lambda changes: self.jobs.note_changes(job.number, changes),
                on_begin=lambda path: self.jobs.begin_file(job.number, path),
                on_progress=note_progress,
                on_outcome=note_outcome,
                stop=self._running[job.number],
                only_refused=job.only_refused,
                attempts=self.jobs.list_attempts(job.number),
            )
            self.jobs.leave_files(job.number)
            report = self._add_earlier_outcomes(job, report)
            if report.stopped and self._closing:
                self.jobs.put_back(job.number)
            else:
                self.jobs.finish(job.number, report)
        except Exception as error:
            problem = str(error) if isinstance(error, ChatbotError) else type(error).__name__
            with suppress(LibraryError):  # the disk may be full
                self.jobs.fail(job.number, problem)
            self._finish(job, None)
            raise
        self._finish(job, report)
        return report

    def _add_earlier_outcomes(self, job: Job, report: IngestReport) -> IngestReport:
        """The report of the whole job, also of what it did before a crash; that is not told as unchanged."""
        paths = {outcome.path for outcome in report.outcomes}
        earlier = tuple(item for item in self.jobs.list_outcomes(job.number) if item.path not in paths)
        taken_in = sum(outcome.result not in ("failed", "removed") for outcome in earlier)
        told = paths | {outcome.path for outcome in earlier}
        return replace(
            report,
            job=job.number,
            outcomes=(*earlier, *report.outcomes),
            chunks=report.chunks + sum(outcome.chunks for outcome in earlier),
            unchanged=max(0, report.unchanged - taken_in),
            refused=tuple(outcome for outcome in report.refused if outcome.path not in told),
        )

    def _finish(self, job: Job, report: IngestReport | None) -> None:
        with self._changed:
            self._running.pop(job.number, None)
            self._progress.pop(job.corpus, None)
            self._last[job.corpus] = report
            if report is not None and report.outcomes:
                self._reports[job.corpus] = report

    def progress(self, corpus: str) -> IngestProgress | None:
        """Where the corpus's ingest stands; None when none is running or waiting."""
        with self._changed:
            if corpus in self._progress:
                return self._progress[corpus]
            is_waiting = any(job.corpus == corpus for job in self.jobs.list_waiting())
            return IngestProgress(corpus, "", 0, 0, 0, 0.0, None) if is_waiting else None

    def last_report(self, corpus: str) -> IngestReport | None:
        """What the last ingest did that changed or tried anything, also one of an earlier process."""
        with self._changed:
            found = self._reports.get(corpus)
        return found or self._recall_report(corpus)

    def _recall_report(self, corpus: str) -> IngestReport | None:
        ended = [job for job in self.jobs.list_jobs(corpus) if job.state in ("finished", "stopped")]
        if not ended:
            return None
        job = next((job for job in ended if job.files), ended[0])
        outcomes = self.jobs.list_outcomes(job.number)
        stopped = job.state == "stopped"
        return IngestReport(corpus, outcomes, job.unchanged, job.chunks, job.seconds, stopped, job=job.number)

    def latest(self, corpus: str) -> IngestReport | None:
        """The report of the last ingest, also of one that found nothing to do; None if it failed."""
        with self._changed:
            return self._last.get(corpus)

    def cancel(self, number: int) -> Job:
        """Take a waiting job out, or end a running one after the file at hand.

        :raises CorpusError: when there is no such job.
        """
        with self._changed:
            if (stop := self._running.get(number)) is not None:
                stop.set()
            else:
                self.jobs.cancel(number)
            return self.jobs.get_job(number)

    def stop(self) -> None:
        """End what runs after the file at hand; it waits for the next start."""
        with self._changed:
            self._closing = True
            for stop in self._running.values():
                stop.set()
            self._changed.notify_all()
