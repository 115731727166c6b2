"""What made pages speak of: things with properties, as handbooks, price lists and timetables hold them.

All names and values are invented at random, so that a model cannot learn them by heart; what it can learn
is how a question in everyday words finds a cell, an item of a list or half a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

MakeValue = Callable[[Random], str]


@dataclass(frozen=True, slots=True)
class Property:
    """One thing that can be told of a record.

    :param labels: how a table or list heads it.
    :param questions: how people ask for it; `{e}` is the record.
    :param sentences: how prose tells it; `{v}` is the value.
    :param evasions: sentences that speak of it and do not tell it.
    """

    labels: tuple[str, ...]
    make_value: MakeValue
    questions: tuple[str, ...]
    sentences: tuple[str, ...]
    evasions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of record: what a table of them is headed, how one is named, and what is told of it."""

    label: str
    titles: tuple[str, ...]
    make_name: MakeValue
    properties: tuple[Property, ...]


_SYLLABLES = (
    "bar cor den fal gar hel kin lor mar nes ost pel quin ros sel tam ul ven wyn yar zan bri tor mun".split()
)
_ENDINGS = "a en is o by ford ham ley mouth ness ton wick dale worth stead".split()
_FIRST = (
    "Ana Ben Carla Deniz Elin Farid Grace Hugo Ines Jonas Kemi Lars Mina Noor Otto Priya Rosa Tara".split()
)
_BIRDS = "Heron Curlew Plover Osprey Wren Kestrel Avocet Siskin Merlin Bittern Redshank Petrel Teal".split()
_TREES = "Alder Beech Cedar Elm Hazel Juniper Larch Maple Rowan Willow Aspen Linden Spruce Hornbeam".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = "January February March April May June July August September October November December".split()
_ROLES = (
    "Head of Finance,Duty Manager,Site Manager,People Partner,IT Service Desk,Stores Assistant,"
    "Safety Officer,Operations Lead,Payroll Clerk,Training Coordinator,Facilities Team,Shift Leader,"
    "Company Secretary,Quality Manager,Data Protection Officer,Customer Care Team,Chief Engineer,Team Lead"
).split(",")
_PLACES = (
    "reception,the ground floor store,the blue cabinet,the key safe,room 12,the north gate,the staff kitchen,"
    "the document library,the workshop,the loading bay,the second drawer at the front desk,the control room,"
    "the first-aid room,the intranet,the archive in the basement"
).split(",")
_NUMBERS = "two three four five six seven eight nine ten twelve".split()


def make_place(chance: Random) -> str:
    """An invented name of a town."""
    return (
        chance.choice(_SYLLABLES) + chance.choice([*_SYLLABLES, ""]) + chance.choice(_ENDINGS)
    ).capitalize()


def make_person(chance: Random) -> str:
    """An invented first and last name."""
    return f"{chance.choice(_FIRST)} {make_place(chance)}"


def make_role(chance: Random) -> str:
    """An office that somebody holds."""
    return chance.choice(_ROLES)


def make_money(chance: Random) -> str:
    """An amount of money."""
    sign = chance.choice(("£", "£", "$", "€"))
    amount = chance.choice((chance.randint(1, 30), chance.randint(30, 900), chance.randint(1, 60) * 1000))
    pennies = (
        f".{chance.randint(0, 9)}{chance.choice('05')}" if amount < 100 and chance.random() < 0.6 else ""
    )
    return f"{sign}{amount:,}{pennies}"


def make_time(chance: Random) -> str:
    """A time of the day."""
    hour, minute = chance.randint(5, 23), chance.choice((0, 0, 5, 10, 15, 20, 30, 40, 45, 50))
    if chance.random() < 0.25:
        return f"{(hour - 1) % 12 + 1}{f':{minute:02}' if minute else ''} {'am' if hour < 12 else 'pm'}"
    return f"{hour:02}:{minute:02}"


def make_date(chance: Random) -> str:
    """A day of the year, at times with the year."""
    day, month = chance.randint(1, 28), chance.choice(_MONTHS)
    return f"{day} {month}{f' {make_year(chance)}' if chance.random() < 0.4 else ''}"


def make_year(chance: Random) -> str:
    """A year."""
    return str(chance.randint(1931, 2026))


def make_days(chance: Random) -> str:
    """A number of days, weeks or months."""
    number = chance.choice((str(chance.randint(2, 45)), chance.choice(_NUMBERS)))
    return f"{number} {chance.choice(('days', 'working days', 'calendar days', 'weeks', 'months'))}"


def make_minutes(chance: Random) -> str:
    """A number of minutes or hours."""
    return f"{chance.randint(2, 90)} {chance.choice(('minutes', 'minutes', 'hours'))}"


def make_interval(chance: Random) -> str:
    """How often something is done."""
    number = chance.choice((*_NUMBERS, str(chance.randint(2, 24))))
    every = f"every {number} {chance.choice(('weeks', 'months', 'years', 'hours'))}"
    return chance.choice(
        (every, "once a year", "twice a year", "every morning", f"every {chance.choice(_DAYS)}")
    )


def make_code(chance: Random) -> str:
    """A code of letters and digits, as forms and errors have."""
    letters = "".join(chance.choice("ABCDEFGHKLMNPRSTVWX") for _ in range(chance.randint(1, 3)))
    return f"{letters}{chance.choice(('-', '-', ''))}{chance.randint(10, 9999)}"


def make_digits(chance: Random) -> str:
    """A number with nothing beside it: an extension, a code of a door."""
    return str(chance.randint(1000, 9999))


def make_count(unit: str, lowest: int, highest: int) -> MakeValue:
    """A maker of numbers with a unit; "12 people", at times bare."""

    def make(chance: Random) -> str:
        number = f"{chance.randint(lowest, highest):,}"
        return number if chance.random() < 0.25 else f"{number} {unit}"

    return make


def make_percent(chance: Random) -> str:
    """A percentage."""
    whole = chance.randint(1, 100)
    return f"{whole}{chance.choice(('%', ' per cent', '.5%'))}"


def choose_from(*values: str) -> MakeValue:
    """A maker that picks one of some texts."""
    return lambda chance: chance.choice(values)


def name_after(pattern: str, *words: str) -> MakeValue:
    """A maker of names after a pattern: `{bird}`, `{tree}`, `{place}`, `{code}`, `{number}`, `{word}`."""

    def make(chance: Random) -> str:
        return pattern.format(
            bird=chance.choice(_BIRDS),
            tree=chance.choice(_TREES),
            place=make_place(chance),
            code=make_code(chance),
            number=chance.randint(1, 60),
            word=chance.choice(words) if words else "",
        )

    return make


def make_weekday(chance: Random) -> str:
    """A day of the week."""
    return chance.choice(_DAYS)


def make_where(chance: Random) -> str:
    """A place where something is kept."""
    return chance.choice(_PLACES)
