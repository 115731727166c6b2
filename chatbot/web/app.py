"""Puts the page, the HTTP interface and the document viewer together into one application."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from chatbot.web import api, viewer
from chatbot.web.failures import add_error_handlers
from chatbot.web.schemas import Json, status_to_json
from chatbot.web.security import Gate, SecureHeaders

if TYPE_CHECKING:
    from chatbot.service import Service

STATIC_FOLDER = Path(__file__).parent / "static"
PAGE_HEAD = (
    '<link rel="stylesheet" href="/ui/page.css">'
    '<script src="/ui/widgets.js"></script><script src="/ui/page.js"></script>'
)
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]", "::1", "testserver")


def create_app(service: Service) -> FastAPI:
    """The whole web application over a service."""
    silence_gradio()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    add_error_handlers(app)
    app.include_router(api.router)
    app.include_router(viewer.router)
    app.mount("/ui", StaticFiles(directory=STATIC_FOLDER))

    @app.get("/health")
    def health() -> Json:
        return status_to_json(service.status())

    from chatbot.web.ui import mount_page

    mount_page(app, service)
    # With a CORSMiddleware in place Gradio adds none of its own, which would answer any origin.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(Gate)
    hosts = {*LOCAL_HOSTS, service.settings.host}
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=sorted(hosts), www_redirect=False)
    app.add_middleware(SecureHeaders, page_head=PAGE_HEAD)
    return app


def silence_gradio() -> None:
    """Keep Gradio from calling home; it reads these once, when it is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
