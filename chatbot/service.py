"""The running chatbot: owns the data folder, loads its models while it already answers for itself,
keeps the library in step with the corpora folder, and answers questions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from chatbot.admission import Admission
from chatbot.answer import Answer, AnswerRules
from chatbot.answer_models import GENERATOR, READER, AnswerModels
from chatbot.assistant import Assistant, check_question
from chatbot.calculations.calculate import Calculator
from chatbot.catalogue import Catalogue
from chatbot.chats import ChatStore
from chatbot.corpus_search import CorpusSearch
from chatbot.errors import ChatbotError, ModelError
from chatbot.factories import Factories
from chatbot.filters import narrow_filters, split_query
from chatbot.index_places import MAIN, find_active_index, forget_in_idle_indexes
from chatbot.ingest import Ingestor
from chatbot.ingest_queue import IngestQueue
from chatbot.jobs import JobStore
from chatbot.kept_answers import KeptAnswers
from chatbot.keys import KeyStore, make_secret
from chatbot.library import Library
from chatbot.loading import LoadingParts, Report
from chatbot.metrics import Metrics
from chatbot.models import DEFAULT_GENERATOR
from chatbot.ownership import Ownership, claim_data_folder
from chatbot.prompting import Prompts
from chatbot.receipts import Setup
from chatbot.records import ANSWER_SETTINGS, Records, describe_setup
from chatbot.sessions import SessionStore
from chatbot.settings import Settings
from chatbot.site_records import SiteRecords
from chatbot.sites import SiteStore
from chatbot.types import (
    NO_FILTERS,
    DocumentRecord,
    Embedder,
    Explanation,
    Message,
    SearchFilters,
    SearchResult,
    ServiceStatus,
)
from chatbot.upkeep import Upkeep
from chatbot.vectors import VectorIndex, import_chroma

EMBEDDER, LIBRARY = "embedding model", "library"


class Service:
    """Everything that runs behind the page, the API and the command line.

    `catalogue` tells which corpora and documents there are, `upkeep` changes them, `ingests` tells how far
    that is; `ask`, `search` and `explain` are for questions. `start` returns at once; `status` tells what is
    still awaited, `wait_until_ready` waits for it. Use it as a context manager, or call `close`.

    :raises LibraryInUse: when another process owns the data folder.
    """

    def __init__(self, settings: Settings, prompts: Prompts, factories: Factories) -> None:
        self.settings = settings
        self._prompts = prompts
        self._factories = factories
        self._ownership: Ownership = claim_data_folder(settings.data_folder)
        self._index_ownership: Ownership | None = None
        try:
            self._open_stores(settings)
        except ChatbotError:
            self._release_folders()
            raise
        self.catalogue = Catalogue(self._library, factories.reader, settings.corpora_folder, settings.corpus)
        self._kept = KeptAnswers(self.chats, self.site_records, self.records.receipts)
        self.upkeep = Upkeep(
            self._library, self.catalogue, self.ingests, self._kept, self._forget_in_idle_indexes
        )
        self._calculator = Calculator(self._library)
        self.keys = KeyStore(settings.data_folder / "keys.json")
        self.sessions = SessionStore(settings.data_folder / "sessions.sqlite3", self.keys)
        self.sites = SiteStore(settings.data_folder / "sites.json")
        self.owner_secret = make_secret()
        self.admission = Admission(parallel=settings.parallel_answers, waiting=settings.waiting_questions)
        self.metrics = Metrics(
            count_waiting=lambda: self.admission.waiting,
            count_running=lambda: self.admission.running,
            count_documents=self.catalogue.count_documents,
        )
        self._parts = LoadingParts((EMBEDDER, READER, GENERATOR, LIBRARY))
        self._models = AnswerModels(factories, self._parts)
        self._search: CorpusSearch | None = None
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def _open_stores(self, settings: Settings) -> None:
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
            self._run("loading the reading model", self._models.load_reader)
            self._run("loading the language model", self._models.load_generator)
        else:
            self._models.skip()

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
        if self._search is not None:
            self._search.vectors.close()
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

    def _load_library(self, ingest: bool) -> None:
        embedder: Embedder | None = None
        with self._parts.loading(EMBEDDER) as report:
            if not self._factories.opens_index_late:
                self._run("importing Chroma", import_chroma)
            embedder = self._factories.make_embedder(report)
        if embedder is None:
            self._parts.fail(LIBRARY, "The library needs the embedding model.")
            return
        with self._parts.loading(LIBRARY) as report:
            self._open_library(embedder, report)
        if self._search is not None and ingest:
            self.upkeep.start_all()
            self._run("reading documents", lambda: self.upkeep.keep_ingesting(self._closing))
            if seconds := self.settings.watch_seconds:
                self._run(
                    "watching folders",
                    lambda: self.upkeep.watch_folders(self._closing, every_seconds=seconds),
                )

    def _open_library(self, embedder: Embedder, report: Report) -> None:
        report("the vector index is opened")
        vectors = VectorIndex(
            self._index.vectors_folder,
            fingerprint=embedder.fingerprint,
            read_vectors=self._library.chunks.read_vectors,
        )
        if not (self._factories.opens_index_late and vectors.was_left_properly()):
            for corpus in self._library.list_corpora():
                report(f"the vector index of {corpus} is checked")
                vectors.check(corpus, self._library.chunks.count_chunks(corpus, embedder.fingerprint))
        self._search = CorpusSearch(self._library, vectors, embedder)
        read, chunk_tokens = self._factories.reader.read, self.settings.chunk_tokens
        self.upkeep.begin(
            Ingestor(self._library, vectors, embedder, read, chunk_tokens, self._kept.drop_document)
        )

    def _forget_in_idle_indexes(self, is_gone: Callable[[DocumentRecord], bool]) -> None:
        data_folder, embedder = self.settings.data_folder, self.settings.embedder
        forget_in_idle_indexes(data_folder, embedder, is_gone, active=self._index.name)

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
            question, history, corpus=self.catalogue.find_corpus(corpus), filters=filters, stop=stop
        )
        setup = self._describe_setup()
        answer.keep = lambda done: self.records.keep(done, history=history, filters=filters, setup=setup)
        return answer

    def _describe_setup(self) -> Setup:
        generator = self._models.generator
        return describe_setup(
            self.settings.model_dump(mode="json", include=set(ANSWER_SETTINGS)),
            self._prompts,
            model=generator.name if generator else "",
            embedder=Path(self.settings.embedder).name,
            embedder_hash=self._search.embedder.fingerprint if self._search else "",
            **{"reader": Path(self.settings.reader).name, **self._models.hashes},
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
        corpus = self.catalogue.find_corpus(corpus)
        return self.get_corpus_search().search(words, corpus=corpus, limit=limit, filters=filters)

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
        if self._models.generator is None:
            return Explanation(self.search(question, corpus=corpus, limit=limit, filters=filters))
        return self.make_assistant().explain(
            question, history, corpus=self.catalogue.find_corpus(corpus), filters=filters, limit=limit
        )

    def make_assistant(self) -> Assistant:
        """The assistant over this service's parts.

        :raises ModelError: while the models are not loaded.
        """
        search, (reader, generator) = self.get_corpus_search(), self._models.get()
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
            search.search,
            search.embedder,
            generator,
            self._prompts,
            rules,
            search.look_through,
            search.read_sentence_vectors,
            reader.read if reader is not None else None,
            self._calculator.calculate,
        )

    def _is_quoting(self) -> bool:
        style = self.settings.answer_style
        return style == "quoting" or (style == "auto" and self.settings.generator == DEFAULT_GENERATOR)

    def get_corpus_search(self) -> CorpusSearch:
        """What searches without reading filters in the question, or asking whether there is such a corpus.

        :raises ModelError: while the embedding model is not loaded.
        """
        if self._search is None:
            raise self._parts.describe_missing(EMBEDDER)
        return self._search
