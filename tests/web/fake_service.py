"""A service that answers from a script, word by word: what the page is built and tested against."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from chatbot.admission import Admission
from chatbot.answer import Request
from chatbot.changes import Change, FolderChanges
from chatbot.errors import CorpusError, ModelError, QuestionError
from chatbot.filters import list_choices, narrow_filters, select_documents, split_query
from chatbot.forgetting import FORGOTTEN, find_sources
from chatbot.ingest_queue import IngestQueue
from chatbot.jobs import JobStore
from chatbot.keys import KeyStore
from chatbot.metrics import Metrics
from chatbot.receipts import Setup
from chatbot.records import Records
from chatbot.sessions import SessionStore
from chatbot.site_records import SiteRecords
from chatbot.sites import SiteStore
from chatbot.types import (
    NO_FILTERS,
    Chat,
    ChatTurn,
    Citation,
    Corpus,
    Correction,
    Document,
    DocumentRecord,
    Explanation,
    FileOutcome,
    FilterChoices,
    FinishedAnswer,
    IngestProgress,
    IngestReport,
    Message,
    PartStatus,
    Passage,
    PromptPlan,
    Rating,
    SearchFilters,
    SearchResult,
    SearchTrace,
    ServiceStatus,
    Timings,
)

from .fake_library import (
    make_document,
    make_documents,
    make_dropped_hit,
    make_failed_record,
    make_hit,
    make_passage,
    make_place,
)

MODEL = "SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class Sentence:
    """A sentence of a scripted answer and the words of a passage that it rests on."""

    text: str
    passage_number: int = 0
    quote: str = ""


REFUND_SCRIPT = (
    Sentence(
        "Customers may return **unopened bags** within 30 days of delivery and get the full price back. ",
        1,
        "Unopened bags of coffee may be returned within 30 days of delivery for a full refund.",
    ),
    Sentence(
        "Opened bags can be exchanged once within 14 days.\n\n",
        1,
        "Opened bags can be exchanged once within 14 days if the customer is unhappy with the roast.",
    ),
    Sentence(
        "The shop starts the refund within two working days; large ones need a manager:\n\n",
        2,
        "The shop starts a refund within two working days of receiving the goods",
    ),
    Sentence(
        "- refunds above 250 euros are approved by the *shift manager*\n",
        2,
        "Refunds above 250 euros need the approval of the shift manager.",
    ),
    Sentence("- gift cards are refunded as store credit\n"),
)
LONG_SCRIPT = tuple(
    Sentence(f"This is step {number} of a very long description of the shop. ") for number in range(1, 200)
)
NOT_FOUND_SCRIPT = (Sentence("The documents do not say anything about that."),)
HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> "
    "[x](javascript:alert(1)) "
)
HOSTILE_SCRIPT = (Sentence(HOSTILE), Sentence("![beacon](http://evil.example/p.png) `<svg onload=1>` end. "))


class FakeAnswer:
    """What `Service.ask` returns: passages first, then words, then citations sentence by sentence."""

    def __init__(self, question: str, result: SearchResult, script: Sequence[Sentence], delay_seconds: float):
        self.question = question
        self.request = Request(question, result.trace.searched_for, "handbook", time.monotonic())
        self._trace = result.trace
        self.passages: tuple[Passage, ...] = ()
        self.citations: list[Citation] = []
        self.unsupported: list[tuple[int, int]] = []
        self.short_answer = ""
        self.text = ""
        self.draft = ""
        self.found = script is not NOT_FOUND_SCRIPT
        self.finished: FinishedAnswer | None = None
        self.keep: Callable[[FinishedAnswer], FinishedAnswer] = lambda answer: answer
        self.was_stopped = False
        self._found_passages = result.passages
        self._script = script
        self._delay_seconds = delay_seconds
        self._stopping = threading.Event()
        self._started = time.monotonic()

    def finish(self) -> FinishedAnswer:
        for _ in self:
            pass
        self.finished = self.keep(self._finish())
        return self.finished

    def __iter__(self) -> Iterator[str]:
        self._stopping.wait(self._delay_seconds * 4)
        self.passages = self._found_passages
        for sentence in self._script:
            if sentence.text.startswith("!crash"):
                raise ModelError(
                    "The language model ran out of memory.", "Choose a smaller model, then ask again."
                )
            if sentence.text.startswith("!bug"):
                raise RuntimeError("secret internals at /home/someone")
            for word in sentence.text.split(" "):
                if self._stopping.wait(self._delay_seconds):
                    return
                self.draft += word + " " if word and not word.endswith("\n") else word
                yield ""
            start, added = len(self.text), self.draft
            self.draft, self.text = "", self.text + added
            self._ground(sentence, start)
            yield added

    def _ground(self, sentence: Sentence, start: int) -> None:
        end = start + len(self.text[start:].rstrip())
        if not sentence.quote:
            if self._found_passages and self._script is not NOT_FOUND_SCRIPT:
                self.unsupported.append((start, end))
            return
        chunk = self._found_passages[sentence.passage_number - 1].chunk
        source_start = chunk.start + chunk.text.index(sentence.quote)
        source_end = source_start + len(sentence.quote)
        self.citations.append(
            Citation(sentence.passage_number, start, end, chunk.document_id, source_start, source_end,
                     sentence.quote, chunk.page, 0.93)
        )  # fmt: skip

    def stop(self) -> None:
        self.was_stopped = True
        self._stopping.set()

    def _finish(self) -> FinishedAnswer:
        return FinishedAnswer(
            question=self.question,
            searched_for=(
                "how long may goods be returned" if "them" in self.question else self._trace.searched_for
            ),
            corpus="handbook",
            text=self.text.rstrip(),
            found=self._script is not NOT_FOUND_SCRIPT,
            passages=self._found_passages,
            citations=tuple(self.citations),
            unsupported=tuple(self.unsupported),
            dropped=2 if self._script is REFUND_SCRIPT else 0,
            stop_reason="stopped" if self._stopping.is_set() else "end",
            timings=Timings(0.12, 0.4, time.monotonic() - self._started),
            model=MODEL,
            trace=self._trace,
            prompt=PromptPlan((Message("user", f"Answer this: {self.question}"),), 120, 1900, (1, 2), 2),
        )


class FakeChatStore:
    """Chats in memory."""

    def __init__(self) -> None:
        self._chats: dict[str, Chat] = {}
        self._numbers = itertools.count(1)

    def create_chat(self, corpus: str) -> Chat:
        now = datetime.now(UTC).isoformat()
        chat = Chat(f"chat{next(self._numbers)}", corpus, "New chat", now, now)
        self._chats[chat.id] = chat
        return chat

    def list_chats(self) -> list[Chat]:
        return [replace(chat, turns=()) for chat in reversed(self._chats.values())]

    def get_chat(self, chat_id: str) -> Chat:
        if chat_id not in self._chats:
            raise CorpusError("This chat does not exist any more.", "Start a new one.")
        return self._chats[chat_id]

    def append_turn(self, chat_id: str, question: str, answer: FinishedAnswer) -> ChatTurn:
        chat = self.get_chat(chat_id)
        turn = ChatTurn(f"turn{next(self._numbers)}", question, answer, datetime.now(UTC).isoformat())
        title = chat.title if chat.turns else question[:60]
        self._chats[chat_id] = replace(chat, turns=(*chat.turns, turn), title=title)
        return turn

    def replace_turns_from(self, chat_id: str, turn_id: str) -> None:
        chat = self.get_chat(chat_id)
        ids = [turn.id for turn in chat.turns]
        self._chats[chat_id] = replace(chat, turns=chat.turns[: ids.index(turn_id)])

    def rate_turn(self, turn_id: str, rating: Rating | None) -> None:
        for chat in self._chats.values():
            turns = tuple(replace(turn, rating=rating) if turn.id == turn_id else turn for turn in chat.turns)
            self._chats[chat.id] = replace(chat, turns=turns)

    def rename_chat(self, chat_id: str, title: str) -> None:
        self._chats[chat_id] = replace(self.get_chat(chat_id), title=title)

    def list_receipts(self, chat_id: str) -> list[str]:
        turns = self._chats[chat_id].turns if chat_id in self._chats else ()
        return [turn.answer.receipt for turn in turns]

    def drop_document(self, document_id: str, successor: DocumentRecord | None) -> None:
        """As the real store does for answers that cite it."""
        assert successor is None, "nothing of this library has the same content"
        for chat in self._chats.values():
            turns = (
                replace(turn, answer=forget_words(turn.answer))
                if document_id in find_sources(turn.answer)
                else turn
                for turn in chat.turns
            )
            self._chats[chat.id] = replace(chat, turns=tuple(turns))

    def delete_chat(self, chat_id: str) -> None:
        self._chats.pop(chat_id, None)


def forget_words(answer: FinishedAnswer) -> FinishedAnswer:
    return replace(answer, text=FORGOTTEN, passages=(), citations=(), unsupported=(), trace=None, prompt=None)


@dataclass(frozen=True)
class FakeSettings:
    upload_limit_mb: int = 2
    question_limit_characters: int = 400
    host: str = "127.0.0.1"
    port: int = 7900
    public_url: str | None = None
    trusted_proxies: str = ""

    @property
    def is_shared(self) -> bool:
        return self.host != "127.0.0.1" or self.public_url is not None


def write_blank_pdf(path: Path, pages: int) -> None:
    """A PDF with nothing on its pages."""
    import pypdfium2

    with contextlib.closing(pypdfium2.PdfDocument.new()) as file:
        for _ in range(pages):
            file.new_page(595, 842).close()
        file.save(path)


class FakeIngests(IngestQueue):
    """Jobs in a real register; how far the reading is, is told by a script."""

    told_progress: IngestProgress | None = None
    told_report: IngestReport | None = None

    def progress(self, corpus: str) -> IngestProgress | None:
        return self.told_progress if self.told_progress and self.told_progress.corpus == corpus else None

    def last_report(self, corpus: str) -> IngestReport | None:
        return self.told_report if self.told_report and self.told_report.corpus == corpus else None

    def latest(self, corpus: str) -> IngestReport | None:
        return self.last_report(corpus)


@dataclass
class FakeService:
    """Everything the page asks of the product, scripted; `answers` remembers each answer given."""

    delay_seconds: float = 0.0
    loading_seconds: float = 0.0
    settings: FakeSettings = field(default_factory=FakeSettings)
    chats: FakeChatStore = field(default_factory=FakeChatStore)
    answers: list[FakeAnswer] = field(default_factory=list)
    asked: list[tuple[str, tuple[Message, ...]]] = field(default_factory=list)
    filters: list[SearchFilters] = field(default_factory=list)
    stops: list[threading.Event | None] = field(default_factory=list)
    admission: Admission = field(default_factory=lambda: Admission(parallel=16, waiting=16))
    owner_secret: str = "the secret of the owner"

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._folder = Path(tempfile.mkdtemp(prefix="fake-service-"))
        self.keys = KeyStore(self._folder / "keys.json")
        self.sessions = SessionStore(self._folder / "sessions.sqlite3", self.keys)
        self.records = Records(self._folder, most=100, days=90, find_revisions=self.find_revisions)
        self.sites = SiteStore(self._folder / "sites.json")
        self.site_records = SiteRecords(self._folder / "sites.sqlite3")
        weakref.finalize(self, self.site_records.close)
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.metrics = Metrics(
            count_waiting=lambda: self.admission.waiting,
            count_running=lambda: self.admission.running,
            count_documents=lambda: len(self._documents),
        )
        self._documents: dict[str, Document] = {document.record.id: document for document in make_documents()}
        self._failed = [make_failed_record()]
        self.ingests = FakeIngests(JobStore(self._folder / "jobs.sqlite3"))
        self.read_again_ids: list[str] = []

    @property
    def catalogue(self) -> FakeService:
        """It plays the parts of a service too: what there is, and what changes it."""
        return self

    @property
    def upkeep(self) -> FakeService:
        return self

    def status(self) -> ServiceStatus:
        waited = time.monotonic() - self._started
        ready = waited >= self.loading_seconds
        detail = "" if ready else f"the language model is loading ({waited:.0f} s)"
        model = PartStatus("language model", "ready" if ready else "working", detail)
        return ServiceStatus(ready, (PartStatus("embedder", "ready"), model))

    def list_corpora(self) -> list[Corpus]:
        chunks = sum(document.record.chunks for document in self._documents.values())
        return [
            Corpus(
                "handbook",
                "Harbour Coffee handbook",
                "How we run the shop and the roastery: opening, refunds, hygiene, roasting, holidays.",
                (
                    "How long can a customer return coffee?",
                    "What do I do when the fridge is too warm?",
                    "How many days of holiday do I have?",
                ),
                len(self._documents),
                chunks,
            ),
            Corpus("papers", "Research papers", "An empty corpus.", (), 0, 0),
        ]

    def find_corpus(self, name: str | None) -> str:
        wanted = name or "handbook"
        self._check_corpus(wanted)
        return wanted

    def list_documents(self, corpus: str) -> list:
        self._check_corpus(corpus)
        records = [document.record for document in self._documents.values()] + self._failed
        return [record for record in records if record.corpus == corpus]

    def get_document(self, document_id: str) -> Document:
        if document_id not in self._documents:
            raise CorpusError(
                "There is no such document.", "It may have been deleted. Ask the question again."
            )
        return self._documents[document_id]

    def render_page(self, document_id, page_number, *, highlights=()) -> bytes:
        """As the real one does, in this process."""
        from chatbot.documents.pdf_page import render_page

        return render_page(self.document_file(document_id), page_number, highlights=highlights)

    def document_file(self, document_id: str) -> Path:
        document = self.get_document(document_id)
        path = self._folder / document.record.path.replace("/", "-")
        if document.record.format == "pdf":
            write_blank_pdf(path, document.record.pages)
        else:
            path.write_text(document.text)
        return path

    def ask(
        self,
        question: str,
        *,
        corpus: str,
        history: Sequence[Message] = (),
        filters: SearchFilters = NO_FILTERS,
        stop: threading.Event | None = None,
    ) -> FakeAnswer:
        self._check_corpus(corpus)
        if not question.strip():
            raise QuestionError("The question is empty.", "Type a question.")
        if "too long" in question:
            raise QuestionError("The question is too long.", "Shorten it to 400 characters.")
        self.asked.append((question, tuple(history)))
        self.filters.append(filters)
        self.stops.append(stop)
        result = self.search(question, corpus=corpus, filters=filters)
        script = choose_script(question) if filters.is_empty else NOT_FOUND_SCRIPT
        answer = FakeAnswer(question, result, script, self.delay_seconds)
        setup = Setup(model=MODEL, prompts={"system": "0"}, settings={"passage_limit": 6})
        answer.keep = lambda done: self.records.keep(done, history=history, filters=filters, setup=setup)
        self.answers.append(answer)
        return answer

    def search(
        self, question: str, *, corpus: str, limit: int = 10, filters: SearchFilters = NO_FILTERS
    ) -> SearchResult:
        """Always the same passages of the documents that the filters let through, and one left out."""
        self._check_corpus(corpus)
        words, typed = split_query(question)
        filters = narrow_filters(filters, typed)
        refunds, shifts, hygiene = list(self._documents.values())[:3]
        chosen = {record.id for record in select_documents(self._list_readable(), filters)}
        places = [(refunds, 0), (refunds, 1), (hygiene, 0), (shifts, 0)]
        kept = [(document, ordinal) for document, ordinal in places if document.record.id in chosen]
        passages = [
            make_passage(document, ordinal, number) for number, (document, ordinal) in enumerate(kept, 1)
        ][:limit]
        if passages:
            passages[0] = replace(passages[0], also_in=(make_place(hygiene),))
        corrections = (Correction("cofee", "coffee"),) if "cofee" in words else ()
        trace = SearchTrace(
            question=words,
            searched_for=words.replace("cofee", "coffee"),
            filters=filters,
            corrections=corrections,
            documents=len(chosen),
            documents_total=len(self._documents),
            hits=tuple([*map(make_hit, passages), make_dropped_hit(shifts)] if passages else []),
            seconds=(("embedding", 0.012), ("vectors", 0.003), ("words", 0.001), ("ranking", 0.002)),
            notes=("No document holds “moon”.",) if "moon" in words else (),
        )
        return SearchResult(tuple(passages), trace)

    def explain(
        self,
        question: str,
        *,
        corpus: str,
        history: Sequence[Message] = (),
        limit: int = 10,
        filters: SearchFilters = NO_FILTERS,
    ) -> Explanation:
        if not question.strip():
            raise QuestionError("The question is empty.", "Type a question.")
        result = self.search(question, corpus=corpus, limit=limit, filters=filters)
        numbers = tuple(passage.number for passage in result.passages)
        prompt = PromptPlan((*history, Message("user", f"Answer this: {question}")), 120, 1900, numbers)
        return Explanation(result, prompt, answerable=True, asks_model=True, best_evidence=0.8, floor=0.6)

    def list_filter_choices(self, corpus: str) -> FilterChoices:
        self._check_corpus(corpus)
        return list_choices([record for record in self._list_readable() if record.corpus == corpus])

    def find_revisions(self, ids: Collection[str]) -> dict[str, str]:
        return {record.id: record.sha256 for record in self._list_readable() if record.id in ids}

    def _list_readable(self) -> list[DocumentRecord]:
        return [document.record for document in self._documents.values()]

    def add_files(self, corpus: str, files: Sequence[tuple[str, Path]]) -> list[str]:
        self._check_corpus(corpus)
        names = [name for name, _ in files]
        contents = [path.read_text(errors="replace") for _, path in files]
        self.ingests.told_progress = IngestProgress(corpus, names[0], 0, len(names), 0, 0.1, 2.0)
        threading.Thread(target=self._ingest, args=(corpus, names, contents), daemon=True).start()
        return names

    def _ingest(self, corpus: str, names: list[str], contents: list[str]) -> None:
        outcomes = []
        time.sleep(0.1)
        for number, (name, content) in enumerate(zip(names, contents, strict=True)):
            self.ingests.told_progress = IngestProgress(
                corpus, name, number, len(names), number * 3, number * 0.5, 1.0
            )
            time.sleep(max(self.delay_seconds * 10, 0.05))
            if "broken" in name:
                outcomes.append(
                    FileOutcome(name, "failed", reason="The file is damaged. Save it again and retry.")
                )
                continue
            document = make_document(corpus, name, Path(name).stem, "text", None, content or "empty")
            self._documents[document.record.id] = document
            outcomes.append(FileOutcome(name, "added", document.record.chunks, 0.3))
        self.ingests.told_report = IngestReport(corpus, tuple(outcomes), 5, 3, 0.6)
        for job in self.ingests.jobs.list_waiting():
            changes = tuple(Change("added", outcome.path) for outcome in outcomes)
            self.ingests.jobs.note_changes(job.number, FolderChanges(changes, (), (), 5))
            for outcome in outcomes:
                self.ingests.jobs.note_outcome(job.number, outcome)
            self.ingests.jobs.finish(job.number, self.ingests.told_report)
        self.ingests.told_progress = None

    def delete_document(self, document_id: str) -> None:
        self._failed = [record for record in self._failed if record.id != document_id]
        self._documents.pop(document_id, None)

    def read_again(self, document_id: str) -> None:
        self.read_again_ids.append(document_id)
        self.start_ingest(self.get_document(document_id).record.corpus)

    def find_changes(self, corpus: str) -> FolderChanges:
        self._check_corpus(corpus)
        return FolderChanges((Change("removed", "shop/old.md"),), (), tuple(self._failed), 33)

    def start_ingest(self, corpus: str, *, only_refused: bool = False) -> int:
        self._check_corpus(corpus)
        number = self.ingests.request(corpus, only_refused=only_refused)
        self.ingests.told_progress = IngestProgress(corpus, "shop/food-hygiene.md", 0, 1, 0, 0.1, None)
        threading.Thread(target=self._ingest, args=(corpus, [], []), daemon=True).start()
        return number

    def _check_corpus(self, corpus: str) -> None:
        names = [known.name for known in self.list_corpora()]
        if corpus not in names:
            raise CorpusError(f"There is no corpus called “{corpus}”.", f"Choose one of: {', '.join(names)}.")


def choose_script(question: str) -> Sequence[Sentence]:
    """The scripted answer that a word of the question stands for."""
    scripts = {
        "moon": NOT_FOUND_SCRIPT,
        "everything": LONG_SCRIPT,
        "hostile": HOSTILE_SCRIPT,
        "crash": (Sentence("It begins. "), Sentence("!crash")),
        "bug": (Sentence("!bug"),),
    }
    return next((script for word, script in scripts.items() if word in question.lower()), REFUND_SCRIPT)
