"""Versions of one document: files whose names differ in numbers only and whose dates differ."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d+")


def is_newer_version(path: str, date: str | None, other_path: str, other_date: str | None) -> bool:
    """Whether a document is a later version of another, by their paths and stated dates."""
    if path == other_path or not date or not other_date or date <= other_date:
        return False
    return _NUMBERS.sub("", path) == _NUMBERS.sub("", other_path)
