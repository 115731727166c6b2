"""The page of a corpus as HTML: every document with its state, to search, sort, add, read again and delete.

It needs no script: whatever it does is a link or a form, so that it works with a keyboard, a screen reader
and a text browser alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from urllib.parse import urlencode

from chatbot.document_states import STATE_NAMES, describe_state, find_state, show_change
from chatbot.types import Corpus, DocumentRecord, IngestProgress, IngestReport
from chatbot.web.elements import count_words
from chatbot.web.pages import render_page
from chatbot.web.panels import list_formats, render_report

ROWS_PER_PAGE = 100

SORT_KEYS: dict[str, Callable[[DocumentRecord], Any]] = {
    "title": lambda record: (record.title.casefold(), record.path),
    "type": lambda record: (record.format, record.path),
    "pages": lambda record: (record.pages, record.path),
    "chunks": lambda record: (record.chunks, record.path),
    "state": lambda record: (list(STATE_NAMES).index(find_state(record)), record.path),
    "changed": lambda record: (record.modified_ns, record.path),
}
_COLUMNS = (
    ("title", "Document", ""),
    ("type", "Type", ""),
    ("pages", "Pages", "amount"),
    ("chunks", "Chunks", "amount"),
    ("state", "State", ""),
    ("changed", "Last change (UTC)", ""),
)


@dataclass(frozen=True, slots=True)
class View:
    """What a reader of the page chose: words to look for, an order, and which page of the list."""

    words: str = ""
    sort: str = "title"
    is_descending: bool = False
    page: int = 1

    def address(self, corpus: str) -> str:
        """Where this view is."""
        fields = {
            "q": self.words,
            "sort": self.sort,
            "descending": int(self.is_descending),
            "page": self.page,
        }
        return f"/corpus/{escape(corpus)}?{escape(urlencode(fields))}"


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do besides reading."""

    may_ingest: bool = False
    may_delete: bool = False


def render_corpus_page(
    corpus: Corpus,
    corpora: Sequence[Corpus],
    records: Sequence[DocumentRecord],
    view: View,
    rights: Rights,
    *,
    progress: IngestProgress | None,
    report: IngestReport | None,
    problem: str | None = None,
    upload_limit_mb: int,
) -> str:
    """The whole page; `problem` says why the latest look at the folder failed, if it did."""
    chosen = choose_records(records, view)
    refused = sum(record.problem is not None for record in records)
    told = f"{count_words(corpus.documents, 'document')}, {count_words(corpus.chunks, 'chunk')}"
    told += f", {count_words(refused, 'file')} that could not be read" if refused else ""
    body = (
        '<div class="corpus"><header><p class="brand">Chatbot</p>'
        f"<h1>{escape(corpus.title)}</h1><p>{told}.</p>{_render_places(corpus, corpora)}</header>"
        f"<main>{_render_documents(corpus, records, chosen, view, rights)}"
        f"{_render_adding(corpus, upload_limit_mb) if rights.may_ingest else ''}"
        f"{_render_sync(corpus, progress, report, problem, rights)}</main></div>"
    )
    return render_page(f"Documents of {corpus.title}", body)


def choose_records(records: Sequence[DocumentRecord], view: View) -> list[DocumentRecord]:
    """The documents that hold all words in their title, path, authors or problem, in the order wanted."""
    words = view.words.casefold().split()

    def holds(record: DocumentRecord) -> bool:
        text = f"{record.title} {record.path} {record.authors} {describe_state(record)}".casefold()
        return all(word in text for word in words)

    key = SORT_KEYS.get(view.sort, SORT_KEYS["title"])
    return sorted(filter(holds, records), key=key, reverse=view.is_descending)


def render_deletion_page(record: DocumentRecord) -> str:
    """Asks whether a document is to be deleted."""
    back = f"/corpus/{escape(record.corpus)}"
    body = (
        f'<main class="problem"><h1>Delete “{escape(record.title)}”?</h1>'
        f"<p>The file <strong>{escape(record.path)}</strong> is deleted from this machine, and its words "
        "leave all answers at once. This cannot be taken back.</p>"
        f'<form method="post" action="{back}/documents/{escape(record.id)}/delete">'
        '<button class="danger">Delete the document</button></form>'
        f'<p><a href="{back}">Keep it</a></p></main>'
    )
    return render_page(f"Delete {record.title}", body)


