"""What documents, names, questions and answers hold never becomes markup, in no page (a real browser).

Harm is seen in two ways: by what must never be (a script that ran, a handler, a request elsewhere), and by
what is not there when the same pages hold harmless words (elements, addresses, things that cover the page).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import quote

import pytest

from chatbot.sites import SiteLimits
from chatbot.web.widget.routes import Reception
from chatbot.web.widget.snippet import make_snippet
from tests.browsing import ask, find_chromium, open_browser
from tests.web import fake_service
from tests.web.conftest import ServiceSlot
from tests.web.host_pages import HostPages, serve_host_pages
from tests.web.hostile_service import FAIL, NO_LIMIT, HostileService
from tests.web.made_payloads import make_payloads
from tests.web.payloads import PAYLOADS
from tests.web.serving import serve

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

AT_ONCE = 190
SAMPLE = 500
"""So many of the made ones are tried, and all of them with `--long`."""
TIMEOUT_MS = 120_000
HARMLESS = [
    "plain words",
    "**strong** *weak* `code` ***both***",
    "# A heading",
    "- an item\n- another",
    "1. first\n2. second",
    "```\ncode\n```",
    "| a | b |\n|---|---|\n| c | d |",
    "> a quote",
    "[words](/x) ![words](/x)",
]
LOOK = """async () => {
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 20)));
  const all = [...document.querySelectorAll("*")];
  const attributes = all.flatMap((element) => [...element.attributes]);
  const names = /^(src|href|xlink:href|srcset|poster|data|action|formaction|background|ping|manifest|cite)$/;
  const isOwn = (address) => {
    try { return new URL(address, document.baseURI).origin === location.origin; } catch { return false; }
  };
  const addresses = attributes.filter((each) => names.test(each.name) && !isOwn(each.value));
  const counted = ["script", "style", "base", "meta", "iframe", "object", "template"];
  return {
    hits: window.hits || 0,
    handlers: attributes.map((each) => each.name).filter((name) => name.startsWith("on")),
    elements: all.map((element) => element.localName),
    addresses: addresses.map((each) => each.value),
    covering: all.filter((element) => getComputedStyle(element).position === "fixed")
      .map((element) => `${element.localName}.${element.className} ${element.getAttribute("style") ?? ""}`),
    counts: Object.fromEntries(counted.map((name) => [name, document.body.querySelectorAll(name).length])),
  };
}"""


@dataclass(frozen=True)
class Place:
    """The chatbot and a page of another site that shows its widget, with a browser tab for both."""

    url: str
    host: HostPages
    slot: ServiceSlot
    app: Any
    page: Any
    foreign: list[str]
    """Addresses elsewhere that were asked for, and dialogs that were shown."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    find_chromium()
    from chatbot.web.app import create_app

    slot, foreign = ServiceSlot(), []
    app = create_app(slot)  # before the browser, whose event loop takes this thread
    with serve(app) as url, serve_host_pages() as host, open_browser() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 850})
        page.set_default_timeout(TIMEOUT_MS)
        own = (f"{url}/", f"{host.origin}/", "data:", "blob:")
        page.context.on(
            "request", lambda sent: None if sent.url.startswith(own) else foreign.append(sent.url)
        )
        page.context.on("dialog", lambda dialog: foreign.append(dialog.message))
        yield Place(url, host, slot, app, page, foreign)


@pytest.fixture(scope="module")
def harmless(place: Place) -> dict[str, Any]:
    """What the pages show when there is nothing hostile in them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return look_everywhere(place, HARMLESS, monkeypatch)


def look_everywhere(
    place: Place, payloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[str, Any]]:
    """What the frames of each view show while everything holds the payloads."""
    service = HostileService(payloads=payloads)
    limits = SiteLimits(1000, question_characters=NO_LIMIT)
    service.sites.add_site("handbook", "handbook", [place.host.origin], limits)
    monkeypatch.setattr(fake_service, "choose_script", lambda _: service.write_answer())
    place.slot.current, place.app.state.reception = service, Reception()
    views = {}
    for name in chain(walk_page(place, service), walk_widget(place)):
        views |= {f"{name} {number}": frame.evaluate(LOOK) for number, frame in enumerate(place.page.frames)}
    return views


def walk_page(place: Place, service: HostileService) -> Iterator[str]:
    """Go through the chatbot's own pages; the name of each view when it is shown."""
    page, url, first = place.page, place.url, quote(service.payloads[0].replace("/", ""), safe="")
    page.goto(url)
    page.wait_for_selector("#question:enabled")
    yield "welcome"
    ask(page, service.joined)
    yield "answer"
    page.click("[data-action=why]")
    page.wait_for_selector("dialog[open]")
    yield "why"
    page.keyboard.press("Escape")
    page.fill("#question", FAIL)
    page.press("#question", "Enter")
    page.wait_for_selector(".problem")
    yield "error"
    page.click("nav [data-action=documents]")
    page.wait_for_selector("#documents_view", state="visible")
    yield "documents"
    page.goto(f"{url}/?view=search&q={quote(service.joined, safe='')}")
    page.wait_for_selector(".results .card")
    yield "search"
    document = service.catalogue.list_documents("handbook")[0].id
    addresses = {
        "document": f"/documents/{document}?start=0&end=40",
        "no document": f"/documents/{first}",
        "corpus": f"/corpus/handbook?q={first}",
        "corpus by name": "/corpus/handbook?sort=path",
        "sign in": f"/sign-in?next={first}",
    }
    for name, address in addresses.items():
        page.goto(url + address)
        yield name
    page.goto(f"{url}/?chat={first}&corpus={first}")
    page.wait_for_selector("#question:enabled")
    yield "no chat"


