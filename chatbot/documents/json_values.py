"""Parsing JSON that may be hostile: too deep, or not JSON at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from chatbot.errors import CorruptDocument

MAX_DEPTH = 200

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


def parse_json(path: Path, source: str, *, first_line: int = 1) -> Any:  # noqa: ANN401 - whatever it holds
    """Return what a JSON text holds, its numbers as the texts that are written there.

    `first_line` is the line of the file at which `source` begins. Raises CorruptDocument for what is not JSON
    or nests more than `MAX_DEPTH` deep.
    """
    if measure_depth(source) > MAX_DEPTH:
        raise CorruptDocument(
            f"“{path.name}” nests its values too deeply to be read.",
            f"Save it with at most {MAX_DEPTH} levels.",
        )
    try:
        return json.loads(source, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise CorruptDocument(
            f"“{path.name}” is not JSON from line {first_line + error.lineno - 1:,} on.",
            "Mend it there, or give the file the ending that fits.",
        ) from error


def measure_depth(source: str) -> int:
    """Return how many brackets are open at once, those in strings aside."""
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(source):
        first = match[0][0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first != '"':
            depth -= 1
    return deepest
