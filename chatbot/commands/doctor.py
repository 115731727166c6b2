"""The command `chatbot doctor`: what is installed, what is wrong, how to mend it."""

from __future__ import annotations

import argparse

from chatbot.commands.options import add_json_option
from chatbot.settings import Settings
from chatbot.terminal import make_terminal


def add_doctor_options(parser: argparse.ArgumentParser) -> None:
    add_json_option(parser)
    parser.add_argument(
        "--offline",
        action="store_true",
        help="ingest, search and answer with every outside connection blocked",
    )


def run_doctor(options: argparse.Namespace, settings: Settings) -> int:
    """Print every check; 1 when one fails."""
    from chatbot.doctor import check_everything, check_offline

    terminal = make_terminal()
    checks = check_offline(settings, terminal.note) if options.offline else check_everything(settings)
    if options.json:
        terminal.say_json([check.describe() for check in checks])
    else:
        for check in checks:
            terminal.say(f"{'ok  ' if check.ok else 'WRONG'} {check.name}: {check.finding}")
            if not check.ok and check.next_step:
                terminal.say(f"      → {check.next_step}")
    return 0 if all(check.ok for check in checks) else 1
