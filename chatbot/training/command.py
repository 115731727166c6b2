"""The command `chatbot train reader`: from question and passage files to weights of the reading model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatbot.errors import SettingsError
from chatbot.models import DEFAULT_EMBEDDER, EMBEDDER_SHA256, locate_embedder, locate_reader
from chatbot.settings import Settings
from chatbot.training.lessons import LabelledQuestion, load_labelled_questions
from chatbot.training.made_pages import make_page_questions
from chatbot.training.train_reader import TrainingPlan, train_reader

MOST_EPOCHS = 1000


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """What to learn from: passages and the questions on them, file by file, and where the weights go.

    :param split: leave out questions whose field `split` says otherwise; None takes all.
    :param made_pages: so many made pages, each with four questions, are learned from besides.
    :param start: weights to go on from, `packaged` for the shipped ones; None for none.
    """

    passages: tuple[Path, ...]
    questions: tuple[Path, ...]
    target: Path
    split: str | None = None
    made_pages: int = 0
    start: str | None = None


def run_training(
    files: TrainingFiles, plan: TrainingPlan, settings: Settings, on_progress: Callable[[str], None]
) -> int:
    """Train the reading model and return how many questions it was taught with.

    :raises SettingsError: for files that do not go together, and too few questions or epochs.
    :raises CorpusError: for a file that cannot be used.
    :raises ModelError: for a packaged embedding model that is damaged, or a checkpoint of another training.
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
    base = locate_embedder(DEFAULT_EMBEDDER, data_folder=settings.data_folder)
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
        base=Path(base),
        base_sha256=EMBEDDER_SHA256,
        target=files.target,
        start=locate_reader(files.start) if files.start else None,
        description={"questions": str(len(questions))},
        on_progress=on_progress,
    )
    return len(questions)


def load_all(files: TrainingFiles, seed: int) -> Sequence[LabelledQuestion]:
    """The labelled questions of every pair of files, and those on made pages."""
    read = [
        item
        for passages, questions in zip(files.passages, files.questions, strict=True)
        for item in load_labelled_questions(passages, questions, split=files.split, seed=seed)
    ]
    return read + make_page_questions(files.made_pages, seed=seed)
