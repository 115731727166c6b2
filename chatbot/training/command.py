"""The command `chatbot train reader`: from question and passage files to weights of the reading model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chatbot.errors import SettingsError
from chatbot.model_preparing import Progress
from chatbot.models import DEFAULT_EMBEDDER, EMBEDDER_SHA256, locate_embedder
from chatbot.reading.base_model import LARGE_BASE, prepare_base
from chatbot.reading.choosing import locate_reader
from chatbot.settings import Settings
from chatbot.training.lessons import LabelledQuestion, load_labelled_questions
from chatbot.training.made_pages import make_page_questions
from chatbot.training.made_rules import make_rule_questions
from chatbot.training.train_reader import RECIPES, TrainingPlan, train_reader

MOST_EPOCHS = 1000
MADE_PAGES = {"large": 450, "small": 0}
MADE_RULES = {"large": 300, "small": 0}
"""How many made pages, and made pages of rules, belong to the recipes of the two bases."""


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """What to learn from: passages and the questions on them, file by file, and where the weights go.

    :param split: leave out questions whose field `split` says otherwise; None takes all.
    :param made_pages: so many made pages, each with four questions, are learned from besides.
    :param made_rules: likewise so many made pages of house rules.
    :param start: weights to go on from, `large` or `small` for the shipped ones; None for none.
    """

    passages: tuple[Path, ...]
    questions: tuple[Path, ...]
    target: Path
    split: str | None = None
    made_pages: int = 0
    made_rules: int = 0
    start: str | None = None


def choose_plan(base: str, epochs: float | None, learning_rate: float | None, seed: int) -> TrainingPlan:
    """The recipe of a base with what was asked for otherwise."""
    recipe = RECIPES[base]
    return replace(
        recipe,
        epochs=recipe.epochs if epochs is None else epochs,
        learning_rate=recipe.learning_rate if learning_rate is None else learning_rate,
        seed=seed,
    )


def run_training(
    files: TrainingFiles, plan: TrainingPlan, settings: Settings, on_progress: Callable[[str], None]
) -> int:
    """Train the reading model and return how many questions it was taught with.

    :raises SettingsError: for files that do not go together, and too few questions or epochs.
    :raises CorpusError: for a file that cannot be used.
    :raises ModelError: for an encoder that cannot be had, or a checkpoint of another training.
    """
    if len(files.passages) != len(files.questions):
        raise SettingsError(
            f"There are {len(files.passages)} passage files and {len(files.questions)} question files.",
            "Give each file of passages the questions on it: --passages A --questions B.",
        )
    if not 0 < plan.epochs <= MOST_EPOCHS:
        raise SettingsError(f"--epochs cannot be {plan.epochs:g}.", f"Choose up to {MOST_EPOCHS}.")
    if files.target.suffix != ".safetensors":
        raise SettingsError(f"{files.target} is no name for weights.", "End it with .safetensors.")
    base, base_sha256 = find_base(plan, settings, on_progress)
    on_progress("reading the questions")
    questions = load_all(files, plan.seed)
    if not plan.count_steps(len(questions)):
        raise SettingsError(
            f"{len(questions)} questions are too few for {plan.epochs:g} epochs.",
            "Give more, or raise --epochs.",
        )
    files.target.parent.mkdir(parents=True, exist_ok=True)
    train_reader(
        questions,
        plan,
        base=base,
        base_sha256=base_sha256,
        target=files.target,
        start=locate_reader(files.start) if files.start else None,
        description={"questions": str(len(questions))},
        on_progress=on_progress,
    )
    return len(questions)


def find_base(plan: TrainingPlan, settings: Settings, on_progress: Callable[[str], None]) -> tuple[Path, str]:
    """The folder and hash of the encoder to begin with, fetched if that has to be done."""
    if plan.base == "small":
        return Path(locate_embedder(DEFAULT_EMBEDDER, data_folder=settings.data_folder)), EMBEDDER_SHA256

    def tell(progress: Progress) -> None:
        on_progress(f"{progress.what}: {progress.done_bytes / 1e6:.0f} MB")

    folder = prepare_base(LARGE_BASE, data_folder=settings.data_folder, on_progress=tell)
    return folder, LARGE_BASE.sha256


def load_all(files: TrainingFiles, seed: int) -> Sequence[LabelledQuestion]:
    """The labelled questions of every pair of files, and those on made pages."""
    read = [
        item
        for passages, questions in zip(files.passages, files.questions, strict=True)
        for item in load_labelled_questions(passages, questions, split=files.split, seed=seed)
    ]
    made = make_page_questions(files.made_pages, seed=seed)
    return [*read, *made, *make_rule_questions(files.made_rules, seed=seed)]
