"""The page in a real browser, over the fake service."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatbot.web.serve import make_server, open_socket
from tests.browsing import ask, find_chromium, open_browser, wait_for_turns
from tests.web.conftest import ServiceSlot
from tests.web.fake_service import FakeService

pytestmark = [
    pytest.mark.browser,
    # Gradio counts its events with pandas.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

QUESTION = "How long can a customer return coffee?"
WORD_SECONDS = 0.006


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, ServiceSlot]]:
    find_chromium()
    from chatbot.web.app import create_app

    slot = ServiceSlot()
    listener = open_socket("127.0.0.1", 0)
    server = make_server(create_app(slot))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", slot
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def fake(address) -> FakeService:
    address[1].current = FakeService(delay_seconds=WORD_SECONDS)
    return address[1].current


@pytest.fixture
def open_page(address, browser, fake) -> Iterator[Any]:
    """Opens pages, and in the end wants no complaint in the console and no request elsewhere."""
    url, problems, contexts = address[0], [], []

    def watch(page):
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: None if is_own(request.url) else problems.append(request.url))

    def is_own(address: str) -> bool:
        return address.startswith((f"{url}/", "data:", "blob:"))

    def open_page(path="/", **options):
        context = browser.new_context(viewport={"width": 1300, "height": 850}, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.on("page", watch)
        page = context.new_page()
        page.goto(url + path)
        page.wait_for_selector("#question:enabled")
        page.wait_for_selector("nav.side")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def start_long_answer(page) -> None:
    page.fill("#question", "Tell me everything")
    page.press("#question", "Enter")
    page.wait_for_selector("#live .text >> text=step 2 of")


def wait_until(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_words_stream_and_citations_lead_to_the_quoted_words(open_page):
    page = open_page()
    page.fill("#question", QUESTION)
    page.press("#question", "Enter")
    page.wait_for_selector("#live [data-writing] >> text=Customers may return")
    page.wait_for_selector("#live .citation")
    wait_for_turns(page, 1)
    citation = page.locator("#transcript .citation").nth(1)
    citation.hover()
    assert "Opened bags can be exchanged" in page.inner_text(".tip")
    citation.click()
    assert page.inner_text("#transcript mark.active").startswith("Opened bags can be exchanged once")
    assert page.get_attribute(".card:focus", "data-passage") == "1"
    assert "Chatbot" in page.title()


def test_open_document_shows_the_quote_in_a_new_tab(open_page):
    page = open_page()
    ask(page, QUESTION)
    with page.context.expect_page() as opened:
        page.click("#transcript .card-foot a >> nth=0")
    viewer = opened.value
    assert viewer.inner_text("#quote").startswith("Unopened bags of coffee")
    assert viewer.evaluate("document.querySelector('#quote').getBoundingClientRect().top") < 800


def test_stop_really_stops_and_keeps_the_words(open_page, fake):
    page = open_page()
    start_long_answer(page)
    page.click("[data-action=stop]")
    wait_for_turns(page, 1)
    assert fake.answers[0].was_stopped
    assert "Stopped" in page.inner_text("#transcript .facts")
    assert "step 1 of" in page.inner_text("#transcript .text")


def test_closing_the_page_stops_the_answer(open_page, fake):
    page = open_page()
    start_long_answer(page)
    page.close()
    wait_until(lambda: fake.answers[0].was_stopped)
    wait_until(lambda: len(fake.chats.list_chats()) == 1)


def test_retry_and_edit_take_the_place_of_the_answer(open_page, fake):
    page = open_page()
    ask(page, QUESTION)
    page.click("[data-action=retry]")
    wait_until(lambda: len(fake.asked) == 2)
    wait_for_turns(page, 1)
    page.click("[data-action=edit]")
    assert page.input_value("#question") == QUESTION
    ask(page, "And on the moon?")
    page.wait_for_selector(".answer.not-found >> text=Not in these documents")
    assert page.inner_text("#transcript .question").endswith("And on the moon?")
    assert "Nearest passages" in page.inner_text(".turn.selected .sources")
    turns = fake.chats.get_chat(fake.chats.list_chats()[0].id).turns
    assert [turn.question for turn in turns] == ["And on the moon?"]


def test_a_reload_stays_in_the_chat(open_page):
    page = open_page()
    ask(page, QUESTION)
    page.wait_for_url("**/?chat=*")
    page.reload()
    wait_for_turns(page, 1)
    page.wait_for_selector("#transcript .turn.selected")
    page.click(".side [data-action=new]")
    page.wait_for_selector(".welcome")
    page.click(".chats .entry")
    wait_for_turns(page, 1)


def test_leaving_a_chat_while_it_answers(open_page, fake):
    page = open_page()
    start_long_answer(page)
    page.click(".side [data-action=new]")
    page.wait_for_selector(".welcome")
    assert fake.answers[0].was_stopped
    time.sleep(0.3)
    assert page.locator(".turn").count() == 0
    assert "Tell me everything" in page.inner_text(".chats")


def test_starter_questions_and_ratings(open_page, fake):
    page = open_page()
    page.click(".starter >> nth=0")
    wait_for_turns(page, 1)
    page.click("[data-action=rate] >> nth=0")
    page.wait_for_selector("[data-action=rate][aria-pressed=true]")
    assert fake.chats.get_chat(fake.chats.list_chats()[0].id).turns[0].rating == "up"


def test_chats_are_renamed_and_deleted(open_page, fake):
    page = open_page()
    ask(page, QUESTION)
    page.hover(".chats li")
    page.click("[data-action=rename]")
    page.fill("dialog[open] input", "Returns")
    page.press("dialog[open] input", "Enter")
    page.wait_for_selector(".chats .entry >> text=Returns")
    page.hover(".chats li")
    page.click("[data-action=delete_chat]")
    page.click("dialog[open] >> text=Cancel")
    page.hover(".chats li")
    page.click("[data-action=delete_chat]")
    page.click("dialog[open] .danger")
    page.wait_for_selector(".welcome")
    assert fake.chats.list_chats() == []


def test_files_are_uploaded_reported_and_deleted(open_page, fake, tmp_path: Path):
    page = open_page()
    page.click(".side [data-action=documents]")
    page.wait_for_selector(".documents >> text=opens only with a password")
    good, broken = tmp_path / "menu.txt", tmp_path / "broken.txt"
    good.write_text("Six drinks.")
    broken.write_text("?")
    page.set_input_files("#upload input[type=file]", [good, broken])
    page.wait_for_selector(".report >> text=The file is damaged.")
    assert "added, 1 chunk" in page.inner_text(".report")
    page.click("[data-action=delete_document][data-title=menu]")
    page.click("dialog[open] .danger")
    page.wait_for_selector(".documents a >> text=menu", state="detached")
    assert [record for record in fake.list_documents("handbook") if record.path == "menu.txt"] == []
    page.click("#documents_head >> text=Back to the chat")
    page.wait_for_selector(".welcome")


def test_the_corpus_can_be_changed(open_page):
    page = open_page()
    ask(page, QUESTION)
    page.select_option(".picker select", "papers")
    page.wait_for_selector(".welcome >> text=Research papers")
    page.wait_for_url("**/?corpus=papers")


def test_errors_are_shown_in_place(open_page):
    page = open_page()
    page.fill("#question", "Please crash")
    page.press("#question", "Enter")
    page.wait_for_selector("#live .problem >> text=Choose a smaller model")
    page.fill("#question", "a bug")
    page.press("#question", "Enter")
    page.wait_for_selector("#live .problem >> text=Something went wrong (id")
    assert "internals" not in page.content()


def test_hostile_answers_stay_text(open_page, fake):
    page = open_page()
    ask(page, "Be hostile <img src=x onerror=alert(1)>")
    assert "<script>" in page.inner_text("#transcript .text")
    assert page.locator("#transcript img, #transcript script, #transcript .text a").count() == 0
    assert "owned" not in page.title()


def test_too_long_questions_are_told_before_sending(open_page, fake):
    page = open_page()
    page.fill("#question", "a" * 410)
    assert page.inner_text("#counter") == "10 characters too many (limit 400)"
    page.press("#question", "Enter")
    page.fill("#question", "   ")
    page.press("#question", "Enter")
    time.sleep(0.3)
    assert fake.asked == []


def test_the_keyboard_is_enough(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "question"
    page.keyboard.type("How long")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("for returns?")
    assert page.input_value("#question") == "How long\nfor returns?"
    page.keyboard.press("Enter")
    wait_for_turns(page, 1)
    page.focus("#transcript .citation >> nth=0")
    assert page.is_visible(".tip")
    page.keyboard.press("Enter")
    assert page.locator("mark.active").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText").startswith("Open document")
    page.keyboard.press("Escape")
    assert "citation" in page.evaluate("document.activeElement.className")


def test_every_control_has_a_name(open_page):
    page = open_page()
    ask(page, QUESTION)
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, a[href], select, textarea, input:not([type=file])')]
        .filter(e => e.checkVisibility())
        .filter(e => !(e.getAttribute('aria-label') || e.innerText.trim() || e.labels?.length))
        .map(e => e.outerHTML)"""
    )
    assert nameless == []
    assert page.get_attribute("#transcript section", "role") == "log"


