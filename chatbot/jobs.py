"""The register of ingests: which wait, which run, how each file fared. It outlives the process.

An ingest that a crash ended is found waiting again, and goes on where it stopped, because files that
were read are unchanged then. A file over which the program ended several times is not tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from chatbot.changes import FolderChanges
from chatbot.database import Database
from chatbot.errors import CorpusError
from chatbot.types import FileOutcome, FileResult, IngestReport

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, corpus TEXT NOT NULL, only_refused INTEGER NOT NULL,
    state TEXT NOT NULL, requested_at TEXT NOT NULL, started_at TEXT, finished_at TEXT,
    unchanged INTEGER NOT NULL DEFAULT 0, chunks INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0, problem TEXT
);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE TABLE job_files (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE, path TEXT NOT NULL,
    ordinal INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    chunks INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0, reason TEXT, same_as TEXT,
    PRIMARY KEY (job, path)
) WITHOUT ROWID;
"""
KEPT_JOBS = 200
MOST_ATTEMPTS = 3
"""A file that was being read so many times when the program ended is refused."""

FileState = FileResult | Literal["waiting", "reading"]
JobState = Literal["waiting", "running", "finished", "stopped", "failed"]

_JOB_COLUMNS = (
    "number, corpus, only_refused, state, requested_at, started_at, finished_at, unchanged, chunks, "
    "seconds, problem"
)


@dataclass(frozen=True, slots=True)
class JobFile:
    """How a file of a job fares: `state` is waiting, reading, or the result of its outcome."""

    path: str
    state: FileState
    chunks: int
    seconds: float
    reason: str | None
    same_as: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """An ingest of a corpus, from the request on; `problem` is why it failed as a whole.

    `files` counts its files by their states. Times are ISO 8601 in UTC.
    """

    number: int
    corpus: str
    only_refused: bool
    state: JobState
    requested_at: str
    started_at: str | None
    finished_at: str | None
    unchanged: int
    chunks: int
    seconds: float
    problem: str | None
    files: dict[str, int]


