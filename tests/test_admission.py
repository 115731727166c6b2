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
            with self._admission.enter(self.stop):
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


def test_the_first_enter_the_next_wait_and_the_last_is_turned_away():
    admission = Admission(parallel=1, waiting=1)
    first = Visitor(admission)
    assert first.entered.wait(10)
    second = Visitor(admission)
    wait_for_queue(admission, 1)

    with pytest.raises(BusyError) as caught, admission.enter(threading.Event()):
        pass

    assert caught.value.retry_after_seconds >= 1
    assert not second.entered.is_set()
    first.leave()
    assert second.entered.wait(10)
    second.leave()
    assert (admission.running, admission.waiting) == (0, 0)


def test_those_who_wait_go_in_as_they_came():
    admission = Admission(parallel=1, waiting=3)
    first = Visitor(admission)
    assert first.entered.wait(10)
    others = []
    for length in (1, 2, 3):
        others.append(Visitor(admission))
        wait_for_queue(admission, length)

    first.leave()
    for place, visitor in enumerate(others):
        assert visitor.entered.wait(10)
        assert not any(later.entered.is_set() for later in others[place + 1 :])
        visitor.leave()


def test_who_is_called_back_gives_the_place_in_the_queue_up():
    admission = Admission(parallel=1, waiting=1)
    first = Visitor(admission)
    assert first.entered.wait(10)
    second = Visitor(admission)
    wait_for_queue(admission, 1)

    second.stop.set()
    second.thread.join(10)

    assert second.error is not None
    assert admission.waiting == 0
    first.leave()


def test_an_error_inside_frees_the_place():
    admission = Admission(parallel=1, waiting=0)
    with pytest.raises(ValueError, match="inside"), admission.enter(threading.Event()):
        raise ValueError("inside")

    with admission.enter(threading.Event()):
        assert admission.running == 1
