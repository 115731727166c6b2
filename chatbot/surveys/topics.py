"""What a survey asks for, in words: its topics, and whether a name or a sentence holds one."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from chatbot.grounding import list_table_headers
from chatbot.sentences import find_content_words, part_words, split_rows_and_sentences
from chatbot.types import DocumentRecord, Passage

RELATION = re.compile(r"\b(?:in|of|for|at|on|with|from|to|by|that|which|who|where)\b", re.IGNORECASE)
"""What leads from the words that name a thing to those that only place it."""

_ALTERNATIVES = re.compile(r"\s+or\s+", re.IGNORECASE)
_CONJUNCTION = re.compile(r"\s+and\s+", re.IGNORECASE)
_SEVERAL_THINGS = re.compile(r"\band\b|\bor\b|[,;&/]", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\([^()]*\)")


def split_topic(topic: str) -> list[str]:
    """The topics of which any will do: "dogs or cats" are two."""
    return [part for part in _ALTERNATIVES.split(topic) if find_content_words(part)]


def split_conjunction(topic: str) -> list[str]:
    """The topics that are asked for together: "dogs and cats" are two."""
    return [part for part in _CONJUNCTION.split(topic) if find_content_words(part)]


def find_stems(text: str) -> frozenset[str]:
    """The content words of a text, each part of a compound a word, cut to their stems."""
    return frozenset(_list_stems(text))


def _list_stems(text: str) -> list[str]:
    return find_content_words(re.sub(r"[-–/]", " ", text))


def is_named(record: DocumentRecord, topics: Sequence[str]) -> bool:
    """Whether a document's title and path hold all words of a topic."""
    name = find_stems(part_words(f"{record.title} {record.path}"))
    return any(find_stems(topic) <= name for topic in topics)


def names_members(name: str, topics: Sequence[str]) -> bool:
    """Whether what stands under a heading, a caption or a column's name are the things that a topic names.

    The name must end with the topic: "Everyday error codes" are error codes, "Error codes and forms" are
    more than that, and a "Code policy" is none. What only places the name, as in "Offices in Tolsay", and
    what leads to it, as in "Gangway: error codes", does not count.
    """
    plain = _IN_BRACKETS.sub(" ", name).strip(" :.").rsplit(":", 1)[-1]
    head = RELATION.split(plain, maxsplit=1)[0]
    if _SEVERAL_THINGS.search(head):
        return False
    words = _list_stems(head)
    wanted = [_list_stems(topic) for topic in topics]
    return any(words[-len(topic) :] == topic for topic in wanted if topic)


def describe_place(passage: Passage) -> str:
    """Title, headings and context of a passage, which need not be repeated in its sentences."""
    return f"{passage.title}\n{passage.heading}\n{passage.chunk.context}"


def cut_stems(stems: Collection[str]) -> list[str]:
    """The beginnings of stems that all forms of a word share, and FTS5's other stems."""
    return [_cut_stem(stem) for stem in stems]


def _cut_stem(stem: str) -> str:
    if len(stem) > 5:
        return stem[:-2]
    return stem.removesuffix("y") if len(stem) > 3 else stem


def speaks_of(passage: Passage, topics: Sequence[str]) -> bool:
    """Whether a passage that holds all words of a topic has one sentence with them.

    Some may stand in the title, the headings or the header of the table. Words are compared by their
    beginnings, because FTS5 cuts them to other stems than ours.
    """
    place, text = describe_place(passage).lower(), passage.text.lower()
    for topic in topics:
        missing = [beginning for beginning in cut_stems(find_stems(topic)) if beginning not in place]
        if not all(beginning in text for beginning in missing):
            continue
        # Sentences are told apart only where they must be: a word may stand in very many passages.
        if len(missing) < 2 or _hold_together(passage, missing):
            return True
    return False


def _hold_together(passage: Passage, beginnings: Sequence[str]) -> bool:
    """Whether one sentence of a passage, or a row with its table's header, holds all beginnings of words."""
    spans = split_rows_and_sentences(passage.text)
    rows = zip(spans, list_table_headers(passage, spans), strict=True)
    sentences = (f"{header}\n{passage.text[start:end]}".lower() for (start, end), header in rows)
    return any(all(beginning in sentence for beginning in beginnings) for sentence in sentences)
