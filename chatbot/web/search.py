"""The search view as HTML: the box to type in, the filters, and the passages with their words marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from chatbot.errors import ChatbotError
from chatbot.sentences import STOP_WORDS, stem_word
from chatbot.types import (
    Corpus,
    Explanation,
    FilterChoices,
    Passage,
    SearchFilters,
    SearchResult,
    SearchTrace,
)
from chatbot.web.elements import count_words, draw_icon, render_button
from chatbot.web.export import describe_place
from chatbot.web.filter_controls import render_filter_fields, write_filters
from chatbot.web.trace import (
    render_changes,
    render_explanation,
    render_other_places,
    render_reasons,
    render_trace,
)

EXCERPT_CHARACTERS = 480
MOST_CUT_CHARACTERS = 80
"""An excerpt begins so far before its first word, and is so much shorter, that it is cut between words."""

_QUOTES = '"“”„'
_WORD = re.compile(r"[^\W_]+")
_BLANK = re.compile(r"\s")
_SYNTAX = (
    ("file:leave.md", "in the file of this name, or with it in name or title"),
    ("folder:people", "in this folder and those below it"),
    ("type:pdf", "in documents of this type"),
    ("lang:de", "in documents in this language"),
    ("after:2025", "in documents from this day, month or year on"),
    ("before:2025-06", "in documents from before it"),
    ("“exact words”", "in passages with exactly these words"),
    ("-word", "in passages without this word"),
)


def render_search_form(question: str, corpus: Corpus, *, limit_characters: int) -> str:
    """The top of the search view with the box to type in, and what stands below it while it searches."""
    back = render_button("conversation", "back", "Back to the chat", text="Back to the chat")
    return (
        f'{back}<h1>Search</h1><form class="search" role="search"><div class="field">'
        '<label class="hidden" for="search-text">Words or a question to search for</label>'
        '<input id="search-text" type="search" autocomplete="off" placeholder="Words or a question"'
        f' maxlength="{limit_characters}" value="{escape(question)}">'
        f'<button type="submit" class="send" aria-label="Search" title="Search (Enter)">{draw_icon("search")}'
        '</button></div></form><p class="waiting" id="searching" role="status" hidden><span class="dots"'
        f' aria-hidden="true"></span>Searching {count_words(corpus.documents, "document")}…</p>'
    )


def render_search_filters(choices: FilterChoices, filters: SearchFilters) -> str:
    """The filters of the search view, folded together where the window is narrow."""
    return (
        '<details class="search-filters" open><summary>Filters</summary>'
        f'<form class="filter-fields search">{render_filter_fields(choices, filters)}'
        '<button type="button" class="quiet" data-action="clear_filters">Clear</button></form></details>'
    )


def render_search_help(corpus: Corpus) -> str:
    """What can be searched and how, where nothing was searched for yet."""
    rows = "".join(f"<dt><code>{escape(sign)}</code></dt><dd>{meaning}</dd>" for sign, meaning in _SYNTAX)
    size = f"{count_words(corpus.documents, 'document')}, {count_words(corpus.chunks, 'chunk')}"
    return (
        '<section class="search-help"><p class="lead">Finds the passages that match best in '
        f"{escape(corpus.title)}: {size}. "
        "No language model is asked.</p><p>Type words or a whole question. These narrow the search:</p>"
        f"<dl>{rows}</dl></section>"
    )


def render_search_done(number: str, *, is_wanted: bool = False) -> str:
    """Tells the page's script which of its searches is over, found or failed.

    :param is_wanted: whether the script shall search for what the form holds.
    """
    return f'<span hidden data-search="{escape(number)}" data-wanted="{str(is_wanted).lower()}"></span>'


def render_search_error(error: ChatbotError) -> str:
    """Why there are no passages."""
    return (
        '<section><div class="problem" role="alert">'
        f"<p><strong>{escape(error.message)}</strong></p><p>{escape(error.next_step)}</p></div></section>"
    )


def render_found(result: SearchResult, question: str) -> str:
    """How many passages were found, and what the reader must know of the search."""
    count = count_words(len(result.passages), "passage") if result.passages else "No passage matches"
    hint = "" if result.passages else '<p class="muted">Try other words, or take filters away.</p>'
    if result.passages and result.trace.searched_for and not _share_words(result):
        hint = '<p class="change">None of these holds a word of the search: they are only the nearest.</p>'
    seconds = sum(value for _, value in result.trace.seconds)
    shown = escape(question) if set(question) & set(_QUOTES) else f"“{escape(question)}”"
    return (
        f'<section><p class="found" role="status"><strong>{count}</strong> for {shown} '
        f'<span class="muted">{seconds:.2f} s</span></p>{render_changes(result.trace)}{hint}</section>'
    )


def _share_words(result: SearchResult) -> bool:
    words = [result.trace.searched_for]
    return any(passage.word_rank or find_marks(passage.text, words) for passage in result.passages)


def render_results(result: SearchResult) -> str:
    """The passages that were found, best first."""
    words = [result.trace.searched_for, *result.trace.filters.phrases]
    cards = "".join(render_result(passage, words) for passage in result.passages)
    return f'<section class="results" aria-label="Passages">{cards}</section>'


def render_folded_trace(trace: SearchTrace, question: str, filters: SearchFilters) -> str:
    """How the passages were found, folded; opened, it asks the page for the rest, which takes longer."""
    return (
        f'<details class="explanation" data-question="{escape(question)}"'
        f' data-filters="{escape(write_filters(filters))}"><summary>How this was found</summary>'
        f'{render_trace(trace)}<p class="waiting" role="status"><span class="dots" aria-hidden="true"></span>'
        "Writing the prompt that a language model would be sent…</p></details>"
    )


def render_whole_trace(explanation: Explanation) -> str:
    """How the passages were found, and what a language model would be sent, unfolded."""
    return (
        '<details class="explanation" open><summary>How this was found</summary>'
        f"{render_explanation(explanation)}</details>"
    )


def render_result(passage: Passage, words: Sequence[str]) -> str:
    """A passage as a card: where it stands, its words, why it was found."""
    chunk = passage.chunk
    start, end = choose_excerpt(passage.text, words)
    before, after = "… " if start else "", " …" if end < len(passage.text) else ""
    place = " · ".join(part for part in (describe_place(passage), passage.path) if part)
    address = f"/documents/{escape(chunk.document_id)}?start={chunk.start}&amp;end={chunk.end}#quote"
    return (
        f'<article class="card"><h2><span class="number">{passage.number}</span>'
        f'<a href="{address}" target="_blank" rel="noopener">{escape(passage.title)}</a></h2>'
        f'<p class="place">{escape(place)}</p>'
        f"<blockquote>{before}{mark_words(passage.text[start:end], words)}{after}</blockquote>"
        f"{render_reasons(passage)}{render_other_places(passage.also_in)}</article>"
    )


def find_marks(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where words that carry meaning stand in a text, in any of their forms."""
    found = [match[0].lower() for each in words for match in _WORD.finditer(each)]
    stems = {stem_word(word) for word in found if word not in STOP_WORDS}
    return [match.span() for match in _WORD.finditer(text) if stem_word(match[0].lower()) in stems]


