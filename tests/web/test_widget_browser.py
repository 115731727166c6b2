"""The widget in a real browser: in a page of another origin, over the fake service."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from chatbot.admission import Admission
from chatbot.sites import SiteLimits
from chatbot.web.widget.routes import Reception
from chatbot.web.widget.snippet import make_snippet
from tests.browsing import find_chromium, open_browser
from tests.queueing import hold_place
from tests.web.conftest import ServiceSlot
from tests.web.fake_library import make_document
from tests.web.fake_service import HOSTILE, FakeService
from tests.web.host_pages import HostPages, serve_host_pages
from tests.web.serving import serve

pytestmark = pytest.mark.browser

QUESTION = "How long can a customer return coffee?"
WORD_SECONDS = 0.004
TIMEOUT_MS = 30_000
LIST_HANDLERS = """() => [...document.querySelectorAll("*")].flatMap((element) => element.getAttributeNames())
  .filter((name) => name.startsWith("on"))"""
RING = """(element) => [getComputedStyle(element.closest(".field") ?? element).boxShadow,
  getComputedStyle(element).outlineStyle].some((style) => style !== "none")"""
TRY_EVERYTHING = """async (server) => {
  const post = (path, options) => fetch(`${server}/widget/${path}`, {method: "POST", ...options});
  const {ticket} = await (await post("sites/handbook/ticket")).json();
  const body = JSON.stringify({ticket, conversation: ""});
  const frame = document.querySelector("body > div").shadowRoot.querySelector("iframe");
  const tries = [
    () => post("visit", {body, headers: {"Content-Type": "application/json"}}),
    () => post("visit", {body}),
    () => post("ask", {body: "{}", headers: {Authorization: "Bearer x"}}),
    () => fetch(`${server}/api/corpora`),
    async () => frame.contentWindow.document.body,
  ];
  return Promise.all(tries.map((attempt) => attempt().then(() => "read", () => "refused")));
}"""
FIND_PANEL = "document.querySelector('body > div').shadowRoot.querySelector('.panel')"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, ServiceSlot, Any]]:
    find_chromium()
    from chatbot.web.app import create_app

    slot = ServiceSlot()
    app = create_app(slot)
    with serve(take_off_path(app)) as url:
        yield url, slot, app


def take_off_path(app):
    """The application, also below /chat, as a proxy shows it that takes the path off."""

    async def forward(scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith("/chat/"):
            path = scope["path"].removeprefix("/chat")
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await app(scope, receive, send)

    return forward


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def host_server() -> Iterator[HostPages]:
    with serve_host_pages() as pages:
        yield pages


@pytest.fixture
def host(host_server) -> HostPages:
    host_server.pages.clear()
    return host_server


@pytest.fixture
def fake(server, host) -> FakeService:
    server[1].current = fake = FakeService(delay_seconds=WORD_SECONDS)
    server[2].state.reception = Reception()
    fake.sites.add_site("handbook", "handbook", [host.origin], SiteLimits(questions_per_minute=1000))
    return fake


@pytest.fixture
def tag(server) -> str:
    return make_snippet(server[0], "handbook")


@pytest.fixture
def open_page(server, browser, host, fake) -> Iterator[Any]:
    """Opens pages, and in the end wants no complaint in any console and no request elsewhere."""
    problems: list[str] = []
    contexts = []
    own = (f"{server[0]}/", f"{host.origin}/", f"{host.unlisted_origin}/", "data:", "blob:")

    def watch(page):
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda sent: None if sent.url.startswith(own) else problems.append(sent.url))

    def open_page(address, **options):
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 820}, **options})
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        context.on("page", watch)
        page = context.new_page()
        page.problems = problems
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def open_chat(page):
    """Press the button; the frame once it takes questions."""
    page.click("button.launcher")
    return wait_for_frame(page)


def wait_for_frame(page):
    frame = page.frame_locator("iframe")
    frame.locator("#question:enabled").wait_for()
    return frame


def ask(frame, question: str, turns: int = 1) -> None:
    frame.locator("#question").fill(question)
    frame.locator("#question").press("Enter")
    wait_for_turns(frame, turns)


def wait_for_turns(frame, turns: int) -> None:
    frame.locator(".tools:visible").nth(turns - 1).wait_for()


def run_axe(page) -> list[str]:
    """What axe-core finds in the page and in its frame."""
    script = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    violations = []
    for frame in page.frames:
        frame.evaluate(script)
        violations += frame.evaluate("axe.run({iframes: false}).then((found) => found.violations)")
    return [f"{found['id']}: {found['nodes'][0]['html'][:120]}" for found in violations]


def test_one_tag_asks_streams_cites_opens_and_goes_on_after_a_reload(open_page, host, tag, fake):
    page = open_page(host.show("/", head=tag, body='<a href="/two">Two</a>'))
    page.wait_for_selector("button.launcher")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    launcher = tag.split('"')[1]
    asked = launcher.replace("widget.js", "widget/sites/handbook")
    assert [address for address in loaded if "widget" in address] == [launcher, asked]
    frame = open_chat(page)
    frame.locator(".starter").first.click()
    frame.locator(".writing .draft").first.wait_for()
    wait_for_turns(frame, 1)
    frame.locator(".citation").nth(1).click()
    marks = frame.locator(".card[open] mark").all_inner_texts()
    assert marks[1].startswith("Opened bags can be exchanged once")
    assert frame.locator(".card.active summary").evaluate("(card) => card === document.activeElement")
    with page.context.expect_page() as opened:
        frame.locator(".card[open] a").click()
    assert opened.value.inner_text("#quote").startswith("Unopened bags of coffee")
    assert opened.value.evaluate("window.opener") is None

    page.reload()
    frame = wait_for_frame(page)  # it was open, so it is open again
    assert frame.locator(".question .words").all_inner_texts() == [QUESTION]
    host.show("/two", head=tag)
    page.click("text=Two")
    frame = wait_for_frame(page)
    ask(frame, "And opened bags?", turns=2)
    assert fake.asked[1][1][0].content == QUESTION
    frame.locator("#new").click()
    frame.locator("#greeting").wait_for()
    assert frame.locator(".turn").count() == 0


def test_a_page_that_may_not_show_it_gets_nothing_and_its_owner_a_line(open_page, host, server, fake):
    script = make_snippet(server[0], "handbook", integrity=False).replace(" defer", ' data-open="true" defer')
    fake.sites.add_site("nobody", "handbook", [])
    pages = [
        host.show("/", head=script).replace(host.origin, host.unlisted_origin),
        host.show("/unknown", head=script.replace('"handbook"', '"unknown"')),
        host.show("/nobody", head=script.replace('"handbook"', '"nobody"')),
    ]
    page = open_page(host.show("/empty"))
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
    for address in pages:
        assert_nothing_but_a_line(page, address, said)
    page.goto(host.origin)  # which is listed
    wait_for_frame(page)
    page.route(f"{server[0]}/widget/**", lambda route: route.abort())  # the server is switched off
    assert_nothing_but_a_line(page, host.origin, said)
    fake.sites.remove_site("handbook")
    page.unroute_all()
    assert_nothing_but_a_line(page, host.origin, said)
    page.problems.clear()  # the browser's own words about each refusal
    assert fake.asked == []


def assert_nothing_but_a_line(page, address: str, said: list[str]) -> None:
    said.clear()
    with page.expect_console_message(lambda message: message.type == "warning"):
        page.goto(address)
    [line] = said
    assert f"--origin {page.evaluate('location.origin')}" in line
    assert page.locator("body > :not(main)").count() == 0


def test_an_origin_that_is_not_listed_can_neither_frame_nor_ask_for_it(open_page, host, server, fake):
    page = open_page(host.show("/empty"))
    framed = f"{server[0]}/widget/frame?site=handbook&origin={host.origin}"
    host.show("/framing", body=f'<iframe src="{framed}"></iframe>')
    page.goto(f"{host.unlisted_origin}/framing")
    page.wait_for_function("document.readyState === 'complete'")
    assert page.frames[1].url.startswith("chrome-error:")
    stolen = page.evaluate(
        "(address) => fetch(address, {method: 'POST'}).then(() => 'read', () => 'refused')",
        f"{server[0]}/widget/sites/handbook/ticket",
    )
    assert stolen == "refused"
    assert len(page.problems) >= 2  # the browser's refusals, and nothing else
    page.problems.clear()
    assert fake.asked == []


def test_the_hosts_scripts_cannot_use_a_ticket_or_a_token(open_page, host, tag, server, fake):
    page = open_page(host.show("/", head=tag))
    frame = open_chat(page)
    ask(frame, QUESTION)
    answers = page.evaluate(TRY_EVERYTHING, server[0])
    assert answers == ["refused"] * 5
    page.problems.clear()  # the browser's words about each refusal


def test_it_works_under_a_strict_policy_of_the_host(open_page, host, tag, server):
    address = server[0]
    policy = (
        f"default-src 'none'; script-src {address}/widget.js; connect-src {address}; frame-src {address}; "
        "style-src 'none'; img-src 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )
    page = open_page(host.show("/", head=tag, policy=policy))
    frame = open_chat(page)
    ask(frame, QUESTION)
    assert page.evaluate(f"getComputedStyle({FIND_PANEL}).position") == "fixed"
    assert frame.locator(".citation").count() >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, host, tag, scheme):
    page = open_page(host.show("/", head=tag), color_scheme=scheme, reduced_motion="reduce")
    assert run_axe(page) == []
    frame = open_chat(page)
    assert run_axe(page) == []
    ask(frame, QUESTION)
    frame.locator(".citation").first.click()
    ask(frame, "Who owns the moon?", turns=2)
    frame.locator(".not-found .card summary").first.click()
    ask_failing(frame, "Please crash")
    assert run_axe(page) == []


def ask_failing(frame, question: str) -> None:
    frame.locator("#question").fill(question)
    frame.locator("#question").press("Enter")
    frame.locator(".problem").wait_for()


def test_the_keyboard_alone_completes_a_chat(open_page, host, tag):
    page = open_page(host.show("/", head=tag))
    page.locator("button.launcher").wait_for()
    keyboard = page.keyboard
    keyboard.press("Tab")
    keyboard.press("Enter")
    frame = wait_for_frame(page)
    frame.locator("#question:focus").wait_for()
    keyboard.type(QUESTION)
    keyboard.press("Enter")
    wait_for_turns(frame, 1)
    keyboard.press("Shift+Tab")
    focused = frame.locator(":focus")
    assert focused.evaluate("(element) => element.localName") == "summary"
    keyboard.press("Enter")
    frame.locator(".card[open]").wait_for()
    keyboard.press("Tab")
    assert focused.inner_text() == "Open document"
    seen = []
    for _ in range(16):  # round and round, never out
        keyboard.press("Tab")
        seen.append(
            focused.evaluate("(element) => element.id || element.className || element.dataset.action")
        )
        assert focused.evaluate(RING)
    assert {"new", "close", "question", "send", "citation"} <= set(seen)
    keyboard.press("Escape")
    page.locator("iframe").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.className").startswith("launcher")


def test_scripts_in_documents_names_questions_and_answers_run_nothing(open_page, host, tag, fake):
    text = f"# A\n\n{HOSTILE}\n\n## B\n\nEnd {HOSTILE}"
    hostile = make_document("handbook", f"{HOSTILE}.md", f"Refunds {HOSTILE}", "markdown", None, text)
    fake._documents = {hostile.record.id: hostile, "2": hostile, "3": hostile}
    page = open_page(host.show("/", head=tag))
    frame = open_chat(page)
    ask(frame, f"hostile {HOSTILE}")
    assert "<script>document.title='owned'</script>" in frame.locator(".text").inner_text()
    ask(frame, f"moon {HOSTILE}", turns=2)
    for summary in frame.locator(".card summary").all():
        summary.click()
    body = frame.locator("body")
    assert body.locator("img:not(#logo), script, .text a, .text svg, iframe").count() == 0
    assert body.evaluate(LIST_HANDLERS) == []
    viewer = page.context.new_page()
    viewer.goto(frame.locator(".card[open] a").first.get_attribute("href"))
    assert "onerror" in viewer.inner_text("main")
    assert viewer.evaluate(LIST_HANDLERS) == []
    assert "owned" not in (page.title(), page.frames[1].title(), viewer.title())


def test_messages_of_other_windows_are_not_heard(open_page, host, tag, fake):
    page = open_page(host.show("/", head=tag))
    frame = open_chat(page)
    page.evaluate(
        "window.postMessage({type: 'close'}, '*'); window.postMessage({type: 'event', name: 'x'}, '*')"
    )
    host.show("/other", body="<p>another page of the site, in a frame beside the chat</p>")
    page.evaluate(
        """() => new Promise((resolve) => {
          const other = document.createElement("iframe");
          other.onload = () => {
            other.contentWindow.eval(`parent.document.querySelector("body > div").shadowRoot
              .querySelector("iframe").contentWindow.postMessage({type: "ask", text: "moon"}, "*")`);
            setTimeout(resolve, 300);
          };
          other.src = "/other";
          document.body.append(other);
        })"""
    )
    assert page.locator(".panel").is_visible()
    assert frame.locator(".turn").count() == 0
    assert fake.asked == []


def test_the_page_may_open_ask_close_and_destroy(open_page, host, server, fake):
    script = make_snippet(server[0], "handbook").replace(' data-site="handbook"', "")
    page = open_page(host.show("/", head=script, title="Season tickets | Shop"))
    page.wait_for_function("window.Chatbot")
    assert page.locator("button.launcher").count() == 0
    page.evaluate(
        """() => {
          window.heard = [];
          for (const name of ["ready", "open", "question", "answer", "close"])
            document.addEventListener(`chatbot:${name}`, (event) => heard.push([name, event.detail]));
          Chatbot.init({site: "handbook", title: "Ask us", greeting: "Ahoy", starters: ["One?"],
            position: "left",
            color: "#ffd700", language: "de", theme: "dark", pageContext: true});
          Chatbot.ask("How do I cancel this?");
        }"""
    )
    frame = wait_for_frame(page)
    wait_for_turns(frame, 1)
    assert frame.locator("#title").inner_text() == "Ask us"
    assert frame.locator("html").get_attribute("lang") == "de"
    assert frame.locator("#send").evaluate("(button) => getComputedStyle(button).color") == "rgb(11, 21, 19)"
    assert [message.content for message in fake.asked[0][1]] == ["Season tickets", "I see."]
    page.evaluate("Chatbot.close()")
    assert page.evaluate("heard.map(([name]) => name)") == [
        "ready",
        "open",
        "question",
        "answer",
        "close",
    ] or (
        page.evaluate("heard.map(([name]) => name).sort()")
        == ["answer", "close", "open", "question", "ready"]
    )
    assert page.evaluate("heard.find(([name]) => name === 'answer')[1]") == {"found": True, "sources": 2}
    page.evaluate("Chatbot.destroy()")
    assert page.locator("button.launcher").count() == 0


def test_it_fills_an_element_and_reads_from_right_to_left(open_page, host, server):
    tag = make_snippet(server[0], "handbook").replace(
        " defer", ' data-inline="#chat" data-language="ar" data-logo="/logo.png" defer'
    )
    page = open_page(host.show("/", head=tag, body='<div id="chat"></div>'))
    frame = wait_for_frame(page)
    assert frame.locator("html").get_attribute("dir") == "rtl"
    assert frame.locator("#close").is_hidden()
    ask(frame, "Who owns the moon?")
    assert frame.locator(".not-found-title").inner_text() == "لم أجد ذلك في المستندات."
    assert page.locator("#chat .panel").bounding_box()["height"] >= 420


def test_a_phone_shows_it_full_screen_and_without_motion(open_page, host, tag):
    options = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "reduced_motion": "reduce"}
    page = open_page(host.show("/", head=tag), **options)
    frame = open_chat(page)
    assert page.locator(".panel").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 800}
    ask(frame, QUESTION)
    ask(frame, "And opened bags?", turns=2)
    frame.locator(".turn").first.evaluate("(turn) => turn.scrollIntoView()")
    assert frame.locator(".bar").bounding_box()["y"] == 0  # only the conversation scrolls
    assert frame.locator("html").evaluate("(root) => [root.scrollWidth, root.scrollHeight]") == [390, 800]
    assert frame.locator("#conversation").evaluate("(list) => list.scrollWidth <= list.clientWidth")
    frame.locator("#close").click()
    page.locator("button.launcher").wait_for()


def test_an_answer_longer_than_the_frame_is_shown_from_its_question(open_page, host, tag):
    page = open_page(host.show("/", head=tag))
    page.set_viewport_size({"width": 700, "height": 420})
    frame = open_chat(page)

    ask(frame, "Who owns the moon?")

    turn, view = frame.locator(".turn").bounding_box(), frame.locator("#conversation").bounding_box()
    assert turn["height"] > view["height"]
    assert view["y"] - 2 <= turn["y"] < view["y"] + 60


def test_rating_copying_and_stopping(open_page, host, tag, fake):
    page = open_page(host.show("/", head=tag), permissions=["clipboard-read", "clipboard-write"])
    frame = open_chat(page)
    ask(frame, QUESTION)
    frame.locator("[data-rating=up]").click()
    frame.locator("[data-rating=up][aria-pressed=true]").wait_for()
    assert [rated.rating for rated in fake.site_records.list_ratings("handbook")] == ["up"]
    frame.locator("[data-action=copy]").click()
    frame.locator("text=Copied").wait_for()
    page.click("h1")  # only the page may read the clipboard
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "unopened bags within 30 days of delivery and get the full price back. [1]" in copied
    assert "[1] Refunds and returns" in copied
    frame.locator("#question").fill("Tell me everything")
    frame.locator("#question").press("Enter")
    frame.locator("text=step 2 of").wait_for()
    frame.locator("#stop").click()
    wait_for_turns(frame, 2)
    assert fake.answers[1].was_stopped
    assert frame.locator(".facts").last.inner_text() == "Stopped"


def test_a_visit_that_is_over_is_renewed_without_a_word(open_page, host, tag, server, fake):
    page = open_page(host.show("/", head=tag))
    frame = open_chat(page)
    ask(frame, QUESTION)
    visits = server[2].state.reception.visits
    visits._visits._held.clear()
    ask(frame, "And opened bags?", turns=2)
    assert len(fake.asked[1][1]) == 2
    assert all("401" in problem for problem in page.problems)
    page.problems.clear()


def test_a_reader_who_waits_sees_their_place_in_the_queue(open_page, host, tag, fake):
    fake.admission = Admission(parallel=1, waiting=5)
    page = open_page(host.show("/", head=tag))
    frame = open_chat(page)
    first, second = hold_place(fake.admission), hold_place(fake.admission)
    frame.locator("#question").fill(QUESTION)
    frame.locator("#question").press("Enter")
    told = frame.locator(".waiting")
    told.locator("text=2 questions are before yours…").wait_for()
    assert frame.locator("#announcer").inner_text() == "2 questions are before yours…"
    first.leave()
    told.locator("text=1 question is before yours…").wait_for()
    second.leave()
    wait_for_turns(frame, 1)
    assert told.is_hidden()


def test_limits_are_told_in_the_readers_language(open_page, host, tag, fake):
    fake.sites.remove_site("handbook")
    fake.sites.add_site("handbook", "handbook", [host.origin], SiteLimits(questions_per_day=1))
    page = open_page(host.show("/", head=tag.replace(" defer", ' data-language="fr" defer')))
    frame = open_chat(page)
    ask(frame, QUESTION)
    ask_failing(frame, "And opened bags?")
    assert frame.locator(".problem p").inner_text().startswith("Ce chat a répondu autant")
    assert "429" in page.problems.pop()


def test_it_works_below_a_path_of_a_proxy(open_page, host, server):
    page = open_page(host.show("/", head=make_snippet(f"{server[0]}/chat", "handbook")))
    asked: list[str] = []
    page.context.on("request", lambda sent: asked.append(sent.url))
    frame = open_chat(page)
    ask(frame, QUESTION)
    frame.locator(".citation").first.click()
    with page.context.expect_page() as opened:
        frame.locator(".card[open] a").click()
    assert opened.value.inner_text("#quote").startswith("Unopened bags of coffee")
    assert asked
    assert [address for address in asked if not address.startswith(f"{server[0]}/chat/")] == []


def test_the_demonstration_shows_the_chat(open_page, server, fake):
    fake.sites.add_site("demo", "handbook", [server[0]])
    page = open_page(f"{server[0]}/widget-demo")
    frame = open_chat(page)
    ask(frame, QUESTION)
    assert run_axe(page) == []
    page.reload()
    assert wait_for_frame(page).locator(".turn").count() == 1
