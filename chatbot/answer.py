"""An answer on its way: words of a model checked sentence by sentence, quotes, and what is kept of it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from chatbot.grounding import (
    SourceSpan,
    find_numbers,
    ground_sentence,
    is_made_of,
    keeps_units,
    make_citation,
    picks_among_numbers,
)
from chatbot.prompting import Prompts
from chatbot.quotes import shares_words
from chatbot.sentences import find_content_words, find_words, split_sentences
from chatbot.surveys.findings import SurveyFindings
from chatbot.surveys.statements import Statement, write_survey
from chatbot.types import (
    Citation,
    FinishedAnswer,
    Passage,
    PromptPlan,
    SearchTrace,
    StopReason,
    Timings,
)


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """How answers are made.

    :param passage_limit: how many passages are found for a question.
    :param answer_tokens: the longest answer, in tokens of the model.
    :param question_limit_characters: a longer question is refused.
    :param evidence_floor: an answer is given only where the best sentence scores at least this.
    :param withhold_unsupported: leave sentences out that no passage backs, rather than mark them.
    :param quoting: for small models: they read the best sentences only and write one sentence, and
        the best sentences are quoted below it. Else the model reads whole passages.
    """

    passage_limit: int
    answer_tokens: int
    question_limit_characters: int
    evidence_floor: float
    withhold_unsupported: bool
    quoting: bool


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """All that is settled about an answer before its first word.

    `passages` are those that the answer shows; `spans` their sentences, `quotes` the best of them.
    `short_answer` are the few words of a source that answer the question, where there are any; `older` is
    what an older version of it says instead. `prompt` is what the model is sent if `asks_model`, for at
    most `answer_tokens` in return.
    """

    passages: tuple[Passage, ...]
    spans: Sequence[SourceSpan]
    quotes: Sequence[SourceSpan]
    short_answer: SourceSpan | None = None
    older: SourceSpan | None = None
    prompt: PromptPlan | None = None
    answer_tokens: int = 0
    is_answerable: bool = False
    asks_model: bool = False
    best_evidence: float = 0.0


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How an answer is written down: by which model, with which texts, by which rules."""

    model_name: str
    prompts: Prompts
    rules: AnswerRules


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, what was searched for, where, when (by the monotonic clock), and how it was found."""

    question: str
    searched_for: str
    corpus: str
    started: float
    trace: SearchTrace | None = None


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
        plan: AnswerPlan,
        form: AnswerForm,
        words: Generator[str, None, StopReason] | None,
    ) -> None:
        self.request = request
        self.passages = plan.passages
        self.dropped = plan.prompt.dropped if plan.prompt else 0
        self.text = ""
        self.draft = ""
        self.found = True
        self.citations: list[Citation] = []
        self.unsupported: list[tuple[int, int]] = []
        self.finished: FinishedAnswer | None = None
        self._model_name = form.model_name
        self._prompts = form.prompts
        self._rules = form.rules
        self._prompt = plan.prompt if plan.asks_model else None
        self._words = words
        self._spans = plan.spans
        self._quotes = plan.quotes
        self._short_span = plan.short_answer
        self._older_span = plan.older
        self._best_evidence = plan.best_evidence
        self.short_answer = ""
        self._searched = time.monotonic()
        self._first_word: float | None = None
        self._stop_requested = False
        self._wrote_sentence = False
        self._refused = False
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
        if self._short_span is not None and not self._stop_requested:
            yield self._add_short_answer(self._short_span)
        while not self._stop_requested:
            try:
                piece = next(words)
            except StopIteration as end:
                reason = end.value
                break
            if not piece:
                yield ""
                continue
            self.draft += piece
            self._first_word = self._first_word or time.monotonic()
            sentences = self._take_sentences(last=False)
            yield sentences
            if self._rules.quoting and (sentences or self._wrote_sentence):
                reason = "end"
                break
        yield self._take_sentences(last=True)
        if self._refused and not self._rules.quoting and not self.text.strip():
            yield self._refuse()
        elif reason != "stopped" and (self._rules.quoting or not self.text.strip()):
            yield self._add_quotes()
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
        if self._wrote_sentence and self._rules.quoting:
            return ""
        self._wrote_sentence = True
        if self._is_refusal(sentence):
            self._refused = True
            return ""
        piece = (blank if self.text else "") + sentence
        start = len(self.text) + len(piece) - len(sentence)
        asked = self.request.searched_for
        sources = self._quotes[:1] if self._rules.quoting else self._spans
        citation = ground_sentence(sentence, start, sources, question=asked)
        if self._rules.quoting and not is_answer(sentence, asked, citation):
            return ""
        if citation is None and find_content_words(sentence):
            if self._rules.withhold_unsupported:
                return ""
            self.unsupported.append((start, start + len(sentence)))
        if citation is not None:
            self.citations.append(citation)
        return self._append(piece)

    def _add_short_answer(self, span: SourceSpan) -> str:
        """The few words of a source that answer the question, in front of all else."""
        self.short_answer = self._append(self._prompts.write_short_answer(span.text))
        self.citations.append(make_citation(span, 0, len(self.text), support=1.0))
        return self.short_answer

    def _add_quotes(self) -> str:
        """The sentences that most likely answer the question, in the documents' own words."""
        added = ""
        for quote in self._quotes:
            if self.text and shares_words(quote.text, self.text):
                continue
            gap = "\n\n" if self.text else ""
            piece = self._append(gap + self._prompts.write_quote(quote.text, *_describe_row(quote)))
            self.citations.append(
                make_citation(quote, len(self.text) - len(piece) + len(gap), len(self.text), support=1.0)
            )
            added += piece
        if self._older_span is not None:
            added += self._add_older_version(self._older_span)
        return added

    def _add_older_version(self, span: SourceSpan) -> str:
        """What an older version says instead, so that nobody who knows it wonders."""
        gap = "\n\n" if self.text else ""
        piece = self._append(gap + self._prompts.write_older_version(span.text, span.passage.title))
        self.citations.append(
            make_citation(span, len(self.text) - len(piece) + len(gap), len(self.text), support=1.0)
        )
        return piece

    def _append(self, piece: str) -> str:
        self._first_word = self._first_word or time.monotonic()
        self.text += piece
        return piece

    def _is_refusal(self, sentence: str) -> bool:
        """Whether the model says in the words of prompts/not_found.md that it found nothing."""
        refusal = find_words(self._prompts.not_found.substitute())
        return bool(refusal) and find_words(sentence) == refusal

    def _refuse(self) -> str:
        """Say that the documents do not hold the answer."""
        self.found = False
        return self._append(self._prompts.not_found.substitute())

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
            trace=self.request.trace,
            prompt=self._prompt,
            short_answer=self.short_answer,
            best_evidence=self._best_evidence,
        )


