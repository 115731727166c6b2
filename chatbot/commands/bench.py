"""The command `chatbot bench`: how fast this machine answers from its own documents."""

from __future__ import annotations

import argparse

from chatbot.settings import Settings
from chatbot.terminal import make_terminal


def add_bench_options(parser: argparse.ArgumentParser) -> None:
    """Which corpus, and how the figures are written."""
    parser.add_argument("--corpus", metavar="NAME", help="the folder below corpora/ to use")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def run_bench(options: argparse.Namespace, settings: Settings) -> int:
    """Measure and print; the corpus is brought in step first."""
    from chatbot.build import build_service
    from chatbot.engines import choose_engine, describe_engine
    from chatbot.speed import measure_speed

    terminal = make_terminal()
    with build_service(settings) as service:
        service.start(ingest=False)
        service.wait_until_ready(terminal.note)
        corpus = service.catalogue.find_corpus(settings.corpus)
        terminal.note("reading what is new")
        service.upkeep.ingest_now(corpus, lambda _: None, lambda _: None)
        results, bound = measure_speed(service, corpus, terminal.note)
    engine = describe_engine(choose_engine(settings.engine))
    if options.json:
        figures = [result.describe() for result in results]
        terminal.say_json({"engine": engine, "corpus": corpus, "figures": figures, "bound": bound})
        return 0
    terminal.say(f"{corpus}, {engine}")
    for result in results:
        terminal.say(f"{result.name:<28} {result.value:>10,.2f} {result.unit}")
    terminal.say(f"{bound}.")
    return 0
