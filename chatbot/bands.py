"""Bands such as "up to £500", "3 to 8 years" and "above 100 kg", and which of them an amount falls into.

A question that carries an amount ("Who approves a contract worth £60,000?") is answered by one row of a
table of bands, or by one sentence of a paragraph of them: the others speak of other amounts. Where nothing
is told in bands, or none of them holds the amount, nothing changes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chatbot.amounts import UNIT_NAMES, Amount, Unit, find_amounts, give_unit
from chatbot.evidence import Evidence
from chatbot.grounding import SourceSpan
from chatbot.sentences import CELL_MARK

_UNIT_BEHIND = re.compile(rf"\s+(?:\w+\s)?({UNIT_NAMES})(?!\w)", re.IGNORECASE)
_UPPER_BEFORE = re.compile(
    r"(?:\b(?P<open>under|below|beneath|(?:less|fewer|lower|smaller|lighter|younger|shorter) than"
    r"|within the first)|\b(?:up to|at most|(?:no|not) (?:more|older|longer|heavier) than|until"
    r"|(?:a )?maximum(?: of)?|max\.?|not exceeding|first|the first)|(?P<sign>[<≤]))\s*$",
    re.IGNORECASE,
)
_LOWER_BEFORE = re.compile(
    r"(?:\b(?P<open>over|above|beyond|(?<!not )exceed(?:ing|s)?|after"
    r"|(?<!no )(?<!not )(?:more|greater|higher|larger|bigger|heavier|older|longer) than)"
    r"|\b(?:at least|from the|from|starting at|(?:no|not) (?:less|fewer) than|(?:a )?minimum(?: of)?|min\.?)"
    r"|(?P<sign>[>≥]))\s*$",
    re.IGNORECASE,
)
_UPPER_AFTER = re.compile(r"\s*(?:or|and) (?:less|fewer|under|below|younger|lower)\b", re.IGNORECASE)
_LOWER_AFTER = re.compile(
    r"\s*(?:\+|(?:or|and) (?:more|over|above|older|longer|higher|greater|up|upwards)\b|(?:up|on)wards?\b)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s*(?:to(?: under| less than| below)?|[-–—]|until|up to)\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\s*$", re.IGNORECASE)
_OF_AGE = re.compile(r"\b(?:aged?|ages|child(?:ren)?|adults?|old|young(?:er)?|teenagers?)\b", re.IGNORECASE)
_AGE_ASKED = re.compile(
    r"\b(?:aged|age of|(?:child(?:ren)?|boys?|girls?|daughter|son|kids?|people|person|someone)"
    r" (?:of|who (?:is|are)|is|under|below|over|above))\s*$",
    re.IGNORECASE,
)
_NAMES_OF_MEASURES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b(?:{names})\b", re.IGNORECASE), unit)
    for names, unit in (
        ("ages?|years?|service", "year"),
        ("days?", "day"),
        ("weights?|kg", "kg"),
        ("tonnes?", "tonne"),
        ("distances?|miles", "mile"),
        ("metres|lengths?|heights?", "metre"),
        ("people|persons|passengers|participants|employees|group size", "people"),
        ("knots", "knot"),
    )
)
_NUDGE = 1e-9
"""A question for what lies "above" an amount means one that is a little more, by this share."""


@dataclass(frozen=True, slots=True)
class Band:
    """The amounts between two bounds; a bound that is None is not there, an open one is left out itself."""

    low: float | None
    high: float | None
    unit: Unit
    is_low_open: bool = False
    is_high_open: bool = False

    def holds(self, amount: Amount) -> bool:
        """Whether an amount of the same unit lies in the band."""
        if amount.unit != self.unit:
            return False
        value = amount.value
        if self.low is not None and (value < self.low or (self.is_low_open and value == self.low)):
            return False
        return self.high is None or value < self.high or (not self.is_high_open and value == self.high)

    @property
    def width(self) -> float:
        """The distance of the bounds; infinite where one is missing."""
        return math.inf if self.low is None or self.high is None else self.high - self.low

    def measure_slack(self, amount: Amount) -> float:
        """How far an amount is from the nearer bound: the less, the closer the band fits."""
        bounds = (bound for bound in (self.low, self.high) if bound is not None)
        return min((abs(amount.value - bound) for bound in bounds), default=math.inf)


def find_amounts_asked(question: str) -> list[Amount]:
    """The amounts with a unit that a question carries; for "above £5" one that is a little more."""
    found = []
    for amount in find_amounts(question):
        before = question[: amount.start]
        if not amount.unit and not amount.is_ordinal and _AGE_ASKED.search(before):
            amount = give_unit(amount, "year")
        if not amount.unit:
            continue
        upper, lower = _UPPER_BEFORE.search(before), _LOWER_BEFORE.search(before)
        if upper and is_open(upper):
            amount = replace(amount, number=amount.number * (1 - _NUDGE))
        elif lower and is_open(lower) and not before.lower().rstrip().endswith("after"):
            amount = replace(amount, number=amount.number * (1 + _NUDGE))
        found.append(amount)
    return found


def find_bands(text: str, header: str = "") -> list[Band]:
    """The bands that a sentence, or the cell of a table, tells.

    :param header: the name of the cell's column, which may hold the unit.
    """
    amounts = find_amounts(text)
    measure = _find_measure(text, header)
    bands = []
    position = 0
    while position < len(amounts):
        following = amounts[position + 1] if position + 1 < len(amounts) else None
        band = _read_range(text, amounts[position], following, measure) if following else None
        if band is not None:
            position += 1
        else:
            band = _read_one_sided(text, amounts[position], measure)
        if band is not None and band.unit:
            bands.append(band)
        position += 1
    return bands


def _find_measure(text: str, header: str) -> str | None:
    """The unit that bare numbers have by the name of their column, or as ages."""
    named = next((name for sign in "£$€%" for name in (sign,) if sign in header), None)
    named = named or next((name for pattern, name in _NAMES_OF_MEASURES if pattern.search(header)), None)
    return named or ("year" if _OF_AGE.search(text) else None)


def _read_range(text: str, first: Amount, second: Amount, measure: str | None) -> Band | None:
    """A band with two bounds: 3 to 8 years, £10-20, between 5 and 10 kg. One may go without its unit."""
    between = text[first.end : second.start]
    is_between = _BETWEEN.search(text[: first.start]) is not None and between.strip().lower() == "and"
    joined = _RANGE.fullmatch(between)
    if not is_between and joined is None:
        return None
    if not first.unit:
        first = replace(first, unit=second.unit, factor=second.factor)
    if not second.unit:
        second = replace(second, unit=first.unit, factor=first.factor)
    first, second = give_unit(first, measure), give_unit(second, measure)
    if first.unit != second.unit or first.value > second.value:
        return None
    is_open = joined is not None and bool(re.search(r"under|less|below", between, re.IGNORECASE))
    return Band(first.value, second.value, first.unit, is_high_open=is_open)


def _read_one_sided(text: str, amount: Amount, measure: str | None) -> Band | None:
    """A band with one bound: up to £500, above 100 kg, 12 or more people, from the eighth day."""
    before, after = text[: amount.start], text[amount.end :]
    upper_after, lower_after = _UPPER_AFTER.match(after), _LOWER_AFTER.match(after)
    behind = upper_after or lower_after
    named = _UNIT_BEHIND.match(after, behind.end()) if behind else None
    amount = give_unit(give_unit(amount, named[1] if named else None), measure)
    upper, lower = _UPPER_BEFORE.search(before), _LOWER_BEFORE.search(before)
    if upper is not None and not amount.is_ordinal:
        return Band(None, amount.value, amount.unit, is_high_open=is_open(upper))
    if upper_after:
        return Band(None, amount.value, amount.unit)
    if lower_after:
        return Band(amount.value, None, amount.unit)
    if lower is not None:
        return Band(amount.value, None, amount.unit, is_low_open=is_open(lower))
    return None


def is_open(cue: re.Match[str]) -> bool:
    """Whether a cue such as "under" leaves the bound itself out, as "up to" does not."""
    return bool(cue["open"]) or cue["sign"] in ("<", ">")


def keep_right_bands(
    evidence: Sequence[Evidence], spans: Sequence[SourceSpan], question: str
) -> list[Evidence]:
    """The evidence without sentences and rows that speak of other amounts than the question's.

    The one whose band holds the amount takes the best place of its table or paragraph.

    :param spans: what the passages say; a row that was not ranked is found there.
    """
    kept = list(evidence)
    for amount in find_amounts_asked(question):
        for lines in _group_lines(spans):
            chosen = choose_line(lines, amount)
            if chosen is not None:
                best, others = chosen
                kept = _put_in_place(kept, best, others)
    return kept


def settles_amount(span: SourceSpan, question: str) -> bool:
    """Whether a sentence or row tells a band that holds an amount of the question."""
    cells = span.text.split(CELL_MARK) if span.table_header else [span.text]
    names = [*span.table_header.split(CELL_MARK), *[""] * len(cells)]
    bands = [band for cell, name in zip(cells, names, strict=False) for band in find_bands(cell, name)]
    return any(band.holds(amount) for amount in find_amounts_asked(question) for band in bands)


def _group_lines(spans: Sequence[SourceSpan]) -> list[list[SourceSpan]]:
    """The sentences of each paragraph or list, and the rows of each table."""
    groups: dict[object, list[SourceSpan]] = {}
    for span in spans:
        if span.sentences > 1 or span.is_table_header:
            continue
        passage = span.passage
        paragraph = passage.text.count("\n\n", 0, span.start - passage.chunk.start)
        table = (passage.chunk.document_id, span.table_header)
        groups.setdefault(table if span.table_header else (passage.number, paragraph), []).append(span)
    return list(groups.values())


def choose_line(lines: Sequence[SourceSpan], amount: Amount) -> tuple[SourceSpan, list[SourceSpan]] | None:
    """The sentence or row whose band holds an amount most closely, and the others that tell such bands.

    None where no band holds it, or only one line tells any.
    """
    for told in _list_bands(lines, amount.unit):
        holding = [
            (band.width, band.measure_slack(amount), place)
            for place, bands in told.items()
            for band in bands
            if band.holds(amount)
        ]
        if len(told) > 1 and holding:
            best = min(holding)[2]
            return lines[best], [lines[place] for place in told if place != best]
    return None


def _list_bands(lines: Sequence[SourceSpan], unit: Unit) -> Iterator[dict[int, list[Band]]]:
    """For each column of a table, or once for prose, the bands of a unit by the place of their line."""
    header = lines[0].table_header
    for column, name in enumerate(header.split(CELL_MARK)):
        told = {}
        for place, line in enumerate(lines):
            cells = line.text.split(CELL_MARK) if header else [line.text]
            bands = find_bands(cells[column], name) if column < len(cells) else []
            if own := [band for band in bands if band.unit == unit]:
                told[place] = own
        yield told


def _put_in_place(
    evidence: Sequence[Evidence], best: SourceSpan, others: Sequence[SourceSpan]
) -> list[Evidence]:
    """The evidence without `others`; `best` stands where the first of them all stood."""
    group = {_place(best), *map(_place, others)}
    first = next((item for item in evidence if _place(item.span) in group), None)
    if first is None:
        return list(evidence)
    own = next((item for item in evidence if _place(item.span) == _place(best)), Evidence(best, first.score))
    raised = replace(own, score=first.score)
    return [
        raised if item is first else item
        for item in evidence
        if item is first or _place(item.span) not in group
    ]


def _place(span: SourceSpan) -> tuple[int, int, int]:
    return span.passage.number, span.start, span.end
