"""Opens the way to a chatbot for one command: the one that runs already, or one in this process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from chatbot.errors import LibraryInUse
from chatbot.settings import Settings
from chatbot.terminal import Terminal, describe_progress

if TYPE_CHECKING:
    from chatbot.connection import Connection


def end_loading() -> None:
    """Collect garbage again, but never look at what was loaded."""
    gc.freeze()
    gc.enable()


@contextmanager
def open_connection(
    settings: Settings, terminal: Terminal, *, generator: bool, ingest: bool, late: bool = False
) -> Iterator[Connection]:
    """The chatbot that runs already, or one in this process, ready to work.

    :param late: for what needs no search: the embedding model is loaded once something is to be embedded.
    """
    from chatbot.build import build_service
    from chatbot.connection import OwnService, find_running_server

    try:
        service = build_service(settings, late=late)
    except LibraryInUse as error:
        with closing(find_running_server(settings, error)) as server:
            terminal.note("waiting for the running chatbot, which uses its own settings")
            server.wait_until_ready()
            terminal.clear_progress()
            yield server
        return
    with service:
        service.start(generator=generator, ingest=False)
        if late:
            service.wait_until_ready()  # most often at once, and nothing is loaded of which to tell
        else:
            service.wait_until_ready(terminal.note)
        end_loading()
        connection = OwnService(service)
        if ingest:
            with terminal.noting():
                for event in connection.ingest(settings.corpus):
                    if event["type"] == "progress":
                        terminal.note(describe_progress(event["progress"]))
        terminal.clear_progress()
        yield connection
