"""Serves the application until it is interrupted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from chatbot.errors import AccessError, ServerError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from chatbot.service import Service

KEEP_ALIVE_SECONDS = 30
SHUTDOWN_SECONDS = 2
MAX_CONNECTIONS = 500
MAX_HEADER_BYTES = 32 * 1024


def serve(service: Service, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C; `on_ready` gets its address once it answers.

    :raises ServerError: when the port cannot be had.
    :raises AccessError: when others could reach it and there is no key.
    """
    check_keys(service)
    with open_socket(host, port) as listener:
        from chatbot.web.app import create_app

        url = make_url(host, listener.getsockname()[1])
        server = make_server(
            create_app(service),
            on_started=lambda: on_ready(url),
            trusted_proxies=service.settings.trusted_proxies,
        )
        # After the shutdown that Ctrl-C began, uvicorn raises it once more.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def check_keys(service: Service) -> None:
    """Refuse to be reached by others before there is a key.

    :raises AccessError: telling how to make one.
    """
    if service.settings.is_shared and not service.keys.is_in_use:
        raise AccessError(
            "Others could reach the chatbot, and there is no key yet.",
            "Make one: chatbot keys create NAME --scope admin. "
            "Or leave the settings host and public_url as they are by default.",
        )


def open_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address; taken early, so that a used port is told before anything loads."""
    from chatbot.web.patience import make_impatient

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        make_impatient(listener)
        listener.bind((host, port))
        listener.listen(MAX_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise describe_socket_error(error, host, port) from error
    return listener


def describe_socket_error(error: OSError, host: str, port: int) -> ServerError:
    """Why an address cannot be served, in words."""
    next_step = f"Choose another one, for example --port {port + 1 if port < 65535 else 7860}."
    if isinstance(error, PermissionError):
        return ServerError(f"Port {port} may only be used by an administrator.", next_step)
    if error.errno in (98, 48, 10048):  # address in use: Linux, macOS, Windows
        return ServerError(f"Port {port} is in use by another program.", next_step)
    return ServerError(
        f"The address {host}:{port} cannot be served: {error.strerror}.", "Check --host and --port."
    )


def make_url(host: str, port: int) -> str:
    """The address to open in a browser; every address of this machine has one of its own."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(
    app: FastAPI, *, on_started: Callable[[], None] = lambda: None, trusted_proxies: str = ""
) -> uvicorn.Server:
    """A uvicorn server with limits, which says when it answers.

    :param trusted_proxies: addresses, with commas, whose word on where a request comes from is taken.
    """
    import uvicorn

    from chatbot.web.patience import PatientProtocol

    class ReportingServer(uvicorn.Server):
        """Says when it answers."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # A slow callback (opening a browser) must not keep the page from answering.
            threading.Thread(target=on_started, daemon=True).start()

    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        log_config=None,
        access_log=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies or None,
    )
    return ReportingServer(config)
