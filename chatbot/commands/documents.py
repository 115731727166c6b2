"""The command `chatbot documents`: every document of a corpus with its state."""

from __future__ import annotations

import argparse

from chatbot.commands.options import add_corpus_option, add_json_option
from chatbot.connecting import open_connection
from chatbot.settings import Settings
from chatbot.terminal import Json, Terminal, make_terminal


def add_documents_options(parser: argparse.ArgumentParser) -> None:
    add_corpus_option(parser)
    parser.add_argument("--problems", action="store_true", help="only those that were not read to the full")
    add_json_option(parser)


def print_documents(records: list[Json], options: argparse.Namespace, terminal: Terminal) -> None:
    """A line for each document, with what is to be told of it below."""
    shown = [record for record in records if not options.problems or record["state"] != "ready"]
    if options.json:
        terminal.say_json({"documents": shown})
        return
    for record in shown:
        facts = [record["format"], f"{record['pages']} pages" if record["pages"] else ""]
        facts += [f"{record['chunks']} chunks", record["date"] or "", record["authors"]]
        terminal.say(f"{record['path']}  {record['title']}  ({', '.join(filter(None, facts))})")
        if record["told"]:
            terminal.say(f"    {record['told']}")
    if not shown:
        terminal.say("Every document was read to the full." if records else "There are no documents.")


def run_documents(options: argparse.Namespace, settings: Settings) -> int:
    """List every document of a corpus with its state."""
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=False, ingest=False, late=True) as connection:
        records = connection.list_documents(settings.corpus)
    print_documents(records, options, terminal)
    return 0
