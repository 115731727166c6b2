"""What the page does: turns the reader's actions into calls of the service and parts to show anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.errors import ChatbotError, CorpusError
from chatbot.types import NO_FILTERS, Corpus, FilterChoices, Rating, SearchFilters
from chatbot.web import panels, render, search
from chatbot.web.conversation import Conversation, Conversations, Question, drop_turns_from
from chatbot.web.filter_controls import parse_filters, read_address, render_chat_filters
from chatbot.web.running import describe_unexpected
from chatbot.web.trace import render_why_dialog

if TYPE_CHECKING:
    from chatbot.service import Service

BUSY_SECONDS = 1.0
IDLE_SECONDS = 10.0
LIVE_SECONDS = 0.08

LEAVING = frozenset({"new", "corpus", "open", "delete_chat"})
"""After these actions an answer that is being written has no place to appear in."""

NO_RESULTS = {"search_trace": "", "search_results": ""}

RATINGS: dict[str, Rating] = {"up": "up", "down": "down"}


@dataclass(frozen=True, slots=True)
class Event:
    """What the reader did, and the chat and corpus that the page shows."""

    fields: dict[str, str]
    chat_id: str
    corpus: str
    session: str

    def get(self, name: str) -> str:
        """A field of the event, empty when it was not sent."""
        return self.fields.get(name, "")

    @property
    def filters(self) -> SearchFilters:
        """The filters that were set when it happened.

        :raises QuestionError: for what is no filter.
        """
        return parse_filters(self.get("filters"))


@dataclass(frozen=True, slots=True)
class Update:
    """Parts of the page to show anew, and when to look again for news."""

    parts: dict[str, str] = field(default_factory=dict)
    refresh_seconds: float = 0.0

    def __or__(self, other: Update) -> Update:
        return Update(self.parts | other.parts, other.refresh_seconds or self.refresh_seconds)


class Page:
    """Answers the events of all open pages; what a page shows, it sends along itself."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._conversations = Conversations(service)
        self._actions: dict[str, Callable[[Event], Update]] = {
            "new": lambda event: self._show_chat("", event.corpus, event.filters),
            "corpus": lambda event: self._show_corpus(event.get("value"), event.get("question")),
            "open": lambda event: self._show_chat(event.get("chat"), event.corpus, event.filters),
            "rename": self._rename_chat,
            "delete_chat": self._delete_chat,
            "rate": self._rate,
            "stop": lambda _: Update(),
            "dismiss": lambda _: Update({"notice": ""}),
            "documents": lambda event: self._show_news(event.chat_id, event.corpus),
            "conversation": self._show_conversation,
            "ingest": self._start_ingest,
            "delete_document": self._delete_document,
            "filter": lambda event: self._show_filters(event.corpus, event.filters),
            "search_view": self._show_search_filters,
            "explain": self._explain_search,
            "why": self._show_why,
        }

    def open_address(self, query: Sequence[tuple[str, str]]) -> Update:
        """The first sight of the page; a search that its address names is left to the page to start."""
        values = dict(query)
        corpus = values.get("corpus", "")
        update = self.open(chat_id=values.get("chat", ""), corpus=corpus)
        if values.get("view") == "search":
            update |= self._guard(lambda: self._open_search(query))
        if corpus:
            update |= self._guard(lambda: self._check_corpus(corpus))
        return update

    def open(self, *, chat_id: str, corpus: str) -> Update:
        """The first sight of the page, at the chat or corpus that its address names."""
        update = self._guard(lambda: self._show_chat(chat_id, corpus))
        if chat_id and "transcript" not in update.parts:
            update = self._guard(lambda: self._show_chat("", corpus)) | update
        shown = update.parts.get("corpus", corpus)
        update = self._guard(lambda: self._show_search(shown, "", NO_FILTERS)) | update
        update |= Update({"search_done": search.render_search_done("0")})
        return self._guard(lambda: self._show_news(chat_id, shown)) | update

    def act(self, event: Event) -> Update:
        """Do what a button asks for."""
        name = event.get("action")
        if name == "search":
            done = Update({"search_done": search.render_search_done(event.get("search"))})
            return self._guard(lambda: self._search(event)) | done
        action = self._actions.get(name)
        if action is None:
            return Update()
        if name == "stop" or name in LEAVING:
            self._conversations.stop(event.session, leave=name != "stop")
        return self._guard(lambda: action(event))

    def ask(self, event: Event) -> Iterator[Update]:
        """Ask a question and show the answer as it is written."""
        text = event.get("question").strip()
        if not text:
            return
        try:
            question = Question(text, event.chat_id, event.corpus, event.get("turn"), event.filters)
            yield from self._ask(question, event.session)
        except ChatbotError as error:
            yield Update({"notice": panels.render_notice(error), "live": ""})
        except Exception as error:  # noqa: BLE001 - the outer edge of the page: logged, and told to the reader
            yield Update({"notice": panels.render_notice(describe_unexpected(error)), "live": ""})

    def refresh(self, chat_id: str, corpus: str) -> Update:
        """What changes by itself: whether questions can be answered, and a running ingest."""
        return self._guard(lambda: self._show_news(chat_id, corpus))

    def upload(self, files: Sequence[Path], chat_id: str, corpus: str) -> Update:
        """Add the files that were dropped on the page."""

        def add() -> Update:
            self._service.upkeep.add_files(corpus, [(file.name, file) for file in files])
            return Update({"notice": ""}) | self._show_news(chat_id, corpus)

        return self._guard(add)

    def _ask(self, question: Question, session: str) -> Iterator[Update]:
        conversation = self._conversations.start(question, session)
        with conversation:
            yield Update({"notice": "", "transcript": self._render_turns_before(question)})
            for parts in self._follow(question, conversation):
                yield Update(parts)
        if conversation.is_left:
            # Words that were on their way when the page turned to something else are taken back.
            yield Update({"live": "", "live_sources": ""})
        elif conversation.running.take_snapshot().finished:
            shown = self._show_chat(conversation.chat_id, question.corpus)
            # Other filters may have been set since the question was asked.
            yield Update({name: part for name, part in shown.parts.items() if name != "filters"})

    def _open_search(self, query: Sequence[tuple[str, str]]) -> Update:
        """The search view as an address names it; one with filters that cannot be used is not started."""
        values = dict(query)
        corpus, text = values.get("corpus", ""), values.get("q", "")
        try:
            filters = read_address(query)
        except ChatbotError as error:
            return self._show_search(corpus, text, NO_FILTERS) | Update(
                {"notice": panels.render_notice(error)}
            )
        wanted = Update({"search_done": search.render_search_done("0", is_wanted=bool(text.strip()))})
        return self._show_search(corpus, text, filters) | wanted

    def _search(self, event: Event) -> Update:
        """The passages that match a question; no language model is called."""
        question = event.get("question").strip()
        chosen = render.find_corpus(self._service.catalogue.list_corpora(), event.corpus)
        if not question:
            return Update({"search_found": search.render_search_help(chosen)} | NO_RESULTS)
        filters = event.filters
        try:
            result = self._service.search(question, corpus=chosen.name, filters=filters)
        except ChatbotError as error:
            shown = {"search_found": search.render_search_error(error)} | NO_RESULTS
        except Exception as error:  # noqa: BLE001 - the outer edge of the page: logged, and told to the reader
            shown = {"search_found": search.render_search_error(describe_unexpected(error))} | NO_RESULTS
        else:
            shown = {
                "search_found": search.render_found(result, question),
                "search_trace": search.render_folded_trace(result.trace, question, filters),
                "search_results": search.render_results(result),
            }
        return Update({"notice": ""} | shown)

    def _explain_search(self, event: Event) -> Update:
        with self._service.admission.enter(threading.Event()):
            explanation = self._service.explain(
                event.get("question"), corpus=event.corpus, filters=event.filters
            )
        return Update({"search_trace": search.render_whole_trace(explanation)})

    def _follow(self, question: Question, conversation: Conversation) -> Iterator[dict[str, str]]:
        """The answer as it grows, until it is over or the page shows something else."""
        corpus = render.find_corpus(self._service.catalogue.list_corpora(), question.corpus)
        shown_sources = ""
        while not conversation.is_left:
            snapshot = conversation.running.take_snapshot()
            if snapshot.finished:
                return
            parts = {"live": render.render_live_turn(question.text, snapshot, corpus)}
            sources = "" if snapshot.error else render.render_live_sources(snapshot)
            if sources != shown_sources:
                shown_sources = parts["live_sources"] = sources
            yield parts
            if snapshot.is_over:
                return
            conversation.running.wait(LIVE_SECONDS)

    def _render_turns_before(self, question: Question) -> str:
        """The chat without the turns that a question takes the place of."""
        if not question.chat_id:
            return ""
        chat = self._service.chats.get_chat(question.chat_id)
        return render.render_transcript(drop_turns_from(chat, question.replaces).turns)

    def _show_chat(self, chat_id: str, corpus: str, filters: SearchFilters = NO_FILTERS) -> Update:
        corpora = self._service.catalogue.list_corpora()
        chat = self._service.chats.get_chat(chat_id) if chat_id else None
        chosen = render.find_corpus(corpora, chat.corpus if chat else corpus)
        turns = chat.turns if chat else ()
        # Folders and types of one corpus say nothing of another.
        shown = self._show_filters(chosen.name, filters if chosen.name == corpus else NO_FILTERS)
        return shown | Update(
            {
                "sidebar": self._render_sidebar(corpora, chosen, chat_id),
                "transcript": render.render_transcript(turns) if turns else render.render_welcome(chosen),
                "live": "",
                "live_sources": "",
                "notice": "",
                "chat_id": chat_id,
                "corpus": chosen.name,
            }
        )

    def _check_corpus(self, corpus: str) -> Update:
        """Nothing for a corpus that there is; else the reader is told that the page shows another one.

        :raises CorpusError: when there is no such corpus.
        """
        corpora = self._service.catalogue.list_corpora()
        if corpora and corpus not in [known.name for known in corpora]:
            shown = render.find_corpus(corpora, corpus)
            told = f"“{shown.title}” is shown. Choose another one at the side."
            raise CorpusError(f"There is no corpus “{corpus}”.", told)
        return Update()

    def _show_corpus(self, corpus: str, searched: str) -> Update:
        update = self._show_news("", corpus) | self._show_search(corpus, searched, NO_FILTERS)
        return update | self._show_chat("", corpus)

    def _show_conversation(self, event: Event) -> Update:
        if self._conversations.is_running(event.session):
            return Update()
        return self._show_chat(event.chat_id, event.corpus, event.filters)

    def _show_filters(self, corpus: str, filters: SearchFilters) -> Update:
        choices = self._service.catalogue.list_filter_choices(corpus) if corpus else FilterChoices()
        return Update({"filters": render_chat_filters(choices, filters)})

    def _show_search(self, corpus: str, question: str, filters: SearchFilters) -> Update:
        chosen = render.find_corpus(self._service.catalogue.list_corpora(), corpus)
        limit = self._service.settings.question_limit_characters
        parts = {
            "search_form": search.render_search_form(question, chosen, limit_characters=limit),
            "search_found": search.render_search_help(chosen),
            **NO_RESULTS,
        }
        if chosen.name:
            choices = self._service.catalogue.list_filter_choices(chosen.name)
            parts["search_filters"] = search.render_search_filters(choices, filters)
        return Update(parts)

    def _show_search_filters(self, event: Event) -> Update:
        """The filters of the search view, for documents may have come meanwhile."""
        choices = self._service.catalogue.list_filter_choices(event.corpus)
        return Update({"search_filters": search.render_search_filters(choices, event.filters)})

    def _show_why(self, event: Event) -> Update:
        turns = self._service.chats.get_chat(event.chat_id).turns
        answers = [turn.answer for turn in turns if turn.id == event.get("turn")]
        return Update({"why": render_why_dialog(event.get("turn"), answers[0]) if answers else ""})

    def _show_news(self, chat_id: str, corpus: str) -> Update:
        status = self._service.status()
        corpora = self._service.catalogue.list_corpora()
        chosen = render.find_corpus(corpora, corpus)
        limit = self._service.settings.question_limit_characters
        parts = {
            "sidebar": self._render_sidebar(corpora, chosen, chat_id),
            "composer": panels.render_composer(status, limit_characters=limit),
        }
        is_reading = False
        if chosen.name:
            progress = self._service.ingests.progress(chosen.name)
            is_reading = progress is not None
            records, report = (
                self._service.catalogue.list_documents(chosen.name),
                self._service.ingests.last_report(chosen.name),
            )
            upload_limit_mb = self._service.settings.upload_limit_mb
            parts["documents_head"] = panels.render_documents_head(chosen, upload_limit_mb=upload_limit_mb)
            parts["documents"] = panels.render_documents(records, progress, report)
        return Update(parts, BUSY_SECONDS if is_reading or not status.ready else IDLE_SECONDS)

    def _render_sidebar(self, corpora: Sequence[Corpus], chosen: Corpus, chat_id: str) -> str:
        chats = self._service.chats.list_chats()
        return panels.render_sidebar(
            corpora, chats, corpus=chosen, chat_id=chat_id, is_signed_in=self._service.keys.is_in_use
        )

    def _rename_chat(self, event: Event) -> Update:
        title = " ".join(event.get("value").split())
        if title:
            self._service.chats.rename_chat(event.get("chat"), title)
        return self._show_news(event.chat_id, event.corpus)

    def _delete_chat(self, event: Event) -> Update:
        deleted = event.get("chat")
        receipts = self._service.chats.list_receipts(deleted)
        self._service.records.receipts.forget_words(receipts)
        self._service.chats.delete_chat(deleted)
        shown = "" if deleted == event.chat_id else event.chat_id
        return self._show_chat(shown, event.corpus, event.filters)

    def _rate(self, event: Event) -> Update:
        rating = RATINGS.get(event.get("rating"))
        self._service.chats.rate_turn(event.get("turn"), rating)
        chat = self._service.chats.get_chat(event.chat_id)
        receipts = [turn.answer.receipt for turn in chat.turns if turn.id == event.get("turn")]
        if receipts and self._service.records.receipts.find(receipts[0]):
            self._service.records.rate(receipts[0], rating)
        return Update({"transcript": render.render_transcript(chat.turns)})

    def _start_ingest(self, event: Event) -> Update:
        self._service.upkeep.start_ingest(event.corpus)
        return Update({"notice": ""}) | self._show_news(event.chat_id, event.corpus)

    def _delete_document(self, event: Event) -> Update:
        self._service.upkeep.delete_document(event.get("document"))
        return self._show_news(event.chat_id, event.corpus)

    def _guard(self, act: Callable[[], Update]) -> Update:
        """Run one action; an error becomes a notice, never a stack trace."""
        try:
            return act()
        except ChatbotError as error:
            return Update({"notice": panels.render_notice(error)})
        except Exception as error:  # noqa: BLE001 - the outer edge of the page: logged, and told to the reader
            return Update({"notice": panels.render_notice(describe_unexpected(error))})
