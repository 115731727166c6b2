"""Who may do what: finds the key of every request, and refuses what it does not open.

While no key was ever made and only this machine can reach the chatbot, everything is allowed.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as RequestScope

from chatbot.errors import AccessDenied, AccessError, ChatbotError, CorpusError
from chatbot.jobs import Job
from chatbot.keys import EVERYTHING, Access, Scope
from chatbot.types import Corpus, Document
from chatbot.web.failures import find_status, make_error_response

if TYPE_CHECKING:
    from chatbot.service import Service

SESSION_COOKIE = "chatbot_session"
SIGN_IN_PATH, SIGN_OUT_PATH = "/sign-in", "/sign-out"
RECHECK_SECONDS = 0.5
"""A response that lasts longer ends when its key is revoked."""

# The widget's visitors have no keys: its routes look at tickets, tokens and passes of their own.
WIDGET_PATHS = r"/widget\.js|/widget/(frame|visit|new|rating|ask|stop|sites/[^/]+(/ticket)?|documents/.+)"
PUBLIC_PATHS = re.compile(rf"/health/(live|ready)|/sign-in|/sign-out|/ui/(widget/)?[\w.-]+|{WIDGET_PATHS}")
# The first rule that fits counts. What no rule names, the chat page above all, is for keys that may do
# everything in all corpora.
RULES: tuple[tuple[str, re.Pattern[str], Scope], ...] = (
    ("DELETE", re.compile(r"/api/documents/.*"), "admin"),
    ("POST", re.compile(r"/api/(ingest|documents)/?"), "ingest"),
    ("GET", re.compile(r"/api/(changes|jobs)(/.*)?"), "ingest"),
    ("DELETE", re.compile(r"/api/jobs/.*"), "ingest"),
    ("GET", re.compile(r"/api/feedback"), "admin"),
    ("POST", re.compile(r"/corpus/[^/]+/(check|files|documents/[^/]+/read)"), "ingest"),
    ("GET", re.compile(r"/corpus/[^/]+/documents/[^/]+/delete"), "admin"),
    ("POST", re.compile(r"/corpus/[^/]+/documents/[^/]+/delete"), "admin"),
    ("GET", re.compile(r"/corpus(/[^/]+)?"), "read"),
    ("GET", re.compile(r"/(api|v1|documents)/.*|/health|/metrics|/docs|/openapi\.json|/mcp"), "read"),
    ("POST", re.compile(r"/api/(ask|search|feedback)/?|/v1/chat/completions/?|/mcp"), "read"),
)


class KeyCheck:
    """Lets a request through with what its key opens, or answers it with a refusal."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: RequestScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or PUBLIC_PATHS.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            access = self._find_access(request)
            check_rules(access, request.method, scope["path"])
        except ChatbotError as error:
            await make_refusal(request, error)(scope, receive, send)
            return
        state = {**scope.get("state", {}), "access": access}
        guarded = Revocable(lambda: self._find_access(request), receive, send)
        await self.app({**scope, "state": state}, guarded.receive, guarded.send)

    def _find_access(self, request: Request) -> Access:
        """What the request may do.

        :raises AccessError: when a key is needed and there is none, or one that is not known.
        """
        keys = self.service.keys
        if not self.service.settings.is_shared and not keys.is_in_use:
            return EVERYTHING
        secret, token = find_secret(request), request.cookies.get(SESSION_COOKIE, "")
        if not secret and not token:
            raise AccessError("A key is needed here.", "Send it as: Authorization: Bearer KEY.")
        if secret and hmac.compare_digest(secret.encode(), self.service.owner_secret.encode()):
            return EVERYTHING
        access = keys.find_access(secret) if secret else self.service.sessions.find_access(token)
        if access is None:
            raise AccessError("This key is not known, or was revoked.", "Ask for another one.")
        return access


