"""Fits how the odds of a reading model are read, and writes that into its file of weights.

    python benchmarks/fit_odds.py chatbot/reading/large.safetensors \
        --passages lessons/measured-passages.jsonl --questions lessons/measured-questions.jsonl

asks held-out questions, answerable and not, of five passages each, of this model and of the small one, whose
odds are the scale of all (`chatbot/training/odds.py`). Several sets may be given, each by both options; of
each, `--most` questions are drawn. With `--dry` nothing is written.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from pathlib import Path

from chatbot.build import make_embedder, set_offline_environment
from chatbot.evaluation.datasets import load_passages, load_questions
from chatbot.evaluation.run import GivenPassages
from chatbot.reading.choosing import PACKAGED_WEIGHTS, SMALL_READER, prepare_reader_base
from chatbot.reading.graph_reader import load_graph_reader
from chatbot.reading.weights import write_odds_scale
from chatbot.settings import load_settings
from chatbot.training.odds import Judgement, Logistic, align_odds, fit_logistic, judge_questions


def main() -> None:
    """Fit, say what was found, and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--passages", type=Path, action="append", required=True)
    parser.add_argument("--questions", type=Path, action="append", required=True)
    parser.add_argument("--given", type=int, default=5)
    parser.add_argument("--most", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    set_offline_environment(offline=True)
    own, reference = (fit(path, options) for path in (options.weights, PACKAGED_WEIGHTS[SMALL_READER]))
    scale = align_odds(own, reference)
    print(f"{options.weights}: odds are read as {scale.offset:.4f} + {scale.factor:.4f} * odds")
    if not options.dry:
        write_odds_scale(options.weights, scale)


def fit(weights: Path, options: argparse.Namespace) -> Logistic:
    """The logistic regression of one model."""
    settings = load_settings()
    base, sha256 = prepare_reader_base(weights, data_folder=settings.data_folder, on_progress=lambda _: None)
    reader = load_graph_reader(base, base_sha256=sha256, weights=weights)
    embedder = make_embedder(settings, lambda _: None)
    judgements: list[Judgement] = []
    for passage_file, question_file in zip(options.passages, options.questions, strict=True):
        passages, questions = load_passages(passage_file), load_questions(question_file)
        given = GivenPassages(passages, embedder, count=options.given, seed=options.seed)
        chance = random.Random(options.seed)  # noqa: S311 - no secret
        chosen = chance.sample(questions, min(options.most, len(questions)))
        judgements += judge_questions(reader, chosen, given.choose)
        print(f"{weights.name}: {len(chosen)} questions of {question_file}", flush=True)
    fitted = fit_logistic(judgements)
    print(f"{weights.name}: {dict(Counter(item.is_answerable for item in judgements))}, {fitted}")
    return fitted


if __name__ == "__main__":
    main()
