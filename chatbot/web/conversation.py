"""One question in a chat: history in, a running answer out, the finished turn into the store."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chatbot.chats import list_messages
from chatbot.errors import CorpusError, QuestionError
from chatbot.forgetting import find_named, find_sources
from chatbot.types import NO_FILTERS, Chat, FinishedAnswer, Message, SearchFilters
from chatbot.web.running import RunningAnswer

if TYPE_CHECKING:
    from types import TracebackType

    from chatbot.service import Service

STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask and where; `replaces` names the turn that the new one takes the place of."""

    text: str
    chat_id: str
    corpus: str
    replaces: str = ""
    filters: SearchFilters = NO_FILTERS


class Conversation:
    """A running answer with its chat. Leaving the `with` block stops the model.

    A chat comes into being with its first answer; until then `chat_id` is empty.
    """

    def __init__(self, service: Service, question: Question) -> None:
        self.chat_id = question.chat_id
        self.is_left = False
        self._service = service
        self._chats = service.chats
        self._question = question
        history: list[Message] = []
        sources: set[str] = set()
        if self.chat_id:
            chat = drop_turns_from(self._chats.get_chat(self.chat_id), question.replaces)
            history = list_messages(chat)
            sources = {document_id for turn in chat.turns for document_id in find_sources(turn.answer)}
        self._history_sources = sources
        self.running = RunningAnswer(
            lambda stop: service.ask(
                question.text, corpus=question.corpus, history=history, filters=question.filters, stop=stop
            ),
            self._keep,
            admission=service.admission,
            metrics=service.metrics,
        )

    def _keep(self, answer: FinishedAnswer) -> None:
        receipts = self._service.records.receipts
        if self._find_deleted(self._history_sources):  # prompt and receipt repeat what was said before
            answer = replace(answer, prompt=None)
            receipts.forget_words([answer.receipt])
        try:
            self._append_turn(answer)
        except CorpusError:  # the chat was deleted meanwhile
            receipts.forget_words([answer.receipt])
            raise
        for document_id in self._find_deleted(find_named(answer)):
            self._chats.drop_document(document_id, None)

    def _append_turn(self, answer: FinishedAnswer) -> None:
        if self._question.replaces:
            chat = self._chats.get_chat(self.chat_id)
            replaced = chat.turns[len(drop_turns_from(chat, self._question.replaces).turns) :]
            self._service.records.receipts.forget_words([turn.answer.receipt for turn in replaced])
            self._chats.replace_turns_from(self.chat_id, self._question.replaces)
        self.chat_id = self.chat_id or self._chats.create_chat(self._question.corpus).id
        self._chats.append_turn(self.chat_id, self._question.text, answer)

    def _find_deleted(self, document_ids: set[str]) -> set[str]:
        """Those that were deleted while the answer was written, too late for what is kept of it."""
        return document_ids - self._service.catalogue.find_revisions(document_ids).keys()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.stop()


class Conversations:
    """At most one running answer for each open page."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._by_session: dict[str, Conversation] = {}
        self._lock = threading.Lock()

    def start(self, question: Question, session: str) -> Conversation:
        """Start answering; the turn is kept when the answer is finished or stopped."""
        limit = self._service.settings.question_limit_characters
        if len(question.text) > limit:
            raise QuestionError(
                f"The question has {len(question.text):,} characters, {limit:,} are allowed.",
                "Shorten it and ask again.",
            )
        conversation = Conversation(self._service, question)
        with self._lock:
            self._forget_finished()
            self._by_session[session] = conversation
        conversation.running.start()
        return conversation

    def stop(self, session: str, *, leave: bool) -> None:
        """Stop the page's answer, if one is running; with `leave` it is no longer shown either."""
        with self._lock:
            conversation = self._by_session.get(session)
        if conversation is not None:
            conversation.is_left = leave
            conversation.running.stop()
            conversation.running.wait(STOP_SECONDS)

    def is_running(self, session: str) -> bool:
        """Whether the page's answer is still being written."""
        with self._lock:
            conversation = self._by_session.get(session)
        return conversation is not None and not conversation.running.wait(0)

    def _forget_finished(self) -> None:
        over = [name for name, conversation in self._by_session.items() if conversation.running.wait(0)]
        for name in over:
            del self._by_session[name]


def drop_turns_from(chat: Chat, turn_id: str) -> Chat:
    """The chat as it was before a turn; the whole chat when it has no such turn."""
    ids = [turn.id for turn in chat.turns]
    return replace(chat, turns=chat.turns[: ids.index(turn_id)]) if turn_id in ids else chat
