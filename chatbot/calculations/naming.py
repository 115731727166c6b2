"""What each word of a question names in one table: a column, a cell, a limit, or the table itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatbot.calculations.comparisons import MARK
from chatbot.calculations.vocabulary import LONGEST_NAME_WORDS, PERSON_WORDS, SAID_WITH_NAME, TableVocabulary
from chatbot.sentences import STOP_WORDS, stem_word

_CHANGES_MEANING = frozenset(
    "not no nor between once until without same other than more before after under over up down off out only"
    " again should could would may might must shall if because why".split()
)
SAYS_NOTHING = (STOP_WORDS - _CHANGES_MEANING) | set(
    "per work works working worked live lives living located based made sold shipped delivered ordered bought"
    " spent earned row rows entry entries record records line lines list listed table sheet value values show"
    " shown one ones come comes total".split()
)
_AFTER_VALUE = frozenset({"in", "for", "from", "at", "by", "of"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A column named in a question: where, the word that leads to it, and whether by all of its own words."""

    place: int
    end: int
    column: int
    lead: str
    is_whole: bool = False


@dataclass(slots=True)
class NamedWords:
    """What the words of a question were found to name."""

    mentions: list[Mention] = field(default_factory=list)
    values: list[tuple[int, int, int, tuple[str, ...]]] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)
    named: int = 0
    has_subject: bool = False


def name_words(tokens: Sequence[str], vocabulary: TableVocabulary) -> NamedWords | None:
    """What each word names, the longest names first; None where one names nothing."""
    found = NamedWords()
    place = 0
    while place < len(tokens):
        end = _name_word(tokens, place, vocabulary, found)
        if end is None:
            return None
        place = end
    _absorb_mentions(found, tokens)
    return found


def _name_word(
    tokens: Sequence[str], place: int, vocabulary: TableVocabulary, found: NamedWords
) -> int | None:
    """Note what the words at a place name, and return where they end."""
    if tokens[place].startswith(MARK):
        found.marks.append((place, tokens[place][1:]))
        found.named += 1
        return place + 1
    lead = tokens[place - 1] if place else ""
    for length in range(min(LONGEST_NAME_WORDS, len(tokens) - place), 0, -1):
        end = place + length
        words = tuple(stem_word(word) for word in tokens[place:end])
        columns = vocabulary.values.get(words, frozenset())
        column = _find_column(words, tokens[place:end], vocabulary)
        if column is not None and (not columns or lead not in _AFTER_VALUE):
            is_whole = vocabulary.columns[column] <= frozenset(words)
            found.mentions.append(Mention(place, end, column, lead, is_whole))
            found.named += length
            return end
        if columns:
            if len(columns) > 1:
                columns = _narrow_columns(columns, found)
            found.values.append((place, end, min(columns), words)) if len(columns) == 1 else None
            found.named += length
            return end if len(columns) == 1 else None
    return _name_plain_word(tokens[place], vocabulary, found, place)


def _name_plain_word(token: str, vocabulary: TableVocabulary, found: NamedWords, place: int) -> int | None:
    """A word for the table itself or its rows, or one that says nothing."""
    if token in SAYS_NOTHING:
        return place + 1
    stem = stem_word(token)
    is_thing = any(stem in vocabulary.columns[number] for number in vocabulary.labels)
    is_person = vocabulary.has_people and not PERSON_WORDS.isdisjoint({token, stem, token.removesuffix("s")})
    if stem in vocabulary.places or is_person or is_thing:
        found.has_subject |= stem in vocabulary.subjects or is_person or is_thing
        found.named += 1
        return place + 1
    return None


def _narrow_columns(columns: frozenset[int], found: NamedWords) -> frozenset[int]:
    """Of several columns that hold a value, the one that was just named."""
    named = {mention.column for mention in found.mentions}
    return columns & named if len(columns & named) == 1 else columns


def _find_column(words: tuple[str, ...], tokens: Sequence[str], vocabulary: TableVocabulary) -> int | None:
    """The one column that words name: all of its name, or the only one with these words in it."""
    if tokens[0] in STOP_WORDS or tokens[-1] in STOP_WORDS:
        return None
    wanted = frozenset(word for word in words if word not in STOP_WORDS)
    exact = [number for number, stems in enumerate(vocabulary.columns) if is_called(stems, wanted)]
    partial = [number for number, stems in enumerate(vocabulary.columns) if wanted < stems]
    if not exact and tokens[:2] == ["number", "of"]:
        exact = [number for number in vocabulary.counts if vocabulary.columns[number] == wanted - {words[0]}]
    for numbers in (exact, partial):
        if numbers:
            return numbers[0] if len(numbers) == 1 else None
    return None


def is_called(stems: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether words are all those of a column's name, with none but what is said along with it."""
    also = frozenset().union(*(SAID_WITH_NAME.get(stem, frozenset()) for stem in stems))
    return bool(stems) and stems <= wanted <= stems | also


def _absorb_mentions(found: NamedWords, tokens: Sequence[str]) -> None:
    """Forget columns that only lead to their value, as in "department Sales" and "Sales department"."""

    def leads(mention: Mention) -> bool:
        return any(
            column == mention.column
            and (
                all(word in SAYS_NOTHING for word in tokens[mention.end : begin])
                if begin >= mention.end
                else end == mention.place
            )
            for begin, end, column, _ in found.values
        )

    found.mentions = [mention for mention in found.mentions if not leads(mention)]
