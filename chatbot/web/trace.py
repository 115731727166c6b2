"""How passages were found, as HTML: the question's way, every hit, the times, and the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from chatbot.explanation import (
    describe_correction,
    describe_decision,
    describe_missing_prompt,
    name_page,
    name_rank,
    name_rows,
    name_stage,
)
from chatbot.filters import describe_filters
from chatbot.types import Explanation, FinishedAnswer, Passage, Place, PromptPlan, SearchHit, SearchTrace
from chatbot.web.elements import count_words, render_button


def render_explanation(explanation: Explanation) -> str:
    """How a search went, and what a model would be sent."""
    decision = describe_missing_prompt(explanation.result.trace.question)
    if explanation.prompt:
        decision = describe_decision(
            answerable=explanation.answerable,
            asks_model=explanation.asks_model,
            is_survey=explanation.is_survey,
            best_evidence=explanation.best_evidence,
            floor=explanation.floor,
        )
    return render_trace(explanation.result.trace) + _render_prompt(explanation.prompt, decision)


def render_why_dialog(turn_id: str, answer: FinishedAnswer) -> str:
    """Why an answer has its sources, in a dialog that the page's script opens."""
    if answer.trace is None:
        return ""
    if answer.prompt:
        decision = f"The language model ({answer.model}) was sent this:"
    elif answer.found:
        decision = "No language model was asked: the answer is in the documents' own words."
    else:
        decision = "No language model was asked: the documents are not likely to hold the answer."
    close = render_button("close_dialog", "close", "Close")
    return (
        f'<dialog class="question-dialog why-dialog" data-turn="{escape(turn_id)}"'
        ' aria-labelledby="why-title"><div class="why-head"><h2 id="why-title">Why these sources?</h2>'
        f"{close}</div>"
        f"{render_trace(answer.trace)}{_render_prompt(answer.prompt, decision)}</dialog>"
    )


def render_trace(trace: SearchTrace) -> str:
    """What was searched for and where, what each way of searching proposed, and the time that it took."""
    facts = [("Question", trace.question)]
    facts += [("Searched for", trace.searched_for)] if trace.searched_for != trace.question else []
    facts += [("Corrected", text) for text in list_corrections(trace)]
    facts += [("Filter", text) for text in describe_filters(trace.filters)]
    facts += [("Documents", f"{trace.documents:,} of {trace.documents_total:,} were searched")]
    facts += [("Note", note) for note in trace.notes]
    rows = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    return (
        f'<div class="trace"><dl>{rows}</dl>{_render_hits(trace.hits)}{_render_seconds(trace.seconds)}</div>'
    )


def list_corrections(trace: SearchTrace) -> list[str]:
    """The words that were taken for others, a sentence each."""
    return [describe_correction(item.word, item.replacement) for item in trace.corrections]


def render_changes(trace: SearchTrace) -> str:
    """What the reader must know of a search: other words that were searched for, filters, notes."""
    lines = []
    if trace.corrections:
        unknown = " or ".join(f"“{escape(item.word)}”" for item in trace.corrections)
        shown = f"Showing results for “<strong>{escape(trace.searched_for)}</strong>”"
        lines.append(f"{shown}: no document holds {unknown}.")
    # A note says which exact words nothing holds; to say that only they were searched would belie it.
    phrases = tuple(
        phrase for phrase in trace.filters.phrases if not any(f"“{phrase}”" in note for note in trace.notes)
    )
    filters = replace(trace.filters, phrases=phrases)
    if not filters.is_empty and trace.documents:
        parts = " · ".join(describe_filters(filters))
        where = f" ({trace.documents:,} of {count_words(trace.documents_total, 'document')})"
        lines.append(f"Only {escape(parts)}{where if trace.filters.choose_documents else ''}")
    lines += [escape(note) for note in trace.notes]
    return "".join(f'<p class="change">{line}</p>' for line in lines)


