"""The command `chatbot feedback`: what readers thought of answers."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from chatbot.feedback import FeedbackStore
from chatbot.settings import Settings
from chatbot.terminal import make_terminal

THUMBS = {"up": "good", "down": "bad "}


def add_feedback_options(parser: argparse.ArgumentParser) -> None:
    """Which feedback, and how to write it."""
    parser.add_argument("--corpus", metavar="NAME", help="only answers from this corpus")
    parser.add_argument("--limit", type=int, default=100, help="how many at most (default 100)")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def run_feedback(options: argparse.Namespace, settings: Settings) -> int:
    """Print the latest feedback, newest first; a chatbot may run meanwhile."""
    terminal = make_terminal()
    store = FeedbackStore(settings.data_folder / "feedback.sqlite3")
    try:
        found = store.list_feedback(options.corpus or "", limit=max(options.limit, 1))
    finally:
        store.close()
    if options.json:
        terminal.say_json([asdict(item) for item in found])
        return 0
    for item in found:
        terminal.say(f"{THUMBS[item.rating]}  {item.given_at}  {item.corpus}  {item.question}")
        terminal.say(
            f"      {item.comment}\n      " + item.answer_id if item.comment else f"      {item.answer_id}"
        )
    if not found:
        terminal.say("Nobody has said yet what they think of an answer.")
    return 0
