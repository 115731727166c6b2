"""The browser of the tests: Chromium as the system has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str:
    """Where Chromium is; skips the test where there is none, but fails on a build server."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("no Chromium was found, and on the build server there must be one")
    if path is None:
        pytest.skip("no Chromium was found; install one (apt install chromium) to run the browser tests")
    return path


@contextmanager
def open_browser() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


def ask(page: Any, question: str, turns: int = 1) -> None:
    """Type a question and wait until it is answered."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    wait_for_turns(page, turns)


def wait_for_turns(page: Any, turns: int) -> None:
    """Wait until so many questions have whole answers."""
    page.wait_for_function(f"document.querySelectorAll('#transcript .turn').length === {turns}")
    page.wait_for_selector("[data-writing]", state="detached")