def _render_hits(hits: Sequence[SearchHit]) -> str:
    if not hits:
        return '<p class="muted">Nothing was found.</p>'
    names = ("Found", "Nearest in meaning", "Best sentence", "Shared words", "Score", "What became of it")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(_render_hit(hit) for hit in hits)
    return (
        '<div class="hits" tabindex="0" role="region" aria-label="Everything that was found">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _render_hit(hit: SearchHit) -> str:
    nearest = name_rank(hit.vector_rank) if hit.vector_rank else "–"
    words = name_rank(hit.word_rank) if hit.word_rank else "–"
    strength = f" <small>{hit.word_score:.2f}</small>" if hit.word_score is not None else ""
    sentence = "–" if hit.sentence_similarity is None else f"{hit.sentence_similarity:.3f}"
    place = " · ".join(part for part in (hit.heading, _name_place(hit), hit.path) if part)
    outcome = f"<strong>Passage {hit.number}</strong>" if hit.number else escape(hit.dropped or "–")
    return (
        f"<tr{'' if hit.number else ' class=dropped'}>"
        f'<th scope="row">{render_link(hit.document_id, hit.start, hit.end, hit.title)}'
        f'<span class="path">{escape(place)}</span></th>'
        f'<td data-label="Nearest in meaning">{nearest} <small>{hit.similarity:.3f}</small></td>'
        f'<td data-label="Best sentence"><small>{sentence}</small></td>'
        f'<td data-label="Shared words">{words}{strength}</td>'
        f'<td data-label="Score">{hit.score:.3f}</td><td data-label="What became of it">{outcome}</td></tr>'
    )


def _render_seconds(seconds: Sequence[tuple[str, float]]) -> str:
    times = "".join(
        f"<li>{escape(name_stage(stage))} <strong>{value * 1000:,.0f} ms</strong></li>"
        for stage, value in seconds
    )
    return f'<ul class="seconds" aria-label="Time of each stage">{times}</ul>' if times else ""


def _render_prompt(prompt: PromptPlan | None, decision: str) -> str:
    if prompt is None:
        return f'<p class="decision">{escape(decision)}</p>'
    numbers = ", ".join(str(number) for number in dict.fromkeys(prompt.passages)) or "none"
    dropped = f"; {count_words(prompt.dropped, 'passage')} did not fit" if prompt.dropped else ""
    messages = "".join(
        f"<h4>{escape(message.role)}</h4><pre>{escape(message.content)}</pre>" for message in prompt.messages
    )
    return (
        f'<p class="decision">{escape(decision)}</p><details class="prompt"><summary>The prompt: '
        f"{prompt.tokens:,} of {prompt.limit_tokens:,} tokens, passages {numbers}{dropped}</summary>"
        f"{messages}</details>"
    )


def render_reasons(passage: Passage) -> str:
    """Why a passage was found, in words."""
    reasons = []
    if passage.vector_rank:
        reasons.append(f"nearest in meaning, {name_rank(passage.vector_rank)}")
    if passage.word_rank:
        reasons.append(f"shared words, {name_rank(passage.word_rank)}")
    return f'<p class="reasons">{" · ".join(reasons)}</p>' if reasons else ""


def render_other_places(places: Sequence[Place]) -> str:
    """Links to where nearly the same words stand too; nothing where they stand nowhere else."""
    links = [_render_place(place) for place in places]
    return f'<p class="also">Also in: {"; ".join(links)}</p>' if links else ""


def _render_place(place: Place) -> str:
    facts = [_name_place(place), place.date or "", place.path]
    where = " · ".join(fact for fact in facts if fact)
    return f"{render_link(place.document_id, place.start, place.end, place.title)} ({escape(where)})"


def _name_place(place: Place | SearchHit) -> str:
    """The page or the rows of a place; empty where its document has neither."""
    if place.rows:
        return name_rows(place.rows.sheet, place.rows.first, place.rows.last)
    return name_page(place.path, place.page) if place.page else ""


def render_link(document_id: str, start: int, end: int, title: str) -> str:
    """A link that opens a document at some words of it, in a new tab."""
    return (
        f'<a href="/documents/{escape(document_id)}?start={start}&amp;end={end}#quote" target="_blank"'
        f' rel="noopener">{escape(title)}</a>'
    )