def _render_places(corpus: Corpus, corpora: Sequence[Corpus]) -> str:
    others = "".join(
        f'<a href="/corpus/{escape(other.name)}">{escape(other.title)}</a>'
        for other in corpora
        if other.name != corpus.name
    )
    return f'<nav aria-label="Chat and other corpora"><a href="/">Chat</a>{others}</nav>'


def _render_sync(
    corpus: Corpus,
    progress: IngestProgress | None,
    report: IngestReport | None,
    problem: str | None,
    rights: Rights,
) -> str:
    """What is being read, what the last look at the folder did, and a button to look again."""
    address = f"/corpus/{escape(corpus.name)}"
    told = '<p class="muted">The folder has not been looked at since the chatbot was started.</p>'
    if progress is not None:
        told = (
            '<p role="status"><strong>Reading '
            f"{escape(progress.current) or 'the folder'}</strong>: {progress.files_done} of "
            f'{count_words(progress.files_total, "file")}. <a href="{address}">See how far it is</a></p>'
        )
    elif problem:
        told = f'<p role="alert">The last look at the folder failed: {escape(problem)}</p>'
    elif report is not None:
        told = render_report(report)
    button = (
        f'<form method="post" action="{address}/check"><button>Check the folder again</button></form>'
        if rights.may_ingest
        else ""
    )
    heading = '<h2 id="sync">Last look at the folder</h2>'
    return f'<section aria-labelledby="sync">{heading}{told}{button}</section>'


def _count_chosen(records: Sequence[DocumentRecord], chosen: Sequence[DocumentRecord], view: View) -> str:
    if not view.words:
        return f"{count_words(len(records), 'file')}."
    return f"{len(chosen):,} of {count_words(len(records), 'file')} match."


def _render_adding(corpus: Corpus, upload_limit_mb: int) -> str:
    kinds = f'<p class="muted">{list_formats()}.</p>'
    return (
        '<section aria-labelledby="adding"><h2 id="adding">Add files</h2>'
        f'<form method="post" action="/corpus/{escape(corpus.name)}/files" enctype="multipart/form-data">'
        f'<label for="files">Up to {upload_limit_mb} MB each. A file of the same name is replaced.</label>'
        '<input id="files" name="files" type="file" multiple required><button>Add</button></form>'
        f"<details><summary>What can be read</summary>{kinds}</details></section>"
    )


def _render_documents(
    corpus: Corpus,
    records: Sequence[DocumentRecord],
    chosen: Sequence[DocumentRecord],
    view: View,
    rights: Rights,
) -> str:
    if not records:
        how = "Add some below, or put" if rights.may_ingest else "Put"
        return (
            '<section aria-labelledby="list"><h2 id="list">Documents</h2>'
            f'<p class="empty">There are none yet. {how} files into '
            f"<code>corpora/{escape(corpus.name)}/documents/</code>.</p></section>"
        )
    first = (view.page - 1) * ROWS_PER_PAGE
    rows = "".join(_render_row(record, rights) for record in chosen[first : first + ROWS_PER_PAGE])
    actions = '<th scope="col"><span class="hidden">Actions</span></th>' if _has_actions(rights) else ""
    heads = "".join(_render_head(corpus, view, *column) for column in _COLUMNS)
    table = (
        f'<table><caption class="hidden">Documents of {escape(corpus.title)}</caption>'
        f"<thead><tr>{heads}{actions}</tr></thead><tbody>{rows}</tbody></table>"
    )
    nothing = f'<p class="empty">No document matches “{escape(view.words)}”.</p>'
    return (
        f'<section aria-labelledby="list"><h2 id="list">Documents</h2>{_render_search(corpus, view)}'
        f'<p class="muted" role="status">{_count_chosen(records, chosen, view)}</p>'
        f"{table if chosen else nothing}{_render_pages(corpus, view, len(chosen))}</section>"
    )


