"""Flow 2, answers out: question + history -> search -> passages -> model -> Answer.

The page, the HTTP API, the command line and the evaluation all call `Assistant.answer` and differ
only in how they consume the `Answer`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatbot.conversation import make_standalone
from chatbot.errors import QuestionError
from chatbot.grounding import (
    SourceSpan,
    find_evidence,
    ground_sentence,
    list_source_spans,
    make_citation,
)
from chatbot.prompting import Prompts
from chatbot.relevance import measure_relevance
from chatbot.sentences import find_content_words, split_sentences
from chatbot.tokens import fit_prompt
from chatbot.types import (
    Citation,
    FinishedAnswer,
    Message,
    Passage,
    StopReason,
    Timings,
)
from chatbot.types import Generator as LanguageModel


class SearchPassages(Protocol):
    """Finds the passages for a question."""

    def __call__(self, question: str, *, corpus: str, limit: int) -> list[Passage]:
        """At most `limit` passages of a corpus, best first."""


EVIDENCE_SHARE = 0.5
"""A sentence is quoted in place of an answer when it holds this share of the question's words."""


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """How answers are made.

    :param passage_limit: how many passages are found for a question.
    :param answer_tokens: the longest answer, in tokens of the model.
    :param question_limit_characters: a longer question is refused.
    :param relevance_floor: the model is asked only where the passages match at least this well.
    :param withhold_unsupported: leave sentences out that no passage backs, rather than mark them.
    """

    passage_limit: int
    answer_tokens: int
    question_limit_characters: int
    relevance_floor: float
    withhold_unsupported: bool


