"""Walls around every route: who may call, which parts of Gradio exist, what a browser may do."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.errors import ChatbotError
from chatbot.web.failures import make_error_response
from chatbot.web.widget.cors import SITE_PATHS

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_LIMIT_BYTES = 4 * 1024 * 1024
UPLOAD_PATH, ADD_PATH = "/gradio_api/upload", "/api/documents"
FORM_UPLOAD_PATHS = re.compile(r"/corpus/[^/]+/files")
"""Its files are kept on the disk while they come, and counted there."""

# What the page needs of Gradio's interface, app_id to know that a server is back. Everything else is
# closed: fetching files and addresses, calling functions by name, streams, run history, code editing.
GRADIO_PATHS = re.compile(
    r"/gradio_api/(run/predict|queue/(join|data)|app_id|upload|upload_progress|heartbeat/[\w-]+|startup-events|theme\.css|"
    r"reset|cancel)/?"
)
CLOSED_PATHS = re.compile(
    r"/(login|logout|login_check|svelte|pwa_icon|monitoring|config|manifest\.json|robots\.txt|user|token|app_id|"
    r"custom_component|redoc)(/.*)?|/(docs|openapi\.json)/.*"
)

PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=()"
VIEWER_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SIGN_IN_POLICY = VIEWER_POLICY.replace("form-action 'none'", "form-action 'self'")
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def make_page_policy(nonce: str) -> str:
    """The Content-Security-Policy of the chat page.

    Inline scripts run only with this response's nonce, so markup that slipped through could not run
    any. 'unsafe-eval' is for Gradio, which compiles the (constant) template of its HTML component.
    """
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'self'; "
        "object-src 'none'; frame-src 'none'; frame-ancestors 'none'"
    )


PRIVATE_PATHS = ("/documents/", "/chats/", "/api/", "/v1/", "/mcp", "/corpus", "/widget/")
"""What no cache on the way may keep: it is answered to those with a key or a visit."""


class Gate:
    """Refuses what no page of ours sends: closed paths, foreign pages, bodies without measure.

    :param upload_limit_bytes: of a request that adds documents.
    """

    def __init__(self, app: ASGIApp, upload_limit_bytes: int) -> None:
        self.app = app
        self.upload_limit_bytes = upload_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = find_refusal(scope, self.upload_limit_bytes) if scope["type"] == "http" else None
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif refusal:
            status, message, next_step = refusal
            problem = ChatbotError(message, next_step)
            await make_error_response(Request(scope), problem, status)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def find_refusal(scope: Scope, upload_limit_bytes: int) -> tuple[int, str, str] | None:
    """(status, message, next step) for a request that is not let in, else None."""
    path, method, headers = scope["path"], scope["method"], Headers(scope=scope)
    is_gradio = path.startswith("/gradio_api")
    if CLOSED_PATHS.fullmatch(path) or (is_gradio and not GRADIO_PATHS.fullmatch(path)):
        return 404, "There is nothing at this address.", "Check the address."
    if method in SAFE_METHODS:
        return None
    if is_foreign(headers) and not SITE_PATHS.fullmatch(path):
        return 403, "Another site may not do this.", "Use the page of this server itself."
    length = headers.get("content-length", "0")
    limit = upload_limit_bytes if path == ADD_PATH else BODY_LIMIT_BYTES
    is_upload = path == UPLOAD_PATH or FORM_UPLOAD_PATHS.fullmatch(path) is not None
    if not is_upload and (not re.fullmatch("[0-9]{1,15}", length) or int(length) > limit):
        return 413, "The request is too large.", "Send less at once."
    if path != UPLOAD_PATH and "chunked" in headers.get("transfer-encoding", ""):
        return 411, "The request does not say how large it is.", "Send a Content-Length."
    return None


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site's page sent this."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True


class SecureHeaders:
    """Adds the headers that tell a browser what a response may do; gives the chat page its nonce.

    :param page_head: HTML to end the chat page's head with. Gradio's own way loads it too late: its
        components may ask for our scripts before they are there.
    """

    def __init__(self, app: ASGIApp, page_head: str) -> None:
        self.app = app
        self.page_head = page_head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == "/":
            await _ChatPage(self.app, self.page_head).respond(scope, receive, send)
        else:
            policy = choose_policy(scope["path"])

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    own = MutableHeaders(scope=message)
                    add_headers(own, policy)
                    if scope["path"].startswith(PRIVATE_PATHS):
                        own.setdefault("Cache-Control", "private, no-store")
                await send(message)

            await self.app(scope, receive, send_with_headers)


def choose_policy(path: str) -> str:
    """The policy of a path other than the chat page."""
    if path == "/sign-in" or path.startswith("/corpus"):
        return SIGN_IN_POLICY
    if path == "/docs" or path.startswith(("/documents/", "/chats/", "/widget/documents/")):
        return VIEWER_POLICY
    return API_POLICY


def add_headers(headers: MutableHeaders, policy: str) -> None:
    """Add the security headers; a stricter policy of the route itself stays."""
    headers.setdefault("Content-Security-Policy", policy)
    headers["X-Content-Type-Options"] = "nosniff"
    if "frame-ancestors http" not in headers["Content-Security-Policy"]:
        headers["X-Frame-Options"] = "DENY"
    # Not "no-referrer": a form on such a page is sent as if from nowhere, and refused as foreign.
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = PERMISSIONS_POLICY
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")


class _ChatPage:
    """Holds the chat page back until it is whole, to add our head and to name its scripts by a nonce."""

    def __init__(self, app: ASGIApp, page_head: bytes) -> None:
        self.app = app
        self.page_head = page_head
        self.start: Message = {}
        self.body = b""

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A compressed page could not be changed.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.start = message
            elif message["type"] == "http.response.body":
                self.body += message.get("body", b"")
                if not message.get("more_body", False):
                    await self._send_page(send)

        await self.app({**scope, "headers": plain}, receive, collect)

    async def _send_page(self, send: Send) -> None:
        nonce = secrets.token_urlsafe(16)
        headers = MutableHeaders(scope=self.start)
        add_headers(headers, make_page_policy(nonce))
        headers["Cache-Control"] = "no-store"
        if self.body:
            self.body = self.body.replace(b"</head>", self.page_head + b"</head>", 1)
            self.body = self.body.replace(b"<script", f'<script nonce="{nonce}"'.encode())
            headers["Content-Length"] = str(len(self.body))
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})
