"""The real server in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve an application on this machine; gives its address."""
    from chatbot.web.serve import make_server, make_url, open_socket

    listener = open_socket("127.0.0.1", 0)
    server = make_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield make_url("127.0.0.1", listener.getsockname()[1])
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()
