"""Question and passage files (JSONL), checked line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.errors import CorpusError, QuestionError
from chatbot.types import NO_FILTERS, Message, SearchFilters
from chatbot.web.schemas import read_filters


@dataclass(frozen=True, slots=True)
class Slip:
    """A word that was misspelt on purpose, and what was typed in its place."""

    word: str
    typed: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what is known of its answer.

    :param answers: texts of which a right answer holds one; empty when unanswerable.
    :param gold: where the answer stands: paths of documents or ids of passages; may be empty.
    :param slip: what was misspelt in the question, if anything was.
    """

    question: str
    answers: tuple[str, ...]
    answerable: bool
    gold: tuple[str, ...]
    history: tuple[Message, ...] = ()
    category: str = ""
    slip: Slip | None = None
    filters: SearchFilters = NO_FILTERS


@dataclass(frozen=True, slots=True)
class GivenPassage:
    """A passage of a passage file."""

    id: str
    title: str
    text: str


def load_questions(path: Path) -> list[Question]:
    """The questions of a file, a JSON object a line.

    :raises CorpusError: naming the line that cannot be used.
    """
    return [_read_question(values, path, line) for line, values in read_lines(path)]


def load_passages(path: Path) -> list[GivenPassage]:
    """The passages of a file: `{"id", "title", "text"}` a line.

    :raises CorpusError: naming the line that cannot be used.
    """
    passages = []
    for line, values in read_lines(path):
        if not isinstance(values.get("text"), str) or "id" not in values:
            raise CorpusError(f"{path}, line {line}: a passage needs id and text.", "Mend that line.")
        passages.append(GivenPassage(str(values["id"]), str(values.get("title") or ""), values["text"]))
    return passages


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and JSON object of each line that is not empty.

    :raises CorpusError: naming the line that cannot be used.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read ({error}).", "Name a JSONL file in UTF-8.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise CorpusError(f"{path}, line {number} is no JSON ({error.msg}).", "Mend it.") from error
        if not isinstance(values, dict):
            raise CorpusError(f"{path}, line {number} is no JSON object.", "Mend that line.")
        yield number, values


def _read_question(values: dict[str, Any], path: Path, line: int) -> Question:
    question = values.get("question")
    answers = values.get("answers", [])
    if not isinstance(question, str) or not question.strip():
        raise CorpusError(f"{path}, line {line} has no question.", "Give it a text under question.")
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise CorpusError(f"{path}, line {line}: answers must be a list of texts.", "Mend that line.")
    return Question(
        question=question,
        answers=tuple(answers),
        answerable=bool(values.get("answerable", True)),
        gold=tuple(_read_gold(values)),
        history=tuple(_read_history(values, path, line)),
        category=str(values.get("category") or ""),
        filters=_read_filters(values, path, line),
    )


def _read_history(values: dict[str, Any], path: Path, line: int) -> Iterator[Message]:
    turns = values.get("history") or []
    is_list = isinstance(turns, list) and all(isinstance(turn, dict) for turn in turns)
    if not is_list or not all(isinstance(turn.get("text"), str) for turn in turns):
        raise CorpusError(
            f"{path}, line {line}: history must be a list of objects with role and text.", "Mend that line."
        )
    for turn in turns:
        if turn.get("role") in ("user", "assistant"):
            yield Message(turn["role"], turn["text"])


def _read_filters(values: dict[str, Any], path: Path, line: int) -> SearchFilters:
    try:
        return read_filters(values.get("filters") or {})
    except QuestionError as error:
        raise CorpusError(f"{path}, line {line}: {error.message}", error.next_step) from error


def _read_gold(values: dict[str, Any]) -> Iterator[str]:
    for key in ("path", "source", "passage_id"):
        if values.get(key) is not None:
            yield str(values[key])
    yield from (str(passage_id) for passage_id in values.get("passage_ids") or ())
