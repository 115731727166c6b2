"""Flow 1, documents in: files of a corpus folder -> documents -> chunks -> vectors -> library.

An ingest brings the library in step with the folder. Files that have not changed cost a look at
their size and time; a changed one is read, cut and embedded again, where only chunks that are new
need new vectors; a file that is gone leaves the library. Each document is one transaction, so an
ingest may be stopped or killed at any moment and simply be started again.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from chatbot.chunking import CHUNKING_VERSION, chunk_document, hash_text, join_for_embedding
from chatbot.corpora import SourceFile, make_readable, scan_files
from chatbot.documents.reader import READING_VERSION
from chatbot.errors import DocumentError, LibraryError
from chatbot.languages import DETECTION_VERSION, detect_language
from chatbot.library import Library
from chatbot.sentences import SPLITTING_VERSION, split_rows_and_sentences
from chatbot.types import (
    Chunk,
    Document,
    DocumentRecord,
    Embedder,
    FileOutcome,
    IngestProgress,
    IngestReport,
    ParsedDocument,
    PassageVectors,
    Span,
)
from chatbot.vectors import VectorIndex

logger = logging.getLogger(__name__)

OnProgress = Callable[[IngestProgress], None]


class ReadDocument(Protocol):
    """Reads one file: `DocumentReader.read`."""

    def __call__(self, path: Path) -> ParsedDocument:
        """The document, or a DocumentError."""


@dataclass(frozen=True, slots=True)
class Ingestor:
    """Keeps the library in step with corpus folders.

    :param chunk_tokens: the largest chunk; never more than the embedding model reads.
    """

    library: Library
    vectors: VectorIndex
    embedder: Embedder
    read_document: ReadDocument
    chunk_tokens: int
    _writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def recipe(self) -> str:
        """Names everything that decides what the library holds of a document."""
        versions = f"{READING_VERSION}/{CHUNKING_VERSION}/{SPLITTING_VERSION}/{DETECTION_VERSION}"
        return f"{versions}/{self.max_tokens}/{self.embedder.fingerprint}"

    @property
    def max_tokens(self) -> int:
        return min(self.chunk_tokens, self.embedder.max_tokens)

    def ingest_corpus(
        self,
        corpus: str,
        folder: Path,
        *,
        on_progress: OnProgress = lambda _: None,
        on_outcome: Callable[[FileOutcome], None] = lambda _: None,
        stop: threading.Event | None = None,
        retry_failed: bool = True,
    ) -> IngestReport:
        """Bring one corpus in step with its documents folder.

        :param on_progress: called before each file that must be read.
        :param on_outcome: called after each file that was read or is gone.
        :param stop: when set, the ingest ends after the file at hand.
        :param retry_failed: also try files again that could not be read and have not changed since.
        """
        started = time.monotonic()
        known = {record.path: record for record in self.library.list_documents(corpus)}
        files = list(scan_files(folder))
        gone = sorted(set(known) - {file.path for file in files})
        stale = self._find_stale(corpus, files, known, retry_failed=retry_failed)
        outcomes: list[FileOutcome] = []
        unchanged = len(files) - len(stale)
        work = _Work([file.size_bytes for file in stale], started)
        for path in gone:
            outcomes.append(self._remove(known[path]))
            on_outcome(outcomes[-1])
        if gone:
            self.library.erase_leftovers()
        for index, file in enumerate(stale):
            if stop is not None and stop.is_set():
                break
            on_progress(work.describe(corpus, file.path, index, sum(outcome.chunks for outcome in outcomes)))
            outcome = self._ingest_file(corpus, file, known.get(file.path))
            if outcome.result == "unchanged":
                unchanged += 1
                continue
            outcomes.append(outcome)
            on_outcome(outcome)
        return IngestReport(
            corpus=corpus,
            outcomes=tuple(outcomes),
            unchanged=unchanged,
            chunks=sum(outcome.chunks for outcome in outcomes),
            seconds=time.monotonic() - started,
            stopped=stop is not None and stop.is_set(),
        )

    def remove_document(self, record: DocumentRecord) -> FileOutcome:
        """Take a document out of the library and the index, and erase its words from the disk."""
        outcome = self._remove(record)
        self.library.erase_leftovers()
        return outcome

    def _remove(self, record: DocumentRecord) -> FileOutcome:
        started = time.monotonic()
        with self._writing, self.vectors.writing():
            removed = self.library.delete_document(record.id)
            self.vectors.update(record.corpus, ids=[], vectors=np.empty((0, 0), np.float32), removed=removed)
        return FileOutcome(record.path, "removed", 0, time.monotonic() - started)

    def _find_stale(
        self,
        corpus: str,
        files: Sequence[SourceFile],
        known: dict[str, DocumentRecord],
        *,
        retry_failed: bool,
    ) -> list[SourceFile]:
        """The files whose size, time or recipe is not that of the library, and those that failed."""
        recipes = self.library.list_recipes(corpus)
        return [
            file
            for file in files
            if file.path not in known
            or (retry_failed and known[file.path].problem is not None)
            or (known[file.path].size_bytes, known[file.path].modified_ns)
            != (file.size_bytes, file.modified_ns)
            or recipes[file.path] != self.recipe
        ]

    def _ingest_file(self, corpus: str, file: SourceFile, before: DocumentRecord | None) -> FileOutcome:
        started = time.monotonic()
        try:
            digest = hash_file(file.location)
            if before and before.sha256 == digest and self._has_recipe(corpus, file.path):
                self.library.touch_document(
                    before.id, size_bytes=file.size_bytes, modified_ns=file.modified_ns
                )
                return FileOutcome(file.path, "unchanged")
            record = describe_file(corpus, file, digest)
            parsed = self.read_document(file.location)
            chunks = self.add_document(record, parsed, file.location)
        except DocumentError as error:
            return self._note_failure(corpus, file, str(error), started)
        except LibraryError:
            raise
        except Exception as error:
            logger.exception("%s could not be taken in", file.path)
            problem = f"It could not be taken in ({type(error).__name__}). Report this with the file."
            return self._note_failure(corpus, file, problem, started)
        return FileOutcome(file.path, "changed" if before else "added", chunks, time.monotonic() - started)

    def _note_failure(self, corpus: str, file: SourceFile, problem: str, started: float) -> FileOutcome:
        """Register a file that could not be read, in place of what it was before."""
        problem = make_readable(problem)
        record = replace(describe_file(corpus, file, ""), problem=problem)
        self._write(Document(record, "", (), ()), [], file.location)
        return FileOutcome(file.path, "failed", 0, time.monotonic() - started, problem)

    def add_document(
        self, record: DocumentRecord, parsed: ParsedDocument, location: Path | None = None
    ) -> int:
        """Cut, embed and write one document; returns how many chunks it became.

        :param location: where its file lies; nothing is written when it has been deleted meanwhile.
        """
        chunks = chunk_document(
            parsed,
            document_id=record.id,
            count_tokens=self.embedder.count_tokens,
            max_tokens=self.max_tokens,
        )
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
        self._write(Document(record, parsed.text, parsed.blocks, parsed.page_starts), chunks, location)
        return len(chunks)

    def _has_recipe(self, corpus: str, path: str) -> bool:
        return self.library.list_recipes(corpus).get(path) == self.recipe

    def _write(self, document: Document, chunks: Sequence[Chunk], location: Path | None) -> None:
        """Embed what is new, then write library and index, unless the file went away meanwhile."""
        vectors = self._embed_chunks(chunks)
        with self._writing:
            if location is None or location.exists():
                with self.vectors.writing():
                    self._write_vectors(document, chunks, vectors)

    def _write_vectors(self, document: Document, chunks: Sequence[Chunk], vectors: PassageVectors) -> None:
        added, removed = self.library.replace_document(
            document, chunks, vectors, recipe=self.recipe, fingerprint=self.embedder.fingerprint
        )
        rows = {chunk.id: row for row, chunk in enumerate(chunks)}
        self.vectors.update(
            document.record.corpus,
            ids=added,
            vectors=vectors.whole[[rows[chunk_id] for chunk_id in added]] if added else vectors.whole[:0],
            removed=removed,
        )

    def _embed_chunks(self, chunks: Sequence[Chunk]) -> PassageVectors:
        """Vectors of the chunks and of their sentences; those that the library has are taken from it."""
        ids = [chunk.id for chunk in chunks]
        known = self.library.find_vectors(ids, self.embedder.fingerprint)
        sentences = self.library.find_sentence_vectors(ids, self.embedder.fingerprint)
        counts = {chunk.id: len(list_sentences(chunk)) for chunk in chunks}
        fresh = [
            chunk
            for chunk in chunks
            if chunk.id not in known or len(sentences.get(chunk.id, ())) != counts[chunk.id]
        ]
        embedded = self.embedder.embed_passages(
            [join_for_embedding(chunk) for chunk in fresh], [list_sentences(chunk) for chunk in fresh]
        )
        for chunk, whole, parts in zip(fresh, embedded.whole, embedded.spans, strict=True):
            known[chunk.id], sentences[chunk.id] = whole, parts
        whole = np.stack([known[chunk.id] for chunk in chunks]) if chunks else np.empty((0, 0), np.float32)
        return PassageVectors(whole, tuple(sentences[chunk.id] for chunk in chunks))


def list_sentences(chunk: Chunk) -> list[Span]:
    """Where the sentences of a chunk stand in the text that is embedded for it."""
    offset = len(join_for_embedding(chunk)) - len(chunk.text)
    return [(offset + start, offset + end) for start, end in split_rows_and_sentences(chunk.text)]


@dataclass(frozen=True, slots=True)
class _Work:
    """The bytes to read, to tell how far an ingest is and how long it still takes."""

    sizes_bytes: Sequence[int]
    started: float

    def describe(self, corpus: str, path: str, done: int, chunks: int) -> IngestProgress:
        seconds = time.monotonic() - self.started
        bytes_done = sum(self.sizes_bytes[:done])
        bytes_left = sum(self.sizes_bytes[done:])
        return IngestProgress(
            corpus=corpus,
            current=path,
            files_done=done,
            files_total=len(self.sizes_bytes),
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
