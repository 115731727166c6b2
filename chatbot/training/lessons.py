"""What the reading model is taught with: a question, passages, and where the answer stands, if it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from chatbot.errors import CorpusError
from chatbot.evaluation.datasets import GivenPassage, load_passages, read_lines
from chatbot.training.alterations import alter_question, leave_out_answer
from chatbot.types import Span

NEAR_MISSES = 4
"""Of so many passages that share the most words with a question, one is shown beside the right one."""
LONGEST_QUESTION_CHARACTERS = 240
"""A longer question is left out: it would leave no room for the passage."""
LONGEST_TEXT_CHARACTERS = 1150
"""A longer passage is cut to a stretch around its answer."""

# How often a lesson is of a kind; the rest has the answer in one of its passages.
ALTERED, LEFT_OUT, MISSED = 0.10, 0.09, 0.05
WITHOUT_MARK = 0.1
"""How often the question mark is left out, as people do."""


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage as the model reads it: `context` (title and headings) in front of `text`."""

    context: str
    text: str

    @property
    def whole(self) -> str:
        return f"{self.context}\n{self.text}" if self.context else self.text


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question on a passage, with what makes it hard; `answer` are the characters of `gold.text`.

    `answer` is None where the passage does not tell; `near_misses` are passages that do not hold the
    answer; `altered` questions that `gold` does not answer; `left_out` is the text of `gold` without the
    answer, where there is one.
    """

    question: str
    gold: PassageText
    answer: Span | None
    near_misses: tuple[PassageText, ...] = ()
    altered: tuple[str, ...] = ()
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class NearMissShares:
    """How often a near miss stands beside the passage, where it answers and where it does not."""

    beside_answer: float = 0.6
    beside_nothing: float = 0.3


USUAL_SHARES = NearMissShares()


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the model sees at once; `answer` is a stretch of the first passage's text, or None."""

    question: str
    passages: tuple[PassageText, ...]
    answer: Span | None

    @property
    def longest_characters(self) -> int:
        """The length of the longest passage."""
        return max(len(passage.text) for passage in self.passages)


def load_labelled_questions(
    passage_file: Path, question_file: Path, *, split: str | None = None, seed: int = 0
) -> list[LabelledQuestion]:
    """The questions of a file whose answers stand in their passages word for word, or that have none.

    :param split: leave out those whose field `split` says otherwise; None takes all.
    :raises CorpusError: for a file that cannot be used.
    """
    passages = load_passages(passage_file)
    places = {passage.id: number for number, passage in enumerate(passages)}
    rows = list(_find_answers(question_file, passages, places, split))
    if not any(span for _, _, span in rows):
        raise CorpusError(
            f"{question_file} holds no question whose answer stands in its passage.",
            "Each needs question, answers, passage_id and, where the answer stands twice, answer_start.",
        )
    chance = Random(seed)  # noqa: S311 - not for secrets
    # Passages that nobody asks about may belong to what the model is measured on later.
    asked = sorted({place for _, place, _ in rows})
    nearest = find_near_misses([row[0] for row in rows], [passages[place] for place in asked])
    near_misses = [[asked[miss] for miss in misses] for misses in nearest]
    return [
        _label(question, passages, place, span, misses, chance)
        for (question, place, span), misses in zip(rows, near_misses, strict=True)
    ]


def _find_answers(
    question_file: Path, passages: Sequence[GivenPassage], places: dict[str, int], split: str | None
) -> Iterator[tuple[str, int, Span | None]]:
    """Question, place of its passage, and the answer's characters in it, or None if it does not tell."""
    for _, values in read_lines(question_file):
        question, answers = values.get("question"), values.get("answers")
        place = places.get(str(values.get("passage_id")))
        is_other = split is not None and values.get("split", split) != split
        is_sound = isinstance(question, str) and 0 < len(question) <= LONGEST_QUESTION_CHARACTERS
        if place is None or is_other or not is_sound:
            continue
        if not values.get("answerable", True):
            yield str(question), place, None
        elif isinstance(answers, list) and answers and isinstance(answers[0], str) and answers[0]:
            text, answer = passages[place].text, answers[0]
            start = values.get("answer_start")
            if start is None and text.count(answer) == 1:
                start = text.index(answer)
            if isinstance(start, int) and text[start : start + len(answer)] == answer:
                yield str(question), place, (start, start + len(answer))


