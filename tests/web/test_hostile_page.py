"""What documents, names, questions and answers hold never becomes markup in the page (a real browser).

More payloads, a line each: CHATBOT_TEST_PAYLOADS=FILE python -m pytest tests/web/test_hostile_page.py
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from tests.browsing import ask, open_browser
from tests.web import fake_service
from tests.web.fake_library import make_document
from tests.web.fake_service import FakeService, Sentence
from tests.web.payloads import PAYLOADS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

AT_ONCE = 30
GROUPS = [PAYLOADS[place : place + AT_ONCE] for place in range(0, len(PAYLOADS), AT_ONCE)]
FIND_HARM = """() => ({
    hits: window.hits || 0,
    handlers: [...document.querySelectorAll("*")].flatMap((element) =>
        [...element.attributes].filter((each) => each.name.startsWith("on")).map((each) => each.name)),
    forms: [...document.forms].map((form) => form.action).filter((each) => !each.startsWith(location.origin)),
    overlays: [...document.querySelectorAll("[style*='fixed']")].map((each) => each.outerHTML.slice(0, 100)),
    foreign: [...document.querySelectorAll("[src], [href], [srcset], [poster], [data]")]
        .flatMap((each) => ["src", "href", "srcset", "poster", "data"].map((name) => each.getAttribute(name)))
        .filter((each) => each && /sink\\.example|^javascript:/.test(each)),
    frames: window.frames.length,
})"""
NO_HARM = {"hits": 0, "handlers": [], "forms": [], "overlays": [], "foreign": [], "frames": 0}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser


def make_hostile_service(payloads: list[str]) -> FakeService:
    """Documents whose names, titles, headings and texts are payloads."""
    service = FakeService()
    text = "\n\n".join(f"# {payload.splitlines()[0]}\n\n{payload}\n\nIt is so." for payload in payloads)
    documents = [
        make_document(
            "handbook", f"{number}-{payload.splitlines()[0][:80]}.md", payload, "markdown", None, text
        )
        for number, payload in enumerate(payloads)
    ]
    service._documents = {document.record.id: document for document in documents}
    failed = documents[0].record
    service._failed = [replace(failed, id="f" * 16, path=payloads[0], problem=" ".join(payloads))]
    return service


@pytest.mark.parametrize("payloads", GROUPS, ids=range(len(GROUPS)))
def test_nothing_runs_calls_or_covers_the_page(browser, running_server_over, monkeypatch, payloads):
    service = make_hostile_service(payloads)
    script = tuple(Sentence(f"{payload}\n\n") for payload in payloads)
    monkeypatch.setattr(fake_service, "choose_script", lambda _: script)
    url = running_server_over(service)
    foreign: list[str] = []
    context = browser.new_context(viewport={"width": 1300, "height": 850})
    context.set_default_timeout(20_000)
    context.on(
        "request", lambda request: foreign.append(request.url) if not is_own(request.url, url) else None
    )
    page = context.new_page()
    page.on("dialog", lambda dialog: foreign.append(dialog.message))

    page.goto(url)
    page.wait_for_selector("#question:enabled")
    ask(page, " ".join(payloads)[:390])
    assert page.evaluate(FIND_HARM) == NO_HARM
    page.click("[data-action=why]")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate(FIND_HARM) == NO_HARM
    page.keyboard.press("Escape")
    page.click("nav [data-action=documents]")
    page.wait_for_selector("#documents_view", state="visible")
    assert page.evaluate(FIND_HARM) == NO_HARM
    page.goto(f"{url}/?view=search&q={quote(' '.join(payloads)[:300])}")
    page.wait_for_selector(".found")
    assert page.evaluate(FIND_HARM) == NO_HARM
    for path in (
        *(f"/documents/{record.id}?start=0&end=40" for record in service.list_documents("handbook")[:2]),
        f"/documents/{quote(payloads[0], safe='')}",
        f"/sign-in?next={quote(payloads[1])}",
        f"/?chat={quote(payloads[2])}&corpus={quote(payloads[3])}",
    ):
        page.goto(url + path)
        assert page.evaluate(FIND_HARM) == NO_HARM
    context.close()
    assert foreign == []


def test_the_test_itself_sees_harm(browser):
    page = browser.new_page()
    page.set_content(
        "<body><img src='http://sink.example/x' onerror=1><div style='position:fixed'>x</div>"
        "<form action='http://sink.example/f'></form><script>window.hits = 1</script>"
    )
    found = page.evaluate(FIND_HARM)
    page.close()

    assert {name for name, value in found.items() if value} == set(NO_HARM) - {"frames"}


def is_own(address: str, url: str) -> bool:
    return address.startswith((f"{url}/", "data:", "blob:"))


@pytest.fixture
def running_server_over() -> Iterator[Any]:
    """Starts the real server over a service; gives its address."""
    from chatbot.web.app import create_app
    from chatbot.web.serve import make_server, open_socket

    running = []

    def start(service: FakeService) -> str:
        listener = open_socket("127.0.0.1", 0)
        # In a thread: the browser's event loop runs in this one.
        with ThreadPoolExecutor() as pool:
            server = make_server(pool.submit(create_app, service).result())
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread, listener))
        while not server.started:
            time.sleep(0.02)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread, listener in running:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
