"""The words of a table: what its columns, its cells and itself are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from chatbot.calculations.tables import Table
from chatbot.calculations.values import Column, is_blank
from chatbot.sentences import STOP_WORDS, part_words, stem_word

Words = tuple[str, ...]

LONGEST_NAME_WORDS = 6
"""Cells of more words are no names that a question repeats."""

PERSON_WORDS = frozenset("people person staff employee worker colleague member".split())
_PERSON_COLUMNS = frozenset(map(stem_word, [*PERSON_WORDS, "name", "surname", "employees", "members"]))
_LABEL_COLUMNS = frozenset(
    map(
        stem_word,
        "id no nr number code year zip postcode postal phone tel index rank version key".split(),
    )
)
_COUNTS = re.compile(r"^\s*(?:total )?(?:number|no\.?|nr\.?|count|#) of (?:the )?", re.IGNORECASE)
"""How the name of a column begins that counts things, and is no label of them."""
_PLURAL_LABELS = frozenset({"ids", "codes", "numbers", "nos", "zips", "postcodes"})
SAID_WITH_NAME = {
    stem_word(name): frozenset(map(stem_word, also.split()))
    for name, also in (
        ("email", "address"),
        ("mail", "address"),
        ("phone", "number"),
        ("telephone", "number"),
        ("tel", "phone telephone number"),
        ("website", "address"),
        ("url", "address"),
    )
}
"""What is said along with a column's name though it does not stand there, as in "email address"."""
_FIRST_YEAR, _LAST_YEAR = 1500, 2200
_ENDS_IN_NUMBER = re.compile(r"\bno\b\W*$", re.IGNORECASE)
SHEET_FORMATS = frozenset({"csv", "tsv", "xlsx", "xlsm", "xls", "ods"})
_ANY_TABLE = frozenset(
    "list lists table tables sheet overview summary register directory data the a an our all".split()
)
"""What a table may be called whatever its rows are."""
_ENDS_PHRASE = re.compile(
    r"[:;,()–—]|\b(?:of|for|in|at|by|with|from|to|on|per|since|until|and|or)\b", re.IGNORECASE
)
_OF_TIME = re.compile(r"\b(?:an?|per|each|every) (?:day|week|month|quarter|year)\W*$", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_TOKEN = re.compile(r"§\w|[^\W_]+")


@dataclass(frozen=True, slots=True)
class TableVocabulary:
    """What a question may call parts of a table, each name as stems.

    `columns` are the words of each column's name; `values` says for the words of a cell in which columns it
    stands; `places` are those of the table's name, its document's title and path, `subjects` those among them
    that say what its rows are; `counts` are the columns that are called a "number of" something, `labels`
    those that name their rows.
    """

    columns: tuple[frozenset[str], ...]
    values: Mapping[Words, frozenset[int]]
    places: frozenset[str]
    subjects: frozenset[str]
    has_people: bool
    counts: frozenset[int]
    labels: frozenset[int]


def split_words(text: str) -> list[str]:
    """The words of a text in lower case, without any signs but marks."""
    return _TOKEN.findall(text.casefold().replace("e-mail", "email"))


@lru_cache(maxsize=20_000)
def stem_name(text: str) -> Words:
    """The words of a name, each as its stem."""
    return tuple(stem_word(word) for word in split_words(text))


def read_vocabulary(table: Table) -> TableVocabulary:
    """The words of a table. Of numbers only labels, such as years, are values that a question may name."""
    columns = tuple(frozenset(_list_name_stems(name)) for name in table.names)
    labels = frozenset(
        number
        for number, name in enumerate(table.names)
        if is_label(name)
        or (table.columns[number].kind == "number" and _ENDS_IN_NUMBER.search(name))
        or _holds_years(table.columns[number], columns[number])
    )
    values: dict[Words, set[int]] = {}
    for number, column in enumerate(table.columns):
        if column.kind == "text" or (column.kind == "number" and number in labels):
            for cell in {row.cells[number] for row in table.rows}:
                words = () if is_blank(cell) else stem_name(cell)
                if 0 < len(words) <= LONGEST_NAME_WORDS:
                    values.setdefault(words, set()).add(number)
    place = frozenset(stem_name(part_words(f"{table.name} {table.record.title} {table.record.path}")))
    of_people = {number for number, stems in enumerate(columns) if stems & _PERSON_COLUMNS}
    headcounts = {
        number for number in of_people if table.columns[number].kind == "number" and number not in labels
    }
    return TableVocabulary(
        columns,
        {words: frozenset(numbers) for words, numbers in values.items()},
        place - (_PERSON_COLUMNS if headcounts else frozenset()),
        frozenset(list_subjects(table)) - (_PERSON_COLUMNS if headcounts else frozenset()),
        bool(of_people) and not headcounts,
        frozenset(number for number, name in enumerate(table.names) if _COUNTS.match(name)),
        labels,
    )


def list_subjects(table: Table) -> Words:
    """The stems of what a row of a table is called: an order, where the sheet or the heading says "Orders".

    A sheet's file is about its rows. A document is about more than its tables, and a heading such as "Bands
    for shore staff" or "Parts for the ships" about bands and parts.
    """
    if table.record.format in SHEET_FORMATS:
        file = table.record.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return stem_name(part_words(f"{table.name} {table.record.title} {file}"))
    for phrase in _ENDS_PHRASE.split(table.name):
        words = [word for word in split_words(phrase) if not word.isdigit() and word not in _ANY_TABLE]
        if words:
            return (stem_word(words[-1]),)
    return ()


def _list_name_stems(name: str) -> Words:
    """The stems of a column's name, without "number of", nor a unit in brackets beside other words."""
    name = _COUNTS.sub("", name) or name
    words = stem_name(_IN_BRACKETS.sub(" ", name)) or stem_name(name)
    return tuple(word for word in words if word not in STOP_WORDS) or words


def is_label(name: str) -> bool:
    """Whether a column of numbers names its rows, as a year or an order's number does, and counts nothing.

    What is called in the plural is counted: "Phone" names its row, "Phone lines" and "Keys" are how many.
    """
    words = split_words(_IN_BRACKETS.sub(" ", _OF_TIME.sub("", name))) or split_words(name)
    if not words or _COUNTS.match(name):
        return False
    if words[-1] in _PLURAL_LABELS:
        return True
    labels = [word for word in words if stem_word(word) in _LABEL_COLUMNS and not _is_plural(word)]
    return bool(labels) and not _is_plural(words[-1])


def _is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith(("ss", "us", "is"))


def _holds_years(column: Column, stems: frozenset[str]) -> bool:
    """Whether a column called "Years" holds those of a calendar, which name its rows."""
    numbers = [number for number in column.numbers if number is not None]
    return (
        "year" in stems and bool(numbers) and all(_FIRST_YEAR <= number <= _LAST_YEAR for number in numbers)
    )
