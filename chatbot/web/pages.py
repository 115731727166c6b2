"""The pages besides the chat: a document with its quote, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from chatbot.errors import ChatbotError
from chatbot.explanation import name_page_kind, name_rows
from chatbot.types import Document, SheetRows

STYLE_PATH = "/ui/viewer.css"


@dataclass(frozen=True, slots=True)
class ViewerLinks:
    """Where a document's page finds its style, the picture of a `{page}` and the original.

    Visitors of other sites are not offered the original, nor told the file's path.
    """

    style: str
    picture: str
    original: str | None


def render_viewer_page(
    document: Document,
    article: str,
    links: ViewerLinks,
    *,
    page: int | None,
    rows: SheetRows | None = None,
    has_quote: bool,
) -> str:
    """A document to read, with what is known about it above; `article` is safe HTML.

    :param rows: those of a sheet that the quote is.
    """
    record = document.record
    kind = name_page_kind(record.path).capitalize()
    facts = [
        f"<dt>File</dt><dd>{escape(record.path)}</dd>" if links.original else "",
        f"<dt>Authors</dt><dd>{escape(record.authors)}</dd>" if record.authors else "",
        f"<dt>Date</dt><dd>{escape(record.date)}</dd>" if record.date else "",
        f"<dt>{kind}</dt><dd>{kind} {page} of {record.pages}</dd>" if page else "",
        f"<dt>Quote</dt><dd>{escape(_name_quote(rows))}</dd>" if rows else "",
    ]
    picture = ""
    if page and record.format == "pdf":
        source = escape(links.picture.replace("{page}", str(page)))
        is_open = " open" if has_quote else ""
        picture = (
            f'<details class="picture"{is_open}><summary>Page {page} as it looks in the file</summary>'
            # As high as a sheet before it is there, so that the quote below does not jump out of sight.
            f'<img src="{source}" loading="lazy" width="595" height="842"'
            f' alt="Page {page} of {escape(record.title)}, with the quote marked">'
            "</details>"
        )
    to_quote = '<a href="#quote">Go to the quote</a>' if has_quote else ""
    original = f'<a href="{escape(links.original)}">Download the original</a>' if links.original else ""
    ways = f'<nav aria-label="Document">{to_quote}{original}</nav>' if to_quote or original else ""
    header = (
        f'<header><p class="brand">Chatbot</p><h1>{escape(record.title)}</h1>'
        f"<dl>{''.join(facts)}</dl>{ways}</header>"
    )
    return render_page(record.title, f"{header}{picture}<main>{article}</main>", links.style)


def _name_quote(rows: SheetRows) -> str:
    """The rows of the quote, as the first words of a line."""
    place = name_rows(rows.sheet, rows.first, rows.last)
    return place[0].upper() + place[1:]


def render_problem_page(error: ChatbotError) -> str:
    """A short page that says what went wrong and what to do."""
    body = (
        f'<main class="problem"><h1>{escape(error.message)}</h1><p>{escape(error.next_step)}</p>'
        '<p><a href="/">Back to the chat</a></p></main>'
    )
    return render_page(error.message, body)


def render_sign_in_page(target: str, problem: str = "") -> str:
    """The page that asks for a key before it shows `target`."""
    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    body = (
        '<main class="problem"><h1>A key is needed</h1>'
        "<p>Whoever runs this chatbot makes one with <code>chatbot keys create</code>.</p>"
        f'{told}<form method="post" action="/sign-in"><label for="key">Key</label> '
        '<input id="key" name="key" type="password" autocomplete="current-password" required autofocus> '
        f'<input type="hidden" name="next" value="{escape(target)}"><button>Open</button></form></main>'
    )
    return render_page("A key is needed", body)


def render_page(title: str, body: str, style_path: str = STYLE_PATH) -> str:
    """A whole HTML page in our own style, without any script."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} — Chatbot</title><link rel="stylesheet" href="{escape(style_path)}"></head>'
        f"<body>{body}</body></html>"
    )