def find_near_misses(questions: Sequence[str], passages: Sequence[GivenPassage]) -> list[list[int]]:
    """For each question the places of the passages that share the most (rare) words with it."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    texts = vectorizer.fit_transform([passage.text for passage in passages])
    likeness = vectorizer.transform(questions) @ texts.T
    nearest = []
    for row in range(likeness.shape[0]):
        scores = likeness[row].toarray()[0]
        nearest.append([int(place) for place in np.argsort(-scores, kind="stable")[: NEAR_MISSES + 1]])
    return nearest


def _label(
    question: str,
    passages: Sequence[GivenPassage],
    place: int,
    span: Span | None,
    misses: Sequence[int],
    chance: Random,
) -> LabelledQuestion:
    gold = passages[place]
    if span is None:
        near = [describe_passage(passages[other]) for other in misses if other != place]
        return LabelledQuestion(question, describe_passage(gold), None, tuple(near[:NEAR_MISSES]))
    answer = gold.text[span[0] : span[1]].lower()
    others = " ".join(passages[other].text for other in misses if passages[other].title == gold.title)
    altered = {alter_question(question, gold.text, others, chance) for _ in range(3)}
    return LabelledQuestion(
        question=question,
        gold=describe_passage(gold),
        answer=span,
        near_misses=tuple(
            describe_passage(passages[other])
            for other in misses
            if other != place and answer not in passages[other].text.lower()
        )[:NEAR_MISSES],
        altered=tuple(sorted(text for text in altered if text is not None)),
        left_out=leave_out_answer(gold.text, *span),
    )


def describe_passage(passage: GivenPassage) -> PassageText:
    """A passage as the model reads it."""
    return PassageText(passage.title.replace("_", " "), passage.text)


def draw_lesson(item: LabelledQuestion, chance: Random, shares: NearMissShares = USUAL_SHARES) -> Lesson:
    """One of the many lessons that a labelled question makes."""
    kind = chance.random()
    near = chance.sample(item.near_misses, min(2, len(item.near_misses)))
    beside = tuple(near[:1]) if chance.random() < shares.beside_nothing else ()
    gold, answer = cut_around(item, chance)
    if answer is None:
        return Lesson(item.question, (gold, *beside), None)
    if kind < ALTERED and item.altered:
        return Lesson(chance.choice(item.altered), (gold, *beside), None)
    if ALTERED <= kind < ALTERED + LEFT_OUT and item.left_out:
        left_out = replace(item.gold, text=item.left_out[:LONGEST_TEXT_CHARACTERS])
        return Lesson(item.question, (left_out, *beside), None)
    if ALTERED + LEFT_OUT <= kind < ALTERED + LEFT_OUT + MISSED and len(near) > 1:
        return Lesson(item.question, tuple(near), None)
    question = item.question.rstrip("? ") if chance.random() < WITHOUT_MARK else item.question
    beside = tuple(near[:1]) if chance.random() < shares.beside_answer else ()
    return Lesson(question, (gold, *beside), answer)


def cut_around(item: LabelledQuestion, chance: Random) -> tuple[PassageText, Span | None]:
    """The passage, a long one cut somewhere around its answer, and the answer's place in it."""
    text = item.gold.text
    if len(text) <= LONGEST_TEXT_CHARACTERS:
        return item.gold, item.answer
    start, end = item.answer or (0, len(text))
    lowest, highest = sorted(
        (max(0, end - LONGEST_TEXT_CHARACTERS), min(start, len(text) - LONGEST_TEXT_CHARACTERS))
    )
    first = chance.randint(lowest, highest)
    while first > 0 and not text[first - 1].isspace():
        first -= 1
    cut = replace(item.gold, text=text[first : first + LONGEST_TEXT_CHARACTERS])
    return cut, item.answer and (start - first, min(end - first, LONGEST_TEXT_CHARACTERS))
