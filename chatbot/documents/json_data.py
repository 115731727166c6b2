"""JSON and JSON lines: records as lines of `key: value` below a heading that names the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chatbot.documents.data_files import read_data_text
from chatbot.documents.files import looks_like_text
from chatbot.documents.json_values import parse_json
from chatbot.documents.metadata import finish_document, name_from_path, read_date
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

NAME = "JSON"
SUFFIXES = (".json", ".jsonl", ".ndjson")

_LINES_SUFFIXES = (".jsonl", ".ndjson")
_TITLE_KEYS = ("title", "name", "label", "subject", "question", "headline", "heading", "display_name")
_IDENTITY_KEY = re.compile(r"(?:.*[_-])?(?:id|key|code|number|slug|uuid)|[a-z]+Id", re.IGNORECASE)
_DATE_KEYS = ("date", "updated", "updated_at", "modified", "last_modified", "published", "created_at")
_MAX_HEADING_CHARACTERS = 120
_MAX_LISTED_VALUES = 50
_DEEPEST_HEADING = 4

Object = dict[str, Any]

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a JSON file or one of JSON lines. Raises DocumentError."""
    value = _read_value(path)
    builder = TextBuilder()
    members = value if isinstance(value, dict) else {}
    own_title = _find_title(members, _TITLE_KEYS[:2])
    if isinstance(value, dict):
        _add_object(builder, value, 2)
    elif _is_records(value):
        _add_records(builder, value, 2)
    else:
        for item in value if isinstance(value, list) else [value]:
            builder.add("list_item", _join_values(item), 1)
    dates = [read_date(str(members.get(key, ""))) for key in _DATE_KEYS]
    return finish_document(builder, path, titles=[own_title, name_from_path(path)], dates=dates)


def _read_value(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what the file holds; JSON lines, whatever the ending, as a list."""
    source = read_data_text(path)
    if path.suffix.lower() in _LINES_SUFFIXES:
        return list(_read_lines(path, source))
    try:
        return parse_json(path, source) if source.strip() else []
    except CorruptDocument:
        first, _, rest = source.strip().partition("\n")
        if not (rest and first.startswith("{") and first.rstrip().endswith("}")):
            raise
        return list(_read_lines(path, source))


def _read_lines(path: Path, source: str) -> Iterator[Any]:
    for number, line in enumerate(source.split("\n"), 1):
        if line.strip():
            yield parse_json(path, line, first_line=number)


def _is_records(value: Any) -> bool:  # noqa: ANN401 - whatever the file holds
    """Whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _add_object(builder: TextBuilder, members: Object, level: int) -> None:
    """Add an object that stands alone: its plain values, then its objects and lists below their keys."""
    inner = {key: value for key, value in members.items() if value and _has_heading(value, level)}
    for key, value in members.items():
        if key not in inner:
            _add_lines(builder, key, value)
    for key, value in inner.items():
        builder.end_group()
        builder.add("heading", key, level)
        if isinstance(value, dict):
            _add_object(builder, value, level + 1)
        else:
            _add_records(builder, value, level + 1)


def _has_heading(value: Any, level: int) -> bool:  # noqa: ANN401 - whatever the file holds
    return level <= _DEEPEST_HEADING and (isinstance(value, dict) or _is_records(value))


def _add_records(builder: TextBuilder, records: list[Object], level: int) -> None:
    for record in records:
        key, heading = _name_record(record)
        builder.end_group()
        builder.add("heading", heading, level)
        for other, value in record.items():
            if other != key:
                _add_lines(builder, other, value)


def _name_record(record: Object) -> tuple[str, str]:
    """Return what to call a record, and the key whose value that says already."""
    title = _find_title(record, _TITLE_KEYS)
    if title:
        return next(key for key, value in record.items() if value == title), title
    plain = {key: value for key, value in record.items() if isinstance(value, str) and value.strip()}
    key = next((key for key in plain if _IDENTITY_KEY.fullmatch(key)), next(iter(plain), ""))
    if not key or len(plain[key]) > _MAX_HEADING_CHARACTERS:
        return "", ""
    return key, f"{key}: {plain[key]}"


def _find_title(members: Object, keys: tuple[str, ...]) -> str | None:
    by_name = {key.lower(): value for key, value in members.items()}
    titles = [by_name.get(key) for key in keys]
    fitting = (
        title
        for title in titles
        if isinstance(title, str) and title.strip() and len(title) <= _MAX_HEADING_CHARACTERS
    )
    return next(fitting, None)


def _add_lines(builder: TextBuilder, key: str, value: Any) -> None:  # noqa: ANN401 - whatever the file holds
    """Add a value as lines of `key: value`; keys of inner values are joined with dots."""
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            _add_lines(builder, f"{key}.{inner_key}", inner)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for number, item in enumerate(value, 1):
            _add_lines(builder, f"{key}.{number}", item)
    elif words := _join_values(value):
        builder.add("list_item", f"{key}: {words}", 1)


def _join_values(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    """Return a plain value, or the first ones of a list of them, as words."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            words = [_join_values(item) for item in value[:_MAX_LISTED_VALUES]]
            rest = " …" if len(value) > _MAX_LISTED_VALUES else ""
            return ", ".join(word for word in words if word) + rest
        case dict():
            return ", ".join(f"{key}: {_join_values(item)}" for key, item in value.items())
        case _:
            return str(value)
