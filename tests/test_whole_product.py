"""The whole product as a person meets it: the command, the shipped corpus, the real models, a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatbot.corpora import read_corpus
from chatbot.web.serve import open_socket
from tests.browsing import ask, open_browser, wait_for_turns
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.browser, pytest.mark.models]

CORPUS = "marrowick-ferries"
LONGEST_SECONDS = 240


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, models_folder: Path, large_data: Path
) -> dict[str, str]:
    """A copy of the shipped corpora and an empty data folder with the prepared models, as settings."""
    root = tmp_path_factory.mktemp("product")
    shutil.copytree(REPOSITORY / "corpora", root / "corpora")
    (root / "data").mkdir()
    (root / "data" / "models").symlink_to(large_data / "models", target_is_directory=True)
    return {
        "CHATBOT_CORPORA_FOLDER": str(root / "corpora"),
        "CHATBOT_DATA_FOLDER": str(root / "data"),
        "CHATBOT_WATCH_SECONDS": "0.5",
    }


@contextmanager
def serve(settings: dict[str, str]) -> Iterator[str]:
    """The command `chatbot serve`, ready, with every document read; yields its address."""
    with open_socket("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "chatbot", "serve", "--no-browser", "--port", str(port)],
        cwd=REPOSITORY,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: fetch(f"{url}/health")["ready"])
        wait_until(lambda: len(list_documents(url)) == 33)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Traceback" not in output


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address
        return json.load(response)


def list_documents(url: str) -> list[str]:
    records = fetch(f"{url}/api/documents?corpus={CORPUS}")["documents"]
    return [record["path"] for record in records]


def wait_until(condition) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"nothing came of it in {LONGEST_SECONDS} seconds")


@contextmanager
def open_page(browser: Any, url: str) -> Iterator[Any]:
    """A page of the chat; in the end nothing may have been asked of another host."""
    context = browser.new_context(viewport={"width": 1300, "height": 850})
    context.set_default_timeout(60_000)
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#question:enabled")
    yield page
    context.close()
    assert [request for request in requests if not request.startswith((url, "data:", "blob:"))] == []


def test_a_person_asks_reads_adds_and_deletes(folders: dict[str, str], tmp_path: Path) -> None:
    """Three questions, a citation, the document behind it, a file of one's own, and its end."""
    with serve(folders) as url, open_browser() as browser, open_page(browser, url) as page:
        page.fill("#question", "How long does a password have to be at least?")
        page.press("#question", "Enter")
        page.wait_for_selector("#live [data-writing]")
        wait_for_turns(page, 1)
        assert "14 characters" in page.inner_text("#transcript .text")

        ask(page, "What does GW-117 mean?", turns=2)
        last = page.locator("#transcript .turn").last
        assert "double booking" in last.locator(".text").inner_text()
        last.locator(".citation").first.click()
        assert "GW-117" in page.inner_text("#transcript mark.active")
        with page.context.expect_page() as opened:
            last.locator(".card-foot a").first.click()
        assert "GW-117" in opened.value.inner_text("#quote")

        ask(page, "Who won the football world cup in 1998?", turns=3)
        page.wait_for_selector(".answer.not-found >> text=Not in these documents")

        note = tmp_path / "harbour-seal.txt"
        note.write_text("The harbour seal at Tolsay is called Bartholomew and weighs 94 kilograms.")
        page.click(".side [data-action=documents]")
        page.set_input_files("#upload input[type=file]", [note])
        page.wait_for_selector(".report >> text=added, 1 chunk")
        page.click("#documents_head >> text=Back to the chat")
        ask(page, "What is the harbour seal at Tolsay called?", turns=4)
        answers = page.locator("#transcript .turn .text")
        assert "Bartholomew" in answers.last.inner_text()

        page.click(".side [data-action=documents]")
        row = "tr:has-text('harbour-seal.txt')"
        page.click(f"{row} [data-action=delete_document]")
        page.click("dialog .danger")
        page.wait_for_selector(row, state="detached")
        page.click("#documents_head >> text=Back to the chat")
        ask(page, "How is the harbour seal at Tolsay called?", turns=5)
        assert "Bartholomew" not in answers.last.inner_text()
        assert "harbour-seal.txt" not in list_documents(url)


def test_every_question_of_the_first_page_is_answered(folders: dict[str, str]) -> None:
    told = ("three days a week", "microwave link", "£15.20", "struck the Tolsay linkspan")
    questions = read_corpus(REPOSITORY / "corpora" / CORPUS).starter_questions
    with serve(folders) as url:
        for question, words in zip(questions, told, strict=True):
            body = json.dumps({"question": question, "corpus": CORPUS}).encode()
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(f"{url}/api/ask", body, headers)  # noqa: S310 - our own address
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - our own address
                answer = json.loads(response.read().splitlines()[-1])["answer"]
            assert answer["found"], question
            assert words in answer["text"]


def test_stop_ends_an_answer_midway(folders: dict[str, str]) -> None:
    """A long answer is stopped on the page, keeps what it has, and the model takes the next question."""
    free = folders | {"CHATBOT_ANSWER_STYLE": "free", "CHATBOT_UNSUPPORTED": "mark"}
    with serve(free) as url, open_browser() as browser, open_page(browser, url) as page:
        page.fill("#question", "What should be done when the fire alarm sounds at Orrin Yard?")
        page.press("#question", "Enter")
        page.wait_for_selector("#live [data-writing]")
        page.click("[data-action=stop]")
        wait_for_turns(page, 1)
        assert "Stopped" in page.inner_text("#transcript .facts")
        ask(page, "Which form is for a new supplier?", turns=2)


def test_the_command_line_goes_through_the_open_page(folders: dict[str, str]) -> None:
    """`chatbot ask` works while the page is open, with the same sources."""
    with serve(folders):
        command = [sys.executable, "-m", "chatbot", "ask", "How long must a password be?", "--json"]
        done = subprocess.run(
            command, cwd=REPOSITORY, env={**os.environ, **folders}, capture_output=True, text=True, timeout=60
        )
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert "14 characters" in answer["text"]
    assert {answer["passages"][item["passage_number"] - 1]["path"] for item in answer["citations"]} == {
        "it/passwords-and-accounts.md"
    }
