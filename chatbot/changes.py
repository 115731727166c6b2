"""What has changed in a corpus folder since the library last saw it, and what has to be done about it.

A file is told by its place, and by its content where only the place has changed: of files with the same
bytes and ending the first by path is read, and the others are copies of it. A file that has changed its
place is renamed, not read as a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from chatbot.corpora import SourceFile
from chatbot.errors import DocumentError
from chatbot.types import DocumentRecord

ChangeKind = Literal["added", "changed", "renamed", "copied", "removed"]
ContentKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do so that the library is in step.

    `same_as` is the path that a renamed file had, or whose copy a copied one is. `donor` is the id of a
    document with the same content, of which vectors can be taken.
    """

    kind: ChangeKind
    path: str
    file: SourceFile | None = None
    digest: str = ""
    same_as: str | None = None
    donor: str | None = None
    was_known: bool = False

    @property
    def size_bytes(self) -> int:
        return self.file.size_bytes if self.file else 0


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """How a folder differs from the library.

    `changes` stand in the order in which they are best made. `touched` have a new time stamp and nothing
    else; `refused` could not be read before and have not changed.
    """

    changes: tuple[Change, ...]
    touched: tuple[SourceFile, ...]
    refused: tuple[DocumentRecord, ...]
    unchanged: int


def compare_folder(
    files: Sequence[SourceFile],
    known: Mapping[str, DocumentRecord],
    is_current: Callable[[DocumentRecord], bool],
    *,
    only_refused: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> FolderChanges:
    """Find what has to be done; only files with a new size or time are opened.

    :param known: the register's lines by path.
    :param is_current: whether a document was read as it would be read today.
    :param only_refused: look at nothing but files that could not be read, and try all of these again.
    :param should_stop: asked before each file that is opened; what is not looked at is left as it is.
    """
    look = _Look(known, is_current, only_refused)
    for file in files:
        look.at(file, should_stop)
    stale = look.stale | set(look.find_wrong_copies())
    removed = [] if only_refused else sorted(known.keys() - {file.path for file in files})
    changes = tuple(_order_changes(look, [file for file in files if file.path in stale], removed))
    touched = tuple(file for file in look.touched if file.path not in stale)
    return FolderChanges(
        changes,
        touched,
        tuple(look.refused.values()),
        unchanged=sum(file.path in known and file.path not in stale for file in files) - len(look.refused),
    )


class _Look:
    """What a look at the files of a folder finds."""

    def __init__(
        self,
        known: Mapping[str, DocumentRecord],
        is_current: Callable[[DocumentRecord], bool],
        only_refused: bool,
    ) -> None:
        self.known = known
        self.digests: dict[str, str] = {}
        self.stale: set[str] = set()
        self.touched: list[SourceFile] = []
        self.refused: dict[str, DocumentRecord] = {}
        self._is_current = is_current
        self._only_refused = only_refused
        self._originals: dict[ContentKey, str] = {}

    def at(self, file: SourceFile, should_stop: Callable[[], bool]) -> None:
        """Look at a file, and open it if its size or time is not the one that is known."""
        record = self.known.get(file.path)
        is_known = record is not None and (record.size_bytes, record.modified_ns) == (
            file.size_bytes,
            file.modified_ns,
        )
        if record is not None and (is_known or self._only_refused):
            self.digests[file.path] = record.sha256
            is_stale = record.problem is not None if self._only_refused else not self._is_current(record)
            self._sort_in(file, record, is_stale=is_stale)
        elif not self._only_refused and not should_stop():
            digest = self.digests[file.path] = _hash_if_readable(file.location)
            is_same = record is not None and digest != "" and digest == record.sha256
            if record is None or not is_same:
                self.stale.add(file.path)
                return
            self.touched.append(file)
            self._sort_in(file, record, is_stale=not self._is_current(record))

    def _sort_in(self, file: SourceFile, record: DocumentRecord, *, is_stale: bool) -> None:
        if is_stale:
            self.stale.add(file.path)
        elif record.problem is not None:
            self.refused[file.path] = record

    def find_wrong_copies(self) -> Iterator[str]:
        """Files that were read and are to be copies, and copies that are to be read."""
        for path in sorted(self.digests):
            if self.digests[path] and path not in self.refused:
                self._originals.setdefault(make_content_key(path, self.digests[path]), path)
        for path in self.digests.keys() - self.stale - self.refused.keys():
            if is_copy(self.known[path]) != (self.find_original(path) is not None):
                yield path

    def find_original(self, path: str) -> str | None:
        """The file that this one is a copy of."""
        original = self._originals.get(make_content_key(path, self.digests[path]))
        return original if original != path else None


def _order_changes(look: _Look, stale: Sequence[SourceFile], gone: Sequence[str]) -> Iterator[Change]:
    """What is deleted goes first, then what only changes its place, then what is read, at last copies.

    A copy of which the original is deleted takes its vectors before these go.
    """
    donors = {
        make_content_key(record.path, record.sha256): record
        for record in look.known.values()
        if record.sha256 and record.chunks
    }
    left = set(gone)
    renamed, read, copied = [], [], []
    for file in sorted(stale, key=lambda file: file.path):
        digest = look.digests[file.path]
        was_known = file.path in look.known
        if original := look.find_original(file.path):
            copied.append(Change("copied", file.path, file, digest, same_as=original, was_known=was_known))
            continue
        donor = donors.get(make_content_key(file.path, digest))
        donor_id = donor.id if donor else None
        if donor is not None and donor.path in left and not was_known:
            left.remove(donor.path)
            renamed.append(Change("renamed", file.path, file, digest, same_as=donor.path, donor=donor_id))
        else:
            kind: ChangeKind = "changed" if was_known else "added"
            read.append(Change(kind, file.path, file, digest, donor=donor_id, was_known=was_known))
    heirs = [change for change in read if change.donor in {look.known[path].id for path in left}]
    inherited = {path for path in left if look.known[path].id in {heir.donor for heir in heirs}}
    yield from (Change("removed", path) for path in sorted(left - inherited))
    yield from [*renamed, *heirs]
    yield from (Change("removed", path) for path in sorted(inherited))
    yield from (change for change in read if change not in heirs)
    yield from copied


def make_content_key(path: str, digest: str) -> ContentKey:
    """The same for files that would be read in the same way to the same text."""
    return digest, PurePosixPath(path).suffix.lower()


def is_copy(record: DocumentRecord) -> bool:
    """Whether another document holds this one's words: it can be read, and has no chunks of its own."""
    return record.problem is None and record.chunks == 0


def _hash_if_readable(path: Path) -> str:
    try:
        return hash_file(path)
    except DocumentError:  # it is told when the file is to be read
        return ""


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes.

    :raises DocumentError: when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DocumentError(
            f"{path.name} could not be opened ({error.strerror}).", "Check its permissions."
        ) from error
