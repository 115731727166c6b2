"""The frame that the chat runs in, and the page that demonstrates it to the owner."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from chatbot.errors import ChatbotError
from chatbot.sites import Site
from chatbot.web.elements import draw_icon
from chatbot.web.pages import render_page
from chatbot.web.widget.snippet import make_snippet

STATIC_PATH = "../ui/widget"
"""Where scripts and styles lie, as seen from /widget/frame: also right below the path of a proxy."""

FRAME_FILE = Path(__file__).parent / "frame.html"
ICONS = ("plus", "close", "send", "stop", "search", "copy", "up", "down", "unfold", "open")

REFUSED_POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_frame_policy(site: Site) -> str:
    """The Content-Security-Policy of a site's frame: shown by its pages alone, fetching from here alone.

    Pictures may come from the site's own pages too: the logo.
    """
    origins = " ".join(site.origins)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src 'self' {origins}; base-uri 'none'; form-action 'none'; frame-ancestors {origins}"
    )


def render_frame(origin: str) -> str:
    """The chat, empty; its script fills in the words of the reader's language."""
    icons = {f"icon_{name}": draw_icon(name) for name in ICONS}
    page = Template(FRAME_FILE.read_text(encoding="utf-8"))
    return page.substitute(icons, static_path=STATIC_PATH, origin=escape(origin))


def render_refusal(error: ChatbotError, style_path: str) -> str:
    """What stands where a frame or a document may not be shown."""
    body = f'<main class="problem"><h1>{escape(error.message)}</h1><p>{escape(error.next_step)}</p></main>'
    return render_page(error.message, body, style_path)


def render_demo(sites: Sequence[Site], chosen: Site | None, url: str) -> str:
    """A page that shows a site's chat as its own pages would.

    :param url: where this page is reached, which a site must list to be shown here.
    """
    if chosen is None:
        body = _render_how_to_begin(url)
    else:
        tag = escape(make_snippet(url, chosen.name))
        body = (
            f"<p>This is how <strong>{escape(chosen.name)}</strong> answers in the pages of "
            f"{escape(', '.join(chosen.origins))}: with the button in the corner. "
            "It stands for a page of yours and follows the same rules.</p>"
            f'<h2>The tag</h2><pre tabindex="0" role="region" aria-label="The tag"><code>{tag}</code></pre>'
            "<h2>A page to ask about</h2><article><h3>Vehicle bookings</h3>"
            "<p>Everything on this page is made up. What matters is the chat beside it.</p></article>"
        )
    script = make_snippet("", chosen.name, integrity=False).replace('src="/', 'src="') if chosen else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Widget demonstration — Chatbot</title>
<link rel="stylesheet" href="ui/viewer.css">
{script}
</head>
<body>
<header><p class="brand">Chatbot</p><h1>The chat in other pages</h1>{_render_sites(sites, chosen)}</header>
<main>{body}</main>
</body>
</html>
"""


def _render_sites(sites: Sequence[Site], chosen: Site | None) -> str:
    links = "".join(
        f'<a href="?site={escape(site.name)}"{_mark_current(site, chosen)}>{escape(site.name)}</a>'
        for site in sites
    )
    return f'<nav aria-label="Sites">{links}</nav>' if links else ""


def _mark_current(site: Site, chosen: Site | None) -> str:
    return ' aria-current="page"' if site == chosen else ""


def _render_how_to_begin(url: str) -> str:
    command = f"chatbot sites add demo --origin {url} --corpus NAME"
    return (
        "<p>No site lists the address of this page, so that no chat is shown here.</p>"
        "<p>To try it, run this and load the page again:</p>"
        f'<pre tabindex="0" role="region" aria-label="The command"><code>{escape(command)}</code></pre>'
    )
