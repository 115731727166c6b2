"""The page as Gradio Blocks. The only importer of gradio.

Gradio carries events and streams; what is seen is HTML from `render` and `panels`. Clicks inside that
HTML reach Python through one component, the bridge. Nothing that the page shows is ever read back:
an event brings ids and a question, the rest comes from the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from chatbot.web import panels
from chatbot.web.page import BUSY_SECONDS, Event, Page, Update

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chatbot.service import Service

QUEUE_SIZE = 64
PARALLEL_EVENTS = 16
UPLOAD_AGE_SECONDS = 3600
UPLOAD_HEIGHT = 132

_CONNECT = "window.chatbotPage.connect(trigger)"


def mount_page(app: FastAPI, service: Service) -> None:
    """Mount the page at the root, with everything closed that Gradio opens by default."""
    # Where no event loop runs, Gradio makes several and closes none.
    asyncio.run(_mount(app, service))


async def _mount(app: FastAPI, service: Service) -> None:
    blocks = build_blocks(service)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=f"{service.settings.upload_limit_mb}mb",
        enable_monitoring=False,
        ssr_mode=False,
        mcp_server=False,
        theme=gr.themes.Base(font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace")),
    )
    # Only a launched app checks which files a client may name, and mounting does not count as that.
    blocks.has_launched = True


def build_blocks(service: Service) -> gr.Blocks:
    """The whole page over a service, ready to be mounted."""
    with gr.Blocks(
        title=panels.PAGE_TITLE,
        fill_width=True,
        analytics_enabled=False,
        delete_cache=(UPLOAD_AGE_SECONDS, UPLOAD_AGE_SECONDS),
    ) as blocks:
        _wire(blocks, Page(service), _lay_out())
    blocks.queue(api_open=False, max_size=QUEUE_SIZE, default_concurrency_limit=PARALLEL_EVENTS)
    return blocks


def _lay_out() -> dict[str, Any]:
    """Create the components, in the order in which they are read; return them by name."""
    parts: dict[str, Any] = {"bridge": gr.HTML("", elem_id="bridge", js_on_load=_CONNECT)}
    for name in ("sidebar", "notice", "why"):
        parts[name] = _make_html(name)
    with gr.Column(elem_id="conversation"):
        for name in ("transcript", "live", "live_sources"):
            parts[name] = _make_html(name)
        with gr.Column(elem_id="bottom"):
            for name in ("filters", "composer"):
                parts[name] = _make_html(name)
    with gr.Column(elem_id="search_view"):
        for name in (
            "search_form",
            "search_filters",
            "search_found",
            "search_trace",
            "search_results",
            "search_done",
        ):
            parts[name] = _make_html(name)
    with gr.Column(elem_id="documents_view"):
        parts["documents_head"] = _make_html("documents_head")
        parts["upload"] = gr.File(
            label="Add documents",
            show_label=False,
            file_count="multiple",
            elem_id="upload",
            height=UPLOAD_HEIGHT,
        )
        parts["documents"] = _make_html("documents")
    for name in ("chat_id", "corpus"):
        parts[name] = gr.Textbox("", visible="hidden", show_label=False)
    parts["timer"] = gr.Timer(BUSY_SECONDS, active=False)
    return parts


def _make_html(name: str) -> gr.HTML:
    return gr.HTML("", elem_id=name, js_on_load=None, apply_default_css=False)


def _wire(blocks: gr.Blocks, page: Page, parts: dict[str, Any]) -> None:
    """Say which event calls what."""

    def show(update: Update) -> dict[Any, Any]:
        shown = {parts[name]: value for name, value in update.parts.items()}
        if update.refresh_seconds:
            shown[parts["timer"]] = gr.Timer(update.refresh_seconds, active=True)
        return shown or {parts["notice"]: gr.skip()}

    def open_page(request: gr.Request) -> dict[Any, Any]:
        query = [(str(name), str(text)) for name, text in request.query_params.multi_items()]
        return show(page.open_address(query))

    def act(chat_id: str, corpus: str, data: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        return show(page.act(_make_event(chat_id, corpus, data, request)))

    def ask(chat_id: str, corpus: str, data: gr.EventData, request: gr.Request) -> Iterator[dict[Any, Any]]:
        yield from map(show, page.ask(_make_event(chat_id, corpus, data, request)))

    def refresh(chat_id: str, corpus: str) -> dict[Any, Any]:
        return show(page.refresh(chat_id, corpus))

    def upload(files: list[str] | None, chat_id: str, corpus: str) -> dict[Any, Any]:
        paths = [Path(file) for file in files or []]
        return show(page.upload(paths, chat_id, corpus)) | {parts["upload"]: None}

    place = [parts["chat_id"], parts["corpus"]]
    common: dict[str, Any] = {
        "outputs": [part for name, part in parts.items() if name != "bridge"],
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    # Gradio's queue shows nothing of an event that is sent just while it closes its stream. What is
    # answered in one step goes around it; questions wait in the service's own queue, which says so.
    direct: dict[str, Any] = common | {"queue": False}
    blocks.load(open_page, **direct)
    parts["bridge"].click(act, inputs=place, trigger_mode="multiple", **direct)
    parts["bridge"].submit(ask, inputs=place, concurrency_limit=None, **common)
    parts["timer"].tick(refresh, inputs=place, **direct)
    parts["upload"].upload(upload, inputs=[parts["upload"], *place], **direct)


def _make_event(chat_id: str, corpus: str, data: gr.EventData, request: gr.Request) -> Event:
    """What happened; of the fields that a client may send, only the texts are taken."""
    sent = data._data if isinstance(data._data, dict) else {}
    fields = {str(name): value for name, value in sent.items() if isinstance(value, str)}
    return Event(fields, chat_id, corpus, request.session_hash or "")
