"""The commands `chatbot ask`, `search` and `chat`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from chatbot.commands.options import (
    add_corpus_option,
    add_filter_options,
    add_generator_option,
    add_json_option,
    read_filter_options,
)
from chatbot.connecting import open_connection
from chatbot.errors import ChatbotError, SettingsError
from chatbot.explanation import describe_place_in_queue
from chatbot.settings import Settings
from chatbot.terminal import (
    Json,
    Terminal,
    format_changes,
    format_explanation,
    format_passage,
    format_sources,
    make_terminal,
    mark_citations,
)

if TYPE_CHECKING:
    from chatbot.types import Message

EXIT_NOT_FOUND = 9


def add_ask_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question")
    add_corpus_option(parser)
    add_generator_option(parser)
    add_filter_options(parser)
    add_json_option(parser)


def run_ask(options: argparse.Namespace, settings: Settings) -> int:
    """Answer one question; 9 when the documents do not hold the answer."""
    from chatbot.assistant import check_question

    check_question(options.question, settings.question_limit_characters)
    filters = read_filter_options(options)
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=True, ingest=True) as connection:
        events = connection.ask(options.question, corpus=settings.corpus, filters=filters)
        answer = follow_answer(events, terminal)
    if options.json:
        terminal.say_json(answer)
    else:
        print_answer(answer, terminal)
    return 0 if answer["found"] else EXIT_NOT_FOUND


def follow_answer(events: Iterable[Json], terminal: Terminal) -> Json:
    """The answer at the end of its events."""
    answer: Json = {}
    for event in events:
        if event["type"] == "waiting":
            before = event["before"]
            terminal.note(describe_place_in_queue(before) if before else "searching the documents")
        elif event["type"] == "passages":
            terminal.note(f"reading {len(event['passages'])} passages")
        elif event["type"] == "done":
            answer = event["answer"]
    return answer


def print_answer(answer: Json, terminal: Terminal) -> None:
    """Print an answer with its sources and what was done to the question."""
    terminal.say(mark_citations(answer))
    terminal.say()
    sources = format_sources(answer)
    terminal.say("Sources" if answer["found"] else "Nearest passages")
    for line in sources or ["none"]:
        terminal.say(line)
    if answer["searched_for"] != answer["question"]:
        terminal.say(f"Searched for: {answer['searched_for']}")
    for line in format_changes(answer["trace"], answer["question"]) if answer["trace"] else []:
        terminal.say(line)
    if answer["dropped"]:
        terminal.say(f"{answer['dropped']} passages did not fit the model's window.")
    if answer["receipt"]:
        terminal.say(f"Receipt: {answer['receipt']}")


def add_search_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question")
    add_corpus_option(parser)
    parser.add_argument("--limit", type=int, default=10, help="how many passages to show (default 10)")
    add_filter_options(parser)
    parser.add_argument(
        "--explain", action="store_true", help="tell how they were found, and what a model would be sent"
    )
    add_json_option(parser)


def run_search(options: argparse.Namespace, settings: Settings) -> int:
    """Show the passages that match; 9 when there are none."""
    if not 1 <= options.limit <= 100:
        raise SettingsError(f"--limit cannot be {options.limit}.", "Choose 1 to 100.")
    from chatbot.assistant import check_question

    check_question(options.question, settings.question_limit_characters)
    filters = read_filter_options(options)
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=options.explain, ingest=True) as connection:
        found = connection.search(
            options.question,
            corpus=settings.corpus,
            limit=options.limit,
            filters=filters,
            explain=options.explain,
        )
    if options.json:
        terminal.say_json(found if options.explain else found["passages"])
    else:
        print_passages(found, terminal, explain=options.explain)
    return 0 if found["passages"] else EXIT_NOT_FOUND


def print_passages(found: Json, terminal: Terminal, *, explain: bool) -> None:
    """Print passages, and either how they were found or only what the reader must know of it."""
    lines = [line for passage in found["passages"] for line in format_passage(passage)]
    for line in lines + (format_explanation(found) if explain else format_changes(found)):
        terminal.say(line)


def add_chat_options(parser: argparse.ArgumentParser) -> None:
    add_corpus_option(parser)
    add_generator_option(parser)


def run_chat(_options: argparse.Namespace, settings: Settings) -> int:
    """Ask and ask again; an empty line or Ctrl-D ends it."""
    from chatbot.types import Message

    terminal = make_terminal()
    history: list[Message] = []
    with open_connection(settings, terminal, generator=True, ingest=True) as connection:
        terminal.say("Ask about your documents. An empty line ends the chat.")
        while question := read_line("\n› "):
            try:
                events = connection.ask(question, corpus=settings.corpus, history=history)
                answer = follow_answer(events, terminal)
                print_answer(answer, terminal)
            except ChatbotError as error:
                terminal.say(str(error))
                continue
            except KeyboardInterrupt:
                terminal.say("\n(stopped)")
                continue
            history += [Message("user", question), Message("assistant", answer["text"])]
    return 0


def read_line(prompt: str) -> str:
    """A line from the keyboard without blanks around it; empty at the end of the input."""
    try:
        return input(prompt).strip()
    except EOFError:
        return ""
