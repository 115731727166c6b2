"""What an ingest did and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FileResult = Literal["added", "changed", "renamed", "unchanged", "removed", "failed"]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How one file fared in an ingest; `reason` is what to tell the user when it failed.

    `same_as` is the path that a renamed file had; of any other file, the one that it is a copy of.
    """

    path: str
    result: FileResult
    chunks: int = 0
    seconds: float = 0.0
    reason: str | None = None
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Where an ingest stands: the file being read, files and chunks done, and an estimate."""

    corpus: str
    current: str
    files_done: int
    files_total: int
    chunks_done: int
    seconds: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did, file by file; unchanged files are only counted.

    `refused` are those that an earlier ingest could not read and that have not changed since. `job` is
    the number under which the ingest is kept; 0 where it is not.
    """

    corpus: str
    outcomes: tuple[FileOutcome, ...]
    unchanged: int
    chunks: int
    seconds: float
    stopped: bool = False
    refused: tuple[FileOutcome, ...] = ()
    job: int = 0
