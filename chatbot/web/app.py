"""Puts the page, the HTTP interface and the document viewer together into one application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from chatbot import __version__
from chatbot.web import (
    answers,
    api,
    completions,
    corpus_routes,
    documents,
    jobs,
    monitoring,
    reference,
    sign_in,
    viewer,
)
from chatbot.web.access import KeyCheck
from chatbot.web.failures import add_error_handlers
from chatbot.web.mcp_route import McpRoute
from chatbot.web.security import Gate, SecureHeaders
from chatbot.web.widget import routes as widget
from chatbot.web.widget.cors import SiteCors
from chatbot.web.widget.snippet import STATIC_FOLDER as WIDGET_FOLDER

if TYPE_CHECKING:
    from chatbot.service import Service

STATIC_FOLDER = Path(__file__).parent / "static"
PAGE_HEAD = (
    '<link rel="stylesheet" href="/ui/page.css">'
    '<script src="/ui/widgets.js"></script><script src="/ui/page.js"></script>'
)
FORM_BYTES = 64 * 1024
"""What a form takes beside the files in it."""
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]", "::1")
KEY_SCHEME = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="Made by: chatbot keys create NAME. Needed once there is one.",
)


def create_app(service: Service) -> FastAPI:
    """The whole web application over a service."""
    silence_gradio()
    mcp_route = McpRoute(service)

    @asynccontextmanager
    async def close_at_end(_: FastAPI) -> AsyncIterator[None]:
        yield
        await mcp_route.close()

    app = FastAPI(title="Chatbot", version=__version__, docs_url=None, redoc_url=None, lifespan=close_at_end)
    app.state.service = service
    app.state.reception = widget.Reception()
    add_error_handlers(app)
    for part in (api, documents, jobs, answers, completions, monitoring):
        app.include_router(part.router, dependencies=[Depends(KEY_SCHEME)])
    for part in (reference, sign_in, viewer, corpus_routes, widget):
        app.include_router(part.router)
    app.router.routes.append(Route("/mcp", mcp_route, methods=["POST"], include_in_schema=False))
    app.mount("/ui/widget", StaticFiles(directory=WIDGET_FOLDER))
    app.mount("/ui", StaticFiles(directory=STATIC_FOLDER))

    from chatbot.web.ui import mount_page

    mount_page(app, service)
    # With a CORSMiddleware in place Gradio adds none of its own, which would answer any origin.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(KeyCheck, service=service)
    app.add_middleware(Gate, upload_limit_bytes=service.settings.upload_limit_mb * 1024**2 + FORM_BYTES)
    hosts = list_hosts(service.settings.host, service.settings.public_url)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(SiteCors, service=service)
    app.add_middleware(SecureHeaders, page_head=PAGE_HEAD)
    return app


def list_hosts(host: str, public_url: str | None) -> list[str]:
    """The host names that requests may be for.

    A page that has a foreign name point at this machine can do nothing without a key, so that an address
    of the network, which may have many names, takes all.
    """
    if host not in LOCAL_HOSTS:
        return ["*"]
    public = urlsplit(public_url).hostname if public_url else None
    return sorted({*LOCAL_HOSTS, *([public] if public else [])})


def silence_gradio() -> None:
    """Keep Gradio from calling home; it reads these once, when it is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
