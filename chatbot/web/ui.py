"""The page, as Gradio Blocks. The only importer of gradio.

Gradio carries events and streams; what is seen is HTML from `render` and `panels`. Clicks inside that
HTML reach Python through one component, the bridge. Nothing that the page shows is ever read back:
an event brings ids and a question, the rest comes from the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from chatbot.errors import ChatbotError
from chatbot.web import panels, render
from chatbot.web.conversation import Conversations, Question
from chatbot.web.running import describe_unexpected

if TYPE_CHECKING:
    from chatbot.service import Service

Update = dict[str, Any]

BUSY_SECONDS = 1.0
IDLE_SECONDS = 10.0
LIVE_SECONDS = 0.08
QUEUE_SIZE = 64
PARALLEL_ANSWERS = 16
UPLOAD_AGE_SECONDS = 3600
HTML_PARTS = ("sidebar", "notice", "transcript", "live", "live_sources", "composer", "documents_head", "documents")

_CONNECT = "window.chatbotPage.connect(trigger)"


def build_blocks(service: Service) -> gr.Blocks:
    """The whole page over a service, ready to be mounted."""
    page = Page(service)
    with gr.Blocks(
        title=panels.PAGE_TITLE,
        fill_width=True,
        analytics_enabled=False,
        delete_cache=(UPLOAD_AGE_SECONDS, UPLOAD_AGE_SECONDS),
    ) as blocks:
        parts = _lay_out(page)
        _wire(blocks, page, parts)
    blocks.queue(api_open=False, max_size=QUEUE_SIZE, default_concurrency_limit=PARALLEL_ANSWERS)
    return blocks


def build_theme() -> gr.themes.Base:
    """A plain base whose fonts are those of the system; colours and spacing are in static/page.css."""
    fonts = ("system-ui", "sans-serif")
    return gr.themes.Base(font=fonts, font_mono=("ui-monospace", "monospace"))


def _lay_out(page: Page) -> dict[str, Any]:
    """Create the components, in the order in which they are read; return them by name."""
    parts: dict[str, Any] = {"bridge": gr.HTML("", elem_id="bridge", js_on_load=_CONNECT)}
    for name in ("sidebar", "notice"):
        parts[name] = _make_html(name)
    with gr.Column(elem_id="conversation"):
        for name in ("transcript", "live", "live_sources", "composer"):
            parts[name] = _make_html(name)
    with gr.Column(elem_id="documents_view"):
        parts["documents_head"] = _make_html("documents_head")
        parts["upload"] = gr.File(
            label="Add documents", file_count="multiple", elem_id="upload", height=132, show_label=False
        )
        parts["documents"] = _make_html("documents")
    parts["chat_id"] = gr.Textbox("", visible="hidden", show_label=False)
    parts["corpus"] = gr.Textbox("", visible="hidden", show_label=False)
    parts["timer"] = gr.Timer(BUSY_SECONDS, active=False)
    return parts


def _make_html(name: str) -> gr.HTML:
    return gr.HTML("", elem_id=name, js_on_load=None, apply_default_css=False)


def _wire(blocks: gr.Blocks, page: Page, parts: dict[str, Any]) -> None:
    """Say which event calls what."""
    place = [parts["chat_id"], parts["corpus"]]

    def to_outputs(update: Update) -> dict[Any, Any]:
        return {parts[name]: value for name, value in update.items()} or {parts["notice"]: gr.skip()}

    def open_page(request: gr.Request) -> dict[Any, Any]:
        query: Mapping[str, str] = request.query_params
        return to_outputs(page.open(str(query.get("chat", "")), str(query.get("corpus", ""))))

    def act(chat_id: str, corpus: str, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        return to_outputs(page.act(_read_fields(event), chat_id, corpus, request.session_hash or ""))

    def ask(chat_id: str, corpus: str, event: gr.EventData, request: gr.Request) -> Iterator[dict[Any, Any]]:
        for update in page.ask(_read_fields(event), chat_id, corpus, request.session_hash or ""):
            yield to_outputs(update)

    def refresh(chat_id: str, corpus: str) -> dict[Any, Any]:
        return to_outputs(page.refresh(chat_id, corpus))

    def upload(files: list[str] | None, chat_id: str, corpus: str) -> dict[Any, Any]:
        return to_outputs(page.upload(files or [], chat_id, corpus))

    outputs = [part for name, part in parts.items() if name != "bridge"]
    settings: Update = {"show_progress": "hidden", "api_visibility": "private", "outputs": outputs}
    blocks.load(open_page, **settings)
    parts["bridge"].click(act, inputs=place, concurrency_limit=None, trigger_mode="multiple", **settings)
    parts["bridge"].submit(ask, inputs=place, concurrency_limit=PARALLEL_ANSWERS, **settings)
    parts["timer"].tick(refresh, inputs=place, concurrency_limit=None, **settings)
    parts["upload"].upload(upload, inputs=[parts["upload"], *place], **settings)


def _read_fields(event: gr.EventData) -> dict[str, str]:
    """The event's strings; anything else that a client may send is left out."""
    data = event._data
    if not isinstance(data, dict):
        return {}
    return {str(name): value for name, value in data.items() if isinstance(value, str)}


