"""How long a connection may keep the server waiting: for a request, and for its answer to be taken."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0
"""The longest that the head of a request may take."""
BODY_SECONDS = 300.0
"""The longest that its body may take: a large upload over a slow line."""
UNTAKEN_SECONDS = 60
"""After so long without a sign of life from the other side a connection is given up."""


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP, which drops connections that begin a request and do not end it.

    Without this a few hundred connections that send a byte now and then would lock everybody out.
    """

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_body = self.conn.their_state is h11.SEND_BODY
        super().data_received(data)
        is_in_body = self.conn.their_state is h11.SEND_BODY
        if is_in_body and not was_in_body:
            self._stop_waiting()
            self._wait(self.body_seconds)
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._wait(self.head_seconds)
        elif not is_in_body:
            self._stop_waiting()

    def _wait(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def make_impatient(listener: socket.socket) -> None:
    """Have the system give up connections whose other side is gone or takes nothing, where it can.

    The options pass on to the connections that the socket accepts.
    """
    options: list[tuple[int, str, Any]] = [
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", UNTAKEN_SECONDS // 2),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", UNTAKEN_SECONDS // 6),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", UNTAKEN_SECONDS * 1000),
    ]
    for level, name, value in options:
        if hasattr(socket, name):
            listener.setsockopt(level, getattr(socket, name), value)
