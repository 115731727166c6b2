"""Writes everything that is kept into one file while the chatbot runs, and puts it back elsewhere.

The databases are copied by SQLite's own backup, which gives the state of one moment also while they are
written. The vector index is left out, because it is made again from the library, and so are the models.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatbot import __version__
from chatbot.errors import LibraryError
from chatbot.ownership import claim_data_folder

FORMAT = 1
DATABASES = (
    "library.sqlite3",
    "chats.sqlite3",
    "jobs.sqlite3",
    "receipts.sqlite3",
    "feedback.sqlite3",
    "sites.sqlite3",
)
FILES = ("keys.json", "sites.json", "index.json")
OTHER_DATABASES, OTHER_FILES = "indexes/*/library.sqlite3", "indexes/*/index-state.json"
"""Those of the indexes beside the first one."""
_DESCRIPTION = "backup.json"
_DATA, _CORPORA = "data", "corpora"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: how many files of corpora, and its size."""

    path: Path
    corpus_files: int
    size_bytes: int


def write_backup(target: Path, *, data_folder: Path, corpora_folder: Path, report: Report) -> Backup:
    """Write databases, keys and corpora into a tar file; a chatbot may use them meanwhile.

    A file of that name is only replaced by a backup that is whole.

    :raises LibraryError: when there is nothing to back up, or the file cannot be written.
    """
    if not (data_folder / DATABASES[0]).is_file():
        raise LibraryError(f"There is no library in {data_folder}.", "Run: chatbot ingest.")
    partial = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive:
            _add_bytes(archive, _DESCRIPTION, json.dumps({"format": FORMAT, "version": __version__}).encode())
            report("the library is copied")
            _add_data(archive, data_folder, target.parent)
            report("the documents are copied")
            count = _add_corpora(archive, corpora_folder)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise LibraryError(
            f"The backup {target} could not be written ({_describe(error)}).",
            "Check that the folder can be written and the disk is not full.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return Backup(target, count, target.stat().st_size)


def _add_data(archive: tarfile.TarFile, data_folder: Path, scratch: Path) -> None:
    for path in list_kept(data_folder, DATABASES, OTHER_DATABASES):
        with tempfile.TemporaryDirectory(dir=scratch, prefix=".backup-") as folder:
            copy_database(path, Path(folder) / path.name)
            archive.add(Path(folder) / path.name, f"{_DATA}/{path.relative_to(data_folder).as_posix()}")
    for path in list_kept(data_folder, FILES, OTHER_FILES):
        archive.add(path, f"{_DATA}/{path.relative_to(data_folder).as_posix()}")


def list_kept(data_folder: Path, names: Sequence[str], pattern: str) -> list[Path]:
    """The files of these names that are there, and those below that fit the pattern."""
    named = [data_folder / name for name in names if (data_folder / name).is_file()]
    return named + sorted(data_folder.glob(pattern))


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, also while others write it."""
    with (
        contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _add_corpora(archive: tarfile.TarFile, folder: Path) -> int:
    """Add every ordinary file of the corpora; one that goes away meanwhile is left out."""
    count = 0
    for path in _list_files(folder):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            entry = archive.gettarinfo(
                fileobj=file, arcname=f"{_CORPORA}/{path.relative_to(folder).as_posix()}"
            )
            content = _FixedLength(file, entry.size)
            archive.addfile(entry, content)
            count += 1
    return count


def _list_files(folder: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(folder):
        folders.sort()
        yield from (
            path
            for name in sorted(names)
            if (path := Path(directory) / name).is_file() and not path.is_symlink()
        )


class _FixedLength(io.RawIOBase):
    """A file of which exactly so many bytes are read, though it grows or shrinks meanwhile."""

    def __init__(self, file: io.BufferedReader, size_bytes: int) -> None:
        self._file = file
        self._left = size_bytes

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        self._left -= wanted
        return self._file.read(wanted).ljust(wanted, b"\0")


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
    archive.addfile(entry, io.BytesIO(content))


def restore_backup(source: Path, *, data_folder: Path, corpora_folder: Path, report: Report) -> int:
    """Put a backup into folders that hold no library and no corpora yet; the number of files restored.

    :raises LibraryError: when the folders are in use or not empty, or the file is no backup, is damaged, or
        was made by a newer version. Nothing is changed then.
    """
    ownership = claim_data_folder(data_folder)
    try:
        _check_empty(data_folder, corpora_folder)
        with tempfile.TemporaryDirectory(dir=data_folder, prefix="restoring-") as folder:
            report("the backup is unpacked")
            _unpack(source, Path(folder))
            return _move_into_place(Path(folder), data_folder, corpora_folder)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise LibraryError(
            f"{source} could not be restored ({_describe(error)}).",
            "Check that it is a whole backup, made by chatbot backup, and that there is space for it.",
        ) from error
    finally:
        ownership.release()


def _check_empty(data_folder: Path, corpora_folder: Path) -> None:
    taken = list_kept(data_folder, (*DATABASES, *FILES), OTHER_DATABASES)
    taken += [corpora_folder] if corpora_folder.is_dir() and any(corpora_folder.iterdir()) else []
    if taken:
        raise LibraryError(
            f"{taken[0]} is there already; a backup does not replace anything.",
            "Choose empty folders with CHATBOT_DATA_FOLDER and CHATBOT_CORPORA_FOLDER.",
        )


def _unpack(source: Path, folder: Path) -> None:
    with tarfile.open(source) as archive:
        first = archive.next()
        content = archive.extractfile(first) if first and first.name == _DESCRIPTION else None
        try:
            found = json.load(content)["format"] if content else None
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, int):
            raise LibraryError(f"{source} is no backup of a chatbot.", "Choose a file that it made.")
        if found > FORMAT:
            raise LibraryError(f"{source} was made by a newer version of the chatbot.", "Update the chatbot.")
        archive.extractall(folder, filter="data")


def _move_into_place(unpacked: Path, data_folder: Path, corpora_folder: Path) -> int:
    count = sum(path.is_file() for path in unpacked.rglob("*")) - 1
    corpora_folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((unpacked / _CORPORA).glob("*")):
        shutil.move(path, corpora_folder / path.name)
    kept = unpacked / _DATA
    files = list_kept(kept, FILES, OTHER_FILES)
    databases = list_kept(kept, DATABASES, OTHER_DATABASES)
    for path in (*files, *reversed(databases)):  # the library last: with it the restored folder is whole
        target = data_folder / path.relative_to(kept)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    return count


def _describe(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
