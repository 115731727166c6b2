"""The running chatbot: owns the data folder, loads its models while it already answers for itself,
keeps the library in step with the corpora folder, and answers questions.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from chatbot.admission import Admission
from chatbot.answer import Answer, AnswerRules
from chatbot.assistant import Assistant, check_question
from chatbot.calculations.calculate import Calculator
from chatbot.changes import FolderChanges
from chatbot.chats import ChatStore
from chatbot.chunking import hash_text
from chatbot.corpora import (
    SourceFile,
    find_documents_folder,
    list_corpora,
    resolve_document_file,
    scan_files,
    store_file,
)
from chatbot.errors import ChatbotError, CorpusError, LibraryError, ModelError
from chatbot.filters import narrow_filters, split_query
from chatbot.index_places import MAIN, find_active_index, find_gone_documents, forget_in_idle_indexes
from chatbot.ingest import Ingestor
from chatbot.ingest_queue import IngestQueue
from chatbot.jobs import Job, JobStore
from chatbot.keys import KeyStore, make_secret
from chatbot.library import Library
from chatbot.loading import LoadingParts, Report
from chatbot.memory import give_back_memory
from chatbot.metrics import Metrics
from chatbot.models import DEFAULT_GENERATOR
from chatbot.ownership import Ownership, claim_data_folder
from chatbot.preparing import describe_file
from chatbot.prompting import Prompts
from chatbot.reading.reading import Reading
from chatbot.receipts import Setup
from chatbot.records import ANSWER_SETTINGS, Records, describe_setup
from chatbot.retrieval.search import ALL_WAYS, read_sentence_vectors, search_passages
from chatbot.sessions import SessionStore
from chatbot.settings import Settings
from chatbot.site_records import SiteRecords
from chatbot.sites import SiteStore
from chatbot.starters import draw_questions
from chatbot.surveys.findings import SurveyFindings
from chatbot.surveys.survey import Survey
from chatbot.surveys.wide_search import conduct_survey
from chatbot.types import (
    NO_FILTERS,
    Corpus,
    Document,
    DocumentRecord,
    Embedder,
    Explanation,
    FileOutcome,
    FilterChoices,
    Generator,
    IngestProgress,
    IngestReport,
    Message,
    ParsedDocument,
    Passage,
    SearchFilters,
    SearchResult,
    ServiceStatus,
)
from chatbot.vectors import VectorIndex, import_chroma

logger = logging.getLogger(__name__)

EMBEDDER, READER, GENERATOR, LIBRARY = "embedding model", "reading model", "language model", "library"


class ReadsPassages(Protocol):
    """Finds where in passages a question is answered: `PassageReader`; `note` is for users, or empty."""

    note: str

    def read(self, question: str, passages: Sequence[Passage]) -> Reading:
        """What it made of each passage."""


class Reader(Protocol):
    """Reads and draws documents where a bad one does no harm: `DocumentReader`."""

    def read(self, path: Path) -> ParsedDocument:
        """The document of a file, or a DocumentError."""

    def render_page(
        self, path: Path, page_number: int, *, highlights: Sequence[str] = (), scale: float = 2.0
    ) -> bytes:
        """A page of a PDF as PNG with words highlighted, or a DocumentError."""

    def close(self) -> None:
        """End the child process."""


STARTER_CHUNKS = 300
"""From so many chunks first questions are drawn."""
FAILED_INGEST_SECONDS = 2.0
"""So long nothing is read after an ingest that failed as a whole, as on a full disk."""


@dataclass(frozen=True, slots=True)
class Factories:
    """How the parts that take time are made; each may say how far it is.

    `make_passage_reader` gives None where there is to be none. `hash_models` gives the fields of `Setup`
    that hold hashes of weights, and which reading model reads. `opens_index_late` leaves the vector index
    closed until something is written to it; nothing can be searched then.
    """

    make_embedder: Callable[[Report], Embedder]
    make_generator: Callable[[Report], Generator]
    reader: Reader
    make_passage_reader: Callable[[Report], ReadsPassages | None] = lambda _: None
    hash_models: Callable[[], Mapping[str, str]] = dict
    opens_index_late: bool = False


class Service:
    """Everything that runs behind the page, the API and the command line.

    `start` returns at once; `status` tells what is still awaited, `wait_until_ready` waits for it.
    Use it as a context manager, or call `close`.

    :raises LibraryInUse: when another process owns the data folder.
    """

    def __init__(self, settings: Settings, prompts: Prompts, factories: Factories) -> None:
        self.settings = settings
        self._prompts = prompts
        self._factories = factories
        self._ownership: Ownership = claim_data_folder(settings.data_folder)
        self._index_ownership: Ownership | None = None
        try:
            self._index = find_active_index(settings.data_folder, settings.embedder)
            if self._index.name != MAIN:
                self._index_ownership = claim_data_folder(self._index.folder)
            self._library = Library(self._index.library_path)
            self.chats = ChatStore(settings.data_folder / "chats.sqlite3")
            self.ingests = IngestQueue(JobStore(settings.data_folder / "jobs.sqlite3"))
            self.records = Records(
                settings.data_folder,
                most=settings.receipts_kept,
                days=settings.receipt_days,
                find_revisions=self._library.find_revisions,
            )
            self.site_records = SiteRecords(settings.data_folder / "sites.sqlite3")
        except ChatbotError:
            self._release_folders()
            raise
        self._calculator = Calculator(self._library)
        self.keys = KeyStore(settings.data_folder / "keys.json")
        self.sessions = SessionStore(settings.data_folder / "sessions.sqlite3", self.keys)
        self.sites = SiteStore(settings.data_folder / "sites.json")
        self.owner_secret = make_secret()
        self.admission = Admission(parallel=settings.parallel_answers, waiting=settings.waiting_questions)
        self.metrics = Metrics(
            count_waiting=lambda: self.admission.waiting,
            count_running=lambda: self.admission.running,
            count_documents=self.count_documents,
        )
        self._parts = LoadingParts((EMBEDDER, READER, GENERATOR, LIBRARY))
        self._closing = threading.Event()
        self._forgetting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._embedder: Embedder | None = None
        self._vectors: VectorIndex | None = None
        self._ingestor: Ingestor | None = None
        self._passage_reader: ReadsPassages | None = None
        self._has_chosen_reader = False
        self._model: Generator | None = None
        self._model_hashes: Mapping[str, str] = {}

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Running

    def start(self, *, generator: bool = True, ingest: bool = True) -> None:
        """Begin to load the models and to read what is new, in the background.

        :param generator: also load the reading model and the language model; search needs neither.
        :param ingest: also bring every corpus in step, and keep watching the folders.
        """
        self._run("loading the library", lambda: self._load_library(ingest))
        if generator:
            self._run("loading the reading model", self._load_reader)
            self._run("loading the language model", self._load_generator)
        else:
            self._parts.drop(READER)
            self._parts.drop(GENERATOR)

    def close(self) -> None:
        """Stop what runs after the file at hand, and give the data folder back."""
        self._closing.set()
        self.ingests.stop()
        for thread in self._threads:
            thread.join(timeout=30)
        self._factories.reader.close()
        self.chats.close()
        self.ingests.jobs.close()
        self.records.close()
        self.sessions.close()
        self.site_records.close()
        self._library.close()
        if self._vectors is not None:
            self._vectors.close()
        self._release_folders()

    def _release_folders(self) -> None:
        if self._index_ownership is not None:
            self._index_ownership.release()
        self._ownership.release()

    @property
    def is_closing(self) -> bool:
        return self._closing.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the moment when the service is closed."""
        self._closing.wait(seconds)

    def announce(self, url: str) -> None:
        """Tell other processes on this machine where the page is, and this user's what opens it."""
        self._ownership.announce(url, self.owner_secret)

    def status(self) -> ServiceStatus:
        """Whether questions can be answered, and what is still awaited."""
        return self._parts.status()

    def wait_until_ready(self, on_wait: Report = lambda _: None) -> None:
        """Return when every part is ready; `on_wait` hears what is awaited.

        :raises ModelError: or whatever else kept a part from loading.
        """
        said = ""
        while not self.status().ready:
            if error := self._parts.error:
                raise error
            if self._closing.is_set():
                raise ModelError("The chatbot is being closed.", "Start it again.")
            waiting = self.status().waiting_for
            if waiting != said:
                said = waiting
                on_wait(said)
            self._closing.wait(0.05)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _load_reader(self) -> None:
        with self._parts.loading(READER) as report:
            self._passage_reader = self._factories.make_passage_reader(report)
            self._has_chosen_reader = True
        if self._passage_reader is not None and self._passage_reader.note:
            self._parts.remark(READER, self._passage_reader.note)
        self._hash_models()

    def _load_generator(self) -> None:
        with self._parts.loading(GENERATOR) as report:
            self._model = self._factories.make_generator(report)
        self._hash_models()
        give_back_memory()

    def _hash_models(self) -> None:
        """Note the hashes once both are there; which of the two comes last cannot be known."""
        if self._has_chosen_reader and self._model is not None:
            self._model_hashes = self._factories.hash_models()

    def _load_library(self, ingest: bool) -> None:
        with self._parts.loading(EMBEDDER) as report:
            if not self._factories.opens_index_late:
                self._run("importing Chroma", import_chroma)
            self._embedder = self._factories.make_embedder(report)
        if self._embedder is None:
            self._parts.fail(LIBRARY, "The library needs the embedding model.")
            return
        with self._parts.loading(LIBRARY) as report:
            self._open_library(self._embedder, report)
        if self._ingestor is not None and ingest:
            try:
                self._forget_gone_corpora(self._ingestor)
                for corpus in self.list_corpora():
                    self.start_ingest(corpus.name)
            except CorpusError as error:
                logger.warning("the corpora cannot be read: %s", error)
            self._run("reading documents", self._keep_ingesting)
            if self.settings.watch_seconds:
                self._run("watching folders", self._watch_folders)

    def _forget_gone_corpora(self, ingestor: Ingestor) -> None:
        """Take corpora out of the library whose folders were deleted, unless all are gone."""
        present = {corpus.name for corpus in list_corpora(self.settings.corpora_folder)}
        for corpus in set(self._library.list_corpora()) - present if present else ():
            logger.info("the folder of corpus %s is gone", corpus)
            for record in self._library.list_documents(corpus):
                ingestor.remove_document(record)
            self._forget_deleted(corpus)
        if present:  # also where the program ended after the corpus had left the library that answers
            self._forget_elsewhere(lambda record: record.corpus not in present)

    def _forget_deleted(self, corpus: str) -> None:
        """Erase what receipts hold of documents that are gone."""
        self.records.receipts.forget_documents(
            corpus, [record.id for record in self._library.list_documents(corpus)]
        )

    def _open_library(self, embedder: Embedder, report: Report) -> None:
        report("the vector index is opened")
        vectors = VectorIndex(
            self._index.vectors_folder,
            fingerprint=embedder.fingerprint,
            read_vectors=self._library.read_vectors,
        )
        if not (self._factories.opens_index_late and vectors.was_left_properly()):
            for corpus in self._library.list_corpora():
                report(f"the vector index of {corpus} is checked")
                vectors.check(corpus, self._library.count_chunks(corpus, embedder.fingerprint))
        self._vectors = vectors
        self._ingestor = Ingestor(
            self._library,
            vectors,
            embedder,
            self._factories.reader.read,
            self.settings.chunk_tokens,
            self._forget_document,
        )

    def _forget_document(self, record: DocumentRecord, same: DocumentRecord | None) -> None:
        """Take a document out of what is kept of answers, or name `same`, which has its content."""
        self.chats.drop_document(record.id, same)
        self.site_records.drop_document(record.id, same.id if same else None)

    # Corpora and documents

    def list_corpora(self) -> list[Corpus]:
        """Every corpus with its size, the default one first."""
        corpora = list_corpora(self.settings.corpora_folder)
        default = self.settings.corpus
        corpora.sort(key=lambda corpus: (corpus.name != default, corpus.name))
        return [self._count_corpus(corpus) for corpus in corpora]

    def _count_corpus(self, corpus: Corpus) -> Corpus:
        readable = [record for record in self.list_documents(corpus.name) if record.problem is None]
        starters = corpus.starter_questions or draw_questions(
            self._library.list_places(corpus.name, limit=STARTER_CHUNKS)
        )
        return replace(
            corpus,
            starter_questions=starters,
            documents=len(readable),
            chunks=sum(record.chunks for record in readable),
        )

    def find_corpus(self, name: str | None) -> str:
        """The corpus that is meant: `name`, else the default one.

        :raises CorpusError: when there is no such corpus, or none at all.
        """
        known = [corpus.name for corpus in self.list_corpora()]
        if not known:
            raise CorpusError(
                f"There is no corpus in {self.settings.corpora_folder}.",
                "Make a folder for one: corpora/handbook/documents/, and put documents there.",
            )
        wanted = name or self.settings.corpus or known[0]
        if wanted not in known:
            raise CorpusError(f"There is no corpus {wanted!r}.", f"The corpora are: {', '.join(known)}.")
        return wanted

    def list_documents(self, corpus: str) -> list[DocumentRecord]:
        """The corpus's documents by path, with those that could not be read."""
        return self._library.list_documents(corpus)

    def count_documents(self) -> int:
        """How many documents of all corpora can be searched."""
        records = [
            record for corpus in self._library.list_corpora() for record in self.list_documents(corpus)
        ]
        return sum(record.problem is None for record in records)

    def list_filter_choices(self, corpus: str) -> FilterChoices:
        """What a search of the corpus can be narrowed to, to offer in controls."""
        return self._library.list_filter_choices(corpus)

    def get_document(self, document_id: str) -> Document:
        """A document with its text.

        :raises CorpusError: when it is not in the library.
        """
        document = self._library.find_document(document_id)
        if document is None:
            raise CorpusError("That document is no longer in the library.", "It may have been deleted.")
        return document

    def find_revisions(self, document_ids: Collection[str]) -> Mapping[str, str]:
        """The hashes of documents' files, by document id, of those that are in the library."""
        return self._library.find_revisions(document_ids)

    def document_file(self, document_id: str) -> Path:
        """The original file of a document, inside its corpus folder.

        :raises CorpusError: when the document or its file is gone.
        """
        record = self.get_document(document_id).record
        return resolve_document_file(self._documents_folder(record.corpus), record.path)

    def render_page(self, document_id: str, page_number: int, *, highlights: Sequence[str] = ()) -> bytes:
        """A page of a PDF as a PNG picture, with words highlighted.

        :raises CorpusError: when the document is gone.
        :raises DocumentError: when the page cannot be drawn.
        """
        return self._factories.reader.render_page(
            self.document_file(document_id), page_number, highlights=highlights
        )

    def _documents_folder(self, corpus: str) -> Path:
        return find_documents_folder(self.settings.corpora_folder, corpus)

    def add_files(self, corpus: str, files: Sequence[tuple[str, Path]]) -> list[str]:
        """Copy files, by the name the user gave and where they lie now, into a corpus and read them.

        :return: their names in the corpus.
        :raises CorpusError: when the corpus's folder cannot be written.
        """
        folder = self._documents_folder(corpus)
        names = [store_file(folder, name, location) for name, location in files]
        self.start_ingest(corpus)
        return names

    def delete_document(self, document_id: str) -> None:
        """Delete a document's file and take it out of every answer from now on.

        :raises CorpusError: when the file cannot be deleted; nothing is changed then.
        """
        ingestor = self._get_ingestor()
        record = self.get_document(document_id).record
        try:
            resolve_document_file(self._documents_folder(record.corpus), record.path).unlink()
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

    # Ingest

    def read_again(self, document_id: str) -> None:
        """Read a document's file again in the background, though it has not changed."""
        self._library.forget_recipe(document_id)
        self.start_ingest(self.get_document(document_id).record.corpus)

    def start_ingest(self, corpus: str, *, only_refused: bool = False) -> int:
        """Bring a corpus in step with its folder, in the background; the number of the job.

        :param only_refused: only try again what could not be read.
        :raises CorpusError: when there is no such corpus.
        """
        self._documents_folder(corpus)
        return self.ingests.request(corpus, only_refused=only_refused)

    def ingest_now(
        self,
        corpus: str,
        on_progress: Callable[[IngestProgress], None],
        on_outcome: Callable[[FileOutcome], None],
        stop: threading.Event | None = None,
        *,
        only_refused: bool = False,
    ) -> IngestReport:
        """Bring a corpus in step with its folder and return the report; call `wait_until_ready` first."""
        job = self.ingests.take_now(corpus, only_refused=only_refused, stop=stop)
        return self._run_job(job, on_progress, on_outcome)

    def _run_job(
        self,
        job: Job,
        on_progress: Callable[[IngestProgress], None] = lambda _: None,
        on_outcome: Callable[[FileOutcome], None] = lambda _: None,
    ) -> IngestReport:
        def ingest(**options: Any) -> IngestReport:  # noqa: ANN401 - those of RunIngest
            folder = self._documents_folder(job.corpus)
            return self._get_ingestor().ingest_corpus(job.corpus, folder, **options)

        try:
            report = self.ingests.run(job, ingest, on_progress=on_progress, on_outcome=on_outcome)
        finally:  # what was deleted before a run failed is gone
            self._forget_elsewhere(find_gone_documents(self._library, job.corpus))
        self._forget_deleted(job.corpus)
        return report

    def find_changes(self, corpus: str) -> FolderChanges:
        """What an ingest of the corpus would do now; nothing is written."""
        return self._get_ingestor().find_changes(corpus, self._documents_folder(corpus))

    def _get_ingestor(self) -> Ingestor:
        if self._ingestor is None:
            raise CorpusError("The library is still being opened.", "Try again in a few seconds.")
        return self._ingestor

    def _forget_elsewhere(self, is_gone: Callable[[DocumentRecord], bool]) -> None:
        """Take documents that are gone out of the indexes that do not answer."""
        data_folder, embedder = self.settings.data_folder, self.settings.embedder
        with self._forgetting:
            forget_in_idle_indexes(data_folder, embedder, is_gone, active=self._index.name)

    def add_text(self, corpus: str, path: str, parsed: ParsedDocument) -> None:
        """Put a text into the library that lies in no file; the next ingest of the corpus removes it."""
        ingestor = self._get_ingestor()
        size_bytes = len(parsed.text.encode("utf-8", "surrogatepass"))
        file = SourceFile(path, Path(path), size_bytes, 0)
        ingestor.add_document(describe_file(corpus, file, hash_text(parsed.text)), parsed)

    def ingest_progress(self, corpus: str) -> IngestProgress | None:
        """Where the corpus's ingest stands; None when none is running or waiting."""
        return self.ingests.progress(corpus)

    def latest_ingest(self, corpus: str) -> IngestReport | None:
        """What the corpus's latest ingest did, if only that nothing had changed; None if it failed."""
        return self.ingests.last(corpus)

    def last_report(self, corpus: str) -> IngestReport | None:
        """What the corpus's last ingest that changed or tried anything did."""
        return self.ingests.report(corpus)

    def _keep_ingesting(self) -> None:
        while not self._closing.is_set():
            try:
                job = self.ingests.take(timeout_seconds=0.2)
                if job is not None:
                    self._run_job(job)
            except Exception:
                logger.exception("an ingest failed")
                self._closing.wait(FAILED_INGEST_SECONDS)

    def _watch_folders(self) -> None:
        seen = self._look_at_folders()
        while not self._closing.wait(self.settings.watch_seconds):
            now = self._look_at_folders()
            try:
                for corpus in now:
                    if now[corpus] != seen.get(corpus):
                        self.ingests.request(corpus)
            except LibraryError as error:
                logger.warning("an ingest could not be asked for: %s", error)
                continue  # what was seen stays, so that it is asked for again
            seen = now

    def _look_at_folders(self) -> dict[str, int]:
        """A number a corpus that changes when any of its files does."""
        try:
            return {
                corpus.name: hash(
                    tuple(
                        (file.path, file.size_bytes, file.modified_ns)
                        for file in scan_files(self._documents_folder(corpus.name))
                    )
                )
                for corpus in list_corpora(self.settings.corpora_folder)
            }
        except CorpusError as error:
            logger.warning("the corpora cannot be watched: %s", error)
            return {}

    # Questions

    def ask(
        self,
        question: str,
        *,
        corpus: str,
        history: Sequence[Message] = (),
        filters: SearchFilters = NO_FILTERS,
        stop: threading.Event | None = None,
    ) -> Answer:
        """Answer a question from a corpus; see `Assistant.answer`.

        :raises ModelError: while the models are not loaded.
        """
        check_question(question, self.settings.question_limit_characters)
        answer = self.make_assistant().answer(
            question, history, corpus=self.find_corpus(corpus), filters=filters, stop=stop
        )
        setup = self._describe_setup()
        answer.keep = lambda done: self.records.keep(done, history=history, filters=filters, setup=setup)
        return answer

    def _describe_setup(self) -> Setup:
        return describe_setup(
            self.settings.model_dump(mode="json", include=set(ANSWER_SETTINGS)),
            self._prompts,
            model=self._model.name if self._model else "",
            embedder=Path(self.settings.embedder).name,
            embedder_hash=self._embedder.fingerprint if self._embedder else "",
            **{"reader": Path(self.settings.reader).name, **self._model_hashes},
        )

    def search(
        self, question: str, *, corpus: str, limit: int = 10, filters: SearchFilters = NO_FILTERS
    ) -> SearchResult:
        """The passages that match a question best; no language model is used.

        Filters without a question give the first passages of the documents that they leave.

        :param filters: those that are typed in the question narrow them.
        :raises QuestionError: for a question, or a filter in it, that cannot be used.
        :raises ModelError: while the embedding model is not loaded.
        """
        question = check_question(question, self.settings.question_limit_characters)
        words, typed = split_query(question)
        filters = narrow_filters(filters, typed)
        return self.search_standalone(words, corpus=self.find_corpus(corpus), limit=limit, filters=filters)

    def explain(
        self,
        question: str,
        *,
        corpus: str,
        history: Sequence[Message] = (),
        limit: int = 10,
        filters: SearchFilters = NO_FILTERS,
    ) -> Explanation:
        """What `ask` would answer from, found without calling a language model; see `Assistant.explain`.

        While no language model is loaded, there is only the search.

        :raises QuestionError: for a question, or a filter in it, that cannot be used.
        :raises ModelError: while the embedding model is not loaded.
        """
        if self._model is None:
            return Explanation(self.search(question, corpus=corpus, limit=limit, filters=filters))
        return self.make_assistant().explain(
            question, history, corpus=self.find_corpus(corpus), filters=filters, limit=limit
        )

    def make_assistant(self) -> Assistant:
        """The assistant over this service's parts.

        :raises ModelError: while the language model is not loaded.
        """
        if self._embedder is None:
            raise self._describe_missing(EMBEDDER)
        if not self._has_chosen_reader:
            raise self._describe_missing(READER)
        if self._model is None:
            raise self._describe_missing(GENERATOR)
        settings = self.settings
        rules = AnswerRules(
            passage_limit=settings.passage_limit,
            answer_tokens=settings.answer_tokens,
            question_limit_characters=settings.question_limit_characters,
            evidence_floor=settings.evidence_floor,
            withhold_unsupported=settings.unsupported == "withhold",
            quoting=self._is_quoting(),
        )
        return Assistant(
            self.search_standalone,
            self._embedder,
            self._model,
            self._prompts,
            rules,
            self.look_through,
            partial(read_sentence_vectors, library=self._library, fingerprint=self._embedder.fingerprint),
            self._passage_reader.read if self._passage_reader is not None else None,
            self._calculator.calculate,
        )

    def look_through(
        self,
        survey: Survey,
        question: str,
        *,
        corpus: str,
        filters: SearchFilters = NO_FILTERS,
        stop: threading.Event | None = None,
    ) -> SurveyFindings:
        """What a corpus that is known to exist holds for a question about it as a whole.

        :raises ModelError: while the embedding model is not loaded.
        """
        if self._embedder is None or self._vectors is None:
            raise self._describe_missing(EMBEDDER)
        return conduct_survey(
            survey,
            question,
            corpus=corpus,
            library=self._library,
            find_nearest=self._vectors.find_nearest,
            embedder=self._embedder,
            filters=filters,
            stop=stop,
        )

    def _is_quoting(self) -> bool:
        style = self.settings.answer_style
        return style == "quoting" or (style == "auto" and self.settings.generator == DEFAULT_GENERATOR)

    def search_standalone(
        self,
        question: str,
        *,
        corpus: str,
        limit: int,
        filters: SearchFilters = NO_FILTERS,
        ways: frozenset[str] = ALL_WAYS,
    ) -> SearchResult:
        """The passages for a question of any length, of a corpus that is known to exist."""
        if self._embedder is None or self._vectors is None:
            raise self._describe_missing(EMBEDDER)
        return search_passages(
            question,
            corpus=corpus,
            limit=limit,
            library=self._library,
            find_nearest=self._vectors.find_nearest,
            embedder=self._embedder,
            filters=filters,
            ways=ways,
        )

    def _describe_missing(self, part: str) -> ChatbotError:
        if error := self._parts.error:
            return error
        return ModelError(f"The {part} is still loading.", "Ask again in a few seconds.")
