"""Who visits which site: tickets that open a visit, tokens that carry it, and what was said in it.

A listed page fetches a ticket, which is good for one use within a minute, and hands it to the frame. The
frame, which the page cannot look into, changes it for a token: 256 random bits, for 15 minutes, bound to
the site, the page's origin, the visitor's address and one conversation. All of it is in memory only.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from chatbot.conversation.page_topic import lead_with_page
from chatbot.errors import AccessError
from chatbot.forgetting import find_sources
from chatbot.types import FinishedAnswer, Message, Rating

TOKEN_BYTES = 32
TICKET_SECONDS = 60
VISIT_SECONDS = 15 * 60
CONVERSATION_SECONDS = 2 * 3600
MOST_TICKETS = 5_000
MOST_VISITS = 10_000
MOST_CONVERSATIONS = 2_000
MOST_TURNS = 30

Held = TypeVar("Held")


@dataclass(frozen=True, slots=True)
class Visit:
    """A site, the origin of the page that shows it, the visitor's address and their conversation."""

    site: str
    origin: str
    address: str
    conversation_id: str = ""


@dataclass(slots=True)
class Turn:
    """A question with its answer; `topic` is what the page was about that it was asked on."""

    id: str
    question: str
    topic: str
    answer: FinishedAnswer
    rating: Rating | None = None


@dataclass(slots=True)
class Conversation:
    """What was said in a frame."""

    site: str
    origin: str
    turns: list[Turn] = field(default_factory=list)

    def append_turn(self, turn: Turn) -> None:
        """Keep a turn; the oldest one goes when there are too many."""
        self.turns.append(turn)
        del self.turns[:-MOST_TURNS]

    def find_sources(self) -> set[str]:
        """The ids of the documents that the answers were written from."""
        return {document_id for turn in self.turns for document_id in find_sources(turn.answer)}

    def find_turn(self, turn_id: str) -> Turn | None:
        """The turn of that id."""
        return next((turn for turn in self.turns if turn.id == turn_id), None)

    def list_messages(self, topic: str) -> list[Message]:
        """What was said, oldest first, each page's topic before what was asked on it.

        :param topic: that of the page on which the next question is asked.
        """
        messages: list[Message] = []
        shown = ""
        for turn in self.turns:
            if turn.topic != shown:
                messages.extend(lead_with_page(turn.topic))
                shown = turn.topic
            messages += [Message("user", turn.question), Message("assistant", turn.answer.text)]
        if topic != shown:
            messages.extend(lead_with_page(topic))
        return messages


class Expiring(Generic[Held]):
    """Things by secret names, which are forgotten after some seconds; the oldest when there are too many."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._held: OrderedDict[str, tuple[float, Held]] = OrderedDict()

    def put(self, name: str, thing: Held) -> None:
        """Hold a thing from now on, or hold it for longer."""
        self._held.pop(name, None)
        self._held[name] = (self._clock() + self._seconds, thing)
        while len(self._held) > self._most or next(iter(self._held.values()))[0] <= self._clock():
            self._held.popitem(last=False)

    def get(self, name: str) -> Held | None:
        """The thing of that name, if its time is not over."""
        ends, thing = self._held.get(name, (0.0, None))
        return thing if self._clock() < ends else None

    def take(self, name: str) -> Held | None:
        """The same, and forget it."""
        thing = self.get(name)
        self._held.pop(name, None)
        return thing


class Visits:
    """Every open ticket, visit and conversation. Safe to call from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._tickets: Expiring[Visit] = Expiring(TICKET_SECONDS, MOST_TICKETS, clock)
        self._visits: Expiring[Visit] = Expiring(VISIT_SECONDS, MOST_VISITS, clock)
        self._conversations: Expiring[Conversation] = Expiring(
            CONVERSATION_SECONDS, MOST_CONVERSATIONS, clock
        )

    def make_ticket(self, site: str, origin: str, address: str) -> str:
        """A ticket for a page whose origin was found in the site's list."""
        ticket = _make_secret()
        with self._lock:
            self._tickets.put(ticket, Visit(site, origin, address))
        return ticket

    def open_visit(self, ticket: str, address: str, conversation_id: str) -> tuple[str, Visit, Conversation]:
        """Change a ticket for a token; (token, visit, conversation).

        :param conversation_id: one to go on with; another site's, or one forgotten, gives a new one.
        :raises AccessError: for a ticket that is unknown, used, too old or from another address.
        """
        with self._lock:
            allowed = self._tickets.take(ticket)
            if allowed is None or not hmac.compare_digest(allowed.address.encode(), address.encode()):
                raise AccessError("This ticket is not valid any more.", "Open the chat again.")
            conversation = self._conversations.get(conversation_id)
            if conversation is None or (conversation.site, conversation.origin) != (
                allowed.site,
                allowed.origin,
            ):
                conversation_id, conversation = _make_secret(), Conversation(allowed.site, allowed.origin)
            self._conversations.put(conversation_id, conversation)
            visit = Visit(allowed.site, allowed.origin, address, conversation_id)
            token = _make_secret()
            self._visits.put(token, visit)
            return token, visit, conversation

    def find_visit(self, token: str, address: str) -> tuple[Visit, Conversation]:
        """The visit that a token carries, and its conversation, which is held for longer by this.

        :raises AccessError: for a token that is unknown, too old or from another address.
        """
        with self._lock:
            visit = self._visits.get(token)
            conversation = self._conversations.get(visit.conversation_id) if visit else None
            if visit is None or conversation is None or visit.address != address:
                raise AccessError("This visit is over.", "Open the chat again.")
            self._conversations.put(visit.conversation_id, conversation)
            return visit, conversation

    def start_over(self, token: str, address: str) -> str:
        """Forget what was said in a visit and begin a new conversation; its id.

        :raises AccessError: for a token that is not valid.
        """
        visit, _ = self.find_visit(token, address)
        fresh = replace(visit, conversation_id=_make_secret())
        with self._lock:
            self._conversations.take(visit.conversation_id)
            self._conversations.put(fresh.conversation_id, Conversation(visit.site, visit.origin))
            self._visits.put(token, fresh)
        return fresh.conversation_id


def _make_secret() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)
