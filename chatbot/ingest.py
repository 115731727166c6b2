"""Flow 1, documents in: files of a corpus folder -> documents -> chunks -> vectors -> library.

An ingest brings the library in step with the folder. Files that have not changed cost a look at
their size and time; a changed one is read, cut and embedded again, where only chunks that are new
need new vectors; a file that is gone leaves the library. Each document is one transaction, so an
ingest may be stopped or killed at any moment and simply be started again. `changes.py` tells what there
is to do.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from chatbot.changes import Change, FolderChanges, compare_folder, hash_file
from chatbot.chunking import CHUNKING_VERSION, chunk_document, hash_text, join_for_embedding
from chatbot.corpora import SourceFile, make_readable, scan_files
from chatbot.documents.reader import READING_VERSION
from chatbot.documents.recognition import is_recognizer_installed
from chatbot.errors import DocumentError, EmptyDocument, LibraryError
from chatbot.languages import DETECTION_VERSION, detect_language
from chatbot.library import Library
from chatbot.sentences import SPLITTING_VERSION, split_rows_and_sentences
from chatbot.types import (
    Chunk,
    Document,
    DocumentRecord,
    Embedder,
    FileOutcome,
    FileResult,
    IngestProgress,
    IngestReport,
    ParsedDocument,
    PassageVectors,
    Span,
    Vectors,
)
from chatbot.vectors import VectorIndex

logger = logging.getLogger(__name__)

MOST_BORROWED = 20_000
"""So many chunks of a document with the same content are looked through for vectors."""

OnProgress = Callable[[IngestProgress], None]


class ReadDocument(Protocol):
    """Reads one file: `DocumentReader.read`."""

    def __call__(self, path: Path) -> ParsedDocument:
        """The document, or a DocumentError."""


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
    _writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def recipe(self) -> str:
        """Names everything that decides what the library holds of a document."""
        versions = f"{READING_VERSION}/{CHUNKING_VERSION}/{SPLITTING_VERSION}/{DETECTION_VERSION}"
        return f"{versions}/{self.max_tokens}/{self.embedder.fingerprint}"

    @property
    def max_tokens(self) -> int:
        return min(self.chunk_tokens, self.embedder.max_tokens)

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
        on_progress: OnProgress = lambda _: None,
        on_outcome: Callable[[FileOutcome], None] = lambda _: None,
        stop: threading.Event | None = None,
        only_refused: bool = False,
        given_up: Collection[str] = (),
    ) -> IngestReport:
        """Bring one corpus in step with its documents folder.

        :param on_changes: called once with what is to be done.
        :param on_progress: called before each file that must be read.
        :param on_outcome: called after each file that was read or is gone.
        :param stop: when set, the ingest ends after the file at hand.
        :param only_refused: only try again what could not be read.
        :param given_up: paths that are refused unread, because the program ended over them before.
        """
        started = time.monotonic()
        should_stop = stop.is_set if stop is not None else lambda: False
        changes = self.find_changes(corpus, folder, only_refused=only_refused, should_stop=should_stop)
        for file in changes.touched:
            self.library.touch_document(
                make_document_id(corpus, file.path), size_bytes=file.size_bytes, modified_ns=file.modified_ns
            )
        on_changes(changes)
        outcomes: list[FileOutcome] = []
        work = _Work(changes.changes, started)
        has_leftovers = False
        for index, change in enumerate(changes.changes):
            if should_stop():
                break
            if change.file is not None:
                if has_leftovers:
                    self.library.erase_leftovers()
                    has_leftovers = False
                on_progress(work.describe(corpus, index, sum(outcome.chunks for outcome in outcomes)))
            outcomes.append(self._make_change(corpus, change, given_up))
            has_leftovers = has_leftovers or outcomes[-1].result == "removed"
            on_outcome(outcomes[-1])
        if self.library.has_leftovers():  # also those of a run that was killed before it erased them
            self.library.erase_leftovers()
        return IngestReport(
            corpus=corpus,
            outcomes=tuple(outcomes),
            unchanged=changes.unchanged,
            chunks=sum(outcome.chunks for outcome in outcomes),
            seconds=time.monotonic() - started,
            stopped=should_stop(),
            refused=tuple(
                FileOutcome(record.path, "failed", reason=record.problem) for record in changes.refused
            ),
        )

    def _make_change(self, corpus: str, change: Change, given_up: Collection[str]) -> FileOutcome:
        if change.file is None:
            return self._remove_path(corpus, change.path)
        if change.kind == "copied" and change.same_as is not None:
            return self._note_copy(corpus, change, change.file, change.same_as)
        if change.path in given_up:
            problem = "The chatbot ended several times while it was read. Split it, or save it again."
            return self._note_failure(corpus, change.file, problem, time.monotonic(), change.digest)
        outcome = self._ingest_file(corpus, change, change.file)
        if change.kind == "renamed" and change.same_as is not None:
            self._remove_path(corpus, change.same_as)
        return outcome

    def remove_document(self, record: DocumentRecord) -> FileOutcome:
        """Take a document out of the library and the index, and erase its words from the disk."""
        outcome = self._remove(record)
        self.library.erase_leftovers()
        return outcome

    def _remove(self, record: DocumentRecord) -> FileOutcome:
        return self._remove_path(record.corpus, record.path)

    def _remove_path(self, corpus: str, path: str) -> FileOutcome:
        started = time.monotonic()
        document_id = make_document_id(corpus, path)
        if (document := self.library.find_document(document_id)) is not None:
            self.on_removed(document.record, self.library.find_same_content(document.record))
        with self._writing, self.vectors.writing():
            removed = self.library.delete_document(document_id)
            self.vectors.update(corpus, ids=[], vectors=np.empty((0, 0), np.float32), removed=removed)
        return FileOutcome(path, "removed", 0, time.monotonic() - started)

    def _ingest_file(self, corpus: str, change: Change, file: SourceFile) -> FileOutcome:
        started = time.monotonic()
        try:
            record = describe_file(corpus, file, change.digest or hash_file(file.location))
            parsed = self.read_document(file.location)
            chunks = self.add_document(record, parsed, file.location, donor=change.donor)
        except DocumentError as error:
            return self._note_failure(corpus, file, str(error), started, change.digest)
        except LibraryError:
            raise
        except OSError as error:  # the file itself was opened elsewhere
            raise LibraryError(
                f"{file.path} could not be taken in ({error.strerror or error}).",
                "Nothing was lost. Free some disk space and memory, then try again.",
            ) from error
        except Exception as error:
            logger.exception("%s could not be taken in", file.path)
            problem = f"It could not be taken in ({type(error).__name__}). Report this with the file."
            return self._note_failure(corpus, file, problem, started)
        seconds = time.monotonic() - started
        result: FileResult = "renamed" if change.kind == "renamed" else name_result(change)
        return FileOutcome(file.path, result, chunks, seconds, same_as=change.same_as)

    def _note_copy(self, corpus: str, change: Change, file: SourceFile, original_path: str) -> FileOutcome:
        """Register a file with the words of another; it is read itself where that one was not."""
        started = time.monotonic()
        original = self.library.find_document(make_document_id(corpus, original_path))
        if original is None or original.record.sha256 != change.digest or not original.record.chunks:
            return self._ingest_file(corpus, replace(change, same_as=None), file)
        record = replace(
            describe_file(corpus, file, change.digest),
            title=original.record.title,
            date=original.record.date,
            pages=original.record.pages,
            language=original.record.language,
        )
        self._write(replace(original, record=record), [], file.location)
        seconds = time.monotonic() - started
        return FileOutcome(file.path, name_result(change), 0, seconds, same_as=original_path)

    def _note_failure(
        self, corpus: str, file: SourceFile, problem: str, started: float, digest: str = ""
    ) -> FileOutcome:
        """Register a file that could not be read, in place of what it was before.

        :param digest: of its bytes; without one it is tried again by every ingest.
        """
        problem = make_readable(problem)
        record = replace(describe_file(corpus, file, digest), problem=problem)
        self._write(Document(record, "", (), ()), [], file.location)
        return FileOutcome(file.path, "failed", 0, time.monotonic() - started, problem)

    def add_document(
        self,
        record: DocumentRecord,
        parsed: ParsedDocument,
        location: Path | None = None,
        *,
        donor: str | None = None,
    ) -> int:
        """Cut, embed and write one document; returns how many chunks it became.

        :param location: where its file lies; nothing is written when it has been deleted meanwhile.
        :param donor: the id of a document of which vectors may be taken where the words are the same.
        :raises EmptyDocument: when there is nothing to search in it.
        """
        chunks = chunk_document(
            parsed,
            document_id=record.id,
            count_tokens=self.embedder.count_tokens,
            max_tokens=self.max_tokens,
        )
        if not chunks:
            raise EmptyDocument(f"“{Path(record.path).name}” holds no text.", "Add one that does.")
        record = replace(
            record,
            title=parsed.title,
            date=parsed.date,
            pages=len(parsed.page_starts),
            chunks=len(chunks),
            language=detect_language(parsed.text),
            authors=parsed.authors,
            unread_pages=parsed.unread_pages,
            recognized_pages=parsed.recognized_pages,
        )
        document = Document(record, parsed.text, parsed.blocks, parsed.page_starts, parsed.sheets)
        self._write(document, chunks, location, donor)
        return len(chunks)

    def _write(
        self, document: Document, chunks: Sequence[Chunk], location: Path | None, donor: str | None = None
    ) -> None:
        """Embed what is new, then write library and index, unless the file went away meanwhile."""
        vectors = self._embed_chunks(chunks, donor)
        with self._writing:
            if location is None or location.exists():
                with self.vectors.writing():
                    self._write_vectors(document, chunks, vectors)

    def _write_vectors(self, document: Document, chunks: Sequence[Chunk], vectors: PassageVectors) -> None:
        added, removed = self.library.replace_document(
            document,
            chunks,
            vectors,
            recipe=self.recipe if document.record.problem is None else self.refusal_recipe,
            fingerprint=self.embedder.fingerprint,
        )
        rows = {chunk.id: row for row, chunk in enumerate(chunks)}
        self.vectors.update(
            document.record.corpus,
            ids=added,
            vectors=vectors.whole[[rows[chunk_id] for chunk_id in added]] if added else vectors.whole[:0],
            removed=removed,
        )

    def _embed_chunks(self, chunks: Sequence[Chunk], donor: str | None) -> PassageVectors:
        """Vectors of the chunks and of their sentences; those that the library has are taken from it."""
        known = self._find_vectors([chunk.id for chunk in chunks])
        if donor is not None and len(known) < len(chunks):
            known |= self._borrow_vectors(chunks, donor)
        fresh = [
            chunk
            for chunk in chunks
            if chunk.id not in known or len(known[chunk.id][1]) != len(list_sentences(chunk))
        ]
        embedded = self.embedder.embed_passages(
            [join_for_embedding(chunk) for chunk in fresh], [list_sentences(chunk) for chunk in fresh]
        )
        for chunk, whole, parts in zip(fresh, embedded.whole, embedded.spans, strict=True):
            known[chunk.id] = whole, parts
        found = [known[chunk.id] for chunk in chunks]
        stacked = np.stack([whole for whole, _ in found]) if found else np.empty((0, 0), np.float32)
        return PassageVectors(stacked, tuple(parts for _, parts in found))

    def _find_vectors(self, ids: Sequence[str]) -> dict[str, tuple[Vectors, Vectors]]:
        """The vectors of chunks and of their sentences, of those chunks that the library has both of."""
        whole = self.library.find_vectors(ids, self.embedder.fingerprint)
        sentences = self.library.find_sentence_vectors(ids, self.embedder.fingerprint)
        return {chunk_id: (whole[chunk_id], sentences[chunk_id]) for chunk_id in whole.keys() & sentences}

    def _borrow_vectors(self, chunks: Sequence[Chunk], donor: str) -> dict[str, tuple[Vectors, Vectors]]:
        """By chunk, the vectors of the donor's chunk with the same words, where there is one."""
        ids = self.library.list_chunks_of([donor], limit=MOST_BORROWED)
        lent = self._find_vectors(ids)
        by_text = {
            join_for_embedding(chunk): lent[chunk_id]
            for chunk_id, (chunk, _) in self.library.find_chunks(ids).items()
            if chunk_id in lent
        }
        texts = {chunk.id: join_for_embedding(chunk) for chunk in chunks}
        return {chunk_id: by_text[text] for chunk_id, text in texts.items() if text in by_text}


