"""A report as text, and its check against minimum figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chatbot.errors import SettingsError

Figures = dict[str, float]


def flatten_figures(report: dict[str, Any]) -> Figures:
    """Every number of a report by its name: `right`, `recall@5`, and in full `answers.right`.

    A short name that stands in two groups is left out (`precision` is not, `n` is).
    """
    full: Figures = {}
    for group, values in report.items():
        for key, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, dict):
                full |= {f"{group}.{key}.{name}": item for name, item in value.items() if item is not None}
            elif value is not None:
                full[f"{group}.{key}"] = value
    short: dict[str, list[str]] = {}
    for name in full:
        short.setdefault(name.split(".", 1)[1], []).append(name)
    return full | {name: full[names[0]] for name, names in short.items() if len(names) == 1}


def parse_minimum(text: str) -> tuple[str, float]:
    """`right=0.8` as name and number.

    :raises SettingsError: when it is not of that form.
    """
    name, sign, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        sign = ""
        number = 0.0
    if not sign or not name:
        raise SettingsError(f"--min {text!r} is not NAME=NUMBER.", "Write for instance --min right=0.8.")
    return name, number


def find_shortfalls(report: dict[str, Any], minima: Sequence[tuple[str, float]]) -> list[str]:
    """A sentence for each figure below its minimum.

    :raises SettingsError: for a figure that the report does not hold.
    """
    figures = flatten_figures(report)
    shortfalls = []
    for name, minimum in minima:
        if name not in figures:
            known = ", ".join(sorted(figures))
            raise SettingsError(f"The report holds no figure {name!r}.", f"It holds: {known}.")
        if figures[name] < minimum:
            shortfalls.append(f"{name} is {figures[name]:.3f}, below {minimum:g}")
    return shortfalls


def format_report(report: dict[str, Any]) -> str:
    """The figures as lines of text, a group a line."""
    lines = []
    for group, values in report.items():
        if not isinstance(values, dict):
            continue
        parts = []
        for key, value in values.items():
            if isinstance(value, dict):
                inner = ", ".join(f"{name} {_format(item)} s" for name, item in value.items())
                parts.append(f"{key} {inner}")
            else:
                parts.append(f"{key} {_format(value)}")
        lines.append(f"{group:<11} {'   '.join(parts)}")
    return "\n".join(lines)


def _format(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write a report as JSON.

    :raises SettingsError: when the file cannot be written.
    """
    try:
        path.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"The report could not be written to {path} ({error.strerror}).", "Name another file."
        ) from error
