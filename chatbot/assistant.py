"""Flow 2, answers out: question + history -> search -> passages -> model -> Answer.

The page, the HTTP API, the command line and the evaluation all call `Assistant.answer` and differ
only in how they consume the `Answer`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chatbot.answer import Answer, AnswerForm, AnswerPlan, AnswerRules, Request, ToldAnswer
from chatbot.bands import keep_right_bands
from chatbot.calculations.calculate import Calculations
from chatbot.calculations.statements import write_calculations
from chatbot.conversation.repairs import resolve_self_correction
from chatbot.conversation.small_talk import SmallTalk, recognize_small_talk
from chatbot.conversation.standalone import make_standalone
from chatbot.errors import QuestionError
from chatbot.evidence import (
    Evidence,
    SentenceVectors,
    find_named_codes,
    finds_nothing,
    names_what_is_missing,
    rank_evidence,
)
from chatbot.filters import narrow_filters, remove_filters, split_query
from chatbot.grounding import (
    SourceSpan,
    find_numbers,
    list_source_spans,
)
from chatbot.passages_to_read import read_likeliest_passages
from chatbot.prompting import Prompts
from chatbot.quotes import asks_whether, choose_quotes, choose_short_answer, find_older_statement
from chatbot.reading.reading import ReadPassages
from chatbot.spelling import apply_corrections
from chatbot.surveys.findings import SurveyFindings
from chatbot.surveys.statements import Statement, write_survey
from chatbot.surveys.survey import Survey, recognize_survey
from chatbot.tokens import fit_prompt
from chatbot.types import (
    NO_FILTERS,
    Embedder,
    Explanation,
    Message,
    Passage,
    PromptPlan,
    SearchFilters,
    SearchResult,
    SearchTrace,
    StopReason,
)
from chatbot.types import Generator as LanguageModel


class SearchPassages(Protocol):
    """Finds the passages for a question."""

    def __call__(self, question: str, *, corpus: str, limit: int, filters: SearchFilters) -> SearchResult:
        """At most `limit` passages of a corpus, best first, and how they were found."""


class LookThroughCorpus(Protocol):
    """Finds what the corpus as a whole holds for a survey."""

    def __call__(
        self,
        survey: Survey,
        question: str,
        *,
        corpus: str,
        filters: SearchFilters,
        stop: threading.Event | None = None,
    ) -> SurveyFindings:
        """Every document or item that the survey asks for; nothing where `stop` is set meanwhile."""


class CalculateAnswer(Protocol):
    """Computes what a question asks of a table."""

    def __call__(self, question: str, *, corpus: str, filters: SearchFilters) -> Calculations | None:
        """What came out; None for a question that names no table clearly."""


ReadSentenceVectors = Callable[[Sequence[Passage]], SentenceVectors]

LONGEST_HISTORY = 6
"""So many messages of a conversation are shown to a model at most."""
QUOTING_TOKENS = 80
"""A model that only puts a sentence in other words needs no more."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """Answers questions from the passages that `search` finds, in the words of `model`.

    A question about the corpus as a whole is answered from what `look_through` finds, without the model;
    where that is None, it is taken for an ordinary one. What is to be computed from a table is left to
    `calculate`, where there is one. `read_sentence_vectors` gives the vectors that the
    library holds of the passages' sentences; `read_passages` asks the reading model where in the passages
    the answer stands.
    """

    search: SearchPassages
    embedder: Embedder
    model: LanguageModel
    prompts: Prompts
    rules: AnswerRules
    look_through: LookThroughCorpus | None = None
    read_sentence_vectors: ReadSentenceVectors | None = None
    read_passages: ReadPassages | None = None
    calculate: CalculateAnswer | None = None

    def answer(
        self,
        question: str,
        history: Sequence[Message] = (),
        *,
        corpus: str,
        filters: SearchFilters = NO_FILTERS,
        stop: threading.Event | None = None,
    ) -> Answer:
        """Answer a question; the passages are found before this returns, the words come on iterating.

        :param history: earlier turns, oldest first.
        :param filters: those that are typed in the question narrow them.
        :param stop: set while the whole corpus is looked through, it ends that.
        :raises QuestionError: for an empty question, one that is too long, and filters without a question.
        """
        started = time.monotonic()
        question = check_question(question, self.rules.question_limit_characters)
        searched_for, typed = read_question(question, history)
        if not searched_for:
            raise QuestionError(
                "There are filters, but no question.",
                "Write beside them what you want to know. To see what they match, search for them.",
            )
        filters = narrow_filters(filters, typed)
        told = self.answer_without_model(
            question, searched_for, corpus=corpus, filters=filters, started=started, stop=stop
        )
        if told is not None:
            return told
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

    def answer_without_model(
        self,
        question: str,
        searched_for: str,
        *,
        corpus: str,
        filters: SearchFilters = NO_FILTERS,
        started: float,
        stop: threading.Event | None = None,
    ) -> Answer | None:
        """The answer to small talk, and to what is computed from a table or asked of the whole corpus.

        None for other questions, and where nothing was found that an ordinary search might find under other
        words.
        """
        form = AnswerForm("", self.prompts, self.rules)
        if talk := recognize_small_talk(question):
            request = Request(question, question, corpus, started)
            return ToldAnswer(request, write_small_talk(talk, self.prompts), (), form, found=True)
        survey = recognize_survey(searched_for)
        if self.calculate is not None and (survey is None or survey.kind in ("list_members", "list_items")):
            computed = self.calculate(searched_for, corpus=corpus, filters=filters)
            if computed is not None:
                request = Request(question, searched_for, corpus, started, computed.trace)
                statements = write_calculations(computed, self.prompts)
                return ToldAnswer(request, statements, computed.passages, form, found=computed.found)
        if survey is None or self.look_through is None:
            return None
        findings = self.look_through(survey, searched_for, corpus=corpus, filters=filters, stop=stop)
        if findings.is_left_open:
            return None
        request = Request(question, searched_for, corpus, started, findings.trace)
        return ToldAnswer(
            request,
            write_survey(findings, self.prompts),
            findings.passages,
            form,
            found=findings.count > 0 or findings.is_stopped,
            is_stopped=findings.is_stopped,
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
        plan = self.plan_answer(request, passages, history)
        words = None
        if plan.is_answerable:
            words = write_nothing()
            if plan.asks_model and plan.prompt:
                words = self.model.stream(plan.prompt.messages, max_new_tokens=plan.answer_tokens)
        return Answer(request, plan, AnswerForm(self.model.name, self.prompts, self.rules), words)

    def explain(
        self,
        question: str,
        history: Sequence[Message] = (),
        *,
        corpus: str,
        filters: SearchFilters = NO_FILTERS,
        limit: int | None = None,
    ) -> Explanation:
        """Take the road of `answer` up to where the model would be called, and tell what was found.

        :param limit: how many passages to give; the prompt is made of those that an answer would read.
            There is none for filters without a question.
        :raises QuestionError: for an empty question or one that is too long.
        """
        question = check_question(question, self.rules.question_limit_characters)
        searched_for, typed = read_question(question, history)
        filters = narrow_filters(filters, typed)
        limit = limit or self.rules.passage_limit
        result = self.search(searched_for, corpus=corpus, limit=limit, filters=filters)
        if not searched_for:
            return Explanation(result)
        request = Request(question, result.trace.searched_for, corpus, time.monotonic(), result.trace)
        read = result
        if limit != self.rules.passage_limit:
            # Where more passages are wanted, more neighbours are joined: those of an answer are other ones.
            read = self.search(searched_for, corpus=corpus, limit=self.rules.passage_limit, filters=filters)
        plan = self.plan_answer(request, read.passages, history)
        told = self.answer_without_model(
            question, searched_for, corpus=corpus, filters=filters, started=request.started
        )
        return Explanation(
            result,
            plan.prompt,
            answerable=plan.is_answerable,
            asks_model=plan.asks_model and told is None,
            is_survey=told is not None,
            best_evidence=plan.best_evidence,
            floor=self.rules.evidence_floor,
        )

    def plan_answer(
        self, request: Request, passages: Sequence[Passage], history: Sequence[Message]
    ) -> AnswerPlan:
        """Decide what an answer rests on and what the model is sent, without calling it."""
        asked = request.searched_for
        spans = list_source_spans(passages)
        corrections = request.trace.corrections if request.trace else ()
        words = apply_corrections(resolve_self_correction(remove_filters(request.question)), corrections)
        follow_up = None if not words or asked in (request.question, words) else words
        known = self.read_sentence_vectors(passages) if self.read_sentence_vectors else {}
        reading = None
        if self.read_passages:
            reading = read_likeliest_passages(
                self.read_passages, asked, passages, spans, known, self.embedder
            )
        evidence = rank_evidence(
            asked, spans, self.embedder, follow_up=follow_up, known_vectors=known, reading=reading
        )
        evidence = keep_right_bands(evidence, spans, asked)
        quotes = choose_quotes(evidence, asked)
        short_answer = choose_short_answer(evidence, asked) if self.rules.quoting else None
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
        prompt = PromptPlan(
            tuple(fitted.messages),
            fitted.tokens,
            limit_tokens,
            tuple(passage.number for passage in fitted.passages),
            fitted.dropped,
        )
        is_answerable = self.is_answerable(asked, spans, evidence)
        return AnswerPlan(
            passages=tuple(passages) if self.rules.quoting else fitted.passages,
            spans=spans,
            quotes=quotes,
            short_answer=short_answer,
            older=find_older_statement(evidence, quotes, asked) if self.rules.quoting else None,
            prompt=prompt,
            answer_tokens=answer_tokens,
            is_answerable=is_answerable,
            asks_model=is_answerable and self.asks_model(quotes, short_answer, asked),
            best_evidence=evidence[0].confidence if evidence else 0.0,
        )

    def asks_model(
        self, quotes: Sequence[SourceSpan], short_answer: SourceSpan | None, question: str
    ) -> bool:
        """Whether the model has something to add to what is quoted."""
        if not self.rules.quoting:
            return True
        return short_answer is None and can_be_told_shorter(quotes[0], question)

    def is_answerable(self, question: str, spans: Sequence[SourceSpan], evidence: Sequence[Evidence]) -> bool:
        """Whether the passages are likely to hold the answer; a floor of 0 means always."""
        if not evidence or self.rules.evidence_floor == 0:
            return bool(evidence)
        # A reader of words has none for yes or no, and confuses cells. What stands under the code that is
        # asked about is about it.
        best = evidence[0].span
        is_of_code = bool(codes := find_named_codes(question)) and codes <= best.numbers
        may_veto = not asks_whether(question) and not best.table_header and not is_of_code
        likely = evidence[0].confidence >= self.rules.evidence_floor
        likely = likely and not (may_veto and finds_nothing(evidence))
        return likely and not names_what_is_missing(question, spans)


def read_question(question: str, history: Sequence[Message]) -> tuple[str, SearchFilters]:
    """What to search for, a follow-up made to stand alone, and the filters that the question holds.

    Filters of earlier questions do not count. A question of filters alone is the one before it,
    asked again; it is empty where there is none.

    :raises QuestionError: for a filter that cannot be used.
    """
    words, filters = split_query(question)
    earlier = [
        replace(message, content=remove_filters(message.content)) if message.role == "user" else message
        for message in history
    ]
    while not words and earlier:
        message = earlier.pop()
        words = message.content if message.role == "user" else ""
    return make_standalone(words, earlier), filters


def write_small_talk(talk: SmallTalk, prompts: Prompts) -> list[Statement]:
    """What is said back, of which nothing stands in a document."""
    texts = {
        "greeting": prompts.greeting,
        "thanks": prompts.thanks,
        "goodbye": prompts.goodbye,
        "abilities": prompts.abilities,
    }
    return [Statement(texts[talk].substitute())]


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
