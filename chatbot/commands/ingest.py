"""The commands `ingest` and `jobs`."""

from __future__ import annotations

import argparse

from chatbot.connecting import open_connection
from chatbot.errors import ChatbotError
from chatbot.settings import Settings
from chatbot.terminal import (
    Json,
    Terminal,
    describe_change,
    describe_job,
    describe_outcome,
    describe_progress,
    describe_report,
    make_terminal,
)

EXIT_FAILED_FILES = 4


def add_ingest_options(parser: argparse.ArgumentParser) -> None:
    """The options of `ingest`."""
    parser.add_argument("--corpus", metavar="NAME", help="the folder below corpora/ to use")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="only say what would be done")
    what.add_argument("--retry", action="store_true", help="only try again what could not be read")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def run_ingest(options: argparse.Namespace, settings: Settings) -> int:
    """Bring a corpus in step with its folder; 4 when files could not be read."""
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=False, ingest=False, late=True) as connection:
        if options.dry_run:
            print_changes(connection.find_changes(settings.corpus), terminal, as_json=options.json)
            return 0
        events = connection.ingest(settings.corpus, only_refused=options.retry)
        report, told = None, False
        for event in events:
            if event["type"] == "progress":
                terminal.note(describe_progress(event["progress"]))
            elif event["type"] == "outcome" and not options.json:
                told = True
                terminal.say(describe_outcome(event["outcome"]))
            elif event["type"] == "report":
                report = event["report"]
    if report is None:
        raise ChatbotError("The ingest gave no report.", "Look at the running chatbot's output.")
    if options.json:
        terminal.say_json(report)
    else:
        for outcome in [*([] if told else report["outcomes"]), *report["refused"]]:
            terminal.say(describe_outcome(outcome))
        terminal.say(describe_report(report))
    failed = report["refused"] or any(outcome["result"] == "failed" for outcome in report["outcomes"])
    return EXIT_FAILED_FILES if failed else 0


def print_changes(found: Json, terminal: Terminal, *, as_json: bool) -> None:
    """Print what an ingest would do."""
    if as_json:
        terminal.say_json(found)
        return
    for change in found["changes"]:
        terminal.say(describe_change(change))
    for file in found["refused"]:
        terminal.say(f"refused  {file['path']}: {file['reason']}")
    terminal.say(f"{len(found['changes'])} to do, {found['unchanged']} unchanged. Nothing was written.")


def add_jobs_options(parser: argparse.ArgumentParser) -> None:
    """The options of `jobs`."""
    parser.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="show how its files fared")
    parser.add_argument("--cancel", action="store_true", help="end it after the file at hand")
    parser.add_argument("--corpus", metavar="NAME", help="the folder below corpora/ to use")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def run_jobs(options: argparse.Namespace, settings: Settings) -> int:
    """List the latest ingests, or show one, or end one."""
    if options.cancel and options.number is None:
        raise ChatbotError("Nothing was named to cancel.", "Write: chatbot jobs NUMBER --cancel.")
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=False, ingest=False, late=True) as jobs:
        if options.number is None:
            found = jobs.list_jobs(settings.corpus)
        elif options.cancel:
            found = [jobs.cancel_job(options.number)]
        else:
            found = [jobs.get_job(options.number)]
    if options.json:
        terminal.say_json(found if options.number is None else found[0])
        return 0
    for job in found:
        terminal.say(describe_job(job))
        for file in job.get("outcomes", ()):
            terminal.say("  " + describe_outcome(file | {"result": file["state"]}))
    if not found:
        terminal.say("There was no ingest yet.")
    return 0
