"""Which other sites' pages may read what we answer: the listed ones, three addresses, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.errors import LibraryError

if TYPE_CHECKING:
    from chatbot.service import Service

LAUNCHER_PATH = "/widget.js"
SITE_PATHS = re.compile(r"/widget/sites/(?P<site>[^/]+)(/ticket)?")


class SiteCors:
    """Names a listed origin in the answers to it: any site's for the launcher, else a site's own.

    Neither needs credentials or a preflight.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        site = SITE_PATHS.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if scope["type"] != "http" or not (site or scope["path"] == LAUNCHER_PATH):
            await self.app(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin", "")
        is_listed = self._is_listed(origin, site["site"] if site else None)

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                if is_listed:
                    headers["Access-Control-Allow-Origin"] = origin
            await send(message)

        await self.app(scope, receive, send_with_origin)

    def _is_listed(self, origin: str, name: str | None) -> bool:
        try:
            if name is None:
                return self.service.sites.is_listed(origin)
            site = self.service.sites.find_site(name)
        except LibraryError:  # the route tells
            return False
        return site is not None and origin in site.origins
