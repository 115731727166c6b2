"""The sites that may show the chat widget: from which origins, over which corpus, within which limits.

`sites.json` in the data folder holds them. It is looked at with every request, so that a site that the
command line removes is refused at once. A site without origins answers nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chatbot.errors import AccessError
from chatbot.record_file import RecordFile, write_now

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """What a site's visitors may use of the machine.

    The first two count for each visitor and for each address, the last for the whole site and a day (UTC).
    """

    questions_per_minute: int = 20
    parallel_answers: int = 2
    question_characters: int = 500
    questions_per_day: int = 1000


@dataclass(frozen=True, slots=True)
class Site:
    """A site by the name that stands in its tag, which is no secret.

    :param origins: scheme, host and port of the pages that may show the widget, as browsers write them.
    """

    name: str
    corpus: str
    origins: tuple[str, ...]
    limits: SiteLimits
    created_at: str


class SiteStore:
    """The sites of a data folder. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._file = RecordFile(path, _unpack_site, "site")

    def list_sites(self) -> tuple[Site, ...]:
        """All sites, oldest first.

        :raises LibraryError: when the file cannot be read; nobody is answered then.
        """
        return self._file.list_records()

    def find_site(self, name: str) -> Site | None:
        """The site of that name."""
        return next((site for site in self.list_sites() if site.name == name), None)

    def is_listed(self, origin: str) -> bool:
        """Whether any site lists an origin."""
        return any(origin in site.origins for site in self.list_sites())

    def add_site(
        self, name: str, corpus: str, origins: Sequence[str] = (), limits: SiteLimits | None = None
    ) -> Site:
        """Let the pages of some origins show the widget.

        :raises AccessError: for a name that is taken or cannot be one, and for what is no origin.
        :raises LibraryError: when the data folder cannot be written.
        """
        if not NAME.fullmatch(name):
            raise AccessError(
                f"A site cannot be called {name[:40]!r}.",
                "Choose up to 40 small letters, digits and hyphens, such as handbook.",
            )
        listed = tuple(dict.fromkeys(read_origin(origin) for origin in origins))
        site = Site(name, corpus, listed, limits or SiteLimits(), write_now())
        with self._file.changing() as sites:
            if any(known.name == name for known in sites):
                raise AccessError(
                    f"There is a site {name!r} already.", "Remove it first, or choose another name."
                )
            sites.append(site)
        return site

    def remove_site(self, name: str) -> None:
        """Refuse a site from now on.

        :raises AccessError: when there is none of that name.
        :raises LibraryError: when the data folder cannot be written.
        """
        with self._file.changing() as sites:
            if not any(site.name == name for site in sites):
                raise AccessError(f"There is no site {name!r}.", "See: chatbot sites list.")
            sites[:] = [site for site in sites if site.name != name]


def read_origin(text: str) -> str:
    """An origin as browsers write it: `https://www.example.org`, with a port unless it is the usual one.

    :raises AccessError: for anything else, wildcards too.
    """
    problem = AccessError(
        f"{text!r} is no origin.",
        "Write scheme, host and port only, such as https://www.example.org or http://localhost:8080.",
    )
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError as error:
        raise problem from error
    has_more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    is_host = re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:]+", host)
    if parts.scheme not in DEFAULT_PORTS or not is_host or has_more:
        raise problem
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (
        f":{port}" if port not in (None, DEFAULT_PORTS[parts.scheme]) else ""
    )


def _unpack_site(values: dict[str, Any]) -> Site:
    return Site(**(values | {"origins": tuple(values["origins"]), "limits": SiteLimits(**values["limits"])}))
