"""Questions that stand in the queue as long as a test wants."""

from __future__ import annotations

import threading

import pytest

from chatbot.admission import Admission
from chatbot.errors import BusyError


class Visitor:
    """A thread that enters and stays until it is let go."""

    def __init__(self, admission: Admission) -> None:
        self.stop = threading.Event()
        self.entered = threading.Event()
        self.let_go = threading.Event()
        self.error: BusyError | None = None
        self._admission = admission
        self.thread = threading.Thread(target=self._visit)
        self.thread.start()

    def _visit(self) -> None:
        try:
            with self._admission.enter(self.stop, self):
                self.entered.set()
                self.let_go.wait(10)
        except BusyError as error:
            self.error = error

    def leave(self) -> None:
        self.let_go.set()
        self.thread.join(10)


def wait_for_queue(admission: Admission, length: int) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if admission.waiting == length:
            return
        pause.wait(0.01)
    pytest.fail(f"{admission.waiting} wait, not {length}")


def hold_place(admission: Admission) -> Visitor:
    """A visitor who is being answered, or waits in the queue."""
    before = admission.running + admission.waiting
    visitor = Visitor(admission)
    pause = threading.Event()
    for _ in range(1000):
        if admission.running + admission.waiting > before:
            return visitor
        pause.wait(0.01)
    pytest.fail("the visitor does not come into the queue")
