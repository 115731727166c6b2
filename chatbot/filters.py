"""What a person may type among the words of a question to narrow a search, and what it matches.

    file:leave.md  folder:people  type:pdf  lang:en  after:2024  before:2025-03-01
    "exact words"  -word  -"exact words"

A filter stands alone between blanks, with no blank after its colon or hyphen; everything else is
words. The signs and the meaning of dates are those of Gmail's search.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from functools import reduce
from typing import Any

from chatbot.errors import QuestionError
from chatbot.languages import LANGUAGES
from chatbot.sentences import STOP_WORDS
from chatbot.types import NO_FILTERS, DocumentRecord, FilterChoices, SearchFilters

_QUOTED = r""" "[^\s"“”][^"“”\n]{0,200}" | [“„][^\s"“”][^"“”\n]{0,200}[”“] """
_TOKEN = re.compile(
    rf"""
    (?P<blank> ^ | \s )
    (?: (?P<key> file | folder | type | lang | language | after | before ) :
        (?P<value> {_QUOTED} | (?!//) [^\s"“”„]{{1,200}}? )
      | - (?P<excluded> {_QUOTED} | [^\W\d_] [\w'’.-]{{1,200}}? )
      | (?P<phrase> {_QUOTED} )
    )
    (?= [.,;:!?]{{0,9}} (?: \s | $ ) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DATE = re.compile(r"([0-9]{4})(?:[-/]([0-9]{1,2}))?(?:[-/]([0-9]{1,2}))?")
_LEFT_OVER = ".,;:!? \t\n"
_SAME_FORMATS = {
    "markdown": "md",
    "htm": "html",
    "text": "txt",
    "rest": "rst",
    "jpeg": "jpg",
    "tiff": "tif",
    "yml": "yaml",
    "ndjson": "jsonl",
}


def split_query(text: str) -> tuple[str, SearchFilters]:
    """The words of a question, and the filters that are typed among them.

    The words of a quoted phrase stay. A text without filters comes back as it is.

    :raises QuestionError: for a date or a language that is none.
    """
    filters = NO_FILTERS
    for match in _TOKEN.finditer(text):
        if _is_filter(match):
            filters = merge_filters(filters, _read_filter(match))
    return remove_filters(text), filters


def remove_filters(text: str) -> str:
    """The words of a question as `split_query` gives them, whatever its filters say."""
    words = _TOKEN.sub(_keep_words, text)
    return text if words == text else words.lstrip(_LEFT_OVER).rstrip()


def _keep_words(match: re.Match[str]) -> str:
    if not _is_filter(match):
        return match[0]
    return match["blank"] + _strip_quotes(match["phrase"]) if match["phrase"] else ""


def _is_filter(match: re.Match[str]) -> bool:
    """Whether what looks like a filter says something."""
    text = match["value"] or match["excluded"] or match["phrase"]
    if (match["excluded"] or "").lower() in STOP_WORDS:
        return False
    return any(character.isalnum() or character == "*" for character in text)


def _read_filter(match: re.Match[str]) -> SearchFilters:
    if match["phrase"]:
        return SearchFilters(phrases=(_strip_quotes(match["phrase"]),))
    if match["excluded"]:
        return SearchFilters(excluded=(_strip_quotes(match["excluded"]),))
    key, value = match["key"].lower(), _strip_quotes(match["value"])
    match key:
        case "file":
            return SearchFilters(files=(value,))
        case "folder":
            return SearchFilters(folders=(value,))
        case "type":
            return SearchFilters(formats=(name_format(value),))
        case "after":
            return SearchFilters(after=read_first_day(value))
        case "before":
            return SearchFilters(before=read_first_day(value))
    return SearchFilters(languages=(read_language(value),))


def _strip_quotes(text: str) -> str:
    return text.strip('"“”„ ')


def read_first_day(text: str) -> str:
    """The ISO day that a date names, or the first one of a month or year: 2024-05 is 2024-05-01.

    :raises QuestionError: when it is no date.
    """
    match = _DATE.fullmatch(text)
    try:
        year, month, day = (int(part or 1) for part in match.groups()) if match else (0, 0, 0)
        return date(year, month, day).isoformat()
    except ValueError as error:
        raise QuestionError(
            f"“{text}” is not a date that a filter understands.",
            "Write a day, a month or a year: 2024-05-31, 2024-05 or 2024.",
        ) from error


def read_language(text: str) -> str:
    """The ISO 639-1 code of a language, by its code, with a region or without, or its English name.

    :raises QuestionError: when it is no language that documents are told to be in.
    """
    wanted = text.casefold()
    code = re.split("[-_]", wanted)[0]
    if code in LANGUAGES:
        return code
    for known, name in LANGUAGES.items():
        if name.casefold() == wanted:
            return known
    raise QuestionError(
        f"“{text}” is not a language that a filter understands.",
        "Write its English name or its code of two letters, such as lang:english, lang:de or lang:fr.",
    )


def name_format(ending: str) -> str:
    """The one name of a format, by a file name's ending with its dot or without: htm is html."""
    name = ending.lower().removeprefix(".")
    return _SAME_FORMATS.get(name, name)


def merge_filters(first: SearchFilters, second: SearchFilters) -> SearchFilters:
    """The filters of both: values of one kind add up, of two dates the narrower one counts."""
    return SearchFilters(
        files=_join(first.files, second.files),
        folders=_join(first.folders, second.folders),
        formats=_join(first.formats, second.formats),
        languages=_join(first.languages, second.languages),
        after=max((day for day in (first.after, second.after) if day), default=None),
        before=min((day for day in (first.before, second.before) if day), default=None),
        phrases=_join(first.phrases, second.phrases),
        excluded=_join(first.excluded, second.excluded),
    )


def narrow_filters(first: SearchFilters, second: SearchFilters) -> SearchFilters:
    """Filters that let through only what both do.

    Of one kind the second are kept, and the first hold beside them, in `within`.
    """
    if first.is_empty or second.is_empty:
        return second if first.is_empty else first
    kinds = ("files", "folders", "formats", "languages")
    clashing: dict[str, Any] = {
        kind: getattr(first, kind)
        for kind in kinds
        if getattr(first, kind) and getattr(second, kind) not in ((), getattr(first, kind))
    }
    emptied: dict[str, Any] = dict.fromkeys(clashing, ())
    others = replace(first, within=None, **emptied)
    beside = [first.within or NO_FILTERS, second.within or NO_FILTERS, SearchFilters(**clashing)]
    within = reduce(narrow_filters, beside)
    merged = merge_filters(others, replace(second, within=None))
    return replace(merged, within=None if within.is_empty else within)


def _join(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))


def unpack_filters(values: Mapping[str, Any]) -> SearchFilters:
    """Filters from what `dataclasses.asdict` and JSON made of them, which may have been typed."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    within = fields.get("within")
    return SearchFilters(**fields | {"within": unpack_filters(within) if within else None})


def describe_filters(filters: SearchFilters) -> list[str]:
    """What the filters ask for, a short plain text each, such as “type pdf or docx”."""
    languages = [LANGUAGES.get(code, code) for code in filters.languages]
    texts = describe_filters(filters.within) if filters.within else []
    texts += [
        f"{kind} {' or '.join(values)}"
        for kind, values in (
            ("file", filters.files),
            ("folder", filters.folders),
            ("type", filters.formats),
            ("in", languages),
        )
        if values
    ]
    texts += [f"from {filters.after} on"] if filters.after else []
    texts += [f"before {filters.before}"] if filters.before else []
    texts += [f"with “{phrase}”" for phrase in filters.phrases]
    return texts + [f"without “{words}”" for words in filters.excluded]


def list_choices(records: Sequence[DocumentRecord]) -> FilterChoices:
    """What filters can choose among documents."""
    dates = sorted(record.date for record in records if record.date)
    folders = set()
    for record in records:
        parts = record.path.split("/")[:-1]
        folders |= {"/".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
    return FilterChoices(
        formats=tuple(sorted({name_format(record.format) for record in records})),
        folders=tuple(sorted(folders)),
        languages=tuple(sorted({record.language for record in records if record.language})),
        earliest=dates[0] if dates else None,
        latest=dates[-1] if dates else None,
    )


def select_documents(records: Sequence[DocumentRecord], filters: SearchFilters) -> list[DocumentRecord]:
    """The documents that the filters let through, in their order."""
    formats = {name_format(ending) for ending in filters.formats}
    selected = [
        record
        for record in records
        if (not formats or name_format(record.format) in formats)
        and (not filters.languages or record.language in filters.languages)
        and _is_dated(record, filters)
        and (not filters.folders or any(_lies_in(record, folder) for folder in filters.folders))
    ]
    if filters.within is not None:
        selected = select_documents(selected, filters.within)
    if not filters.files:
        return selected
    named = {record.id for name in filters.files for record in select_named(selected, name)}
    return [record for record in selected if record.id in named]


def _is_dated(record: DocumentRecord, filters: SearchFilters) -> bool:
    if filters.after is None and filters.before is None:
        return True
    if record.date is None:
        return False
    return (filters.after or "") <= record.date and (filters.before is None or record.date < filters.before)


def _lies_in(record: DocumentRecord, folder: str) -> bool:
    parent = record.path.rpartition("/")[0]
    return f"/{fold_text(folder).strip('/')}/" in f"/{fold_text(parent)}/"


def select_named(records: Sequence[DocumentRecord], name: str) -> list[DocumentRecord]:
    """The documents that a name means: a pattern with * or ?, else a file name or the end of a path.

    Where no file has that name, those that have it in their file name or title.
    """
    wanted = fold_text(name)
    if "*" in wanted or "?" in wanted:
        pattern = wanted.replace("[", "[[]")
        return [
            record
            for record in records
            if fnmatchcase(path := fold_text(record.path), pattern)
            or fnmatchcase(path.rpartition("/")[2], pattern)
        ]
    exact = [record for record in records if f"/{fold_text(record.path)}".endswith(f"/{wanted}")]
    return exact or [
        record
        for record in records
        if wanted in fold_text(record.path).rpartition("/")[2] or wanted in fold_text(record.title)
    ]


def holds_words(text: str, words: str) -> bool:
    """Whether a text holds words exactly: whole words, in any case, with any white space between them."""
    pattern = rf"(?<!\w){re.escape(fold_text(words))}(?!\w)"
    return re.search(pattern, fold_text(text)) is not None


def fold_text(text: str) -> str:
    """The text in one form of case, accented letters, apostrophes and white space, for comparison."""
    folded = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    return " ".join(folded.split())
