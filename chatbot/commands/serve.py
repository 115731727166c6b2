"""The command `chatbot serve`: the page, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from typing import TYPE_CHECKING

from chatbot.commands.options import add_corpus_option, add_generator_option
from chatbot.connecting import end_loading
from chatbot.errors import ChatbotError
from chatbot.settings import Settings
from chatbot.terminal import Terminal, describe_outcome, describe_progress, describe_report, make_terminal

if TYPE_CHECKING:
    from chatbot.service import Service


def add_serve_options(parser: argparse.ArgumentParser) -> None:
    add_corpus_option(parser)
    add_generator_option(parser)
    parser.add_argument("--host", help="the address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen on (default 7860)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def run_serve(options: argparse.Namespace, settings: Settings) -> int:
    """Serve the page until Ctrl-C; the models load once it answers."""
    from chatbot.build import build_service
    from chatbot.web.serve import serve

    terminal = make_terminal()
    terminal.note("starting the page")
    with build_service(settings) as service:

        def open_page(url: str) -> None:
            service.announce(url)
            service.start()
            terminal.say(f"The chat is open at {url} (Ctrl-C ends it).")
            terminal.say(describe_access(service))
            if not options.no_browser and has_display():
                webbrowser.open(url)
            try:
                service.wait_until_ready(terminal.note)
            except ChatbotError as error:
                terminal.say(f"{error.message}\n{error.next_step}")
                return
            finally:
                end_loading()
            terminal.say("Ready for questions.")
            follow_ingests(service, terminal)

        serve(service, host=settings.host, port=settings.port, on_ready=open_page)
    terminal.say("Closed.")
    return 0


def follow_ingests(service: Service, terminal: Terminal) -> None:
    """Print the progress of the first reading of every corpus, and its outcome."""
    from chatbot.web.schemas import progress_to_json, report_to_json

    for corpus in [corpus.name for corpus in service.catalogue.list_corpora()]:
        while (progress := service.ingests.progress(corpus)) is not None and not service.is_closing:
            if progress.files_total:
                terminal.note(f"{corpus}: {describe_progress(progress_to_json(progress))}")
            service.sleep(0.5)
        report = service.ingests.latest(corpus)
        if report is not None and report.outcomes:
            values = report_to_json(report)
            terminal.say(describe_report(values))
            for outcome in values["outcomes"]:
                if outcome["result"] == "failed":
                    terminal.say(describe_outcome(outcome))


def describe_access(service: Service) -> str:
    """Who may use the chatbot, in a sentence."""
    if service.keys.is_in_use:
        return "It asks for a key."
    return "Everybody on this machine may use it; to ask for keys: chatbot keys create NAME."


def has_display() -> bool:
    """Whether a browser can be shown to the person who started the command."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