def mark_words(text: str, words: Sequence[str]) -> str:
    """The text as HTML with the words marked."""
    parts, position = [], 0
    for start, end in find_marks(text, words):
        parts += [escape(text[position:start]), f"<mark>{escape(text[start:end])}</mark>"]
        position = end
    return "".join([*parts, escape(text[position:])])


def choose_excerpt(text: str, words: Sequence[str]) -> tuple[int, int]:
    """The stretch of a long text that holds most of the words; a short text is given whole."""
    if len(text) <= EXCERPT_CHARACTERS:
        return 0, len(text)
    marks = find_marks(text, words)

    def count_marks(start: int) -> int:
        return len({text[a:b].lower() for a, b in marks if start <= a and b <= start + EXCERPT_CHARACTERS})

    starts = [0, *(max(start - MOST_CUT_CHARACTERS, 0) for start, _ in marks)]
    start = max(starts, key=count_marks)
    # Cut between words; where none ends nearby, as in Chinese, anywhere.
    if start and (blank := _BLANK.search(text, start, start + MOST_CUT_CHARACTERS)):
        start = blank.end()
    end = start + EXCERPT_CHARACTERS
    if end >= len(text):
        return start, len(text)
    blanks = [match.start() for match in _BLANK.finditer(text, end - MOST_CUT_CHARACTERS, end)]
    return start, blanks[-1] if blanks else end
