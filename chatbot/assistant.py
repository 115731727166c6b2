"""Flow 2, answers out: question + history -> search -> passages -> model -> Answer.

The page, the HTTP API, the command line and the evaluation all call `Assistant.answer` and differ
only in how they consume the `Answer`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chatbot.conversation import make_standalone
from chatbot.errors import QuestionError
from chatbot.evidence import (
    Evidence,
    choose_quotes,
    names_what_is_missing,
    rank_evidence,
    shares_words,
)
from chatbot.grounding import (
    SourceSpan,
    find_numbers,
    ground_sentence,
    is_made_of,
    list_source_spans,
    make_citation,
    picks_among_numbers,
)
from chatbot.prompting import Prompts
from chatbot.sentences import find_content_words, find_words, split_sentences
from chatbot.tokens import fit_prompt
from chatbot.types import (
    NO_FILTERS,
    Citation,
    Embedder,
    FinishedAnswer,
    Message,
    Passage,
    PromptPlan,
    SearchFilters,
    SearchResult,
    SearchTrace,
    StopReason,
    Timings,
)
from chatbot.types import Generator as LanguageModel


class SearchPassages(Protocol):
    """Finds the passages for a question."""

    def __call__(self, question: str, *, corpus: str, limit: int, filters: SearchFilters) -> SearchResult:
        """At most `limit` passages of a corpus, best first, and how they were found."""


LONGEST_HISTORY = 6
"""So many messages of a conversation are shown to a model at most."""
QUOTING_TOKENS = 80
"""A model that only puts a sentence in other words needs no more."""


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
class Assistant:
    """Answers questions from the passages that `search` finds, in the words of `model`."""

    search: SearchPassages
    embedder: Embedder
    model: LanguageModel
    prompts: Prompts
    rules: AnswerRules

    def answer(
        self,
        question: str,
        history: Sequence[Message] = (),
        *,
        corpus: str,
        filters: SearchFilters = NO_FILTERS,
    ) -> Answer:
        """Answer a question; the passages are found before this returns, the words come on iterating.

        :param history: earlier turns, oldest first.
        :param filters: beside those that are typed in the question.
        :raises QuestionError: for an empty question or one that is too long.
        """
        started = time.monotonic()
        question = check_question(question, self.rules.question_limit_characters)
        searched_for = make_standalone(question, history)
        result = self.search(searched_for, corpus=corpus, limit=self.rules.passage_limit, filters=filters)
        return self.answer_from(
            question,
            result.passages,
            trace=result.trace,
            searched_for=result.trace.searched_for,
            corpus=corpus,
            history=history,
            started=started,
        )

    def answer_from(
        self,
        question: str,
        passages: Sequence[Passage],
        *,
        searched_for: str | None = None,
        corpus: str = "",
        history: Sequence[Message] = (),
        started: float | None = None,
        trace: SearchTrace | None = None,
    ) -> Answer:
        """Answer a question from given passages, without a search.

        :param history: earlier turns, which a model that writes freely is shown, as many as fit.
        :param trace: how the passages were found; it is kept with the answer.
        """
        request = Request(
            question,
            searched_for or question,
            corpus,
            time.monotonic() if started is None else started,
            trace,
        )
        asked = request.searched_for
        spans = list_source_spans(passages)
        follow_up = question if asked != question else None
        evidence = rank_evidence(asked, spans, self.embedder, follow_up=follow_up)
        quotes = choose_quotes(evidence, asked)
        read = narrow_passages(passages, quotes) if self.rules.quoting else passages
        answer_tokens = min(self.rules.answer_tokens, QUOTING_TOKENS if self.rules.quoting else 1 << 20)
        limit_tokens = self.model.window_tokens - answer_tokens
        fitted = fit_prompt(
            lambda kept, turns: self.prompts.write_messages(asked, kept, turns, short=self.rules.quoting),
            read,
            () if self.rules.quoting else history[-LONGEST_HISTORY:],
            count_tokens=self.model.count_tokens,
            prompt_tokens=limit_tokens,
        )
        plan = PromptPlan(
            tuple(fitted.messages),
            fitted.tokens,
            limit_tokens,
            tuple(passage.number for passage in fitted.passages),
            fitted.dropped,
        )
        words, prompt = None, None
        if self.is_answerable(asked, spans, evidence):
            words = write_nothing()
            if not self.rules.quoting or can_be_told_shorter(quotes[0], asked):
                words = self.model.stream(fitted.messages, max_new_tokens=answer_tokens)
                prompt = plan
        return Answer(
            request,
            prompt=prompt,
            passages=tuple(passages) if self.rules.quoting else fitted.passages,
            dropped=fitted.dropped,
            spans=spans,
            quotes=quotes,
            words=words,
            assistant=self,
        )

    def is_answerable(self, question: str, spans: Sequence[SourceSpan], evidence: Sequence[Evidence]) -> bool:
        """Whether the passages are likely to hold the answer; a floor of 0 means always."""
        if not evidence or self.rules.evidence_floor == 0:
            return bool(evidence)
        likely = evidence[0].score >= self.rules.evidence_floor
        return likely and not names_what_is_missing(question, spans)


def _describe_row(quote: SourceSpan) -> tuple[str, str]:
    """Heading and column names that a table row needs to be understood; empty for prose."""
    if not quote.table_header or quote.is_table_header:
        return "", ""
    return (quote.passage.chunk.headings or (quote.passage.title,))[-1], quote.table_header


def can_be_told_shorter(quote: SourceSpan, question: str) -> bool:
    """Whether a small model may add a sentence to a quote: one that gives its number.

    It is right with numbers that it cannot mistake; asked who, what or which, it often picks the
    wrong words of the quote, and the row of a table it misreads.
    """
    return not quote.table_header and bool(find_numbers(quote.text) - find_numbers(question))


def write_nothing() -> Generator[str, None, StopReason]:
    """The words of no model, where the quote says it best."""
    yield from ()
    return "end"


def narrow_passages(passages: Sequence[Passage], quotes: Sequence[SourceSpan]) -> list[Passage]:
    """The passages of the quotes, in the quotes' order, with nothing but the quoted sentences."""
    return [
        replace(quote.passage, chunk=replace(quote.passage.chunk, text=quote.text))
        for quote in quotes
        if quote.passage in passages
    ]


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
    :param prompt: what the model was sent; None where it was not asked.
    """

    def __init__(
        self,
        request: Request,
        *,
        passages: tuple[Passage, ...],
        dropped: int,
        spans: Sequence[SourceSpan],
        quotes: Sequence[SourceSpan],
        words: Generator[str, None, StopReason] | None,
        prompt: PromptPlan | None,
        assistant: Assistant,
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
        self._model_name = assistant.model.name
        self._prompts = assistant.prompts
        self._rules = assistant.rules
        self._prompt = prompt
        self._words = words
        self._quotes = quotes
        self._searched = time.monotonic()
        self._first_word: float | None = None
        self._stop_requested = False
        self._wrote_sentence = False
        self._refused = False
        self._spans = spans
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
        return added

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
        )


def is_answer(sentence: str, question: str, citation: Citation | None) -> bool:
    """Whether a small model's sentence can be trusted beside the quote that it rests on.

    It must give a number that the question did not, be made of the words of quote and question, and
    not have had to pick one among several numbers.
    """
    if sentence.rstrip().endswith("?") or not find_numbers(sentence) - find_numbers(question):
        return False
    if citation is None:
        return True
    is_faithful = is_made_of(sentence, f"{citation.quote} {question}")
    return is_faithful and not picks_among_numbers(sentence, citation.quote, question)


def check_question(question: str, limit_characters: int) -> str:
    """The question without blanks around it and without broken characters.

    :raises QuestionError: when nothing is left, or more than the limit.
    """
    stripped = question.encode("utf-8", "replace").decode().strip()
    if not stripped:
        raise QuestionError("The question is empty.", "Type a question.")
    if len(stripped) > limit_characters:
        raise QuestionError(
            f"The question has {len(stripped):,} characters; at most {limit_characters:,} are read.",
            "Shorten it.",
        )
    return stripped
