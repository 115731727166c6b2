"""The conversation as HTML: questions, answers with their citations, and the sources beside them.

Pure functions; whatever comes from documents, models or people is escaped here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from chatbot.errors import ChatbotError, QuestionError
from chatbot.explanation import choose_own_corrections, describe_place_in_queue
from chatbot.types import ChatTurn, Citation, Corpus, FinishedAnswer, Passage
from chatbot.web.elements import count_words, draw_icon, render_button
from chatbot.web.export import describe_quotes, write_answer
from chatbot.web.markup import Mark, Style, render_markup
from chatbot.web.placing import append_draft, place_citations, trim_spans
from chatbot.web.running import AnswerSnapshot
from chatbot.web.sources import render_sources
from chatbot.web.trace import render_changes

SHORTEST_SECONDS = 0.05
"""A time below this would be shown as 0.0."""

_UNSUPPORTED_NOTE = ' <small class="unsupported-note">not found in the documents</small>'
_WORD_JOINER = "&#8288;"  # keeps a citation on the line of its sentence


def render_transcript(turns: Sequence[ChatTurn]) -> str:
    """All finished turns of a chat."""
    last = turns[-1].id if turns else ""
    body = "".join(render_turn(turn, is_last=turn.id == last) for turn in turns)
    return f'<section class="turns" role="log" aria-live="polite" aria-label="Conversation">{body}</section>'


def render_welcome(corpus: Corpus) -> str:
    """The empty state: what can be asked here."""
    starters = "".join(
        f'<li><button type="button" class="starter" data-action="ask" data-question="{escape(question)}">'
        f"{draw_icon('search')}<span>{escape(question)}</span></button></li>"
        for question in corpus.starter_questions
    )
    if corpus.documents:
        hint = (
            f'<ul class="starters" aria-label="Questions to start with">{starters}</ul>' if starters else ""
        )
    else:
        button = render_button(
            "documents", "plus", "Add documents", text="Add documents", css="primary", corpus=corpus.name
        )
        hint = f'<p class="muted">There are no documents here yet.</p>{button}'
    return (
        f'<section class="welcome"><p class="count">{count_words(corpus.documents, "document")}</p>'
        f"<h1>{escape(corpus.title)}</h1><p class='lead'>{escape(corpus.description)}</p>{hint}</section>"
    )


def render_turn(turn: ChatTurn, *, is_last: bool) -> str:
    """A question, its answer, the buttons for it and its sources."""
    answer = turn.answer
    text = render_answer_text(
        answer.text,
        answer.passages,
        answer.citations,
        answer.unsupported,
        short_answer=answer.short_answer,
    )
    return (
        f'<article class="turn" data-turn="{escape(turn.id)}">{_render_question(turn.question)}'
        f'<div class="answer{"" if answer.found else " not-found"}">'
        f"{_render_not_found_title(answer.found)}"
        f'<div class="text">{text}</div>{render_facts(answer)}{_render_tools(turn, is_last=is_last)}</div>'
        f"{render_sources(answer.passages, answer.citations, found=answer.found)}</article>"
    )


def render_live_turn(question: str, snapshot: AnswerSnapshot, corpus: Corpus) -> str:
    """The turn that is being written, without its sources."""
    if snapshot.text or snapshot.draft.strip():
        text = render_answer_text(
            snapshot.text,
            snapshot.passages,
            snapshot.citations,
            snapshot.unsupported,
            short_answer=snapshot.short_answer,
            draft=snapshot.draft,
        )
        body = f'<div class="text{"" if snapshot.is_over else " writing"}">{text}</div>'
    elif snapshot.error:
        body = ""
    else:
        waiting = _describe_waiting(snapshot, corpus)
        body = f'<p class="waiting" role="status"><span class="dots" aria-hidden="true"></span>{waiting}</p>'
    if snapshot.error:
        body += render_error(snapshot.error, retry_question=question)
    state = "" if snapshot.is_over else ' data-writing="true" aria-busy="true"'
    body = f'<div class="answer">{body}</div>'
    return f'<article class="turn live"{state}>{_render_question(question)}{body}</article>'


def render_live_sources(snapshot: AnswerSnapshot) -> str:
    """The sources of the turn that is being written."""
    return render_sources(snapshot.passages, snapshot.citations, found=snapshot.found)


def render_error(error: ChatbotError, *, retry_question: str = "") -> str:
    """What went wrong and what to do about it."""
    button = ""
    if retry_question and isinstance(error, QuestionError):
        # The same words would fail again; they go back to where they can be changed.
        button = render_button(
            "reuse",
            "rename",
            "Change the question",
            text="Change the question",
            css="secondary",
            question=retry_question,
        )
    elif retry_question:
        button = render_button(
            "ask", "retry", "Ask again", text="Ask again", css="secondary", question=retry_question
        )
    return (
        f'<div class="problem" role="alert"><p><strong>{escape(error.message)}</strong></p>'
        f"<p>{escape(error.next_step)}</p>{button}</div>"
    )


def render_answer_text(
    text: str,
    passages: Sequence[Passage],
    citations: Sequence[Citation],
    unsupported: Sequence[tuple[int, int]],
    *,
    short_answer: str = "",
    draft: str = "",
) -> str:
    """The answer's words with a numbered button behind each sentence that rests on a source.

    `short_answer` are the words it begins with, which stand out.
    `draft` is the sentence that is still being written: shown paler, for it may be withheld.
    """
    by_number = {passage.number: passage for passage in passages}
    buttons = [
        Mark(end, _render_citation(by_number[number], [(index, citations[index]) for index in indexes]))
        for end, number, indexes in place_citations(text, citations)
        if number in by_number
    ]
    styles = [
        Style(start, end, "unsupported", "Not found in the documents")
        for start, end in trim_spans(text, unsupported)
    ]
    notes = [Mark(style.end, _UNSUPPORTED_NOTE) for style in styles]
    if short_answer and text.startswith(short_answer):
        styles.append(Style(0, len(short_answer.rstrip()), "short-answer"))
    length = len(text)
    text = append_draft(text, draft)
    if len(text) > length:
        styles.append(Style(length, len(text), "draft"))
    return render_markup(text, [*buttons, *notes], styles)


def _render_citation(passage: Passage, citations: Sequence[tuple[int, Citation]]) -> str:
    quote = " … ".join(" ".join(citation.quote.split()) for _, citation in citations)
    place = describe_quotes(passage, [citation for _, citation in citations])
    label = f"Source {passage.number}: {passage.title}, {place}: “{_shorten(quote, 160)}”"
    indexes = " ".join(str(index) for index, _ in citations)
    return (
        f'{_WORD_JOINER}<sup><button type="button" class="citation" data-action="cite"'
        f' data-citations="{indexes}" data-title="{escape(passage.title)}"'
        f' data-place="{escape(place)}" data-quote="{escape(_shorten(quote, 320))}"'
        f' aria-label="{escape(label)}">{passage.number}</button></sup>'
    )


def render_facts(answer: FinishedAnswer) -> str:
    """The small line under an answer: how it came about."""
    facts = [] if answer.stop_reason != "stopped" else ['<span class="stopped">Stopped</span>']
    if answer.stop_reason == "length":
        facts.append("Cut off at the length limit")
    trace = answer.trace
    if trace is not None:
        trace = replace(trace, corrections=choose_own_corrections(answer.question, trace.corrections))
    is_told = trace is not None and trace.corrections
    if answer.searched_for and answer.searched_for != answer.question and not is_told:
        facts.append(f"Searched for: “{escape(answer.searched_for)}”")
    if answer.timings.total >= SHORTEST_SECONDS:
        facts.append(f"{answer.timings.total:.1f} s")
    if answer.model and (answer.prompt or answer.trace is None):
        facts.append(escape(answer.model))
    if answer.dropped:
        facts.append(f"{count_words(answer.dropped, 'passage')} did not fit")
    changes = render_changes(trace) if trace else ""
    shown = f'<p class="facts">{"<span class=separator> · </span>".join(facts)}</p>' if facts else ""
    return changes + shown


def _render_tools(turn: ChatTurn, *, is_last: bool) -> str:
    numbers = {citation.passage_number for citation in turn.answer.citations}
    noun = "source" if turn.answer.found else "nearest passage"
    count = len(numbers) if turn.answer.found else len(turn.answer.passages)
    tools = [
        render_button(
            "select",
            "sources",
            "Show the sources of this answer",
            text=count_words(count, noun),
            turn=turn.id,
        )
        if turn.answer.passages
        else "",
        render_button(
            "why",
            "why",
            "How the sources of this answer were found",
            text="Why these sources?",
            turn=turn.id,
        )
        if turn.answer.trace
        else "",
        render_button(
            "copy", "copy", "Copy the answer with its sources", text="Copy", copy=write_answer(turn.answer)
        ),
        render_button("retry", "retry", "Ask this again", text="Retry", turn=turn.id, question=turn.question),
        render_button(
            "edit", "rename", "Change the question", text="Edit", turn=turn.id, question=turn.question
        )
        if is_last
        else "",
        _render_thumb(turn, "up", "Good answer"),
        _render_thumb(turn, "down", "Bad answer"),
    ]
    return f'<div class="tools" role="group" aria-label="For this answer">{"".join(tools)}</div>'


def _render_thumb(turn: ChatTurn, rating: str, label: str) -> str:
    is_pressed = turn.rating == rating
    button = render_button("rate", rating, label, turn=turn.id, rating="" if is_pressed else rating)
    return button.replace("<button", f'<button aria-pressed="{str(is_pressed).lower()}"', 1)


def _render_question(question: str) -> str:
    return f'<h2 class="question"><span class="hidden">You asked: </span>{escape(question)}</h2>'


def _render_not_found_title(found: bool) -> str:
    return "" if found else f'<p class="not-found-title">{draw_icon("search")}Not in these documents</p>'


def _describe_waiting(snapshot: AnswerSnapshot, corpus: Corpus) -> str:
    if snapshot.before:
        return f"{describe_place_in_queue(snapshot.before)}…"
    if snapshot.passages:
        return "Reading the passages…"
    return f"Searching {count_words(corpus.documents, 'document')}…"


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"


def find_corpus(corpora: Sequence[Corpus], name: str) -> Corpus:
    """The corpus of that name, else the default one."""
    return next((corpus for corpus in corpora if corpus.name == name), next(iter(corpora), _NO_CORPUS))


_NO_CORPUS = Corpus("", "No documents yet", "Add a folder of documents to corpora/ and start again.", ())
