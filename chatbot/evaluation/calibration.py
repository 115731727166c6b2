"""When to decline: what each evidence floor would answer and get wrong, measured on known questions.

Every question is answered once, however weak its evidence; what a floor would have declined is told
from the score of the best sentence. The curve of answers given against answers wrong is the
risk-coverage curve of selective answering (El-Yaniv & Wiener 2010; for questions Kamath et al. 2020).
What a floor does with the questions that it was chosen by flatters it. So floors are also chosen on four
fifths of the questions and measured on the rest (cross-validation, Stone 1974).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from chatbot.errors import CorpusError, SettingsError
from chatbot.evaluation.command import EvaluationPlan, run_evaluation
from chatbot.settings import Settings

SHOWN_FLOORS = 9
FOLDS = 5
"""Into so many parts the questions are divided, each of which is measured by a floor of the others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question answered without a floor: the score of its evidence, and how the answer was.

    `declined` is True where it is declined for another reason than a weak score.
    """

    score: float
    answerable: bool
    right: bool
    declined: bool = False


@dataclass(frozen=True, slots=True)
class FloorFigures:
    """What a floor does: shares between 0 and 1, None where there is nothing to count.

    `answered` of the answerable questions, `declined` of the unanswerable ones, `wrong` of the answers
    that are given.
    """

    floor: float
    answered: float | None
    declined: float | None
    wrong: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The figures of every floor that makes a difference, from low to high, and the one to set.

    `held_out` are the figures on questions that a floor was not chosen by; its floor is the mean of those.
    """

    floors: tuple[FloorFigures, ...]
    chosen: FloorFigures
    held_out: FloorFigures
    present: FloorFigures
    most_wrong: float
    questions: int


def calibrate_corpus(
    settings: Settings, questions: Path | None, *, most_wrong: float, on_progress: Callable[[str], None]
) -> Calibration:
    """Ask a corpus's questions and choose its floor.

    :param questions: a question file; the corpus's own when None.
    :param most_wrong: the share of the answers given that may be wrong.
    :raises SettingsError: for a share that is none.
    :raises CorpusError: when there are no questions, or none that are unanswerable.
    """
    if not 0 <= most_wrong <= 1:
        raise SettingsError(f"--wrong cannot be {most_wrong:g}.", "Choose a share between 0 and 1.")
    corpus = settings.corpus
    if corpus is None:
        raise CorpusError("Which corpus?", "Name one: chatbot calibrate --corpus NAME.")
    # The smallest floor that is not "answer always", which would leave other reasons to decline out.
    plan = EvaluationPlan(corpus=corpus, questions=questions)
    report = run_evaluation(plan, settings.model_copy(update={"evidence_floor": 1e-9}), on_progress)
    # Questions about the corpus as a whole are answered without evidence: no floor applies to them.
    outcomes = [
        Outcome(item["best_evidence"], item["answerable"], is_sound(item), item["declined"])
        for item in report["questions"]
        if item["declined"] or item["best_evidence"] > 0
    ]
    if all(item.answerable for item in outcomes):
        raise CorpusError(
            "Every question can be answered, so nothing tells when to decline.",
            'Add some that the documents do not answer, with "answerable": false.',
        )
    return calibrate(outcomes, most_wrong=most_wrong, present=settings.evidence_floor)


def is_sound(item: Mapping[str, Any]) -> bool:
    """Whether the record of an answer is one of a right answer.

    Where a question names no expected words, an answer is right that cites the place it names.
    """
    if item["answers"] or not item["answerable"]:
        return bool(item["right"])
    return not set(item["gold"]).isdisjoint(item["cited"])


def calibrate(outcomes: Sequence[Outcome], *, most_wrong: float, present: float) -> Calibration:
    """The lowest floor with at most `most_wrong` wrong answers; else the one with the fewest.

    :param present: the floor that is set now.
    """
    floors = tuple(measure_floor(outcomes, floor) for floor in list_floors(outcomes))
    return Calibration(
        floors,
        measure_floor(outcomes, choose_floor(outcomes, most_wrong=most_wrong, present=present)),
        hold_out(outcomes, most_wrong=most_wrong, present=present),
        measure_floor(outcomes, present),
        most_wrong,
        len(outcomes),
    )