def walk_widget(place: Place) -> Iterator[str]:
    """Go through the widget in a page of another site."""
    page = place.page
    page.goto(place.host.show("/empty"))
    page.evaluate("sessionStorage.clear()")  # of the conversation before
    page.goto(place.host.show("/", head=make_snippet(place.url, "handbook")))
    page.click("button.launcher")
    frame = page.frame_locator("iframe")
    frame.locator("#question:enabled").wait_for()
    yield "widget"
    frame.locator("#question").fill(place.slot.current.joined)
    frame.locator("#question").press("Enter")
    frame.locator(".tools:visible").wait_for()
    frame.locator(".card summary").first.click()
    yield "widget's answer"
    frame.locator("#question").fill(FAIL)
    frame.locator("#question").press("Enter")
    frame.locator(".problem").wait_for()
    yield "widget's error"
    page.goto(frame.locator(".card[open] a").first.get_attribute("href"))
    yield "widget's document"


def list_harm(seen: dict[str, dict[str, Any]], harmless: dict[str, dict[str, Any]]) -> list[str]:
    """What was seen and must not be, or is not there when all is harmless."""
    harm = [f"{view} is a frame too many" for view in seen.keys() - harmless.keys()]
    for view in seen.keys() & harmless.keys():
        now, usual = seen[view], harmless[view]
        harm += [f"{view}: a script ran"] * now["hits"]
        harm += [f"{view}: the attribute {name}" for name in now["handlers"]]
        for kind in ("elements", "addresses", "covering"):
            harm += [f"{view}: {what} among {kind}" for what in set(now[kind]) - set(usual[kind])]
        if now["counts"] != usual["counts"]:
            harm.append(f"{view}: {now['counts']} in place of {usual['counts']}")
    return harm


def test_nothing_runs_calls_or_covers_any_page(place, harmless, monkeypatch, is_long, seed):
    made = make_payloads()
    chosen = made if is_long else random.Random(seed).sample(made, SAMPLE)
    payloads = [*PAYLOADS, *chosen]
    harm: dict[int, list[str]] = {}
    for start in range(0, len(payloads), AT_ONCE):
        bundle = payloads[start : start + AT_ONCE]
        if found := list_harm(look_everywhere(place, bundle, monkeypatch), harmless):
            harm[start] = found
        if is_long:
            print(f"{start + len(bundle)} of {len(payloads)}, {len(harm)} bundles harm", file=sys.stderr)

    assert harm == {}
    assert place.foreign == []


def test_there_are_as_many_payloads_as_are_asked_for():
    made = make_payloads()

    assert len(set(made)) == len(made) >= 6613
    assert make_payloads() == made


@pytest.mark.parametrize(
    ("markup", "told"),
    [
        ("<img src='http://sink.example/x' alt=''>", "addresses"),
        ("<p onclick=1>x</p>", "the attribute onclick"),
        ("<script>window.hits = 1</script>", "a script ran"),
        ("<p style='position:fixed'>x</p>", "covering"),
        ("<form action='http://sink.example/x'></form>", "addresses"),
        ("<style>p { color: red }</style>", "'style': 1"),
        ("<a href='javascript:1'>x</a>", "addresses"),
        ("<math></math>", "elements"),
        ("<iframe srcdoc='x'></iframe>", "a frame too many"),
    ],
)
def test_the_test_itself_sees_harm(place, markup, told):
    views = []
    for body in ("<p>x</p><a href='/y'>y</a>", f"<p>x</p><a href='/y'>y</a>{markup}"):
        place.page.goto(place.host.show("/", body=body))
        views.append({f"x {number}": frame.evaluate(LOOK) for number, frame in enumerate(place.page.frames)})
    place.foreign.clear()

    harm = list_harm(views[1], views[0])

    assert any(told in each for each in harm), harm
    assert list_harm(views[0], views[0]) == []