def name_result(change: Change) -> FileResult:
    """What a change of a file comes to for whoever reads the report."""
    return "changed" if change.was_known else "added"


def list_sentences(chunk: Chunk) -> list[Span]:
    """Where the sentences of a chunk stand in the text that is embedded for it."""
    offset = len(join_for_embedding(chunk)) - len(chunk.text)
    return [(offset + start, offset + end) for start, end in split_rows_and_sentences(chunk.text)]


@dataclass(frozen=True, slots=True)
class _Work:
    """The bytes to read, to tell how far an ingest is and how long it still takes."""

    changes: Sequence[Change]
    started: float

    def describe(self, corpus: str, done: int, chunks: int) -> IngestProgress:
        sizes_bytes = [change.size_bytes for change in self.changes]
        seconds = time.monotonic() - self.started
        bytes_done, bytes_left = sum(sizes_bytes[:done]), sum(sizes_bytes[done:])
        return IngestProgress(
            corpus=corpus,
            current=self.changes[done].path,
            files_done=sum(change.file is not None for change in self.changes[:done]),
            files_total=sum(change.file is not None for change in self.changes),
            chunks_done=chunks,
            seconds=seconds,
            seconds_left=seconds * bytes_left / bytes_done if bytes_done else None,
        )


def describe_file(corpus: str, file: SourceFile, digest: str) -> DocumentRecord:
    """The register line of a file before it is read."""
    return DocumentRecord(
        id=make_document_id(corpus, file.path),
        corpus=corpus,
        path=file.path,
        title=Path(file.path).stem.replace("-", " ").replace("_", " "),
        format=Path(file.path).suffix.lower().removeprefix("."),
        size_bytes=file.size_bytes,
        modified_ns=file.modified_ns,
        sha256=digest,
        date=None,
        pages=0,
        chunks=0,
        added_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def make_document_id(corpus: str, path: str) -> str:
    """The same for the same place, whatever the file holds."""
    return hash_text(f"{corpus}\0{path}")[:20]
