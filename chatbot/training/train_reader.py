"""Teaches the reading model: lessons in, weights out. Can be stopped at any moment and resumed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from chatbot.chunking import hash_text
from chatbot.errors import ModelError
from chatbot.reading.passage_reader import list_base_weights, load_base, load_weights
from chatbot.reading.weights import BASE_KEY, pack_differences, write_weights
from chatbot.training.adapters import load_adapters, make_adapted_student, pack_adapters
from chatbot.training.lessons import LabelledQuestion, Lesson, NearMissShares, draw_lesson
from chatbot.training.network import Batch, compute_loss, make_batch, make_student

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

POOL_BATCHES = 16
"""So many batches are drawn together and sorted by length, so that little is padded."""
WARM_UP_SHARE = 0.06
LARGEST_GRADIENT = 1.0
WEIGHT_DECAY = 0.01
SAVE_SECONDS = 120.0
REPORT_STEPS = 20

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train; two plans that differ in anything make different weights.

    The large base learns by adapters, the small one by its weights themselves.
    """

    base: Literal["large", "small"] = "small"
    epochs: float = 3.0
    batch_lessons: int = 16
    learning_rate: float = 2e-4
    seed: int = 1
    beside_answer: float = 0.6
    beside_nothing: float = 0.3

    def count_steps(self, questions: int) -> int:
        """How many batches are learned from."""
        return int(questions * self.epochs / self.batch_lessons)

    @property
    def near_misses(self) -> NearMissShares:
        """How often a near miss stands beside the passage."""
        return NearMissShares(self.beside_answer, self.beside_nothing)


RECIPES = {
    "large": TrainingPlan(
        base="large", epochs=1.0, learning_rate=4e-4, beside_answer=0.35, beside_nothing=0.2
    ),
    "small": TrainingPlan(),
}
"""What the two packaged models are best taught with."""


def train_reader(
    questions: Sequence[LabelledQuestion],
    plan: TrainingPlan,
    *,
    base: Path,
    base_sha256: str,
    target: Path,
    start: Path | None = None,
    description: dict[str, str],
    on_progress: OnProgress,
) -> None:
    """Train, and write the weights to `target`.

    Beside it lie the curve (`.curve.jsonl`: step, loss, seconds) and, until the end, a checkpoint, from
    which the next call with the same plan goes on. From the same seed the same lessons are drawn.

    :param base: the folder of the embedding model to begin with.
    :param start: weights of an earlier training to go on from.
    :param description: what to write in the file about its making.
    :raises ModelError: for a checkpoint of another plan, and weights to start from that do not fit.
    """
    import torch
    from tokenizers import Tokenizer

    torch.manual_seed(plan.seed)
    steps = plan.count_steps(len(questions))
    training = start_training(base, plan, questions)
    if start is not None:
        load = load_adapters if plan.base == "large" else load_weights
        load(training.model, start, base_sha256=base_sha256)
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    checkpoint = target.with_suffix(".checkpoint")
    training.resume(checkpoint)
    saved = time.monotonic()
    try:
        with LossCurve(target.with_suffix(".curve.jsonl"), training.step, steps, on_progress) as curve:
            for lessons in draw_batches(questions, plan, first_step=training.step):
                if training.step >= steps:
                    break
                curve.add(training.learn(make_batch(lessons, tokenizer)), training.step)
                if time.monotonic() - saved > SAVE_SECONDS:
                    training.save(checkpoint)
                    saved = time.monotonic()
    except KeyboardInterrupt:
        training.save(checkpoint)
        raise
    trained = {name: weights.cpu() for name, weights in training.model.state_dict().items()}
    if plan.base == "large":
        packed = pack_adapters(trained)
    else:
        packed = pack_differences(trained, list_base_weights(load_base(base)))
    facts = {name: str(value) for name, value in asdict(plan).items()}
    write_weights(target, packed, {**description, **facts, BASE_KEY: base_sha256})
    checkpoint.unlink(missing_ok=True)


class LossCurve:
    """Writes the mean loss of every few steps to a file, and says how far the training is."""

    def __init__(self, path: Path, first_step: int, steps: int, on_progress: OnProgress) -> None:
        self._file = path.open("a" if first_step else "w", encoding="utf-8")
        self._first_step = first_step
        self._steps = steps
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._losses: list[float] = []

    def __enter__(self) -> LossCurve:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, loss: float, step: int) -> None:
        """Take the loss of a step that was made."""
        self._losses.append(loss)
        if step % REPORT_STEPS and step != self._steps:
            return
        seconds = time.monotonic() - self._started
        mean = sum(self._losses) / len(self._losses)
        self._losses.clear()
        self._file.write(json.dumps({"step": step, "loss": round(mean, 4), "seconds": round(seconds)}) + "\n")
        self._file.flush()
        minutes = seconds / (step - self._first_step) * (self._steps - step) / 60
        self._on_progress(f"step {step} of {self._steps}, loss {mean:.2f}, about {minutes:.0f} minutes left")


