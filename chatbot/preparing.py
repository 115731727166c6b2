"""From a file to what the library takes: read, cut and embedded. Nothing is written here.

Files are read ahead and embedded in groups, whatever their sizes: the embedding model is quickest with
many texts of like length.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from chatbot.ahead import map_in_groups, run_ahead
from chatbot.changes import Change, hash_file
from chatbot.chunk_vectors import ChunkVectors, CutDocument
from chatbot.chunking import chunk_document, hash_text
from chatbot.corpora import SourceFile
from chatbot.errors import DocumentError, EmptyDocument, LibraryError
from chatbot.languages import detect_language
from chatbot.library import Library
from chatbot.types import Document, DocumentRecord, Embedder, ParsedDocument, PassageVectors

logger = logging.getLogger(__name__)

READING_THREADS = min(2, os.cpu_count() or 1)
FILES_AHEAD, BYTES_AHEAD = 32, 8 * 1024**2
"""So many files, and files of so many bytes together, are read ahead; a larger one is read alone."""
GROUP_CHUNKS = 256
"""Files with so many chunks are embedded together: then few texts are filled up to the length of others."""


class ReadDocument(Protocol):
    """Reads one file: `DocumentReader.read`."""

    def __call__(self, path: Path) -> ParsedDocument:
        """The document, or a DocumentError."""


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file on its way into the library, or why it gets no further.

    :param digest: of the bytes of a file with a problem; without one it is tried again by every ingest.
    """

    change: Change
    file: SourceFile
    seconds: float
    cut: CutDocument | None = None
    vectors: PassageVectors | None = None
    problem: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Preparer:
    """Reads, cuts and embeds the files of a corpus.

    :param max_tokens: the largest chunk.
    """

    library: Library
    embedder: Embedder
    read_document: ReadDocument
    max_tokens: int

    def prepare(
        self, corpus: str, changes: Sequence[Change], on_begin: Callable[[str], None]
    ) -> Generator[list[PreparedFile], None, None]:
        """The files of changes in their order, in groups; closing it leaves what was not begun.

        :param on_begin: called with a file's path before it is read, in any thread.
        :raises LibraryError: when disk or memory are full.
        """
        reading = map_in_groups(
            partial(self._read_file, corpus, on_begin),
            changes,
            threads=READING_THREADS,
            may_begin=may_be_read_ahead,
            is_full=lambda group: sum(map(count_chunks, group)) >= GROUP_CHUNKS,
        )
        with closing(reading), closing(run_ahead(map(self._embed_group, reading))) as groups:
            yield from groups

    def _read_file(self, corpus: str, on_begin: Callable[[str], None], change: Change) -> PreparedFile:
        """Read a file and cut it."""
        started = time.monotonic()
        file = cast(SourceFile, change.file)
        read = PreparedFile(change, file, 0.0)
        on_begin(change.path)
        with telling_of(change.path):
            try:
                digest = change.digest or hash_file(file.location)
                record = describe_file(corpus, file, digest)
                cut = self.cut(record, self.read_document(file.location), donor=change.donor)
                read = replace(read, cut=cut)
            except DocumentError as error:
                read = replace(read, problem=str(error), digest=change.digest)
            except (LibraryError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - it is logged
                read = replace(read, problem=describe_surprise(change.path, error))
        return replace(read, seconds=time.monotonic() - started)

    def cut(self, record: DocumentRecord, parsed: ParsedDocument, donor: str | None = None) -> CutDocument:
        """A document with its chunks.

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
        return CutDocument(
            Document(record, parsed.text, parsed.blocks, parsed.page_starts, parsed.sheets),
            tuple(chunks),
            donor,
        )

    def embed(self, cuts: Sequence[CutDocument]) -> list[PassageVectors]:
        """The vectors of each document's chunks and of their sentences."""
        return ChunkVectors(self.library, self.embedder).embed(cuts)

    def _embed_group(self, group: Sequence[PreparedFile]) -> list[PreparedFile]:
        """The files with the vectors of their chunks; where they fail together, each is tried alone."""
        started = time.monotonic()
        cuts = [read.cut for read in group if read.cut is not None]
        try:
            vectors = iter(self.embed(cuts))
        except LibraryError:
            raise
        except Exception as error:  # noqa: BLE001 - it is logged
            if len(group) > 1:
                return [found for read in group for found in self._embed_group([read])]
            problem = describe_surprise(group[0].change.path, error)
            return [replace(group[0], cut=None, problem=problem)]
        seconds = (time.monotonic() - started) / max(sum(map(count_chunks, group)), 1)
        return [
            replace(read, vectors=next(vectors), seconds=read.seconds + seconds * count_chunks(read))
            if read.cut is not None
            else read
            for read in group
        ]


def may_be_read_ahead(changes: Sequence[Change]) -> bool:
    """Whether so many files may be in memory, or about to be."""
    return len(changes) <= FILES_AHEAD and sum(change.size_bytes for change in changes) <= BYTES_AHEAD


def count_chunks(read: PreparedFile) -> int:
    """How many chunks a file became."""
    return len(read.cut.chunks) if read.cut is not None else 0


def describe_surprise(path: str, error: Exception) -> str:
    """What to say of a file over which the program stumbled."""
    logger.error("%s could not be taken in", path, exc_info=error)
    return f"It could not be taken in ({type(error).__name__}). Report this with the file."


@contextmanager
def telling_of(path: str) -> Iterator[None]:
    """Tell of a disk or a memory that is full; a file that cannot be opened is told elsewhere."""
    try:
        yield
    except LibraryError:
        raise
    except OSError as error:
        raise LibraryError(
            f"{path} could not be taken in ({error.strerror or error}).",
            "Nothing was lost. Free some disk space and memory, then try again.",
        ) from error


def make_document_id(corpus: str, path: str) -> str:
    """The same for the same place, whatever the file holds."""
    return hash_text(f"{corpus}\0{path}")[:20]


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
