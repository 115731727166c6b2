"""What the page does: turns the reader's actions into calls of the service and parts to show anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.errors import ChatbotError
from chatbot.types import Corpus, Rating
from chatbot.web import panels, render
from chatbot.web.conversation import Conversation, Conversations, Question, drop_turns_from
from chatbot.web.running import describe_unexpected

if TYPE_CHECKING:
    from chatbot.service import Service

BUSY_SECONDS = 1.0
IDLE_SECONDS = 10.0
LIVE_SECONDS = 0.08

LEAVING = frozenset({"new", "corpus", "open", "delete_chat"})
"""After these actions an answer that is being written has no place to appear in."""

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
            "new": lambda event: self._show_chat("", event.corpus),
            "corpus": lambda event: self._show_corpus(event.get("value")),
            "open": lambda event: self._show_chat(event.get("chat"), event.corpus),
            "rename": self._rename_chat,
            "delete_chat": self._delete_chat,
            "rate": self._rate,
            "stop": lambda _: Update(),
            "dismiss": lambda _: Update({"notice": ""}),
            "documents": lambda event: self._show_news(event.chat_id, event.corpus),
            "conversation": self._show_conversation,
            "ingest": self._start_ingest,
            "delete_document": self._delete_document,
        }

    def open(self, *, chat_id: str, corpus: str) -> Update:
        """The first sight of the page, at the chat or corpus that its address names."""
        update = self._guard(lambda: self._show_chat(chat_id, corpus))
        if chat_id and "transcript" not in update.parts:
            update = self._guard(lambda: self._show_chat("", corpus)) | update
        shown = update.parts.get("corpus", corpus)
        return self._guard(lambda: self._show_news(chat_id, shown)) | update

    def act(self, event: Event) -> Update:
        """Do what a button asks for."""
        name = event.get("action")
        action = self._actions.get(name)
        if action is None:
            return Update()
        if name == "stop" or name in LEAVING:
            self._conversations.stop(event.session, leave=name != "stop")
        return self._guard(lambda: action(event))

    def ask(self, event: Event) -> Iterator[Update]:
        """Ask a question and show the answer as it is written."""
        question = Question(event.get("question").strip(), event.chat_id, event.corpus, event.get("turn"))
        if not question.text:
            return
        try:
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
            self._service.add_files(corpus, [(file.name, file) for file in files])
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
            yield self._show_chat(conversation.chat_id, question.corpus)

    def _follow(self, question: Question, conversation: Conversation) -> Iterator[dict[str, str]]:
        """The answer as it grows, until it is over or the page shows something else."""
        corpus = render.find_corpus(self._service.list_corpora(), question.corpus)
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

    def _show_chat(self, chat_id: str, corpus: str) -> Update:
        corpora = self._service.list_corpora()
        chat = self._service.chats.get_chat(chat_id) if chat_id else None
        chosen = render.find_corpus(corpora, chat.corpus if chat else corpus)
        turns = chat.turns if chat else ()
        return Update(
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

    def _show_corpus(self, corpus: str) -> Update:
        return self._show_news("", corpus) | self._show_chat("", corpus)

    def _show_conversation(self, event: Event) -> Update:
        if self._conversations.is_running(event.session):
            return Update()
        return self._show_chat(event.chat_id, event.corpus)

    def _show_news(self, chat_id: str, corpus: str) -> Update:
        status = self._service.status()
        corpora = self._service.list_corpora()
        chosen = render.find_corpus(corpora, corpus)
        limit = self._service.settings.question_limit_characters
        parts = {
            "sidebar": self._render_sidebar(corpora, chosen, chat_id),
            "composer": panels.render_composer(status, limit_characters=limit),
        }
        is_reading = False
        if chosen.name:
            progress = self._service.ingest_progress(chosen.name)
            is_reading = progress is not None
            records, report = (
                self._service.list_documents(chosen.name),
                self._service.last_report(chosen.name),
            )
            upload_limit_mb = self._service.settings.upload_limit_mb
            parts["documents_head"] = panels.render_documents_head(chosen, upload_limit_mb=upload_limit_mb)
            parts["documents"] = panels.render_documents(records, progress, report)
        return Update(parts, BUSY_SECONDS if is_reading or not status.ready else IDLE_SECONDS)

    def _render_sidebar(self, corpora: Sequence[Corpus], chosen: Corpus, chat_id: str) -> str:
        chats = self._service.chats.list_chats()
        return panels.render_sidebar(corpora, chats, corpus=chosen, chat_id=chat_id)

    def _rename_chat(self, event: Event) -> Update:
        title = " ".join(event.get("value").split())
        if title:
            self._service.chats.rename_chat(event.get("chat"), title)
        return self._show_news(event.chat_id, event.corpus)

    def _delete_chat(self, event: Event) -> Update:
        deleted = event.get("chat")
        self._service.chats.delete_chat(deleted)
        return self._show_chat("" if deleted == event.chat_id else event.chat_id, event.corpus)

    def _rate(self, event: Event) -> Update:
        self._service.chats.rate_turn(event.get("turn"), RATINGS.get(event.get("rating")))
        chat = self._service.chats.get_chat(event.chat_id)
        return Update({"transcript": render.render_transcript(chat.turns)})

    def _start_ingest(self, event: Event) -> Update:
        self._service.start_ingest(event.corpus)
        return Update({"notice": ""}) | self._show_news(event.chat_id, event.corpus)

    def _delete_document(self, event: Event) -> Update:
        self._service.delete_document(event.get("document"))
        return self._show_news(event.chat_id, event.corpus)

    def _guard(self, act: Callable[[], Update]) -> Update:
        """Run one action; an error becomes a notice, never a stack trace."""
        try:
            return act()
        except ChatbotError as error:
            return Update({"notice": panels.render_notice(error)})
        except Exception as error:  # noqa: BLE001 - the outer edge of the page: logged, and told to the reader
            return Update({"notice": panels.render_notice(describe_unexpected(error))})
