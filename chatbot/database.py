"""SQLite files: durable at every commit, brought up to date, all or nothing, shared by threads."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

from chatbot.errors import LibraryError


class Database:
    """A SQLite file. Safe to use from several threads.

    Whoever holds `lock` does several things without another thread between them.

    :param upgrades: by version, the statements that lead from it to the next.
    :param survives_power_cut: without it a power cut, but no crash, may undo the last commits, which then
        cost no wait for the disk.
    :raises LibraryError: when it cannot be used, or was made by a newer version of this program.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        version: int,
        upgrades: Mapping[int, str] = MappingProxyType({}),
        *,
        survives_power_cut: bool = True,
    ) -> None:
        self.lock = threading.RLock()
        self._connection = _open(path, schema, version, upgrades, survives_power_cut=survives_power_cut)

    def close(self) -> None:
        with self.lock:
            self._connection.close()

    def read(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """What a query finds.

        :raises LibraryError: when the disk fails, or is too full for what SQLite has to put down.
        """
        with self.lock, _telling():
            return self._connection.execute(query, values).fetchall()

    def write(self, query: str, values: Sequence[object] = ()) -> None:
        """Run one statement; see `transaction`."""
        with self.transaction() as connection:
            connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: commit at the end, roll back on any error.

        :raises LibraryError: when the database cannot be written, for instance on a full disk.
        """
        with self.lock, _transaction(self._connection) as connection:
            yield connection

    def empty_log(self) -> bool:
        """Write the write-ahead log into the file, where deleted text is overwritten, and empty it.

        :return: whether that was possible; another process may be reading the file for a long time.
        :raises LibraryError: when the disk fails.
        """
        [(is_busy, _, _)] = self.read("PRAGMA wal_checkpoint(TRUNCATE)")
        return not is_busy


def _open(
    path: Path,
    schema: str,
    version: int,
    upgrades: Mapping[int, str],
    *,
    survives_power_cut: bool,
) -> sqlite3.Connection:
    """Open or create a file in WAL mode, durable at every commit, deleted text overwritten."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {'FULL' if survives_power_cut else 'NORMAL'}")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA secure_delete = ON")
        found = int(database.execute("PRAGMA user_version").fetchone()[0])
        if found < version:
            steps = [schema] if found == 0 else [upgrades[step] for step in range(found, version)]
            with _transaction(database):
                for statement in _split_statements("".join(steps)):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {version}")
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(
            f"{path} cannot be used ({error}).",
            "Check that the data folder can be written and the disk is not full; if the file is "
            "damaged, move it away and the documents are read again.",
        ) from error
    if found > version:
        database.close()
        raise LibraryError(
            f"{path} was made by a newer version of the chatbot.",
            "Update the chatbot, or choose another data folder with CHATBOT_DATA_FOLDER.",
        )
    return database


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, though another process may be writing it.

    :raises LibraryError: when it cannot be read, or the copy cannot be written.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as found,
            closing(sqlite3.connect(target)) as copy,
        ):
            found.backup(copy)
    except sqlite3.Error as error:
        raise LibraryError(
            f"{source} cannot be copied ({error}).", "Check that the disk is not full, then try again."
        ) from error


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    with _telling():
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # a full disk may have ended it already
                database.execute("ROLLBACK")
            raise


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise LibraryError(
            f"The data folder could not be used ({error}).",
            "Nothing was lost. Free some disk space or mend the folder's permissions, then try again.",
        ) from error


def _split_statements(schema: str) -> Iterator[str]:
    statement = ""
    for line in schema.strip().splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
