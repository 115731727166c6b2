"""A report as text, and its check against minimum figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chatbot.errors import SettingsError

Figures = dict[str, float]

INTERVALS = "intervals"
"""The group of a report that holds the 95 % intervals of the others' figures."""


def flatten_figures(report: dict[str, Any]) -> Figures:
    """Every figure of a report by its full name (`answers.right`) and by its short one (`right`).

    A short name that two groups have is that of the first: `f1` is that of the answers. A figure
    that could not be computed is 0.
    """
    full: Figures = {}
    for group, values in report.items():
        if group == INTERVALS or not isinstance(values, dict):
            continue
        for key, value in values.items():
            if isinstance(value, dict):
                full |= {f"{group}.{key}.{name}": item or 0.0 for name, item in value.items()}
            else:
                full[f"{group}.{key}"] = value or 0.0
    short: Figures = {}
    for name, figure in full.items():
        short.setdefault(name.split(".", 1)[1], figure)
    return full | short


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
        if group == INTERVALS or not isinstance(values, dict):
            continue
        intervals = report.get(INTERVALS, {}).get(group, {})
        parts = []
        for key, value in values.items():
            if isinstance(value, dict):
                inner = ", ".join(f"{name} {_format(item)} s" for name, item in value.items())
                parts.append(f"{key} {inner}")
            else:
                parts.append(f"{key} {_format(value)}{_format_interval(intervals.get(key))}")
        lines.append(f"{group:<14} {'   '.join(parts)}")
    return "\n".join(lines)


def _format(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _format_interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:.2f} to {interval[1]:.2f})"


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
