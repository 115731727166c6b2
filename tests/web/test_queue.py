"""Whoever has to wait for an answer is told how many questions are before theirs."""

from __future__ import annotations

import io
import json

import httpx
import pytest

from chatbot.admission import Admission
from chatbot.commands.ask import follow_answer
from chatbot.connection import RunningServer
from chatbot.terminal import Terminal
from chatbot.web.page import Event, Page
from tests.queueing import hold_place, wait_for_queue

QUESTION = "How long can a customer return coffee?"


@pytest.fixture
def busy(service):
    """A queue with one who is answered and one who waits; gives both."""
    service.admission = Admission(parallel=1, waiting=5)
    visitors = [hold_place(service.admission), hold_place(service.admission)]
    yield visitors
    for visitor in visitors:
        visitor.leave()


@pytest.fixture
def service(running_server):
    return running_server[1]


def list_places(events, busy):
    """How many were before the question, as it was told; the visitors leave one after another."""
    places, others = [], iter(busy)
    for event in events:
        if event["type"] != "waiting":
            return places, event
        places.append(event["before"])
        if event["before"]:
            next(others).leave()
    return places, None


def test_the_api_tells_the_place_whenever_it_changes_and_then_answers(running_server, busy):
    body = {"question": QUESTION}
    with httpx.stream("POST", f"{running_server[0]}/api/ask", json=body, trust_env=False) as response:
        events = map(json.loads, response.iter_lines())
        places, event = list_places(events, busy)

        assert places == [2, 1, 0]
        assert event["type"] == "question"
        assert list(events)[-1]["type"] == "done"


def test_what_goes_wrong_after_waiting_is_told_as_an_event(running_server, busy):
    body = {"question": "This is too long"}
    with httpx.stream("POST", f"{running_server[0]}/api/ask", json=body, trust_env=False) as response:
        places, event = list_places(map(json.loads, response.iter_lines()), busy)

    assert (response.status_code, places[0]) == (200, 2)
    assert (event["type"], event["error"]["kind"]) == ("error", "QuestionError")


def test_who_leaves_the_queue_is_not_counted_any_more(running_server, service, busy):
    body = {"question": QUESTION}
    with httpx.stream("POST", f"{running_server[0]}/api/ask", json=body, trust_env=False) as response:
        assert json.loads(next(response.iter_lines()))["before"] == 2

    wait_for_queue(service.admission, 1)
    assert service.asked == []


def test_the_page_shows_the_place(service, busy):
    event = Event({"action": "ask", "question": QUESTION}, "", "handbook", "tab")
    shown, others = [], iter(busy)
    for update in Page(service).ask(event):
        live = update.parts.get("live", "")
        if "before yours" in live and live not in shown:
            shown.append(live)
            next(others).leave()

    assert [("2 questions are" in live, "1 question is" in live) for live in shown] == [
        (True, False),
        (False, True),
    ]
    assert len(service.answers) == 1


def test_the_terminal_shows_the_place(running_server, busy):
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            if "before yours" in text:
                next(others).leave()
            return super().write(text)

    others, screen = iter(busy), Screen()
    server = RunningServer(running_server[0])
    answer = follow_answer(server.ask(QUESTION, corpus="handbook"), Terminal(io.StringIO(), screen))
    server.close()

    notes = [note.strip() for note in screen.getvalue().split("\r") if note.strip()]
    assert notes[:2] == ["2 questions are before yours", "1 question is before yours"]
    assert notes[2] == "searching the documents"
    assert answer["found"]