def find_secret(request: Request) -> str:
    """The key that a program sends in its header; empty without one."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


class Revocable:
    """Ends a response that is still being sent when its key is revoked, as if the client had left.

    :param check: raises AccessError once the key is refused.
    """

    def __init__(self, check: Callable[[], Access], receive: Receive, send: Send) -> None:
        self._check = check
        self._receive = receive
        self._send = send
        self._checked = time.monotonic()
        self._has_length = False
        self._is_over = False

    async def receive(self) -> Message:
        """What the client sends; once its key is refused, that it is gone."""
        return {"type": "http.disconnect"} if self._is_over else await self._receive()

    async def send(self, message: Message) -> None:
        """Pass a part of the response on, while the key is good."""
        if self._is_over:
            return
        if message["type"] == "http.response.start":
            # What says how long it is cannot end early.
            self._has_length = any(name.lower() == b"content-length" for name, _ in message["headers"])
        elif not self._has_length and time.monotonic() - self._checked > RECHECK_SECONDS:
            self._checked = time.monotonic()
            try:
                self._check()
            except ChatbotError:
                self._is_over = True
                message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def check_rules(access: Access, method: str, path: str) -> None:
    """Refuse what an access does not reach.

    :raises AccessDenied: saying which scope is needed.
    """
    method = "GET" if method == "HEAD" else method
    for rule_method, pattern, scope in RULES:
        if rule_method == method and pattern.fullmatch(path):
            if not access.may(scope):
                raise AccessDenied("This key may not do that.", f"It needs the scope {scope}.")
            return
    if not access.is_unlimited:
        raise AccessDenied(
            "This key does not open the chat page.",
            f"That takes the scope admin and all corpora. {SIGN_IN_PATH} takes another key.",
        )


def make_refusal(request: Request, error: ChatbotError) -> Response:
    """People who have no key yet are asked for it; everybody else is told.

    A form of a corpus's page leads back to that page, a key that does not open the chat to the corpora.
    """
    status, path = find_status(error), request.url.path
    is_read = request.method == "GET"
    if "text/html" in request.headers.get("accept", ""):
        if status == 401 and (is_read or path.startswith("/corpus/")):
            query = f"?{request.url.query}" if is_read and request.url.query else ""
            wanted = (path if is_read else "/".join(path.split("/")[:3])) + query
            return RedirectResponse(f"{SIGN_IN_PATH}?next={quote(wanted)}", 303)
        if status == 403 and is_read and path == "/":
            return RedirectResponse("/corpus", 303)
    return make_error_response(request, error, status)


# What routes ask


def get_service(request: Request) -> Service:
    """The service that the application was made for."""
    service: Service = request.app.state.service
    return service


def get_access(request: Request) -> Access:
    """What the request may do."""
    access: Access = request.state.access
    return access


def list_visible_corpora(request: Request) -> list[Corpus]:
    """The corpora that the request may use, the default one first."""
    access = get_access(request)
    return [corpus for corpus in get_service(request).catalogue.list_corpora() if access.sees(corpus.name)]


def choose_corpus(request: Request, name: str) -> str:
    """The corpus that is meant: `name`, else the default one, else the first that the key opens.

    :raises CorpusError: when there is none, or the key does not open it.
    """
    access = get_access(request)
    if not access.corpora:
        return get_service(request).catalogue.find_corpus(name)
    visible = [corpus.name for corpus in list_visible_corpora(request)]
    wanted = name or "".join(visible[:1])
    if not wanted or wanted not in visible:
        known = f"It opens: {', '.join(visible)}." if visible else "Ask for another key."
        raise CorpusError(f"This key opens no corpus {wanted!r}.", known)
    return wanted


def find_job(request: Request, number: int) -> Job:
    """An ingest of a corpus that the request may use.

    :raises CorpusError: when there is none.
    """
    job = get_service(request).ingests.jobs.get_job(number)
    if not get_access(request).sees(job.corpus):
        raise CorpusError(f"There is no job {number}.", "Ask for another key.")
    return job


def find_document(request: Request, document_id: str) -> Document:
    """A document of a corpus that the request may use.

    :raises CorpusError: when there is none; nobody is told of one that the key does not open.
    """
    try:
        document = get_service(request).catalogue.get_document(document_id)
    except CorpusError:
        document = None
    if document is None or not get_access(request).sees(document.record.corpus):
        raise CorpusError("There is no such document.", "It may have been deleted.")
    return document
