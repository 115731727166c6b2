"""Keeps the library in step with the corpora folder: files are added, read, watched and deleted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from chatbot.catalogue import Catalogue
from chatbot.changes import FolderChanges
from chatbot.chunking import hash_text
from chatbot.corpora import SourceFile, resolve_document_file, scan_files, store_file
from chatbot.errors import CorpusError, LibraryError
from chatbot.index_places import find_gone_documents
from chatbot.ingest import Ingestor
from chatbot.ingest_queue import IngestQueue
from chatbot.jobs import Job
from chatbot.kept_answers import KeptAnswers
from chatbot.library import Library
from chatbot.preparing import describe_file
from chatbot.types import DocumentRecord, FileOutcome, IngestProgress, IngestReport, ParsedDocument

logger = logging.getLogger(__name__)

FAILED_INGEST_SECONDS = 2.0
"""So long nothing is read after an ingest that failed as a whole, as on a full disk."""

IsGone = Callable[[DocumentRecord], bool]


class Upkeep:
    """Brings corpora in step with their folders, one job after the other. Safe to call from several threads.

    :param forget_elsewhere: takes documents that are gone out of the indexes that do not answer.
    """

    def __init__(
        self,
        library: Library,
        catalogue: Catalogue,
        ingests: IngestQueue,
        kept: KeptAnswers,
        forget_elsewhere: Callable[[IsGone], None],
    ) -> None:
        self._library = library
        self._catalogue = catalogue
        self._ingests = ingests
        self._kept = kept
        self._forget_in_idle_indexes = forget_elsewhere
        self._forgetting = threading.Lock()
        self._ingestor: Ingestor | None = None

    def begin(self, ingestor: Ingestor) -> None:
        """Take up work: the library is open now."""
        self._ingestor = ingestor

    def _get_ingestor(self) -> Ingestor:
        if self._ingestor is None:
            raise CorpusError("The library is still being opened.", "Try again in a few seconds.")
        return self._ingestor

    # One corpus

    def start_ingest(self, corpus: str, *, only_refused: bool = False) -> int:
        """Bring a corpus in step with its folder, in the background; the number of the job.

        :param only_refused: only try again what could not be read.
        :raises CorpusError: when there is no such corpus.
        """
        self._catalogue.find_folder(corpus)
        return self._ingests.request(corpus, only_refused=only_refused)

    def ingest_now(
        self,
        corpus: str,
        on_progress: Callable[[IngestProgress], None],
        on_outcome: Callable[[FileOutcome], None],
        stop: threading.Event | None = None,
        *,
        only_refused: bool = False,
    ) -> IngestReport:
        """Bring a corpus in step with its folder and return the report; the service must be ready."""
        job = self._ingests.take_now(corpus, only_refused=only_refused, stop=stop)
        return self._run_job(job, on_progress, on_outcome)

    def _run_job(
        self,
        job: Job,
        on_progress: Callable[[IngestProgress], None] = lambda _: None,
        on_outcome: Callable[[FileOutcome], None] = lambda _: None,
    ) -> IngestReport:
        def ingest(**options: Any) -> IngestReport:  # noqa: ANN401 - those of RunIngest
            folder = self._catalogue.find_folder(job.corpus)
            return self._get_ingestor().ingest_corpus(job.corpus, folder, **options)

        try:
            report = self._ingests.run(job, ingest, on_progress=on_progress, on_outcome=on_outcome)
        finally:  # what was deleted before a run failed is gone
            self._forget_elsewhere(find_gone_documents(self._library, job.corpus))
        self._forget_deleted(job.corpus)
        return report

    def find_changes(self, corpus: str) -> FolderChanges:
        """What an ingest of the corpus would do now; nothing is written."""
        return self._get_ingestor().find_changes(corpus, self._catalogue.find_folder(corpus))

    def add_files(self, corpus: str, files: Sequence[tuple[str, Path]]) -> list[str]:
        """Copy files, by the name the user gave and where they lie now, into a corpus and read them.

        :return: their names in the corpus.
        :raises CorpusError: when the corpus's folder cannot be written.
        """
        folder = self._catalogue.find_folder(corpus)
        names = [store_file(folder, name, location) for name, location in files]
        self.start_ingest(corpus)
        return names

    def add_text(self, corpus: str, path: str, parsed: ParsedDocument) -> None:
        """Put a text into the library that lies in no file; the next ingest of the corpus removes it."""
        ingestor = self._get_ingestor()
        size_bytes = len(parsed.text.encode("utf-8", "surrogatepass"))
        file = SourceFile(path, Path(path), size_bytes, 0)
        ingestor.add_document(describe_file(corpus, file, hash_text(parsed.text)), parsed)

    # One document

    def read_again(self, document_id: str) -> None:
        """Read a document's file again in the background, though it has not changed."""
        self._library.forget_recipe(document_id)
        self.start_ingest(self._catalogue.get_document(document_id).record.corpus)

    def delete_document(self, document_id: str) -> None:
        """Delete a document's file and take it out of every answer from now on.

        :raises CorpusError: when the file cannot be deleted; nothing is changed then.
        """
        ingestor = self._get_ingestor()
        record = self._catalogue.get_document(document_id).record
        try:
            resolve_document_file(self._catalogue.find_folder(record.corpus), record.path).unlink()
        except CorpusError:
            logger.info("the file of %s is gone already", record.path)
        except OSError as error:
            raise CorpusError(
                f"{record.path} could not be deleted ({error.strerror}).", "Check its permissions."
            ) from error
        has_copies = bool(self._library.list_copies([record.id]))
        ingestor.remove_document(record)
        self._forget_elsewhere(find_gone_documents(self._library, record.corpus))
        self._forget_deleted(record.corpus)
        if has_copies:
            self.start_ingest(record.corpus)  # one of its copies takes its place

    def _forget_deleted(self, corpus: str) -> None:
        """Erase what receipts hold of documents that are gone."""
        self._kept.keep_only(corpus, [record.id for record in self._library.list_documents(corpus)])

    def _forget_elsewhere(self, is_gone: IsGone) -> None:
        with self._forgetting:
            self._forget_in_idle_indexes(is_gone)

    # All corpora, until `stop` is set

    def start_all(self) -> None:
        """Take gone corpora out of the library, and ask for an ingest of every other."""
        try:
            corpora = [corpus.name for corpus in self._catalogue.list_corpora()]
            self._forget_gone_corpora(set(corpora))
            for corpus in corpora:
                self.start_ingest(corpus)
        except CorpusError as error:
            logger.warning("the corpora cannot be read: %s", error)

    def _forget_gone_corpora(self, present: set[str]) -> None:
        """Take corpora out of the library whose folders were deleted, unless all are gone."""
        if not present:
            return
        for corpus in set(self._library.list_corpora()) - present:
            logger.info("the folder of corpus %s is gone", corpus)
            for record in self._library.list_documents(corpus):
                self._get_ingestor().remove_document(record)
            self._forget_deleted(corpus)
        # Also where the program ended after the corpus had left the library that answers.
        self._forget_elsewhere(lambda record: record.corpus not in present)

    def keep_ingesting(self, stop: threading.Event) -> None:
        """Do one waiting job after the other."""
        while not stop.is_set():
            try:
                job = self._ingests.take(timeout_seconds=0.2)
                if job is not None:
                    self._run_job(job)
            except Exception:
                logger.exception("an ingest failed")
                stop.wait(FAILED_INGEST_SECONDS)

    def watch_folders(self, stop: threading.Event, *, every_seconds: float) -> None:
        """Ask for an ingest of every corpus whose files change."""
        seen = self._look_at_folders()
        while not stop.wait(every_seconds):
            now = self._look_at_folders()
            try:
                for corpus in now:
                    if now[corpus] != seen.get(corpus):
                        self._ingests.request(corpus)
            except LibraryError as error:
                logger.warning("an ingest could not be asked for: %s", error)
                continue  # what was seen stays, so that it is asked for again
            seen = now

    def _look_at_folders(self) -> dict[str, int]:
        """A number a corpus that changes when any of its files does."""
        try:
            return {
                corpus: hash(
                    tuple((file.path, file.size_bytes, file.modified_ns) for file in scan_files(folder))
                )
                for corpus, folder in self._catalogue.list_folders().items()
            }
        except CorpusError as error:
            logger.warning("the corpora cannot be watched: %s", error)
            return {}
