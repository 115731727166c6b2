"""Pages of another site, served from another origin, that show the widget."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class HostPages:
    """The pages by their path, each with the Content-Security-Policy that it is sent with."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://localhost:{port}"
        self.unlisted_origin = f"http://127.0.0.1:{port}"
        self.pages: dict[str, tuple[str, str]] = {}

    def show(
        self, path: str, *, head: str = "", body: str = "", policy: str = "", title: str = "Shop"
    ) -> str:
        """Serve a page; its address."""
        self.pages[path] = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width">{head}</head>'
            f"<body><main><h1>Harbour Coffee</h1>{body}</main></body></html>",
            policy,
        )
        return self.origin + path


@contextmanager
def serve_host_pages() -> Iterator[HostPages]:
    """A server of pages on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page, policy = pages.pages.get(self.path, ("", ""))
            self.send_response(200 if page else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages = HostPages(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield pages
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)
