"""Builds an index beside the one that answers; stopped or killed, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from chatbot.corpora import find_documents_folder, list_corpora
from chatbot.index_places import IndexPlace, read_index_state, write_index_state
from chatbot.ingest import Ingestor
from chatbot.library import Library
from chatbot.ownership import claim_data_folder
from chatbot.preparing import ReadDocument
from chatbot.types import Embedder, IngestProgress, IngestReport
from chatbot.vectors import VectorIndex


def build_index(
    place: IndexPlace,
    embedder: Embedder,
    corpora_folder: Path,
    read_document: ReadDocument,
    *,
    chunk_tokens: int,
    on_progress: Callable[[IngestProgress], None] = lambda _: None,
) -> list[IngestReport]:
    """Read every document of every corpus into an index, or bring it in step where it was built before.

    :raises LibraryInUse: when it is being built already.
    """
    ownership = claim_data_folder(place.folder)
    try:
        state = read_index_state(place.folder)
        library = Library(place.library_path)
        vectors = VectorIndex(
            place.vectors_folder, fingerprint=embedder.fingerprint, read_vectors=library.chunks.read_vectors
        )
        try:
            reports = _read_corpora(
                Ingestor(library, vectors, embedder, read_document, chunk_tokens), corpora_folder, on_progress
            )
        finally:
            library.close()
            vectors.close()
        built_at = datetime.now(UTC).isoformat(timespec="seconds")
        changed = any(report.outcomes for report in reports)
        fresh = replace(state, compared={}, is_better_or_equal=False) if changed else state
        write_index_state(place, replace(fresh, built_at=built_at))
        return reports
    finally:
        ownership.release()


def _read_corpora(
    ingestor: Ingestor, corpora_folder: Path, on_progress: Callable[[IngestProgress], None]
) -> list[IngestReport]:
    library, fingerprint = ingestor.library, ingestor.embedder.fingerprint
    present = [corpus.name for corpus in list_corpora(corpora_folder)]
    for corpus in library.list_corpora():
        ingestor.vectors.check(corpus, library.chunks.count_chunks(corpus, fingerprint))
        for record in library.list_documents(corpus) if corpus not in present else ():
            ingestor.remove_document(record)
    return [
        ingestor.ingest_corpus(corpus, find_documents_folder(corpora_folder, corpus), on_progress=on_progress)
        for corpus in present
    ]
