"""The controls that narrow a search or a chat to some of the documents, and what they send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from chatbot.errors import QuestionError
from chatbot.filters import describe_filters, unpack_filters
from chatbot.languages import LANGUAGES
from chatbot.types import NO_FILTERS, FilterChoices, SearchFilters
from chatbot.web.elements import draw_icon
from chatbot.web.schemas import Json, filters_to_json, read_filters

LONGEST_MESSAGE = 20_000

ADDRESS_NAMES = {
    "file": "files",
    "folder": "folders",
    "type": "formats",
    "language": "languages",
    "after": "after",
    "before": "before",
}
"""What the fields of filters are called in the page's address."""


def write_filters(filters: SearchFilters) -> str:
    """Filters as the page keeps them: JSON without what is empty."""
    return json.dumps(list_set(filters), ensure_ascii=False)


def list_set(filters: SearchFilters) -> Json:
    """The filters that are set, by name."""
    return {name: value for name, value in filters_to_json(filters).items() if value}


def parse_filters(text: str) -> SearchFilters:
    """The filters that a page sent.

    :raises QuestionError: for anything that `write_filters` does not write.
    """
    if not text:
        return NO_FILTERS
    try:
        return read_filters(json.loads(text[:LONGEST_MESSAGE]))
    except ValueError as error:
        raise QuestionError("The filters were not understood.", "Reload the page.") from error


def read_address(query: Sequence[tuple[str, str]]) -> SearchFilters:
    """The filters that an address names.

    :raises QuestionError: for one that cannot be used.
    """
    lists: dict[str, list[str]] = {}
    for name, text in query:
        if name in ADDRESS_NAMES:
            lists.setdefault(ADDRESS_NAMES[name], []).append(text)
    days = {name: texts[-1] for name, texts in lists.items() if name in ("after", "before")}
    return read_filters(lists | days)


def render_filter_fields(choices: FilterChoices, filters: SearchFilters) -> str:
    """A field for each kind of filter; what no document has is not offered."""
    languages = [(code, LANGUAGES.get(code, code)) for code in choices.languages]
    return (
        '<label class="filter-field"><span>File or title</span>'
        f'<input name="files" data-list="true" autocomplete="off" maxlength="200"'
        f' value="{escape(_first(filters.files))}"></label>'
        + _render_select("folders", "Folder", [(path, path) for path in choices.folders], filters.folders)
        + _render_select("formats", "Type", [(name, name) for name in choices.formats], filters.formats)
        + _render_select("languages", "Language", languages, filters.languages)
        + _render_day("after", "From", filters.after)
        + _render_day("before", "Before", filters.before)
        + _render_dates(choices)
    )


def _render_dates(choices: FilterChoices) -> str:
    if not choices.earliest or not choices.latest:
        return ""
    dates = f"from {escape(choices.earliest)} to {escape(choices.latest)}"
    return f'<p class="muted">Documents are dated {dates}.</p>'


def _first(values: Sequence[str]) -> str:
    return values[0] if values else ""


def _render_select(name: str, label: str, choices: Sequence[tuple[str, str]], chosen: Sequence[str]) -> str:
    known = [value for value, _ in choices]
    offered = [("", "Any"), *choices, *((value, value) for value in chosen if value not in known)]
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == _first(chosen) else ""}>'
        f"{escape(text)}</option>"
        for value, text in offered
    )
    return (
        f'<label class="filter-field"><span>{label}</span>'
        f'<select name="{name}" data-list="true" autocomplete="off">{options}</select></label>'
    )


def _render_day(name: str, label: str, value: str | None) -> str:
    return (
        f'<label class="filter-field"><span>{label}</span><input type="date" name="{name}"'
        f' autocomplete="off" value="{escape(value or "")}"></label>'
    )


def render_chat_filters(choices: FilterChoices, filters: SearchFilters) -> str:
    """The filters of the chat as chips to take away, and the dialog to choose them in."""
    chips = "".join(_render_chip(text, rest) for text, rest in list_removals(filters))
    shown = (
        f'<div class="chips" role="group" aria-label="Filters of this chat">{chips}</div>' if chips else ""
    )
    return (
        f'<div class="chat-filters" data-filters="{escape(write_filters(filters))}">{shown}'
        '<dialog class="question-dialog filter-dialog" aria-labelledby="filter-title">'
        '<form method="dialog" class="filter-form"><h2 id="filter-title">Filters</h2>'
        "<p>Questions are answered from the documents that match, until you take the filters away.</p>"
        f'<div class="filter-fields">{render_filter_fields(choices, filters)}</div><p>'
        '<button type="button" class="secondary" data-action="clear_filters">Clear</button>'
        '<button type="button" class="secondary" data-action="close_dialog">Cancel</button>'
        '<button type="submit" class="primary">Apply</button></p></form></dialog></div>'
    )


def list_removals(filters: SearchFilters) -> list[tuple[str, SearchFilters]]:
    """For each filter its name in words, and the filters that are left without it."""
    values = list_set(filters)
    removals = []
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            rest = [other for other in value if other != one] if isinstance(value, list) else None
            alone = unpack_filters({name: one if rest is None else [one]})
            removals.append((describe_filters(alone)[0], unpack_filters(values | {name: rest})))
    return removals


def _render_chip(text: str, rest: SearchFilters) -> str:
    left = escape(write_filters(rest))
    return (
        f'<button type="button" class="chip" data-action="filter" data-filters="{left}"'
        f' aria-label="Take away the filter: {escape(text)}"><span>{escape(text)}</span>'
        f"{draw_icon('close')}</button>"
    )
