"""Asks every question of a set and measures what was found, answered, cited and declined."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from chatbot.assistant import Assistant
from chatbot.chunking import hash_text, join_for_embedding
from chatbot.evaluation.datasets import GivenPassage, Question
from chatbot.evaluation.metrics import (
    is_right,
    measure_f1,
)
from chatbot.evaluation.misspelling import misspell
from chatbot.evidence import cut_text
from chatbot.retrieval.search import ALL_WAYS
from chatbot.sentences import find_content_words
from chatbot.types import Chunk, Embedder, FinishedAnswer, Passage, SearchResult, SearchTrace

RETRIEVAL_DEPTH = 10

FindPassages = Callable[[Question, frozenset[str]], SearchResult]
"""The passages for a question, found by the given ways of searching."""
AnswerSimply = Callable[[str, Sequence[Passage]], str | None]
"""The text of an answer to a question from passages, None where it is declined."""


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question with what became of it; `answer` is None where only retrieval was measured.

    `found` are paths of documents, best first; `found_alone` those by each way of searching alone, where
    that was measured.
    """

    question: Question
    trace: SearchTrace
    found: tuple[str, ...]
    answer: FinishedAnswer | None
    found_alone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baselines: Mapping[str, str | None] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """The record of the question in the report file."""
        record: dict[str, Any] = {
            "question": self.question.question,
            "category": self.question.category,
            "searched_for": self.trace.searched_for,
            "slip": asdict(self.question.slip) if self.question.slip else None,
            "corrections": [asdict(correction) for correction in self.trace.corrections],
            "answerable": self.question.answerable,
            "gold": list(self.question.gold),
            "found": list(self.found),
            "answers": list(self.question.answers),
        }
        if self.answer is None:
            return record
        return record | {
            "answer": self.answer.text,
            "declined": not self.answer.found,
            "right": self.question.answerable and is_right(self.answer.text, self.question.answers),
            "f1": measure_f1(self.answer.short_answer or self.answer.text, self.question.answers),
            "short_answer": self.answer.short_answer,
            "baselines": dict(self.baselines),
            "best_evidence": self.answer.best_evidence,
            "citations": [asdict(citation) for citation in self.answer.citations],
            "cited": sorted(list_cited(self.answer)),
            "unsupported": [self.answer.text[start:end] for start, end in self.answer.unsupported],
            "seconds": asdict(self.answer.timings),
        }


def evaluate_question(
    question: Question,
    find_passages: FindPassages,
    *,
    assistant: Assistant | None,
    corpus: str,
    passage_limit: int | None,
    alone: Collection[str] = (),
    baselines: Mapping[str, AnswerSimply] = MappingProxyType({}),
) -> QuestionResult:
    """Find passages for a question and, with an assistant, answer it from the first of them.

    :param passage_limit: how many of the passages the assistant is given; all when None.
    :param alone: the ways of searching to measure each by itself too.
    :param baselines: simpler ways to answer, by name, to measure beside the assistant.
    """
    started = time.monotonic()
    result = find_passages(question, ALL_WAYS)
    passages, trace = result.passages, result.trace
    answer = None
    if assistant is not None:
        told = None
        if passage_limit is not None:
            told = assistant.answer_without_model(
                question.question, trace.question, corpus=corpus, started=started
            )
        answer = (
            told
            or assistant.answer_from(
                question.question,
                passages[:passage_limit],
                searched_for=trace.searched_for,
                corpus=corpus,
                started=started,
                trace=trace,
            )
        ).finish()
    found_alone = {way: list_paths(find_passages(question, frozenset({way})).passages) for way in alone}
    read = passages[:passage_limit]
    simple = {name: answer_simply(trace.searched_for, read) for name, answer_simply in baselines.items()}
    return QuestionResult(question, trace, list_paths(passages), answer, found_alone, simple)


def list_cited(answer: FinishedAnswer) -> set[str]:
    """The documents that an answer cites, with their copies."""
    numbers = {citation.passage_number for citation in answer.citations}
    return set(list_paths([passage for passage in answer.passages if passage.number in numbers]))


def list_paths(passages: Sequence[Passage]) -> tuple[str, ...]:
    """The documents of passages, each once; those with a copy come right behind the one that is shown."""
    paths = [path for item in passages for path in (item.path, *(place.path for place in item.also_in))]
    return tuple(dict.fromkeys(paths))


def sample_questions(questions: Sequence[Question], *, limit: int | None, seed: int) -> list[Question]:
    """All questions, or `limit` of them drawn at random, in their first order."""
    if limit is None or limit >= len(questions):
        return list(questions)
    drawn = sorted(random.Random(seed).sample(range(len(questions)), limit))  # noqa: S311 - no secret
    return [questions[index] for index in drawn]


def misspell_question(question: Question, seed: int) -> Question:
    """The same question with a slip in one of its words."""
    text, slip = misspell(question.question, seed)
    return replace(question, question=text, slip=slip)


class GivenPassages:
    """Passages chosen without search: the gold ones among others, to measure the reader alone.

    :param count: how many passages a question is given.
    """

    def __init__(
        self, passages: Sequence[GivenPassage], embedder: Embedder, *, count: int, seed: int
    ) -> None:
        self._embedder = embedder
        self._passages = {passage.id: passage for passage in passages}
        self._words = {item.id: frozenset(find_content_words(item.text)) for item in passages}
        self._titles: dict[str, list[str]] = {}
        for passage in passages:
            self._titles.setdefault(passage.title, []).append(passage.id)
        self._count = count
        self._seed = seed

    def choose(self, question: Question) -> list[Passage]:
        """The gold passages of a question among others of the same title or nearest in words."""
        gold = [item for item in question.gold if item in self._passages][: self._count]
        others = self._choose_others(question, gold, self._count - len(gold))
        chosen = [*gold, *others]
        random.Random(f"{self._seed}/{question.question}").shuffle(chosen)  # noqa: S311 - no secret
        given = [make_given_passage(self._passages[item], number) for number, item in enumerate(chosen, 1)]
        texts = [cut_text(join_for_embedding(item.chunk), self._embedder) for item in given]
        vectors = self._embedder.embed_documents(texts)
        likeness = vectors @ self._embedder.embed_query(question.question)
        return [replace(item, similarity=float(own)) for item, own in zip(given, likeness, strict=True)]

    def _choose_others(self, question: Question, gold: Sequence[str], count: int) -> list[str]:
        titles = [self._passages[item].title for item in gold if self._passages[item].title]
        same = [item for title in titles for item in self._titles[title] if item not in gold]
        asked = frozenset(find_content_words(question.question))
        same.sort(key=lambda item: (-len(asked & self._words[item]), item))
        if len(same) >= count:
            return same[:count]
        rest = [item for item in self._passages if item not in gold and item not in same]
        rest.sort(key=lambda item: (-len(asked & self._words[item]), item))
        return [*same, *rest][:count]


def make_given_passage(passage: GivenPassage, number: int) -> Passage:
    """A passage as if search had found it, its document being the passage itself."""
    chunk = Chunk(
        id=hash_text(passage.id),
        document_id=passage.id,
        ordinal=0,
        start=0,
        end=len(passage.text),
        text=passage.text,
        headings=(),
        context=passage.title,
        page=None,
    )
    return Passage(number, chunk, "", passage.id, passage.title, None, score=1.0, similarity=1.0)
