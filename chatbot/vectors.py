"""The nearest chunks to a vector, by Chroma; the only module that imports it.

Chroma's files are rewritten in place, so a crash or a full disk can leave them unreadable. They are
never the truth: a marker file stands beside them while they are written. An index that was left with
its marker, of which a file is not as it was left, which does not open, or which holds another number
of chunks than the library is made again from the library in a new folder.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.errors import LibraryError
from chatbot.types import Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

BATCH_ROWS = 4000
"""Chroma takes at most 5,461 rows a call."""

logger = logging.getLogger(__name__)

ReadVectors = Callable[[str, str], Iterable[tuple[list[str], Vectors]]]


class VectorIndex:
    """One Chroma collection a corpus and embedding model, in `folder`; opened at its first use.

    Safe to call from several threads; one process at a time (see `ownership.py`).

    :param fingerprint: of the embedding model; vectors of different models are never mixed.
    :param read_vectors: gives ids and vectors of a corpus and model from the library, to rebuild from.
    """

    def __init__(self, folder: Path, *, fingerprint: str, read_vectors: ReadVectors) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._read_vectors = read_vectors
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._marker = folder / "being-written"
        self._manifest = folder / "files.json"
        self._opened: ClientAPI | None = None
        self._collections: dict[str, Any] = {}
        self._checked: set[str] = set()

    def was_left_properly(self) -> bool:
        """Whether the index's files are those of the last write, and that was ended; nothing is opened."""
        return not self._marker.exists() and self._is_as_left(self._find_generation())

    def _open(self) -> ClientAPI:
        with self._lock:
            if self._opened is None:
                self._opened = self._open_client()
            return self._opened

    def _open_client(self) -> ClientAPI:
        generation = self._find_generation()
        if not self.was_left_properly():
            logger.info("the vector index was not left properly and is made again")
            generation += 1
        for other in self._list_generations():
            if other != generation:
                shutil.rmtree(self._folder / str(other), ignore_errors=True)
        try:
            return _connect(self._folder / str(generation))
        except Exception:  # Chroma raises many kinds for damaged files
            logger.warning("the vector index does not open and is made again", exc_info=True)
        with _telling():
            return _connect(self._folder / str(generation + 1))

    def close(self) -> None:
        """Let go of the index's files and threads."""
        with self._lock:
            if self._opened is None:
                return
            self._opened.close()
            if not self._marker.exists():
                self._settle()

    def _is_as_left(self, generation: int) -> bool:
        """Whether the index's files are those of the last write; Chroma may crash over others."""
        folder = self._folder / str(generation)
        try:
            return bool(json.loads(self._manifest.read_text()) == list_index_files(folder))
        except (OSError, ValueError):
            return not folder.exists()

    def _settle(self) -> None:
        """Note that library and index agree."""
        files = list_index_files(self._folder / str(self._find_generation()))
        partial = self._manifest.with_suffix(".part")
        partial.write_text(json.dumps(files))
        partial.replace(self._manifest)
        self._marker.unlink(missing_ok=True)

    def _list_generations(self) -> list[int]:
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdigit())

    def _find_generation(self) -> int:
        return max(self._list_generations(), default=1)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Mark the index as unfinished, from before the library changes until both agree again.

        Where that fails, or the process dies, the mark stays and the index is made again at the next start.
        """
        with self._lock:
            self._open()
            if self._marker.exists():
                yield
                return
            with _telling(), self._marker.open("w") as marker:
                os.fsync(marker.fileno())
            yield
            with _telling():
                self._settle()

    def _open_collection(self, corpus: str) -> Any:  # noqa: ANN401 - chromadb is not typed strictly
        with self._lock:
            if corpus not in self._collections:
                self._collections[corpus] = self._open().get_or_create_collection(
                    f"{corpus}-{self._fingerprint}",
                    embedding_function=None,
                    configuration={"hnsw": {"space": "cosine"}},
                )
            return self._collections[corpus]

    def check(self, corpus: str, expected_chunks: int) -> bool:
        """Make the corpus's collection again unless it answers and holds all the library's chunks.

        :return: whether it had to be made again.
        """
        with self._lock:
            self._open()
            self._checked.add(corpus)
            try:
                sound = not self._marker.exists() and self._answers(corpus, expected_chunks)
            except Exception:  # Chroma raises many kinds for damaged files
                logger.warning("the vector index of %s is damaged", corpus, exc_info=True)
                sound = False
            if not sound:
                self.rebuild(corpus)
            return not sound

    def check_once(self, corpus: str, expected_chunks: int) -> None:
        """Check the corpus's collection unless this object has done so."""
        if corpus not in self._checked:
            self.check(corpus, expected_chunks)

    def _answers(self, corpus: str, expected_chunks: int) -> bool:
        collection = self._open_collection(corpus)
        if collection.count() != expected_chunks:
            return False
        for ids, vectors in self._read_vectors(corpus, self._fingerprint):
            found = collection.query(query_embeddings=vectors[:3], n_results=1, include=["distances"])
            return len(found["ids"]) == len(ids[:3]) and all(row[0] < 1e-3 for row in found["distances"])
        return True

    def rebuild(self, corpus: str) -> None:
        """Make the corpus's collection again from the library.

        :raises LibraryError: when the index cannot be written.
        """
        with self.writing(), _telling():
            name = f"{corpus}-{self._fingerprint}"
            self._collections.pop(corpus, None)
            if name in [collection.name for collection in self._open().list_collections()]:
                self._open().delete_collection(name)
            collection = self._open_collection(corpus)
            for ids, vectors in self._read_vectors(corpus, self._fingerprint):
                for first in range(0, len(ids), BATCH_ROWS):
                    rows = slice(first, first + BATCH_ROWS)
                    collection.upsert(ids=ids[rows], embeddings=vectors[rows])
            self._settle()

    def update(self, corpus: str, *, ids: Sequence[str], vectors: Vectors, removed: Sequence[str]) -> None:
        """Add chunks with their vectors, of shape (len(ids), dimension), and remove others.

        :raises LibraryError: when the index cannot be written, for instance on a full disk; it is made
            again at the next start.
        """
        if not ids and not removed:
            return
        with self.writing(), _telling():
            self._update(self._open_collection(corpus), ids, vectors, removed)

    def _update(
        self,
        collection: Any,  # noqa: ANN401 - chromadb is not typed strictly
        ids: Sequence[str],
        vectors: Vectors,
        removed: Sequence[str],
    ) -> None:
        for first in range(0, len(removed), BATCH_ROWS):
            collection.delete(ids=list(removed[first : first + BATCH_ROWS]))
        for first in range(0, len(ids), BATCH_ROWS):
            rows = slice(first, first + BATCH_ROWS)
            collection.upsert(ids=list(ids[rows]), embeddings=vectors[rows])

    def find_nearest(self, corpus: str, vector: Vectors, *, limit: int) -> list[tuple[str, float]]:
        """Ids and cosine similarities of the chunks nearest to a vector, nearest first."""
        collection = self._open_collection(corpus)
        found = collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
        return [
            (chunk_id, 1.0 - distance)
            for chunk_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]


@contextmanager
def _telling() -> Iterator[None]:
    """Tell what Chroma and the disk raise as an error that the user can act on."""
    try:
        yield
    except LibraryError:
        raise
    except Exception as error:  # Chroma raises many kinds
        logger.warning("the vector index cannot be written", exc_info=True)
        raise LibraryError(
            f"The vector index could not be written ({type(error).__name__}).",
            "Nothing was lost: free some disk space, then restart. The index is made again.",
        ) from error


def list_index_files(folder: Path) -> dict[str, list[int]]:
    """Size and time of the files that Chroma rewrites in place, by their paths."""
    files = [path for pattern in ("*.bin", "*.pickle") for path in sorted(folder.rglob(pattern))]
    status = {path.relative_to(folder).as_posix(): path.stat() for path in files}
    return {name: [found.st_size, found.st_mtime_ns] for name, found in status.items()}


def import_chroma() -> None:
    """Import Chroma, which takes half a second, while something else is loaded."""
    import chromadb  # noqa: F401


def _connect(folder: Path) -> ClientAPI:
    import chromadb

    return chromadb.PersistentClient(path=str(folder), settings=chromadb.Settings(anonymized_telemetry=False))
