"""Passes that open one document for an hour: a link in a new tab cannot carry a token in a header."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from chatbot.errors import AccessError

PASS_SECONDS = 3600


class Passes:
    """Makes and checks passes; those of an earlier start of the program are not valid any more."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._secret = secrets.token_bytes(32)
        self._clock = clock

    def make_pass(self, site: str, document_id: str) -> str:
        """A pass for a document that a visitor of a site was shown words of."""
        until = int(self._clock()) + PASS_SECONDS
        return f"{site}.{until}.{self._sign(site, document_id, until)}"

    def check_pass(self, given: str, document_id: str) -> str:
        """The site whose visitor may see the document.

        :raises AccessError: for a pass that is not ours, for another document or too old.
        """
        site, _, rest = given.partition(".")
        until, _, signature = rest.partition(".")
        is_number = until.isascii() and until.isdigit() and len(until) < 20
        wanted = self._sign(site, document_id, int(until)) if is_number else ""
        is_ours = hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace"))
        if not wanted or not is_ours or int(until) < self._clock():
            raise AccessError(
                "This link is not valid any more.", "Ask again in the chat, then open it there."
            )
        return site

    def _sign(self, site: str, document_id: str, until: int) -> str:
        message = f"{site}\n{document_id}\n{until}".encode("utf-8", "replace")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()