def _render_search(corpus: Corpus, view: View) -> str:
    clear = f'<a href="/corpus/{escape(corpus.name)}">Show all</a>' if view.words else ""
    return (
        f'<form method="get" action="/corpus/{escape(corpus.name)}" role="search">'
        '<label for="q">Words in the title, path, author or error</label>'
        f'<input id="q" name="q" type="search" value="{escape(view.words)}" maxlength="200">'
        f'<input type="hidden" name="sort" value="{escape(view.sort)}">'
        f'<input type="hidden" name="descending" value="{int(view.is_descending)}">'
        f"<button>Search</button>{clear}</form>"
    )


def _render_head(corpus: Corpus, view: View, name: str, title: str, css: str) -> str:
    """The head of a column: a link that sorts by it, or turns the order round."""
    is_sorted = view.sort == name
    turned = replace(view, sort=name, is_descending=is_sorted and not view.is_descending, page=1)
    order = ("descending" if view.is_descending else "ascending") if is_sorted else "none"
    arrow = {"ascending": " ↑", "descending": " ↓", "none": ""}[order]
    return (
        f'<th scope="col" aria-sort="{order}"{f" class={css}" if css else ""}>'
        f'<a href="{turned.address(corpus.name)}">{title}<span aria-hidden="true">{arrow}</span></a></th>'
    )


def _render_row(record: DocumentRecord, rights: Rights) -> str:
    state = find_state(record)
    title = escape(record.title or record.path)
    link = title if state == "refused" else f'<a href="/documents/{escape(record.id)}">{title}</a>'
    authors = f'<span class="path">{escape(record.authors)}</span>' if record.authors else ""
    told = describe_state(record)
    why = f'<span class="why">{escape(told)}</span>' if told else ""
    change = show_change(record)
    stated = f'<span class="path">of {escape(record.date)}</span>' if record.date else ""
    actions = f'<td class="actions">{_render_actions(record, rights)}</td>' if _has_actions(rights) else ""
    names = f'{link}<span class="path">{escape(record.path)}</span>{authors}'
    changed = f'<time datetime="{change.replace(" ", "T")}Z">{change}</time>{stated}'
    return (
        f'<tr class="{state}"><th scope="row">{names}</th>'
        f'<td data-label="Type">{escape(record.format)}</td>'
        f'<td data-label="Pages" class="amount">{record.pages or "–"}</td>'
        f'<td data-label="Chunks" class="amount">{record.chunks or "–"}</td>'
        f'<td data-label="State"><span class="state">{STATE_NAMES[state]}</span>{why}</td>'
        f'<td data-label="Last change">{changed}</td>{actions}</tr>'
    )


def _has_actions(rights: Rights) -> bool:
    return rights.may_ingest or rights.may_delete


def _render_actions(record: DocumentRecord, rights: Rights) -> str:
    address = f"/corpus/{escape(record.corpus)}/documents/{escape(record.id)}"
    name = escape(record.title or record.path)
    read = (
        f'<form method="post" action="{address}/read">'
        f'<button class="plain" aria-label="Read again: {name}">Read again</button></form>'
        if rights.may_ingest
        else ""
    )
    delete = f'<a href="{address}/delete" aria-label="Delete: {name}">Delete</a>' if rights.may_delete else ""
    return read + delete


def _render_pages(corpus: Corpus, view: View, count: int) -> str:
    last = max(1, -(-count // ROWS_PER_PAGE))
    if last == 1:
        return ""
    before, after = replace(view, page=view.page - 1), replace(view, page=view.page + 1)
    links = [
        f'<a href="{before.address(corpus.name)}" rel="prev">Previous</a>' if view.page > 1 else "",
        f"<span>Page {view.page} of {last}</span>",
        f'<a href="{after.address(corpus.name)}" rel="next">Next</a>' if view.page < last else "",
    ]
    return f'<nav aria-label="Pages of the list">{"".join(links)}</nav>'
