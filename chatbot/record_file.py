"""A small file of records that several processes share: read again when it changes, written whole."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from filelock import FileLock

from chatbot.errors import LibraryError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


class RecordFile(Generic[Record]):
    """A JSON list of frozen dataclasses, readable by its owner alone. Safe for threads and processes.

    Every look checks whether the file has changed, so that what another process wrote counts at once.

    :param unpack: makes a record of its JSON; a ValueError, KeyError or TypeError says that it is damaged.
    :param noun: what a record is called in messages.
    """

    def __init__(self, path: Path, unpack: Callable[[dict[str, Any]], Record], noun: str) -> None:
        self._path = path
        self._unpack = unpack
        self._noun = noun
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._records: tuple[Record, ...] = ()

    def list_records(self) -> tuple[Record, ...]:
        """All records, oldest first.

        :raises LibraryError: when the file cannot be read.
        """
        with self._lock:
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._records = self._read() if stamp else ()
                self._stamp = stamp
            return self._records

    @contextmanager
    def changing(self) -> Iterator[list[Record]]:
        """The records to change, written whole at the end, one process at a time.

        :raises LibraryError: when the data folder cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock")):
                records = list(self.list_records())
                yield records
                self._write(records)
        except OSError as error:
            raise LibraryError(
                f"{self._path} could not be written ({error.strerror}).",
                "Nothing was changed. Free some disk space or mend the folder's permissions.",
            ) from error

    def _write(self, records: Sequence[Record]) -> None:
        beside = self._path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with open(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump([asdict(record) for record in records], file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def _read_stamp(self) -> tuple[int, ...] | None:
        """Changes whenever the file does; None without one."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._describe_unreadable() from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> tuple[Record, ...]:
        try:
            return tuple(map(self._unpack, json.loads(self._path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._describe_unreadable() from error

    def _describe_unreadable(self) -> LibraryError:
        return LibraryError(
            f"{self._path} cannot be read, so that no {self._noun} can be checked.",
            f"Mend its permissions; if it is damaged, move it away and make the {self._noun}s anew.",
        )


def write_now() -> str:
    """The present time, as it is kept in records."""
    return datetime.now(UTC).isoformat(timespec="seconds")