def test_nothing_is_wider_than_a_phone(open_page):
    page = open_page(is_mobile=True, color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    ask(page, QUESTION)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".side").is_hidden()
    page.click(".topbar [data-action=menu]")
    page.click(".side [data-action=documents]")
    page.wait_for_selector(".documents >> visible=true")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_dark_and_light_follow_the_system_and_the_switch(open_page):
    page = open_page(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(18, 22, 21)"
    page.click("[data-action=theme]")
    assert page.evaluate(background) == "rgb(246, 245, 241)"
    page.reload()
    page.wait_for_selector("#question")
    assert page.evaluate(background) == "rgb(246, 245, 241)"


def test_the_composer_waits_with_the_models(open_page, address, browser, fake):
    fake.loading_seconds = 1000
    context = browser.new_context()
    page = context.new_page()
    page.goto(address[0])
    page.wait_for_selector("#question:disabled")
    assert "Waiting for: the language model is loading" in page.inner_text(".reason")
    fake.loading_seconds = 0
    page.wait_for_selector("#question:enabled")
    context.close()


def search(page, question: str) -> None:
    page.click(".side [data-action=search_view]")
    page.fill("#search-text", question)
    page.press("#search-text", "Enter")
    page.wait_for_selector("#search_results .results", state="attached")


def choose_type(page, name: str) -> None:
    page.click("[data-action=choose_filters]")
    page.select_option(".filter-dialog [name=formats]", name)
    page.click(".filter-dialog .primary")
    page.wait_for_selector(f".chip >> text=type {name}")


def test_a_search_is_typed_and_shows_its_words_without_a_model(open_page, fake):
    page = open_page()
    page.click(".side [data-action=search_view]")
    page.wait_for_selector(".search-help >> text=folder:people")
    assert page.evaluate("document.activeElement.id") == "search-text"
    page.keyboard.type("return cofee")
    page.keyboard.press("Enter")
    page.wait_for_selector(".change >> text=Showing results for “return coffee”")
    assert page.inner_text("#search_view .card mark >> nth=0") == "coffee"
    assert page.inner_text(".reasons >> nth=1") == "nearest in meaning, 2nd · shared words, 2nd"
    assert fake.asked == []
    with page.context.expect_page() as opened:
        page.click("#search_view .also a >> nth=0")
    assert opened.value.inner_text("#quote").startswith("Milk is kept")


def test_filters_narrow_a_search_at_once_and_can_be_cleared(open_page):
    page = open_page()
    search(page, "return coffee")
    page.select_option(".search-filters [name=formats]", "md")
    page.wait_for_selector(".found >> text=1 passage")
    assert "Only type md (1 of 5 documents)" in page.inner_text(".change")
    page.click(".search-filters [data-action=clear_filters]")
    page.wait_for_selector(".found >> text=4 passages")


def test_the_address_of_a_search_can_be_opened_again(open_page):
    page = open_page()
    search(page, "return coffee type:pdf")
    page.fill(".search-filters [name=after]", "2026-01-01")
    page.wait_for_url("**/?view=search&q=return+coffee+type%3Apdf&corpus=handbook&after=2026-01-01")
    page.wait_for_selector(".found >> text=2 passages")
    page.reload()
    page.wait_for_selector(".found >> text=2 passages")
    assert page.input_value("#search-text") == "return coffee type:pdf"
    assert page.input_value(".search-filters [name=after]") == "2026-01-01"
    assert page.get_attribute(".side [data-action=search_view]", "aria-current") == "page"


def test_the_browsers_back_leads_through_searches_to_the_chat(open_page):
    page = open_page()
    ask(page, QUESTION)
    search(page, "return coffee")
    page.select_option(".search-filters [name=formats]", "md")
    page.wait_for_url("**&type=md")
    search(page, "harbour roast")
    page.wait_for_url("**q=harbour+roast**")
    page.go_back()
    page.wait_for_selector(".found >> text=return coffee")
    assert page.input_value(".search-filters [name=formats]") == "md"
    page.go_back()
    page.wait_for_function("document.querySelector('.search-filters [name=formats]').value === ''")
    page.wait_for_selector(".found >> text=return coffee")
    page.go_back()
    page.wait_for_selector(".search-help")
    page.go_back()
    page.wait_for_selector("#transcript .turn")
    assert page.is_visible("#question")


def test_what_was_typed_outlasts_a_reload(open_page):
    page = open_page()
    page.fill("#question", "A long question that")
    page.reload()
    page.wait_for_selector("#question:enabled")
    page.wait_for_function("document.querySelector('#question').value !== ''")
    assert page.input_value("#question") == "A long question that"


def test_a_question_that_never_arrived_is_given_back_and_a_server_that_is_back_is_found(
    address, browser, fake
):
    # Not `open_page`: a lost connection is told in the console.
    context = browser.new_context()
    page = context.new_page()
    page.goto(address[0])
    page.wait_for_selector("#question:enabled")
    context.set_offline(True)
    page.fill("#question", QUESTION)
    page.press("#question", "Enter")
    page.wait_for_function(f"document.querySelector('#question').value === '{QUESTION}'")
    with page.expect_navigation():
        context.set_offline(False)
    page.wait_for_function(f"document.querySelector('#question')?.value === '{QUESTION}'")
    page.press("#question", "Enter")
    wait_for_turns(page, 1)
    assert [question for question, _ in fake.asked] == [QUESTION]
    context.close()


def test_of_searches_in_quick_succession_the_last_is_shown(open_page):
    page = open_page()
    search(page, "coffee")
    for number in range(12):
        page.fill("#search-text", f"coffee {number}")
        page.press("#search-text", "Enter")
    page.wait_for_selector(".found >> text=coffee 11")
    page.wait_for_selector("#searching", state="hidden")
    page.wait_for_url("**q=coffee+11**")
    assert "coffee 11" in page.inner_text(".found")


def test_a_question_that_fails_at_once_is_shown_and_can_be_changed(open_page):
    page = open_page()
    for turns in range(1, 5):
        ask(page, QUESTION, turns=turns)

    page.fill("#question", "too long")
    page.press("#question", "Enter")
    page.wait_for_selector("#live .problem")
    page.wait_for_function(
        "document.querySelector('#live .problem').getBoundingClientRect().bottom < innerHeight"
    )
    page.click("#live [data-action=reuse]")
    assert page.input_value("#question") == "too long"


def test_a_search_explains_itself(open_page):
    page = open_page()
    search(page, "return coffee")
    page.focus(".explanation > summary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".prompt")
    assert page.evaluate("document.activeElement.innerText") == "How this was found"
    assert "below the first 4" in page.inner_text(".hits")
    assert "Nearest vectors 3 ms" in page.inner_text(".seconds")
    page.click(".prompt summary")
    assert page.inner_text(".prompt pre") == "Answer this: return coffee"


def test_filters_of_a_chat_are_sent_until_their_chip_is_removed(open_page, fake):
    page = open_page()
    choose_type(page, "docx")
    ask(page, QUESTION)
    assert fake.filters[-1].formats == ("docx",)
    page.wait_for_selector(".chip")
    page.focus(".chip")
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip", state="detached")
    ask(page, QUESTION, turns=2)
    assert fake.filters[-1].is_empty


def test_filters_do_not_follow_into_another_corpus(open_page):
    page = open_page()
    choose_type(page, "docx")
    page.select_option(".picker select", "papers")
    page.wait_for_selector(".welcome >> text=Research papers")
    assert page.locator(".chip").count() == 0


def test_why_these_sources_opens_and_closes_again(open_page):
    page = open_page()
    ask(page, QUESTION)
    for _ in range(2):
        page.click("[data-action=why]")
        page.wait_for_selector(".why-dialog[open] >> text=Passage 1")
        assert "was sent this" in page.inner_text(".why-dialog .decision")
        page.keyboard.press("Escape")
        page.wait_for_selector(".why-dialog", state="hidden")


def test_a_hostile_search_stays_text(open_page):
    page = open_page()
    payload = "<img src=x onerror=document.title='owned'> coffee"
    search(page, payload)
    assert payload in page.inner_text(".found")
    page.click(".explanation > summary")
    page.wait_for_selector(".prompt")
    assert page.locator("#search_view img").count() == 0
    assert "owned" not in page.title()


def test_the_search_fits_a_phone(open_page):
    page = open_page(is_mobile=True)
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.wait_for_selector("#question:enabled")
    page.click(".topbar [data-action=menu]")
    search(page, "return coffee")
    assert page.locator(".search-filters [name=folders]").is_hidden()
    page.click(".search-filters > summary")
    page.select_option(".search-filters [name=folders]", "shop")
    page.wait_for_selector(".change >> text=folder shop")
    page.click(".explanation > summary")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
