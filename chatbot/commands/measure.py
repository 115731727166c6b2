"""The commands `chatbot evaluate`, `calibrate` and `train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from chatbot.commands.options import add_corpus_option, add_generator_option
from chatbot.settings import Settings
from chatbot.terminal import make_terminal

EXIT_BELOW_MINIMUM = 8


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
    parser.add_argument(
        "--made-rules", type=int, metavar="N", help="and N of house rules (large 300, small 0)"
    )
    parser.add_argument("--start", metavar="FILE", help="weights to go on from, or: large, small")
    parser.add_argument("--seed", type=int, default=1, help="another order of other lessons (default 1)")


def run_train(options: argparse.Namespace, settings: Settings) -> int:
    """Train, or go on with a training that was interrupted."""
    from chatbot.training.command import MADE_PAGES, MADE_RULES, TrainingFiles, choose_plan, run_training

    files = TrainingFiles(
        tuple(options.passages),
        tuple(options.questions),
        options.out,
        options.split,
        MADE_PAGES[options.base] if options.made_pages is None else options.made_pages,
        MADE_RULES[options.base] if options.made_rules is None else options.made_rules,
        options.start,
    )
    plan = choose_plan(options.base, options.epochs, options.learning_rate, options.seed)
    terminal = make_terminal()
    with terminal.noting():
        count = run_training(files, plan, settings, terminal.note)
    terminal.say(f"{options.out} was taught with {count:,} questions. Use it: CHATBOT_READER={options.out}")
    return 0
