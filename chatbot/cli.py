"""The command `chatbot`: parse, call, print."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence

from chatbot import __version__
from chatbot.commands.ask import (
    add_ask_options,
    add_chat_options,
    add_search_options,
    run_ask,
    run_chat,
    run_search,
)
from chatbot.commands.backup import add_backup_options, add_restore_options, run_backup, run_restore
from chatbot.commands.bench import add_bench_options, run_bench
from chatbot.commands.doctor import add_doctor_options, run_doctor
from chatbot.commands.documents import add_documents_options, run_documents
from chatbot.commands.feedback import add_feedback_options, run_feedback
from chatbot.commands.index import add_index_options, run_index
from chatbot.commands.ingest import add_ingest_options, add_jobs_options, run_ingest, run_jobs
from chatbot.commands.keys import add_keys_options, run_keys
from chatbot.commands.mcp import add_mcp_options, run_mcp
from chatbot.commands.measure import (
    add_calibrate_options,
    add_evaluate_options,
    add_train_options,
    run_calibrate,
    run_evaluate,
    run_train,
)
from chatbot.commands.replay import add_replay_options, run_replay
from chatbot.commands.serve import add_serve_options, run_serve
from chatbot.commands.sites import add_sites_options, run_sites
from chatbot.errors import ChatbotError
from chatbot.settings import Settings, load_settings
from chatbot.terminal import make_terminal

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