@dataclass(frozen=True, slots=True)
class Assistant:
    """Answers questions from the passages that `search` finds, in the words of `model`."""

    search: SearchPassages
    model: LanguageModel
    prompts: Prompts
    rules: AnswerRules

    def answer(self, question: str, history: Sequence[Message] = (), *, corpus: str) -> Answer:
        """Answer a question; the passages are found before this returns, the words come on iterating.

        :param history: earlier turns, oldest first.
        :raises QuestionError: for an empty question or one that is too long.
        """
        started = time.monotonic()
        question = check_question(question, self.rules.question_limit_characters)
        searched_for = make_standalone(question, history)
        passages = tuple(self.search(searched_for, corpus=corpus, limit=self.rules.passage_limit))
        return self.answer_from(question, passages, searched_for=searched_for, corpus=corpus, started=started)

    def answer_from(
        self,
        question: str,
        passages: Sequence[Passage],
        *,
        searched_for: str | None = None,
        corpus: str = "",
        started: float | None = None,
    ) -> Answer:
        """Answer a question from given passages, without a search."""
        request = Request(
            question, searched_for or question, corpus, time.monotonic() if started is None else started
        )
        fitted = fit_prompt(
            lambda kept, turns: self.prompts.write_messages(request.searched_for, kept, turns),
            passages,
            (),
            count_tokens=self.model.count_tokens,
            prompt_tokens=self.model.window_tokens - self.rules.answer_tokens,
        )
        relevance = measure_relevance(request.searched_for, fitted.passages)
        asks_model = bool(fitted.passages) and relevance >= self.rules.relevance_floor
        return Answer(
            request,
            passages=fitted.passages,
            dropped=fitted.dropped,
            words=self.model.stream(fitted.messages, max_new_tokens=self.rules.answer_tokens)
            if asks_model
            else None,
            model_name=self.model.name,
            prompts=self.prompts,
            withhold_unsupported=self.rules.withhold_unsupported,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, what was searched for, where, and when (by the monotonic clock)."""

    question: str
    searched_for: str
    corpus: str
    started: float


class Answer:
    """An answer on its way: iterate it for its words, or call `finish` to have it whole.

    Each iteration gives the text that was added to `text`: sentences that have been checked against
    the passages. It is empty while a sentence is being written; `draft` holds that sentence so far.
    `passages` are there from the start; `citations` and `unsupported` grow with `text`. When the
    iteration ends or is closed, `finished` holds it all.

    :param words: the model at work; None where the documents do not hold the answer.
    """

    def __init__(
        self,
        request: Request,
        *,
        passages: tuple[Passage, ...],
        dropped: int,
        words: Generator[str, None, StopReason] | None,
        model_name: str,
        prompts: Prompts,
        withhold_unsupported: bool,
    ) -> None:
        self.request = request
        self.passages = passages
        self.dropped = dropped
        self.text = ""
        self.draft = ""
        self.found = True
        self.citations: list[Citation] = []
        self.unsupported: list[tuple[int, int]] = []
        self.finished: FinishedAnswer | None = None
        self._model_name = model_name
        self._words = words
        self._prompts = prompts
        self._withhold = withhold_unsupported
        self._searched = time.monotonic()
        self._first_word: float | None = None
        self._stop_requested = False
        self._spans = list_source_spans(passages)
        self._pieces = self._write()

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def stop(self) -> None:
        """End the answer: the model stops within a token, what was written so far is kept.

        May be called from any thread, during iteration too.
        """
        self._stop_requested = True

    def finish(self) -> FinishedAnswer:
        """Write the answer to its end."""
        for _ in self:
            pass
        if self.finished is None:
            raise RuntimeError("the answer was closed before it was finished")
        return self.finished

    def close(self) -> None:
        """Stop the model and keep what was written so far."""
        self._pieces.close()
        if self.finished is None:
            self._end("stopped")

    def _write(self) -> Generator[str, None, None]:
        reason: StopReason = "stopped"
        try:
            if self._words is None:
                yield self._refuse()
                reason = "end"
            else:
                reason = yield from self._write_words(self._words)
        finally:
            if self._words is not None:
                self._words.close()
            if self.finished is None:
                self._end(reason)

    def _write_words(self, words: Generator[str, None, StopReason]) -> Generator[str, None, StopReason]:
        reason: StopReason = "stopped"
        while not self._stop_requested:
            try:
                self.draft += next(words)
            except StopIteration as end:
                reason = end.value
                break
            self._first_word = self._first_word or time.monotonic()
            yield self._take_sentences(last=False)
        yield self._take_sentences(last=True)
        if not self.text.strip() and reason != "stopped":
            yield self._quote_or_refuse()
        return reason

    def _take_sentences(self, *, last: bool) -> str:
        """Check the sentences of the draft that are complete and return the text they add."""
        spans = split_sentences(self.draft)
        consumed = 0
        added = ""
        for start, end in spans if last else spans[:-1]:
            added += self._add_sentence(self.draft[consumed:start], self.draft[start:end])
            consumed = end
        self.draft = "" if last else self.draft[consumed:]
        return added

    def _add_sentence(self, blank: str, sentence: str) -> str:
        """Append a sentence with its citation, or leave it out when nothing backs it."""
        piece = (blank if self.text else "") + sentence
        start = len(self.text) + len(piece) - len(sentence)
        citation = ground_sentence(sentence, start, self._spans, question=self.request.searched_for)
        if citation is None and find_content_words(sentence):
            if self._withhold:
                return ""
            self.unsupported.append((start, start + len(sentence)))
        if citation is not None:
            self.citations.append(citation)
        return self._append(piece)

    def _append(self, piece: str) -> str:
        self._first_word = self._first_word or time.monotonic()
        self.text += piece
        return piece

    def _refuse(self) -> str:
        """Say that the documents do not hold the answer."""
        self.found = False
        return self._append(self._prompts.not_found.substitute())

    def _quote_or_refuse(self) -> str:
        """The sentence of the documents that comes nearest, where the model's own had no support."""
        evidence = find_evidence(self.request.searched_for, self._spans, minimum=EVIDENCE_SHARE)
        if evidence is None:
            return self._refuse()
        return self._quote(evidence)

    def _quote(self, evidence: SourceSpan) -> str:
        piece = self._append(self._prompts.quote.substitute(quote=evidence.text))
        self.citations.append(make_citation(evidence, 0, len(piece), support=1.0))
        return piece

    def _end(self, reason: StopReason) -> None:
        now, started = time.monotonic(), self.request.started
        self.finished = FinishedAnswer(
            question=self.request.question,
            searched_for=self.request.searched_for,
            corpus=self.request.corpus,
            text=self.text,
            found=self.found,
            passages=self.passages,
            citations=tuple(self.citations),
            unsupported=tuple(self.unsupported),
            dropped=self.dropped,
            stop_reason=reason,
            timings=Timings(
                search=self._searched - started,
                first_word=(self._first_word or now) - started,
                total=now - started,
            ),
            model=self._model_name,
        )


def check_question(question: str, limit_characters: int) -> str:
    """The question without blanks around it.

    :raises QuestionError: when nothing is left, or more than the limit.
    """
    stripped = question.strip()
    if not stripped:
        raise QuestionError("The question is empty.", "Type a question.")
    if len(stripped) > limit_characters:
        raise QuestionError(
            f"The question has {len(stripped):,} characters; at most {limit_characters:,} are read.",
            "Shorten it.",
        )
    return stripped
