"""The sources beside an answer: a card a passage, with the quoted words marked."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from chatbot.types import Citation, Passage
from chatbot.web.elements import count_words, draw_icon, render_button
from chatbot.web.export import describe_quotes
from chatbot.web.placing import split_stretches
from chatbot.web.trace import render_other_places


def render_sources(passages: Sequence[Passage], citations: Sequence[Citation], *, found: bool = True) -> str:
    """A card for each passage; those that no sentence rests on are folded away."""
    if not passages:
        return ""
    cited = {citation.passage_number for citation in citations}
    shown = [passage for passage in passages if passage.number in cited or not found]
    rest = [passage for passage in passages if passage not in shown]
    cards = "".join(_render_card(passage, citations) for passage in shown)
    if not shown:
        cards = '<p class="muted">No sentence of this answer could be traced to a passage yet.</p>'
    if rest:
        summary = f"{count_words(len(rest), 'more passage')} {'was' if len(rest) == 1 else 'were'} read"
        folded = "".join(_render_card(passage, ()) for passage in rest)
        cards += f'<details class="rest"><summary>{summary}</summary>{folded}</details>'
    title = "Sources" if found else "Nearest passages"
    return (
        f'<aside class="sources" aria-label="{title}"><h2>{title}'
        f"{render_button('unselect', 'close', 'Close the sources', css='quiet close')}</h2>{cards}</aside>"
    )


def _render_card(passage: Passage, citations: Sequence[Citation]) -> str:
    quotes = [
        (index, citation)
        for index, citation in enumerate(citations)
        if citation.passage_number == passage.number
    ]
    start, end = (
        (quotes[0][1].source_start, quotes[0][1].source_end)
        if quotes
        else (passage.chunk.start, passage.chunk.end)
    )
    document_id, path = escape(passage.chunk.document_id), escape(passage.path)
    facts = describe_quotes(passage, [citation for _, citation in quotes]).split(" · ")
    # A dot stays at the end of its line and never begins the next one.
    place = " ".join(f"<span>{escape(fact)}</span>" for fact in [*(f"{f} ·" for f in facts[:-1]), facts[-1]])
    place = f'<p class="place">{place}</p>' if facts[0] else ""
    return (
        f'<section class="card" data-passage="{passage.number}" tabindex="-1">'
        f'<h3><span class="number">{passage.number}</span><span>{escape(passage.title)}</span></h3>'
        f"{place}<blockquote>{_highlight_quotes(passage, quotes)}</blockquote>"
        f'<p class="card-foot"><span class="path" title="{path}">{path}</span>'
        f'<a href="/documents/{document_id}?start={start}&amp;end={end}#quote" target="_blank" rel="noopener"'
        f' aria-label="Open {escape(passage.title)} at this place, in a new tab">'
        f"Open document{draw_icon('open')}</a></p>{render_other_places(passage.also_in)}</section>"
    )


def _highlight_quotes(passage: Passage, quotes: Sequence[tuple[int, Citation]]) -> str:
    """The passage's text with every quoted stretch in a <mark> that names its citations."""
    return "".join(
        f'<mark data-citations="{" ".join(map(str, indexes))}">{escape(text)}</mark>'
        if indexes
        else escape(text)
        for text, indexes in split_stretches(passage, quotes)
    )