@dataclass(slots=True)
class Training:
    """A model on its way, with all that its next step depends on; `step` counts those that were made."""

    plan: TrainingPlan
    fingerprint: str
    device: str
    model: PreTrainedModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LambdaLR
    step: int = 0

    def learn(self, batch: Batch) -> float:
        """Make one step and return its loss.

        :raises ModelError: when the loss is no number.
        """
        import torch

        loss = compute_loss(self.model, batch, device=self.device)
        if not torch.isfinite(loss):
            raise ModelError(
                f"The training went astray at step {self.step}: its loss is no number.",
                "Train with another --seed, or fewer --epochs.",
            )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Write where the training stands, whole or not at all."""
        import torch

        state = {
            "plan": asdict(self.plan),
            "questions": self.fingerprint,
            "step": self.step,
            "model": {
                name: weights.detach()
                for name, weights in self.model.named_parameters()
                if weights.requires_grad
            },
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "chance": torch.get_rng_state(),
        }
        temporary = path.with_suffix(".partial")
        torch.save(state, temporary)
        temporary.replace(path)

    def resume(self, path: Path) -> None:
        """Go back to a checkpoint, if there is one.

        :raises ModelError: for one of another plan or other questions.
        """
        import torch

        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        if state["plan"] != asdict(self.plan) or state["questions"] != self.fingerprint:
            raise ModelError(
                f"{path} was left by a training with other options or other questions.",
                "Use the same ones to go on with it, or delete it to begin anew.",
            )
        self.model.load_state_dict(state["model"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["chance"])
        self.step = int(state["step"])


def start_training(base: Path, plan: TrainingPlan, questions: Sequence[LabelledQuestion]) -> Training:
    """A training at its first step, on a graphics card where there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    make = make_adapted_student if plan.base == "large" else make_student
    model = make(base).to(device)
    optimizer, schedule = make_optimizer(model, plan, plan.count_steps(len(questions)))
    return Training(plan, fingerprint_questions(questions), device, model, optimizer, schedule)


def fingerprint_questions(questions: Sequence[LabelledQuestion]) -> str:
    """A hash that tells whether two trainings learn from the same."""
    return hash_text(repr([(item.question, item.gold.text, item.answer) for item in questions]))


def draw_batches(
    questions: Sequence[LabelledQuestion], plan: TrainingPlan, *, first_step: int = 0
) -> Iterator[list[Lesson]]:
    """Batches without end, each epoch in another order; the same for the same seed, wherever they begin."""
    size = plan.batch_lessons * POOL_BATCHES
    pool = first_step // POOL_BATCHES
    skipped = first_step % POOL_BATCHES
    while True:
        chance = Random(f"{plan.seed}/{pool}")  # noqa: S311 - not for secrets
        chosen = [pick_question(questions, plan.seed, pool * size + offset) for offset in range(size)]
        drawn = (draw_lesson(item, chance, plan.near_misses) for item in chosen)
        lessons = sorted(drawn, key=lambda it: it.longest_characters)
        batches = [
            lessons[first : first + plan.batch_lessons] for first in range(0, size, plan.batch_lessons)
        ]
        chance.shuffle(batches)
        yield from batches[skipped:]
        pool, skipped = pool + 1, 0


def pick_question(questions: Sequence[LabelledQuestion], seed: int, number: int) -> LabelledQuestion:
    """The question at place `number` of an endless row in which each epoch has an order of its own."""
    epoch, place = divmod(number, len(questions))
    order = _shuffle(len(questions), f"{seed}/epoch/{epoch}")
    return questions[order[place]]


@lru_cache(maxsize=2)
def _shuffle(count: int, seed: str) -> list[int]:
    order = list(range(count))
    Random(seed).shuffle(order)  # noqa: S311 - not for secrets
    return order


def make_optimizer(
    model: PreTrainedModel, plan: TrainingPlan, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    """AdamW with a rate that rises at first and then falls to nothing."""
    import torch

    learned = [weights for weights in model.parameters() if weights.requires_grad]
    # Of adapters there are matrices only; the two numbers beside them do not matter.
    decayed = [weights for weights in learned if weights.ndim > 1 or plan.base == "large"]
    others = [weights for weights in learned if weights.ndim <= 1 and plan.base == "small"]
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate)
    warm_up = WARM_UP_SHARE * steps + 1
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warm_up) * max(0.0, 1 - step / max(steps, 1))
    )
    return optimizer, schedule