def list_floors(outcomes: Sequence[Outcome]) -> list[float]:
    """Every floor that declines others than the one before, from low to high, in thousandths."""
    return sorted({math.floor(item.score * 1000) / 1000 for item in outcomes if not item.declined})


def choose_floor(outcomes: Sequence[Outcome], *, most_wrong: float, present: float) -> float:
    """The lowest floor with at most `most_wrong` wrong answers; else the one with the fewest."""
    measured = [measure_floor(outcomes, floor) for floor in list_floors(outcomes)]
    shares = [(item.wrong, item.floor) for item in measured if item.wrong is not None]
    sound = [floor for wrong, floor in shares if wrong <= most_wrong]
    if sound:
        return sound[0]
    return min(shares)[1] if shares else present


def hold_out(outcomes: Sequence[Outcome], *, most_wrong: float, present: float) -> FloorFigures:
    """What floors do with questions that they were not chosen by, over all parts of the questions."""
    # Every part has its share of answerable and of unanswerable questions.
    ordered = sorted(outcomes, key=lambda item: item.answerable)
    judged: list[Outcome] = []
    floors = []
    for fold in range(FOLDS):
        rest = [item for place, item in enumerate(ordered) if place % FOLDS != fold]
        floor = choose_floor(rest, most_wrong=most_wrong, present=present)
        floors.append(floor)
        judged += [
            replace(item, declined=item.declined or item.score < floor) for item in ordered[fold::FOLDS]
        ]
    return replace(measure_floor(judged, 0.0), floor=sum(floors) / FOLDS)


def measure_floor(outcomes: Sequence[Outcome], floor: float) -> FloorFigures:
    """What would be answered, declined and wrong with this floor."""
    given = [item for item in outcomes if item.score >= floor and not item.declined]
    answerable = sum(item.answerable for item in outcomes)
    unanswerable = len(outcomes) - answerable
    wrongly = sum(not item.answerable for item in given)
    return FloorFigures(
        floor=floor,
        answered=(len(given) - wrongly) / answerable if answerable else None,
        declined=1 - wrongly / unanswerable if unanswerable else None,
        wrong=sum(not item.right for item in given) / len(given) if given else None,
    )


def format_calibration(calibration: Calibration) -> str:
    """The figures as a table, with the floor to set below."""
    step = max(1, len(calibration.floors) // SHOWN_FLOORS)
    lines = ["floor   answered   declined   wrong"]
    lines += [_format_row(item) for item in calibration.floors[::step]]
    lines += ["", f"now     {_format_row(calibration.present)}", f"best    {_format_row(calibration.chosen)}"]
    lines.append(f"unseen  {_format_row(calibration.held_out)}")
    share = f"{calibration.most_wrong:.0%}"
    if calibration.chosen.wrong is not None and calibration.chosen.wrong > calibration.most_wrong:
        lines.append(f"No floor keeps the wrong answers at {share}.")
    lines += [
        "",
        "answered: of the questions that can be answered. declined: of those that cannot. "
        "wrong: of the answers given. unseen: on questions that the floor was not chosen by.",
        f"Set it: CHATBOT_EVIDENCE_FLOOR={calibration.chosen.floor:.3f}",
    ]
    return "\n".join(lines)


def _format_row(item: FloorFigures) -> str:
    shares = (item.answered, item.declined, item.wrong)
    answered, declined, wrong = (f"{share:.0%}" if share is not None else "–" for share in shares)
    return f"{item.floor:5.3f}   {answered:>8}   {declined:>8}   {wrong:>5}"


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write every floor with its figures.

    :raises CorpusError: when the file cannot be written.
    """
    try:
        path.write_text(json.dumps(asdict(calibration), indent=1), encoding="utf-8")
    except OSError as error:
        raise CorpusError(f"{path} cannot be written ({error.strerror}).", "Name another file.") from error
