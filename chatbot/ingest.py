"""Flow 1, documents in: files of a corpus folder -> documents -> chunks -> vectors -> library.

An ingest brings the library in step with the folder. Files that have not changed cost a look at
their size and time; a changed one is read, cut and embedded again, where only chunks that are new
need new vectors; a file that is gone leaves the library. Each document is one transaction, so an
ingest may be stopped or killed at any moment and simply be started again. `changes.py` tells what there
is to do.

While some files are written, the next are embedded and those after them read and cut.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import cast

import numpy as np

from chatbot.changes import Change, FolderChanges, compare_folder
from chatbot.chunk_vectors import CutDocument
from chatbot.chunking import CHUNKING_VERSION
from chatbot.corpora import SourceFile, make_readable, scan_files
from chatbot.documents.reader import READING_VERSION
from chatbot.documents.recognition import is_recognizer_installed
from chatbot.errors import LibraryError
from chatbot.ingest_account import IngestAccount
from chatbot.jobs import MOST_ATTEMPTS
from chatbot.languages import DETECTION_VERSION
from chatbot.library import Library
from chatbot.memory import give_back_memory
from chatbot.preparing import (
    PreparedFile,
    Preparer,
    ReadDocument,
    describe_file,
    describe_surprise,
    make_document_id,
    telling_of,
)
from chatbot.sentences import SPLITTING_VERSION
from chatbot.types import (
    Document,
    DocumentRecord,
    Embedder,
    FileOutcome,
    FileResult,
    IngestProgress,
    IngestReport,
    ParsedDocument,
    PassageVectors,
    Vectors,
)
from chatbot.vectors import VectorIndex

OnProgress = Callable[[IngestProgress], None]


@dataclass(slots=True)
class _IndexUpdate:
    """What the vector index has to be told of documents that were written."""

    ids: list[str] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ingestor:
    """Keeps the library in step with corpus folders.

    :param chunk_tokens: the largest chunk; never more than the embedding model reads.
    :param on_removed: called before a document goes, with another of the same content if there is one.
    """

    library: Library
    vectors: VectorIndex
    embedder: Embedder
    read_document: ReadDocument
    chunk_tokens: int
    on_removed: Callable[[DocumentRecord, DocumentRecord | None], None] = lambda *_: None
    _writing: threading.RLock = field(default_factory=threading.RLock)

    @property
    def recipe(self) -> str:
        """Names everything that decides what the library holds of a document."""
        versions = f"{READING_VERSION}/{CHUNKING_VERSION}/{SPLITTING_VERSION}/{DETECTION_VERSION}"
        return f"{versions}/{self.max_tokens}/{self.embedder.fingerprint}"

    @property
    def max_tokens(self) -> int:
        return min(self.chunk_tokens, self.embedder.max_tokens)

    @property
    def _preparer(self) -> Preparer:
        return Preparer(self.library, self.embedder, self.read_document, self.max_tokens)

    @property
    def refusal_recipe(self) -> str:
        """The recipe of a file that cannot be read: other programs may read it one day."""
        return f"{self.recipe}/{'pictures read' if is_recognizer_installed() else 'pictures not read'}"

    def find_changes(
        self,
        corpus: str,
        folder: Path,
        *,
        only_refused: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> FolderChanges:
        """What an ingest would do; nothing is written. See `compare_folder`."""
        recipes = self.library.list_recipes(corpus)

        def is_current(record: DocumentRecord) -> bool:
            if record.problem is None:
                return recipes[record.path] == self.recipe
            return recipes[record.path] == self.refusal_recipe and record.sha256 != ""

        return compare_folder(
            list(scan_files(folder)),
            {record.path: record for record in self.library.list_documents(corpus)},
            is_current,
            only_refused=only_refused,
            should_stop=should_stop,
        )

    def ingest_corpus(
        self,
        corpus: str,
        folder: Path,
        *,
        on_changes: Callable[[FolderChanges], None] = lambda _: None,
        on_begin: Callable[[str], None] = lambda _: None,
        on_progress: OnProgress = lambda _: None,
        on_outcome: Callable[[FileOutcome], None] = lambda _: None,
        stop: threading.Event | None = None,
        only_refused: bool = False,
        attempts: Mapping[str, int] = MappingProxyType({}),
    ) -> IngestReport:
        """Bring one corpus in step with its documents folder.

        :param on_changes: called once with what is to be done.
        :param on_begin: called with the path of each file before it is read; several are read ahead.
        :param on_progress: called before each file that must be read, when it is the next to be done.
        :param on_outcome: called after each file that was read or is gone, in the order of the changes.
        :param stop: when set, the ingest ends after the file at hand.
        :param only_refused: only try again what could not be read.
        :param attempts: how often the program ended while a file was in hand, by path: such a file is
            read alone, and one of `MOST_ATTEMPTS` is refused unread.
        """
        started = time.monotonic()
        should_stop = stop.is_set if stop is not None else lambda: False
        changes = self.find_changes(corpus, folder, only_refused=only_refused, should_stop=should_stop)
        for file in changes.touched:
            self.library.touch_document(
                make_document_id(corpus, file.path), size_bytes=file.size_bytes, modified_ns=file.modified_ns
            )
        on_changes(changes)
        if changes.changes:
            chunks = self.library.chunks.count_chunks(corpus, self.embedder.fingerprint)
            self.vectors.check_once(corpus, chunks)
        account = IngestAccount(
            corpus, changes.changes, started, should_stop, on_begin, on_progress, on_outcome
        )
        account.tell_progress()
        for step, some in groupby(changes.changes, partial(name_step, attempts=attempts)):
            if should_stop():
                break
            self._take_step(step, list(some), account)
        if self.library.has_leftovers():  # also those of a run that was killed before it erased them
            self.library.erase_leftovers()
        return IngestReport(
            corpus=corpus,
            outcomes=tuple(account.outcomes),
            unchanged=changes.unchanged,
            chunks=account.chunks,
            seconds=time.monotonic() - started,
            stopped=should_stop(),
            refused=tuple(
                FileOutcome(record.path, "failed", reason=record.problem) for record in changes.refused
            ),
        )

    def _take_step(self, step: str, changes: Sequence[Change], account: IngestAccount) -> None:
        """Make changes of one kind, in their order."""
        if step == "remove":
            for change in account.until_stopped(changes):
                account.note(self._remove_path(account.corpus, change.path))
            self.library.erase_leftovers()
        elif step == "copy":
            for change in account.until_stopped(changes):
                self._note_copy(change, account)
        elif step == "give up":
            for change in account.until_stopped(changes):
                problem = "The chatbot ended several times while it was read. Split it, or save it again."
                account.note(self._write_problem(account.corpus, change, problem, change.digest))
        else:
            self._take_in(changes, account)

    def _take_in(self, changes: Sequence[Change], account: IngestAccount) -> None:
        """Read, cut, embed and write files."""
        prepared = self._preparer.prepare(account.corpus, changes, account.on_begin)
        with closing(prepared):
            for group in prepared:
                account.note_ready([item.change for item in group])
                self._write_group(group, account)
                give_back_memory()
                if account.should_stop():
                    return

    def _write_group(self, group: Sequence[PreparedFile], account: IngestAccount) -> None:
        """Write files one by one, and tell the vector index of all of them at once."""
        with self._updating_index(account.corpus) as update:
            for read in group:
                if account.should_stop():
                    break
                outcome = self._write_file(read, account.corpus, update)
                if read.change.kind == "renamed" and read.change.same_as is not None:
                    self._remove_path(account.corpus, read.change.same_as)
                account.note(outcome)

    def _write_file(self, read: PreparedFile, corpus: str, update: _IndexUpdate) -> FileOutcome:
        """Write one file, or why it could not be read, unless it went away meanwhile."""
        started = time.monotonic()
        change, problem, digest = read.change, read.problem, read.digest
        with telling_of(change.path):
            try:
                if read.cut is not None and read.vectors is not None:
                    if read.file.location.exists():
                        self._write(read.cut, read.vectors, update)
                    seconds = read.seconds + time.monotonic() - started
                    result: FileResult = "renamed" if change.kind == "renamed" else name_result(change)
                    return FileOutcome(
                        change.path, result, len(read.cut.chunks), seconds, same_as=change.same_as
                    )
            except (LibraryError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - it is logged
                problem, digest = describe_surprise(change.path, error), ""
            return self._write_problem(corpus, change, problem, digest, read.seconds)

    @contextmanager
    def _updating_index(self, corpus: str) -> Iterator[_IndexUpdate]:
        """Gathers what is written to the library, and brings the vector index in step with it at the end."""
        update = _IndexUpdate()
        with self._writing, self.vectors.writing():
            try:
                yield update
            finally:
                self.vectors.update(
                    corpus,
                    ids=update.ids,
                    vectors=np.stack(update.vectors) if update.vectors else np.empty((0, 0), np.float32),
                    removed=update.removed,
                )

    def _write(self, cut: CutDocument, vectors: PassageVectors, update: _IndexUpdate) -> None:
        added, removed = self.library.replace_document(
            cut.document,
            cut.chunks,
            vectors,
            recipe=self.recipe if cut.document.record.problem is None else self.refusal_recipe,
            fingerprint=self.embedder.fingerprint,
        )
        rows = {chunk.id: row for row, chunk in enumerate(cut.chunks)}
        update.ids += added
        update.vectors += [vectors.whole[rows[chunk_id]] for chunk_id in added]
        update.removed += removed

    def _write_alone(self, document: Document, location: Path) -> None:
        """Write a document without chunks, unless its file went away meanwhile."""
        with self._updating_index(document.record.corpus) as update:
            if location.exists():
                self._write(
                    CutDocument(document, ()), PassageVectors(np.empty((0, 0), np.float32), ()), update
                )

    def _write_problem(
        self, corpus: str, change: Change, problem: str, digest: str, seconds: float = 0.0
    ) -> FileOutcome:
        """Register a file that could not be read, in place of what it was before.

        :param digest: of its bytes; without one it is tried again by every ingest.
        """
        started = time.monotonic()
        file = cast(SourceFile, change.file)
        problem = make_readable(problem)
        record = replace(describe_file(corpus, file, digest), problem=problem)
        self._write_alone(Document(record, "", (), ()), file.location)
        return FileOutcome(change.path, "failed", 0, seconds + time.monotonic() - started, problem)

    def _note_copy(self, change: Change, account: IngestAccount) -> None:
        """Register a file with the words of another; it is read itself where that one was not."""
        started = time.monotonic()
        file = cast(SourceFile, change.file)
        original = self.library.find_document(make_document_id(account.corpus, change.same_as or ""))
        if original is None or original.record.sha256 != change.digest or not original.record.chunks:
            self._take_in([replace(change, same_as=None)], account)
            return
        account.on_begin(change.path)
        record = replace(
            describe_file(account.corpus, file, change.digest),
            title=original.record.title,
            date=original.record.date,
            pages=original.record.pages,
            language=original.record.language,
        )
        self._write_alone(replace(original, record=record), file.location)
        seconds = time.monotonic() - started
        account.note(FileOutcome(change.path, name_result(change), 0, seconds, same_as=change.same_as))

    def remove_document(self, record: DocumentRecord) -> FileOutcome:
        """Take a document out of the library and the index, and erase its words from the disk."""
        outcome = self._remove_path(record.corpus, record.path)
        self.library.erase_leftovers()
        return outcome

    def _remove_path(self, corpus: str, path: str) -> FileOutcome:
        started = time.monotonic()
        document_id = make_document_id(corpus, path)
        if (document := self.library.find_document(document_id)) is not None:
            self.on_removed(document.record, self.library.find_same_content(document.record))
        with self._updating_index(corpus) as update:
            update.removed += self.library.delete_document(document_id)
        return FileOutcome(path, "removed", 0, time.monotonic() - started)

    def add_document(self, record: DocumentRecord, parsed: ParsedDocument) -> int:
        """Cut, embed and write one document that lies in no file; returns how many chunks it became.

        :raises EmptyDocument: when there is nothing to search in it.
        """
        cut = self._preparer.cut(record, parsed)
        [vectors] = self._preparer.embed([cut])
        with self._updating_index(record.corpus) as update:
            self._write(cut, vectors, update)
        return len(cut.chunks)


def name_step(change: Change, attempts: Mapping[str, int]) -> str:
    """How a change is made; those with the same name that follow each other are made together."""
    if change.file is None:
        return "remove"
    if change.kind == "copied":
        return "copy"
    if attempts.get(change.path, 0) >= MOST_ATTEMPTS:
        return "give up"
    return f"read {change.path} alone" if change.path in attempts else "read"


def name_result(change: Change) -> FileResult:
    """What a change of a file comes to for whoever reads the report."""
    return "changed" if change.was_known else "added"
