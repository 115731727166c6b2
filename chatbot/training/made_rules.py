"""Pages of house rules with questions in everyday words, which often share no word with the answer.

May I, must I, where do I, what if: such questions are answered by a whole sentence, and a page that speaks of
the same matter may still not answer. The matters stand in `matters.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from chatbot.training.lessons import LabelledQuestion, PassageText
from chatbot.types import Span

QUESTIONS_A_PAGE = 4
MATTERS_FILE = Path(__file__).with_name("matters.toml")
NOT_TOLD_SHARE = 0.4
"""So many questions ask for what the page does not tell."""
EVADED_SHARE = 0.25
"""How often a page only speaks of a matter."""

_TITLES = (
    "House rules",
    "Good to know",
    "Staff handbook",
    "Welcome pack",
    "Before you come",
    "Questions and answers",
    "Our agreements",
    "Information for members",
    "Conditions of use",
    "From A to Z",
)
_SECTIONS = (
    "",
    "Living together",
    "Everyday matters",
    "What we agreed on",
    "For newcomers",
    "Practical things",
)


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that rules speak of.

    :param says: sentences, each of which may stand in a text.
    :param evades: sentences that speak of the matter and answer no question on it.
    :param asked: questions, each with the places in `says` of the sentences that answer it.
    """

    says: tuple[str, ...]
    evades: tuple[str, ...]
    asked: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class _Told:
    """A sentence of a page: which one of its matter (None where it evades), and its characters."""

    matter: Matter
    sentence: int | None
    span: Span


@cache
def load_matters() -> tuple[Matter, ...]:
    """All matters of the file."""
    rows = tomllib.loads(MATTERS_FILE.read_text(encoding="utf-8"))["matter"]
    return tuple(
        Matter(
            tuple(row["says"]),
            tuple(row["evades"]),
            {question: frozenset(number - 1 for number in told) for question, told in row["asked"].items()},
        )
        for row in rows
    )


def make_rule_questions(pages: int, *, seed: int) -> list[LabelledQuestion]:
    """Questions on `pages` made pages of rules, some of which they do not answer; the same for a seed."""
    return [
        item
        for number in range(pages)
        for item in _ask_about_page(Random(f"{seed}/rules/{number}"))  # noqa: S311 - not for secrets
    ]


def _ask_about_page(chance: Random) -> Iterator[LabelledQuestion]:
    matters = chance.sample(load_matters(), 12)
    shown, others, absent = matters[:6], matters[6:10], matters[10:]
    gold, told = _write_page(shown[: chance.randint(2, 6)], chance)
    near, _ = _write_page(others, chance)
    for _ in range(QUESTIONS_A_PAGE):
        question, answer = _ask(told, absent, chance)
        yield LabelledQuestion(question=question, gold=gold, answer=answer, near_misses=(near,))


def _write_page(matters: Sequence[Matter], chance: Random) -> tuple[PassageText, list[_Told]]:
    """A page on these matters, one sentence each, as a list, as paragraphs or as running text."""
    title, section = chance.choice(_TITLES), chance.choice(_SECTIONS)
    before, between = chance.choice((("- ", "\n"), ("", "\n\n"), ("", " ")))
    text = f"{section}\n\n" if section and chance.random() < 0.6 else ""
    told = []
    for matter in matters:
        sentence = None if chance.random() < EVADED_SHARE else chance.randrange(len(matter.says))
        words = chance.choice(matter.evades) if sentence is None else matter.says[sentence]
        start = len(text) + len(before)
        told.append(_Told(matter, sentence, (start, start + len(words.rstrip(".")))))
        text += before + words + between
    return PassageText(f"{title} > {section}" if section else title, text.rstrip()), told


def _ask(told: Sequence[_Told], absent: Sequence[Matter], chance: Random) -> tuple[str, Span | None]:
    answered = [(question, one.span) for one in told for question in _list_questions(one, answered=True)]
    if answered and chance.random() > NOT_TOLD_SHARE:
        return chance.choice(answered)
    nearly = [question for one in told for question in _list_questions(one, answered=False)]
    if nearly and chance.random() < 0.7:
        return chance.choice(nearly), None
    return chance.choice(list(chance.choice(absent).asked)), None


def _list_questions(one: _Told, *, answered: bool) -> list[str]:
    """The questions on its matter that this sentence answers, or those that it does not."""
    return [question for question, places in one.matter.asked.items() if (one.sentence in places) is answered]
