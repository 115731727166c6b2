"""The command `chatbot`: parse, call, print."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import webbrowser
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot import __version__
from chatbot.backup_command import add_backup_options, add_restore_options, run_backup, run_restore
from chatbot.bench_command import add_bench_options, run_bench
from chatbot.connecting import end_loading, open_connection
from chatbot.document_command import add_document_options, print_documents
from chatbot.errors import ChatbotError, SettingsError
from chatbot.explanation import describe_place_in_queue
from chatbot.feedback_command import add_feedback_options, run_feedback
from chatbot.filters import name_format, read_first_day, read_language
from chatbot.indexes.options import add_index_options
from chatbot.ingest_command import add_ingest_options, add_jobs_options, run_ingest, run_jobs
from chatbot.key_command import add_keys_options, run_keys
from chatbot.mcp_command import serve_pipe
from chatbot.replay_command import add_replay_options, print_replay, replay_answer
from chatbot.settings import Settings, load_settings
from chatbot.site_command import add_sites_options, run_sites
from chatbot.terminal import (
    Json,
    Terminal,
    describe_outcome,
    describe_progress,
    describe_report,
    format_changes,
    format_explanation,
    format_passage,
    format_sources,
    make_terminal,
    mark_citations,
)
from chatbot.types import SearchFilters

if TYPE_CHECKING:
    from chatbot.service import Service
    from chatbot.types import Message

EXIT_BELOW_MINIMUM = 8
EXIT_NOT_FOUND = 9
EXIT_INTERRUPTED = 130

EXIT_CODES = """
exit codes: 0 success, 1 another error, 2 wrong usage, setting, prompt or question, 3 no such corpus,
4 files that could not be read, 5 a model, 6 the data folder, 7 the server, 8 a figure below --min,
9 the documents do not hold the answer, 10 a key, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = make_parser().parse_args(arguments)
    configure_logging(verbose=options.verbose)
    gc.disable()  # until all is loaded: while modules are imported, collecting costs a fifth of the time
    try:
        flags = {name: getattr(options, name, None) for name in ("corpus", "host", "port", "generator")}
        settings = load_settings(**flags)
        from chatbot.build import set_offline_environment

        set_offline_environment(offline=settings.offline)
        run: Callable[[argparse.Namespace, Settings], int] = options.run
        return run(options, settings)
    except ChatbotError as error:
        make_terminal().clear_progress()
        print(f"\n{error.message}\n{error.next_step}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED
    finally:
        gc.enable()


def configure_logging(*, verbose: bool) -> None:
    """Warnings of the product to stderr; everything of it when verbose."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("chatbot").setLevel(logging.INFO if verbose else logging.WARNING)


def make_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(
        prog="chatbot",
        description="A chatbot over your own documents that runs on this machine alone and shows sources.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"chatbot {__version__}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--verbose", action="store_true", help="say more about what happens")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name, add_options, run, summary in (
        ("serve", add_serve_options, run_serve, "open the chat page in the browser"),
        ("ingest", add_ingest_options, run_ingest, "read new and changed documents, forget deleted ones"),
        ("jobs", add_jobs_options, run_jobs, "list the latest ingests, show or cancel one"),
        ("ask", add_ask_options, run_ask, "answer one question, with its sources"),
        ("search", add_search_options, run_search, "show the passages that match, without a language model"),
        ("chat", add_chat_options, run_chat, "ask and ask again, in the terminal"),
        ("replay", add_replay_options, run_replay, "ask a question again and tell what changed since"),
        ("feedback", add_feedback_options, run_feedback, "show what readers thought of answers"),
        ("evaluate", add_evaluate_options, run_evaluate, "measure retrieval and answers on known questions"),
        ("calibrate", add_calibrate_options, run_calibrate, "choose when to decline, by known questions"),
        ("train", add_train_options, run_train, "teach the reading model with questions and passages"),
        ("keys", add_keys_options, run_keys, "make, list and revoke the keys of other programs"),
        ("bench", add_bench_options, run_bench, "measure how fast this machine answers, and what bounds it"),
        ("backup", add_backup_options, run_backup, "write everything that is kept into one file"),
        ("restore", add_restore_options, run_restore, "put what a backup holds into empty folders"),
        (
            "documents",
            add_documents_options,
            run_documents,
            "list the documents of a corpus with their state",
        ),
        ("index", add_index_options, run_index, "try another embedding model beside the present one"),
        ("mcp", add_mcp_options, run_mcp, "offer search and ask as tools to another assistant"),
        ("sites", add_sites_options, run_sites, "let other sites show the chat, and print the tag for them"),
        ("doctor", add_doctor_options, run_doctor, "say what is installed, what is wrong and how to mend it"),
    ):
        command = commands.add_parser(
            name, parents=[shared], help=summary, description=summary.capitalize() + "."
        )
        add_options(command)
        command.set_defaults(run=run)
    return parser


def add_corpus_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", metavar="NAME", help="the folder below corpora/ to use")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def add_generator_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--generator", metavar="MODEL", help="the language model: packaged name, hub id, folder, .gguf or URL"
    )


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("filters", "the same as file:, folder: and so on in the question")
    for name, metavar, meaning in (
        ("file", "NAME", "only files of this name, or with this in their name or title"),
        ("folder", "PATH", "only this folder and those below it"),
        ("type", "TYPE", "only documents of this type, such as pdf"),
        ("language", "NAME", "only documents in this language, such as German or de"),
    ):
        group.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=f"{meaning}; may be repeated"
        )
    group.add_argument("--after", metavar="DATE", help="only documents from this day, month or year on")
    group.add_argument("--before", metavar="DATE", help="only documents from before this day, month or year")


def read_filter_options(options: argparse.Namespace) -> SearchFilters:
    """The filters that were given as options.

    :raises QuestionError: for one that cannot be used.
    """
    return SearchFilters(
        files=tuple(options.file),
        folders=tuple(options.folder),
        formats=tuple(name_format(ending) for ending in options.type),
        languages=tuple(read_language(name) for name in options.language),
        after=read_first_day(options.after) if options.after else None,
        before=read_first_day(options.before) if options.before else None,
    )


# serve


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

    for corpus in [corpus.name for corpus in service.list_corpora()]:
        while (progress := service.ingest_progress(corpus)) is not None and not service.is_closing:
            if progress.files_total:
                terminal.note(f"{corpus}: {describe_progress(progress_to_json(progress))}")
            service.sleep(0.5)
        report = service.latest_ingest(corpus)
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


# ask, search, chat


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


def run_replay(options: argparse.Namespace, settings: Settings) -> int:
    """Repeat an answer and tell what changed."""
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=True, ingest=True) as connection:
        result = replay_answer(connection, options.id)
    if options.json:
        terminal.say_json(result)
    else:
        print_replay(result, terminal)
    return 0


def add_mcp_options(parser: argparse.ArgumentParser) -> None:
    add_corpus_option(parser)
    add_generator_option(parser)


def run_mcp(_options: argparse.Namespace, settings: Settings) -> int:
    """Answer an assistant over standard input and output until it leaves; notes go to standard error."""
    opening = open_connection(settings, Terminal(sys.stderr, sys.stderr), generator=True, ingest=True)
    serve_pipe(opening, settings.corpus)
    return 0


# evaluate, calibrate, train, doctor


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--corpus", metavar="NAME", help="a corpus of the library")
    source.add_argument("--documents", type=Path, metavar="FOLDER", help="a folder of documents")
    source.add_argument("--passages", type=Path, metavar="FILE", help="a JSONL file of passages")
    add_generator_option(parser)
    parser.add_argument("--questions", type=Path, metavar="FILE", help="a JSONL file of questions")
    parser.add_argument("--retrieval-only", action="store_true", help="measure search alone, without answers")
    parser.add_argument("--given", type=int, metavar="N", help="no search: the gold passage among N-1 others")
    parser.add_argument("--misspelt", action="store_true", help="misspell a word of each question first")
    parser.add_argument("--baselines", action="store_true", help="answer in three simpler ways too")
    parser.add_argument("--limit", type=int, metavar="N", help="a random sample of N questions")
    parser.add_argument("--seed", type=int, default=0, help="of the random sample (default 0)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the report with every question")
    parser.add_argument("--min", action="append", default=[], metavar="NAME=NUMBER", help="fail below this")


def run_evaluate(options: argparse.Namespace, settings: Settings) -> int:
    """Measure, print the figures; 8 when one is below its --min."""
    from chatbot.evaluation.command import EvaluationPlan, run_evaluation
    from chatbot.evaluation.report import find_shortfalls, format_report, parse_minimum, write_report

    minima = [parse_minimum(text) for text in options.min]
    plan = EvaluationPlan(
        corpus=options.corpus,
        documents=options.documents,
        passages=options.passages,
        questions=options.questions,
        retrieval_only=options.retrieval_only,
        given=options.given,
        limit=options.limit,
        seed=options.seed,
        misspelt=options.misspelt,
        baselines=options.baselines,
    )
    terminal = make_terminal()
    with terminal.noting():
        report = run_evaluation(plan, settings, terminal.note)
    if options.json:
        write_report(report, options.json)
    terminal.say(format_report(report))
    shortfalls = find_shortfalls(report, minima)
    for shortfall in shortfalls:
        terminal.say(shortfall)
    return EXIT_BELOW_MINIMUM if shortfalls else 0


def add_calibrate_options(parser: argparse.ArgumentParser) -> None:
    add_corpus_option(parser)
    parser.add_argument("--questions", type=Path, metavar="FILE", help="a JSONL file of questions")
    parser.add_argument(
        "--wrong",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="the share of answers that may be wrong (default 0.1)",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every floor with its shares")


def run_calibrate(options: argparse.Namespace, settings: Settings) -> int:
    """Print what each floor would answer and get wrong, and the floor to set."""
    from chatbot.evaluation.calibration import calibrate_corpus, format_calibration, write_calibration

    terminal = make_terminal()
    with terminal.noting():
        calibration = calibrate_corpus(
            settings, options.questions, most_wrong=options.wrong, on_progress=terminal.note
        )
    if options.json:
        write_calibration(calibration, options.json)
    terminal.say(format_calibration(calibration))
    return 0


def add_train_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", choices=["reader"], help="what to train: the reading model")
    for name, what in (("passages", "passages"), ("questions", "questions with answers in the passages")):
        parser.add_argument(
            f"--{name}",
            type=Path,
            action="append",
            required=True,
            metavar="FILE",
            help=f"a JSONL file of {what}",
        )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights, .safetensors")
    parser.add_argument("--split", metavar="NAME", help="only questions whose field split says so")
    parser.add_argument("--base", choices=["large", "small"], default="large", help="what to begin with")
    parser.add_argument("--epochs", type=float, help="how often to see each (default: large 1, small 3)")
    parser.add_argument("--learning-rate", type=float, help="how fast (default: large 0.0004, small 0.0002)")
    parser.add_argument("--made-pages", type=int, metavar="N", help="and N made pages (large 450, small 0)")
    parser.add_argument("--start", metavar="FILE", help="weights to go on from, or: large, small")
    parser.add_argument("--seed", type=int, default=1, help="another order of other lessons (default 1)")


def run_train(options: argparse.Namespace, settings: Settings) -> int:
    """Train, or go on with a training that was interrupted."""
    from chatbot.training.command import MADE_PAGES, TrainingFiles, choose_plan, run_training

    files = TrainingFiles(
        tuple(options.passages),
        tuple(options.questions),
        options.out,
        options.split,
        MADE_PAGES[options.base] if options.made_pages is None else options.made_pages,
        options.start,
    )
    plan = choose_plan(options.base, options.epochs, options.learning_rate, options.seed)
    terminal = make_terminal()
    with terminal.noting():
        count = run_training(files, plan, settings, terminal.note)
    terminal.say(f"{options.out} was taught with {count:,} questions. Use it: CHATBOT_READER={options.out}")
    return 0


def add_documents_options(parser: argparse.ArgumentParser) -> None:
    add_corpus_option(parser)
    add_document_options(parser)


def run_documents(options: argparse.Namespace, settings: Settings) -> int:
    """List every document of a corpus with its state."""
    terminal = make_terminal()
    with open_connection(settings, terminal, generator=False, ingest=False) as connection:
        records = connection.list_documents(settings.corpus)
    print_documents(records, options, terminal)
    return 0


def run_index(options: argparse.Namespace, settings: Settings) -> int:
    """Build, compare, switch, list or drop indexes."""
    from chatbot.indexes.command import run_index_command

    return run_index_command(options, settings)


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
