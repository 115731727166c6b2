"""Pages in the style of handbooks with questions on them: tables, lists of key and value, plain prose.

Public sets of questions are asked about encyclopedia articles. What people keep for themselves looks
different, and these pages, made at random from `kinds.py`, stand for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from chatbot.training.kinds import KINDS
from chatbot.training.lessons import LabelledQuestion, PassageText
from chatbot.training.records import Kind, Property
from chatbot.types import Span

QUESTIONS_A_PAGE = 4
NOT_TOLD_SHARE = 0.4
"""So many questions ask for what the page does not tell."""
EVADED_SHARE = 0.6
"""How often a page speaks of something without telling it."""
BY_VALUE_SHARE = 0.12
"""So many questions give the value and ask for the name."""

_FILLERS = (
    "Please keep this page up to date.",
    "If anything here is wrong, tell us.",
    "This page is for everyone who works here.",
    "Ask before you change anything.",
    "We look at these figures once a year.",
    "New colleagues get this page on their first day.",
    "Thank you for reading this far.",
    "Exceptions are possible if there is a good reason.",
    "Older versions of this page no longer hold.",
    "The rules below are the same at every site.",
)


@dataclass(slots=True)
class _Page:
    """A page in the making; `told` are the characters of each value, `named` of each name in a table."""

    kind: Kind
    context: str
    names: list[str]
    shown: list[Property]
    hidden: list[Property]
    text: str = ""
    told: dict[tuple[str, int], Span] = field(default_factory=dict)
    named: dict[str, Span] = field(default_factory=dict)

    def add(self, text: str) -> Span:
        start = len(self.text)
        self.text += text
        return start, len(self.text)

    def add_sentence(self, sentence: str, name: str, value: str) -> Span:
        """Append a sentence with its name and value filled in; returns the characters of the value."""
        before, _, behind = sentence.partition("{v}")
        self.add(_begin_with_capital(before.format(e=name), before))
        span = self.add(value if before else value[:1].upper() + value[1:])
        self.add(behind.format(e=name))
        return span


def make_page_questions(pages: int, *, seed: int) -> list[LabelledQuestion]:
    """Questions on `pages` made pages, some of which the page does not answer; the same for the same seed."""
    return [
        item
        for number in range(pages)
        for item in _ask_about_page(Random(f"{seed}/page/{number}"))  # noqa: S311 - not for secrets
    ]


def _ask_about_page(chance: Random) -> Iterator[LabelledQuestion]:
    kind = chance.choice(KINDS)
    page = _make_page(kind, chance)
    other = _make_page(kind, chance, without=frozenset(page.names))
    gold, near = PassageText(page.context, page.text), PassageText(other.context, other.text)
    for _ in range(QUESTIONS_A_PAGE):
        question, answer = _ask(page, other, chance)
        yield LabelledQuestion(question=question, gold=gold, answer=answer, near_misses=(near,))


def _ask(page: _Page, other: _Page, chance: Random) -> tuple[str, Span | None]:
    name, place = chance.choice(list(page.told))
    if chance.random() < NOT_TOLD_SHARE:
        unknown = page.hidden and chance.random() < EVADED_SHARE
        if unknown:
            return _put_question(chance.choice(page.hidden), name, chance), None
        return _put_question(page.shown[place], chance.choice(other.names), chance), None
    start, end = page.told[name, place]
    value = page.text[start:end]
    told_once = sum(page.text[first:last] == value for first, last in page.told.values()) == 1
    if told_once and name in page.named and chance.random() < BY_VALUE_SHARE:
        label = chance.choice(page.shown[place].labels).lower()
        return f"Which {page.kind.label.lower()} has {value} as {label}?", page.named[name]
    return _put_question(page.shown[place], name, chance), (start, end)


def _put_question(item: Property, name: str, chance: Random) -> str:
    question = chance.choice(item.questions).format(e=name)
    return question.lower() if chance.random() < 0.08 else question


def _make_page(kind: Kind, chance: Random, *, without: frozenset[str] = frozenset()) -> _Page:
    names: list[str] = []
    wanted = chance.randint(2, 7)
    for _ in range(40):
        name = kind.make_name(chance)
        if len(names) < wanted and name not in names and name not in without:
            names.append(name)
    properties = list(kind.properties)
    chance.shuffle(properties)
    count = min(chance.randint(2, 4), len(properties) - 1)
    title = chance.choice(kind.titles)
    section = chance.choice(("", *kind.titles))
    context = f"{title} > {section}" if section and section != title else title
    page = _Page(kind, context, names, properties[:count], properties[count:])
    if chance.random() < 0.6:
        page.add(f"{section or title}\n\n")
    if chance.random() < 0.5:
        page.add(f"{chance.choice(_FILLERS)}\n\n")
    chance.choices(STYLES, weights=(4, 2, 3, 2))[0](page, chance)
    _add_evasions(page, chance)
    return page


def _make_values(page: _Page, chance: Random) -> Mapping[tuple[str, int], str]:
    return {
        (name, place): item.make_value(chance) for name in page.names for place, item in enumerate(page.shown)
    }


def _write_table(page: _Page, chance: Random) -> None:
    values = _make_values(page, chance)
    labels = [chance.choice(item.labels) for item in page.shown]
    page.add(" | ".join([page.kind.label, *labels]))
    for name in page.names:
        page.add("\n")
        page.named[name] = page.add(_begin_with_capital(name.removeprefix("the ").removeprefix("a "), "{e}"))
        for place in range(len(page.shown)):
            page.add(" | ")
            page.told[name, place] = page.add(values[name, place])


def _write_blocks(page: _Page, chance: Random) -> None:
    """A heading for each record, and a line for each of its properties."""
    values = _make_values(page, chance)
    labels = [chance.choice(item.labels) for item in page.shown]
    for name in page.names[:4]:
        page.add(f"{_begin_with_capital(name, '{e}')}\n")
        for place, label in enumerate(labels):
            page.add(f"{label}: ")
            page.told[name, place] = page.add(values[name, place])
            page.add("\n")
        page.add("\n")


def _write_prose(page: _Page, chance: Random) -> None:
    values = _make_values(page, chance)
    for name in page.names[: chance.randint(1, 4)]:
        places = list(range(len(page.shown)))
        chance.shuffle(places)
        for place in places:
            sentence = chance.choice(page.shown[place].sentences)
            page.told[name, place] = page.add_sentence(sentence, name, values[name, place])
            page.add(" ")
        if chance.random() < 0.4:
            page.add(chance.choice(_FILLERS))
        page.add("\n\n")


def _write_list(page: _Page, chance: Random) -> None:
    """A line for each record that tells one or two things of it."""
    values = _make_values(page, chance)
    labels = [chance.choice(item.labels).lower() for item in page.shown[:2]]
    for name in page.names:
        page.add(f"{_begin_with_capital(name, '{e}')}: ")
        for place, label in enumerate(labels):
            page.add(f"{'; ' if place else ''}{label} ")
            page.told[name, place] = page.add(values[name, place])
        page.add("\n")


STYLES: Sequence[Callable[[_Page, Random], None]] = (_write_table, _write_blocks, _write_prose, _write_list)


def _add_evasions(page: _Page, chance: Random) -> None:
    if chance.random() > EVADED_SHARE:
        return
    page.add("\n\n" if page.text else "")
    for item in page.hidden[:2]:
        evasion = chance.choice(item.evasions)
        page.add(_begin_with_capital(evasion.format(e=chance.choice(page.names)), evasion) + " ")


def _begin_with_capital(text: str, pattern: str) -> str:
    """The text, beginning with a capital letter if the name stands first in its pattern."""
    return text[:1].upper() + text[1:] if pattern.startswith("{e}") else text
