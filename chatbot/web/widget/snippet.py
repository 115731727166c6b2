"""The one tag that an owner puts into a page."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

STATIC_FOLDER = Path(__file__).parent / "static"
LAUNCHER_FILE = STATIC_FOLDER / "widget.js"


def make_snippet(url: str, site: str, *, integrity: bool = True) -> str:
    """The script tag for a site.

    :param url: where browsers reach the chatbot, with the path of a proxy if there is one.
    :param integrity: with the hash of the launcher, so that a browser runs no other one.
    """
    source = escape(f"{url.rstrip('/')}/widget.js")
    pinned = f' integrity="{hash_launcher()}" crossorigin="anonymous"' if integrity else ""
    return f'<script src="{source}" data-site="{escape(site)}"{pinned} defer></script>'


def hash_launcher() -> str:
    """The launcher's hash as the attribute `integrity` takes it (W3C Subresource Integrity)."""
    digest = hashlib.sha384(LAUNCHER_FILE.read_bytes()).digest()
    return f"sha384-{base64.b64encode(digest).decode()}"