class SurveyAnswer(Answer):
    """The answer to a question about the corpus as a whole; no model is asked."""

    def __init__(self, request: Request, findings: SurveyFindings, form: AnswerForm) -> None:
        super().__init__(request, AnswerPlan(findings.passages, (), ()), form, None)
        self.found = findings.count > 0 or findings.is_stopped
        self._statements = write_survey(findings, form.prompts)
        if findings.is_stopped:
            self.stop()

    def _write(self) -> Generator[str, None, None]:
        reason: StopReason = "stopped"
        try:
            for statement in self._statements:
                if self._stop_requested:
                    return
                yield self._add_statement(statement)
            if not self._stop_requested:
                reason = "end"
        finally:
            if self.finished is None:
                self._end(reason)

    def _add_statement(self, statement: Statement) -> str:
        self._append(statement.text)
        if statement.span is not None:
            start, end = len(self.text) - statement.cited, len(self.text)
            self.citations.append(make_citation(statement.span, start, end, support=1.0))
        return statement.text


def is_answer(sentence: str, question: str, citation: Citation | None) -> bool:
    """Whether a small model's sentence can be trusted beside the quote that it rests on.

    It must give a number that the question did not, be made of the words of quote and question, keep
    the signs of its amounts, and not have had to pick one among several numbers.
    """
    if sentence.rstrip().endswith("?") or not find_numbers(sentence) - find_numbers(question):
        return False
    if citation is None:
        return True
    is_faithful = is_made_of(sentence, f"{citation.quote} {question}")
    is_faithful = is_faithful and keeps_units(sentence, f"{citation.quote} {question}")
    return is_faithful and not picks_among_numbers(sentence, citation.quote, question)


def _describe_row(quote: SourceSpan) -> tuple[str, str]:
    """Heading and column names that a table row needs to be understood; empty for prose."""
    if not quote.table_header or quote.is_table_header:
        return "", ""
    return (quote.passage.chunk.headings or (quote.passage.title,))[-1], quote.table_header
