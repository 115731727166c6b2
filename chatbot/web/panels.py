"""What stands around the conversation as HTML: side bar, composer, documents panel, notices."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatbot.documents.formats import FORMATS
from chatbot.errors import ChatbotError
from chatbot.types import (
    Chat,
    Corpus,
    DocumentRecord,
    FileOutcome,
    IngestProgress,
    IngestReport,
    ServiceStatus,
)
from chatbot.web.elements import count_words, draw_icon, render_button

PRODUCT_NAME = "Chatbot"
PAGE_TITLE = "Chatbot — your documents, with sources"


def render_sidebar(
    corpora: Sequence[Corpus],
    chats: Sequence[Chat],
    *,
    corpus: Corpus,
    chat_id: str,
    is_signed_in: bool = False,
) -> str:
    """Product name, new chat, corpus picker, search, documents, earlier chats."""
    new = render_button("new", "plus", "Start a new chat", text="New chat", css="primary wide")
    search = render_button(
        "search_view", "search", "Search the documents without a language model", text="Search", css="entry"
    )
    documents = render_button(
        "documents", "documents", "Show and add documents", text="Documents", css="entry", corpus=corpus.name
    ).replace("</button>", f'<span class="badge">{corpus.documents:,}</span></button>')
    items = "".join(_render_chat(chat.id, chat.title, is_open=chat.id == chat_id) for chat in chats)
    earlier = (
        f'<ul class="chats">{items}</ul>' if items else '<p class="muted">Your chats will be listed here.</p>'
    )
    export = ""
    if chat_id:
        export = (
            f'<a class="quiet" href="/chats/{escape(chat_id)}/export" download>{draw_icon("export")}'
            "<span>Export chat</span></a>"
        )
    theme = render_button("theme", "theme", "Switch between light and dark", text="Light or dark")
    leave = ""
    if is_signed_in:
        leave = (
            '<form method="post" action="/sign-out"><button class="quiet">'
            f"{draw_icon('leave')}<span>Sign out</span></button></form>"
        )
    return (
        '<header class="topbar">'
        + render_button("menu", "menu", "Open the menu")
        + f"<strong>{escape(corpus.title)}</strong>"
        + render_button("new", "plus", "Start a new chat")
        + "</header>"
        '<div class="veil" data-action="menu"></div>'
        f'<nav class="side" aria-label="Chats, search and documents" data-chat="{escape(chat_id)}"'
        f' data-corpus="{escape(corpus.name)}">'
        '<button type="button" class="skip" data-action="skip">Skip to the question</button>'
        f'<p class="brand">{draw_icon("logo")}<span>{PRODUCT_NAME}</span></p>'
        f"{new}{_render_picker(corpora, corpus)}{search}{documents}"
        f'<h2>Chats</h2>{earlier}<div class="foot">{export}{theme}{leave}</div></nav>'
    )


def _render_picker(corpora: Sequence[Corpus], chosen: Corpus) -> str:
    options = "".join(
        f'<option value="{escape(corpus.name)}"{" selected" if corpus.name == chosen.name else ""}>'
        f"{escape(corpus.title)}</option>"
        for corpus in corpora
    )
    return (
        '<label class="picker"><span>Answers come from</span>'
        f'<select data-action="corpus" autocomplete="off">{options}</select></label>'
    )


def _render_chat(chat_id: str, title: str, *, is_open: bool) -> str:
    current = ' aria-current="page"' if is_open else ""
    return (
        f'<li{" class=open" if is_open else ""}><button type="button" class="entry" data-action="open"'
        f' data-chat="{escape(chat_id)}"{current}>{draw_icon("chat")}<span>{escape(title)}</span></button>'
        + render_button("rename", "rename", f"Rename “{title}”", chat=chat_id, title=title)
        + render_button("delete_chat", "delete", f"Delete “{title}”", chat=chat_id, title=title)
        + "</li>"
    )


def render_composer(status: ServiceStatus, *, limit_characters: int) -> str:
    """The form to ask in; disabled, with the reason, until questions can be answered."""
    disabled = "" if status.ready else " disabled"
    reason = f'<p class="reason" role="status">{escape(status.remarks)}</p>' if status.remarks else ""
    if not status.ready:
        reason = (
            '<p class="reason" role="status"><span class="dots" aria-hidden="true"></span>'
            f"Waiting for: {escape(status.waiting_for)}</p>"
        )
    placeholder = "Ask about your documents" if status.ready else "One moment…"
    return (
        f'<form class="composer" data-limit="{limit_characters}">{reason}'
        f'<p class="editing" hidden>{draw_icon("rename")}<span>You are changing your last question.</span>'
        '<button type="button" class="link" data-action="cancel_edit">Cancel</button></p>'
        '<div class="field">'
        + render_button(
            "choose_filters", "filters", "Choose the documents that answers come from", text="Filters"
        )
        + '<label class="hidden" for="question">Your question</label>'
        f'<textarea id="question" rows="1" autocomplete="off" placeholder="{placeholder}"'
        f' aria-describedby="counter"{disabled}></textarea>'
        f'<button type="submit" class="send" aria-label="Send the question" title="Send (Enter)"{disabled}>'
        f"{draw_icon('send')}</button>"
        '<button type="button" class="stop" data-action="stop" aria-label="Stop the answer" title="Stop">'
        f"{draw_icon('stop')}</button></div>"
        '<p class="hint"><span>Answers rest on your documents: check the quotes.</span>'
        '<span id="counter" role="status"></span></p></form>'
    )


def render_notice(error: ChatbotError | None) -> str:
    """A message above the page, or nothing."""
    if error is None:
        return ""
    return (
        f'<div class="notice" role="alert"><p><strong>{escape(error.message)}</strong>'
        f" {escape(error.next_step)}</p>"
        f"{render_button('dismiss', 'close', 'Close this message')}</div>"
    )


def render_documents_head(corpus: Corpus, *, upload_limit_mb: int) -> str:
    """The top of the documents panel."""
    back = render_button("conversation", "back", "Back to the chat", text="Back to the chat")
    check = render_button(
        "ingest",
        "retry",
        "Look for new and changed files in the folder",
        text="Check folder again",
        css="secondary",
    )
    every = (
        f'<a href="/corpus/{escape(corpus.name)}" target="_blank" rel="noopener">'
        "Open all documents: search, sort, read again</a>"
    )
    return (
        f'{back}<div class="head"><div><h1>Documents</h1><p class="lead">{escape(corpus.title)}: '
        f"{count_words(corpus.documents, 'document')}, {count_words(corpus.chunks, 'chunk')}.</p></div>"
        f"{check}</div>"
        f'<p class="muted">Add files below, up to {upload_limit_mb} MB each, or put them into '
        f"<code>corpora/{escape(corpus.name)}/documents/</code> and check the folder again. "
        f"{list_formats()} are read. {every}</p>"
    )


def list_formats() -> str:
    """The formats that can be read, as a sentence lists them."""
    *names, last = [format_.NAME for format_ in FORMATS]
    return f"{', '.join(names)} and {last}"


def render_documents(
    records: Sequence[DocumentRecord], progress: IngestProgress | None, report: IngestReport | None
) -> str:
    """What is being read, how the last files fared, and every document."""
    return (
        _render_progress(progress)
        + (render_report(report) if progress is None else "")
        + _render_table(records)
    )


def _render_progress(progress: IngestProgress | None) -> str:
    if progress is None:
        return ""
    left = "" if progress.seconds_left is None else f" · about {progress.seconds_left:.0f} s left"
    total = max(progress.files_total, 1)
    return (
        '<div class="progress" role="status" data-ingesting="true">'
        f"<p><strong>Reading {escape(progress.current) or 'the folder'}</strong></p>"
        f'<progress max="{total}" value="{progress.files_done}" aria-label="Files read"></progress>'
        f'<p class="muted">{progress.files_done} of {count_words(progress.files_total, "file")} · '
        f"{count_words(progress.chunks_done, 'chunk')}{left}</p></div>"
    )


def render_report(report: IngestReport | None) -> str:
    """How each file of the last ingest fared, failures first."""
    if report is None:
        return ""
    outcomes = sorted(report.outcomes, key=lambda outcome: outcome.result != "failed")
    items = "".join(_render_outcome(outcome) for outcome in outcomes)
    summary = (
        f"Checked the folder in {report.seconds:.1f} s. {count_words(report.unchanged, 'file')} unchanged."
    )
    return f'<div class="report" role="status"><p class="muted">{summary}</p><ul>{items}</ul></div>'


def _render_outcome(outcome: FileOutcome) -> str:
    details = {
        "added": f"added, {count_words(outcome.chunks, 'chunk')}",
        "changed": "read again",
        "removed": "removed",
    }
    text = details.get(outcome.result, outcome.result)
    if outcome.same_as:
        is_renamed = outcome.result == "renamed"
        text = f"renamed from {outcome.same_as}" if is_renamed else f"a copy of {outcome.same_as}"
    if outcome.result == "failed":
        text = f"could not be read: {outcome.reason or 'unknown reason'}"
    path = f"<strong>{escape(outcome.path)}</strong>"
    return f'<li class="{outcome.result}">{path} <span>{escape(text)}</span></li>'


def _render_table(records: Sequence[DocumentRecord]) -> str:
    if not records:
        return (
            '<p class="empty">No documents yet. Drop a few files above: '
            "they are read at once and stay on this machine.</p>"
        )
    rows = "".join(
        _render_row(record)
        for record in sorted(records, key=lambda record: (record.problem is None, record.path))
    )
    return (
        '<table class="documents"><thead><tr><th scope="col">Document</th><th scope="col">Type</th>'
        '<th scope="col" class="amount">Pages</th><th scope="col">Date</th>'
        '<th scope="col" class="amount">Chunks</th>'
        f'<th scope="col"><span class="hidden">Actions</span></th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _render_row(record: DocumentRecord) -> str:
    title = escape(record.title or record.path)
    link = f'<a href="/documents/{escape(record.id)}" target="_blank" rel="noopener">{title}</a>'
    problem = f'<span class="why">{escape(record.problem)}</span>' if record.problem else ""
    delete = render_button(
        "delete_document", "delete", f"Delete {record.title}", document=record.id, title=record.title
    )
    return (
        f'<tr{" class=failed" if record.problem else ""}><th scope="row">{title if record.problem else link}'
        f'<span class="path">{escape(record.path)}</span>{problem}</th>'
        f'<td data-label="Type">{escape(record.format)}</td>'
        f'<td data-label="Pages" class="amount">{record.pages or "–"}</td>'
        f'<td data-label="Date">{escape(record.date or "–")}</td>'
        f'<td data-label="Chunks" class="amount">{record.chunks or "–"}</td>'
        f"<td>{delete}</td></tr>"
    )
