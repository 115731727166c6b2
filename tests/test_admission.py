from __future__ import annotations

import threading

import pytest

from chatbot.admission import Admission
from chatbot.errors import BusyError
from tests.queueing import Visitor, hold_place, wait_for_queue


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


def test_who_waits_can_see_how_many_are_before():
    admission = Admission(parallel=2, waiting=3)
    inside = [hold_place(admission) for _ in range(2)]
    first, second = hold_place(admission), hold_place(admission)
    everybody = [*inside, first, second]
    assert [admission.count_before(visitor) for visitor in everybody] == [0, 0, 2, 3]
    assert admission.count_before("somebody else") == 0

    inside[0].leave()
    assert first.entered.wait(10)
    assert [admission.count_before(visitor) for visitor in everybody] == [0, 0, 0, 2]
    for visitor in everybody:
        visitor.leave()
    assert admission.count_before(second) == 0