class JobStore:
    """Keeps the ingests of a data folder. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, SCHEMA_VERSION, survives_power_cut=False)
        self._database.write("UPDATE jobs SET state = 'waiting' WHERE state = 'running'")

    def close(self) -> None:
        self._database.close()

    def request(self, corpus: str, *, only_refused: bool = False) -> int:
        """The number of a job of this kind that waits; a new one unless one does already."""
        query = "SELECT number FROM jobs WHERE corpus = ? AND only_refused = ? AND state = 'waiting'"
        with self._database.transaction() as database:
            found = database.execute(query, (corpus, only_refused)).fetchone()
            if found:
                return int(found[0])
            database.execute(
                "DELETE FROM jobs WHERE number <= (SELECT max(number) FROM jobs) - ? "
                "AND state NOT IN ('waiting', 'running')",
                (KEPT_JOBS,),
            )
            row = database.execute(
                "INSERT INTO jobs (corpus, only_refused, state, requested_at) "
                "VALUES (?, ?, 'waiting', ?) RETURNING number",
                (corpus, only_refused, _now()),
            ).fetchone()
            return int(row[0])

    def start(self, number: int) -> None:
        """Note that a job runs."""
        self._database.write(
            "UPDATE jobs SET state = 'running', started_at = ? WHERE number = ?", (_now(), number)
        )

    def note_changes(self, number: int, changes: FolderChanges) -> None:
        """Write down what a job has to do; what it did before a crash stays.

        A file that was being read when the program ended, and about which nothing is left to do, had been
        taken in or refused already.
        """
        with self._database.transaction() as database:
            database.executemany(
                "INSERT INTO job_files (job, path, ordinal, state) VALUES (?, ?, ?, 'waiting') "
                "ON CONFLICT DO UPDATE SET ordinal = excluded.ordinal, state = 'waiting'",
                [(number, change.path, ordinal) for ordinal, change in enumerate(changes.changes)],
            )
            database.executemany(
                "UPDATE job_files SET state = 'failed', reason = ?, attempts = 0 "
                "WHERE job = ? AND path = ? AND state = 'reading'",
                [(record.problem, number, record.path) for record in changes.refused],
            )
            database.execute(
                "UPDATE job_files SET state = 'changed', attempts = 0 WHERE job = ? AND state = 'reading'",
                (number,),
            )
            database.execute("UPDATE jobs SET unchanged = ? WHERE number = ?", (changes.unchanged, number))

    def begin_file(self, number: int, path: str) -> None:
        """Note that a file is being read."""
        self._database.write(
            "UPDATE job_files SET state = 'reading', attempts = attempts + 1 WHERE job = ? AND path = ?",
            (number, path),
        )

    def list_attempts(self, number: int) -> dict[str, int]:
        """How often the program ended while a file of a job was in hand, by path, where it did."""
        rows = self._database.read(
            "SELECT path, attempts FROM job_files WHERE job = ? AND state IN ('waiting', 'reading') "
            "AND attempts > 0",
            (number,),
        )
        return {row[0]: row[1] for row in rows}

    def leave_files(self, number: int) -> None:
        """Note that files which were begun wait again, because the job is left in good order."""
        self._database.write(
            "UPDATE job_files SET state = 'waiting', attempts = attempts - 1 WHERE job = ? "
            "AND state = 'reading'",
            (number,),
        )

    def note_outcome(self, number: int, outcome: FileOutcome) -> None:
        """Write down how a file fared."""
        self._database.write(
            "UPDATE job_files SET state = ?, chunks = ?, seconds = ?, reason = ?, same_as = ?, attempts = 0 "
            "WHERE job = ? AND path = ?",
            (
                outcome.result,
                outcome.chunks,
                outcome.seconds,
                outcome.reason,
                outcome.same_as,
                number,
                outcome.path,
            ),
        )

    def finish(self, number: int, report: IngestReport) -> None:
        """Note how a job ended; files that were not reached stay waiting."""
        self._database.write(
            "UPDATE jobs SET state = ?, finished_at = ?, unchanged = ?, seconds = seconds + ?, chunks = "
            "(SELECT coalesce(sum(chunks), 0) FROM job_files WHERE job = number) WHERE number = ?",
            (
                "stopped" if report.stopped else "finished",
                _now(),
                report.unchanged,
                report.seconds,
                number,
            ),
        )

    def put_back(self, number: int) -> None:
        """Let a job that the end of the program interrupts wait for the next start."""
        self._database.write("UPDATE jobs SET state = 'waiting' WHERE number = ?", (number,))

    def fail(self, number: int, problem: str) -> None:
        """Note why a job ended as a whole."""
        self._database.write(
            "UPDATE jobs SET state = 'failed', finished_at = ?, problem = ? WHERE number = ?",
            (_now(), problem, number),
        )

    def cancel(self, number: int) -> bool:
        """Take a job out that waits; False where it does not."""
        with self._database.transaction() as database:
            return bool(
                database.execute(
                    "UPDATE jobs SET state = 'stopped', finished_at = ? WHERE number = ? "
                    "AND state = 'waiting'",
                    (_now(), number),
                ).rowcount
            )

    def list_waiting(self) -> list[Job]:
        """The jobs that wait, in the order in which they were asked for."""
        return self._list("WHERE state = 'waiting' ORDER BY number", ())

    def list_jobs(self, corpus: str, *, limit: int = 50) -> list[Job]:
        """The latest jobs of a corpus, the newest first."""
        return self._list("WHERE corpus = ? ORDER BY number DESC LIMIT ?", (corpus, limit))

    def get_job(self, number: int) -> Job:
        """One job.

        :raises CorpusError: when there is none of this number, or no longer.
        """
        found = self._list("WHERE number = ?", (number,))
        if not found:
            raise CorpusError(f"There is no job {number}.", f"The latest {KEPT_JOBS} are kept.")
        return found[0]

    def list_files(self, number: int) -> list[JobFile]:
        """The files of a job: refused ones first, then in the order of its work."""
        rows = self._database.read(
            "SELECT path, state, chunks, seconds, reason, same_as FROM job_files WHERE job = ? "
            "ORDER BY state != 'failed', ordinal, path",
            (number,),
        )
        return [JobFile(*row) for row in rows]

    def list_outcomes(self, number: int) -> tuple[FileOutcome, ...]:
        """How the files of a job fared that it has come to."""
        return tuple(
            FileOutcome(file.path, file.state, file.chunks, file.seconds, file.reason, file.same_as)
            for file in self.list_files(number)
            if file.state != "waiting" and file.state != "reading"
        )

    def _list(self, condition: str, values: Sequence[object]) -> list[Job]:
        with self._database.lock:
            rows = self._database.read(f"SELECT {_JOB_COLUMNS} FROM jobs {condition}", values)
            return [_read_job(row, self._count_files(row[0])) for row in rows]

    def _count_files(self, number: int) -> dict[str, int]:
        query = "SELECT state, count(*) FROM job_files WHERE job = ? GROUP BY state ORDER BY state"
        return {row[0]: row[1] for row in self._database.read(query, (number,))}


def _read_job(row: Sequence[Any], files: dict[str, int]) -> Job:
    values = dict(zip(_JOB_COLUMNS.split(", "), row, strict=True))
    return Job(**(values | {"only_refused": bool(values["only_refused"])}), files=files)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