class Page:
    """Answers the page's events; each method returns the parts to show anew, by name."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._conversations = Conversations(service)
        self._actions: dict[str, Callable[[dict[str, str], str, str], Update]] = {
            "new": lambda fields, chat_id, corpus: self._show_chat("", corpus),
            "corpus": lambda fields, chat_id, corpus: self._show_corpus(fields.get("value", "")),
            "open": lambda fields, chat_id, corpus: self._show_chat(fields.get("chat", ""), corpus),
            "rename": self._rename_chat,
            "delete_chat": self._delete_chat,
            "rate": self._rate,
            "stop": lambda fields, chat_id, corpus: {},
            "dismiss": lambda fields, chat_id, corpus: {"notice": ""},
            "documents": lambda fields, chat_id, corpus: self.refresh(chat_id, corpus),
            "conversation": lambda fields, chat_id, corpus: self._show_chat(chat_id, corpus),
            "ingest": self._start_ingest,
            "delete_document": self._delete_document,
        }
        # After these the answer that is being written would have no place to appear in.
        self._leaving = {"new", "corpus", "open", "stop", "delete_chat"}

    def open(self, chat_id: str, corpus: str) -> Update:
        """The first sight of the page, at the chat or corpus that its address names."""
        update = self._guard(lambda: self._show_chat(chat_id, corpus))
        if "notice" in update and chat_id:
            update = self._guard(lambda: self._show_chat("", corpus))
        return self._guard(lambda: self.refresh(chat_id, corpus)) | update

    def act(self, fields: dict[str, str], chat_id: str, corpus: str, session: str) -> Update:
        """Do what a button asks for."""
        name = fields.get("action", "")
        action = self._actions.get(name)
        is_busy = name == "conversation" and self._conversations.is_running(session)
        if action is None or is_busy:
            return {}
        if name in self._leaving:
            self._conversations.stop(session, leave=name != "stop")
        return self._guard(lambda: action(fields, chat_id, corpus))

    def ask(self, fields: dict[str, str], chat_id: str, corpus: str, session: str) -> Iterator[Update]:
        """Ask a question and show the answer as it is written."""
        question = Question(fields.get("question", "").strip(), chat_id, corpus, fields.get("turn", ""))
        if not question.text:
            return
        try:
            yield from self._ask(question, session)
        except ChatbotError as error:
            yield {"notice": panels.render_notice(error), "live": ""}
        except Exception as error:  # noqa: BLE001 - the outer edge of the page: logged, and told to the reader
            yield {"notice": panels.render_notice(describe_unexpected(error)), "live": ""}

    def refresh(self, chat_id: str, corpus: str) -> Update:
        """What changes by itself: whether questions can be answered, and a running ingest."""
        status = self._service.status()
        chosen = render.find_corpus(self._service.list_corpora(), corpus)
        is_reading = bool(chosen.name) and self._service.ingest_progress(chosen.name) is not None
        limit = self._service.settings.question_limit_characters
        update: Update = {
            "composer": panels.render_composer(status, limit_characters=limit),
            "timer": gr.Timer(BUSY_SECONDS if is_reading or not status.ready else IDLE_SECONDS, active=True),
        }
        return update | self._render_documents(chosen.name) | self._render_sidebar(chat_id, chosen.name)

    def upload(self, files: list[str], chat_id: str, corpus: str) -> Update:
        """Add the files that were dropped on the page."""

        def add() -> Update:
            self._service.add_files(corpus, [(Path(file).name, Path(file)) for file in files])
            return {"notice": ""} | self.refresh(chat_id, corpus)

        return self._guard(add) | {"upload": None}

    def _ask(self, question: Question, session: str) -> Iterator[Update]:
        chosen = render.find_corpus(self._service.list_corpora(), question.corpus)
        conversation = self._conversations.start(question, session)
        is_first, shown_sources = True, ""
        with conversation:
            while not conversation.is_left:
                snapshot = conversation.running.take_snapshot()
                if snapshot.finished:
                    break
                update: Update = {"live": render.render_live_turn(question.text, snapshot, chosen)}
                sources = "" if snapshot.error else render.render_sources(snapshot.passages, snapshot.citations)
                if sources != shown_sources:
                    shown_sources = update["live_sources"] = sources
                if is_first:
                    is_first = False
                    update |= self._begin_turn(question)
                yield update
                if snapshot.is_over:
                    return
                conversation.running.wait(LIVE_SECONDS)
        if not conversation.is_left:
            yield self._show_chat(conversation.chat_id, question.corpus)

    def _begin_turn(self, question: Question) -> Update:
        """Make room for a new turn: the ones that it replaces and the welcome go away."""
        chat = self._service.chats.get_chat(question.chat_id) if question.chat_id else None
        corpus = render.find_corpus(self._service.list_corpora(), question.corpus)
        has_turns = chat is not None and chat.turns
        shown = render.render_transcript(chat, corpus, without_turns_from=question.replaces) if has_turns else ""
        return {"notice": "", "transcript": shown}

    def _show_chat(self, chat_id: str, corpus: str) -> Update:
        corpora = self._service.list_corpora()
        chat = self._service.chats.get_chat(chat_id) if chat_id else None
        chosen = render.find_corpus(corpora, chat.corpus if chat else corpus)
        chats = self._service.chats.list_chats()
        return {
            "sidebar": panels.render_sidebar(corpora, chats, corpus=chosen, chat_id=chat_id),
            "transcript": render.render_transcript(chat, chosen),
            "live": "",
            "live_sources": "",
            "notice": "",
            "chat_id": chat_id,
            "corpus": chosen.name,
        }

    def _show_corpus(self, corpus: str) -> Update:
        return self._show_chat("", corpus) | self._render_documents(corpus)

    def _rename_chat(self, fields: dict[str, str], chat_id: str, corpus: str) -> Update:
        title = " ".join(fields.get("value", "").split())[:120]
        if not title:
            return {}
        self._service.chats.rename_chat(fields.get("chat", ""), title)
        return self._render_sidebar(chat_id, corpus)

    def _delete_chat(self, fields: dict[str, str], chat_id: str, corpus: str) -> Update:
        deleted = fields.get("chat", "")
        self._service.chats.delete_chat(deleted)
        return self._show_chat("" if deleted == chat_id else chat_id, corpus)

    def _rate(self, fields: dict[str, str], chat_id: str, corpus: str) -> Update:
        ratings = {"up": "up", "down": "down"}
        self._service.chats.rate_turn(fields.get("turn", ""), ratings.get(fields.get("rating", "")))
        return {"transcript": self._show_chat(chat_id, corpus)["transcript"]}

    def _start_ingest(self, fields: dict[str, str], chat_id: str, corpus: str) -> Update:
        self._service.start_ingest(corpus)
        return {"notice": ""} | self.refresh(chat_id, corpus)

    def _delete_document(self, fields: dict[str, str], chat_id: str, corpus: str) -> Update:
        self._service.delete_document(fields.get("document", ""))
        return self._render_documents(corpus) | self._render_sidebar(chat_id, corpus)

    def _render_sidebar(self, chat_id: str, corpus: str) -> Update:
        corpora = self._service.list_corpora()
        chosen = render.find_corpus(corpora, corpus)
        chats = self._service.chats.list_chats()
        return {"sidebar": panels.render_sidebar(corpora, chats, corpus=chosen, chat_id=chat_id)}

    def _render_documents(self, corpus: str) -> Update:
        chosen = render.find_corpus(self._service.list_corpora(), corpus)
        if not chosen.name:
            return {}
        records = self._service.list_documents(chosen.name)
        progress, report = self._service.ingest_progress(chosen.name), self._service.last_report(chosen.name)
        limit = self._service.settings.upload_limit_mb
        return {
            "documents_head": panels.render_documents_head(chosen, upload_limit_mb=limit),
            "documents": panels.render_documents(records, progress, report),
        }

    def _guard(self, act: Callable[[], Update]) -> Update:
        """Run one action; an error becomes a notice, never a stack trace."""
        try:
            return act()
        except ChatbotError as error:
            return {"notice": panels.render_notice(error)}
        except Exception as error:  # noqa: BLE001 - the outer edge of the page: logged, and told to the reader
            return {"notice": panels.render_notice(describe_unexpected(error))}
