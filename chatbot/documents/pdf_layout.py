"""From the lines of a PDF's pages to paragraphs, headings and list items: pure functions over lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chatbot.types import BlockKind

# What the PDF engine writes where a word was hyphenated at the end of a line and goes on in the next.
HYPHENATION_MARK = "\ufffe"

_HEADING_SCALE = 1.15
_MAX_HEADING_CHARACTERS = 120
_MAX_HEADING_LINES = 3
_FULL_LINE_SHARE = 0.75
_PARAGRAPH_GAP = 1.35
_SENTENCE_GAP = 2.2
_COLUMN_STEP_POINTS = 36
_MAX_BOLD_SHARE = 0.3
_MAX_HEADING_SHARE = 0.2
_MIN_COMMON_LINES = 6
_SPARSE_EM_PER_CHARACTER = 0.85
_MARGIN_SHARE = 0.12
_MIN_PAGES_WITH_FURNITURE = 3
_FURNITURE_SHARE = 0.45

_ITEM = re.compile(r"(?P<bullet>[•●○◦▪■‣⁃∙·*–—-])\s+\S|(?P<number>\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])\s+\S")
_BULLET = re.compile(r"[•●○◦▪■‣⁃∙·*–—-]\s+")
_RULER = re.compile(r"[\s=_*~.-]{3,}$")
_HYPHENATED = re.compile(rf"\b(\w+){HYPHENATION_MARK}(?=(\w+))")
_SENTENCE_END = re.compile(r"[.!?:;][\"”’)\]]*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page, or several that hyphenation ties together; all lengths in points.

    Places are measured along the writing: `left` and `right` grow in its direction, `baseline` (of the first
    line) and `last_baseline` fall from line to line. `depth` is how far down the page the baseline lies,
    from 0 at the top to 1. `angle` is the direction of writing in degrees.
    """

    text: str
    left: float
    right: float
    baseline: float
    last_baseline: float
    size: float
    depth: float
    angle: int = 0
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Typography:
    """How a document tells headings from its body: sizes in points, heading sizes largest first."""

    body_size: float
    heading_sizes: tuple[int, ...]
    is_bold_rare: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A block to be: its kind, its words and its level."""

    kind: BlockKind
    text: str
    level: int = 0


def remove_furniture(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return the pages without the headers, footers and page numbers that most of them repeat.

    Lines of the margins count as the same when they differ in digits only; lines larger than the body must
    be the same to the letter ("Chapter 2" is no header), and the first of them stays: it may be the title.
    """
    used = sum(1 for page in pages if page)
    if used < _MIN_PAGES_WITH_FURNITURE:
        return [list(page) for page in pages]
    body_size = _find_body_size([line for page in pages for line in page])
    seen = Counter(key for page in pages for key in {_furniture_key(line, body_size) for line in page})
    enough = max(_MIN_PAGES_WITH_FURNITURE, used * _FURNITURE_SHARE)
    repeated = {key for key, count in seen.items() if key and count >= enough}
    kept: list[list[Line]] = []
    titles: set[str] = set()
    for page in pages:
        kept.append([])
        for line in page:
            key = _furniture_key(line, body_size)
            is_title = line.size >= body_size * _HEADING_SCALE and key not in titles
            if key not in repeated or is_title:
                kept[-1].append(line)
            titles.add(key)
    return kept


def _furniture_key(line: Line, body_size: float) -> str:
    if _MARGIN_SHARE < line.depth < 1 - _MARGIN_SHARE:
        return ""
    text = " ".join(line.text.split())
    is_large = line.size >= body_size * _HEADING_SCALE
    return text if is_large else re.sub(r"\d+|\b[ivxlc]+\b", "#", text)


def _find_body_size(lines: Iterable[Line]) -> float:
    return _find_most_common((round(line.size * 2) / 2, len(line.text)) for line in lines)


def find_typography(lines: Sequence[Line]) -> Typography:
    """Return in which size most characters are set, and in which larger ones short lines are."""
    angle = _find_most_common((line.angle, len(line.text)) for line in lines)
    upright = [line for line in lines if line.angle == angle]
    body_size = _find_body_size(upright)
    bold = sum(1 for line in lines if line.is_bold)
    counts = Counter(
        round(line.size)
        for line in upright
        if line.size >= body_size * _HEADING_SCALE and _could_be_heading(line)
    )
    most = max(_MIN_COMMON_LINES, len(lines) * _MAX_HEADING_SHARE)
    sizes = [size for size, count in counts.items() if count <= most]
    return Typography(body_size, tuple(sorted(sizes, reverse=True)), bold <= len(lines) * _MAX_BOLD_SHARE)


def _find_most_common(weighted: Iterable[tuple[float, int]]) -> float:
    weights: Counter[float] = Counter()
    for value, weight in weighted:
        weights[value] += weight
    return weights.most_common(1)[0][0] if weights else 0.0


def _could_be_heading(line: Line) -> bool:
    return len(line.text) <= _MAX_HEADING_CHARACTERS and any(character.isalpha() for character in line.text)


def group_lines(lines: Sequence[Line], typography: Typography) -> list[Piece]:
    """Return a page's lines as headings, list items and paragraphs, hyphenation marks still in them."""
    lines = _merge_rows([line for line in lines if not _RULER.match(line.text)])
    right_edges = _find_right_edges(lines)
    groups: list[list[Line]] = []
    for line in lines:
        if groups and _continues(groups[-1], line, right_edges):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [_make_piece(group, typography) for group in groups]


def _merge_rows(lines: Sequence[Line]) -> list[Line]:
    """Put together again what the engine took for lines of their own: raised signs and what follows them."""
    merged: list[Line] = []
    for line in lines:
        last = merged[-1] if merged else None
        if last and _is_same_row(last, line):
            longer = max(last, line, key=lambda part: len(part.text))
            space = "" if line.text[0] in ",.;:)" else " "
            merged[-1] = replace(
                last,
                text=last.text + space + line.text,
                right=line.right,
                size=longer.size,
                is_bold=longer.is_bold,
            )
        else:
            merged.append(line)
    return merged


def _is_same_row(last: Line, line: Line) -> bool:
    size = max(last.size, line.size)
    is_level = last.angle == line.angle and abs(last.last_baseline - line.baseline) < 0.6 * size
    return is_level and -size < line.left - last.right < 1.5 * size


def _find_right_edges(lines: Sequence[Line]) -> dict[int, float]:
    """Return for each column, by its left edge in steps, how far its lines reach."""
    edges: dict[int, list[float]] = {}
    for line in lines:
        edges.setdefault(_find_column(line), []).append(line.right)
    return {column: sorted(rights)[int(len(rights) * 0.9)] for column, rights in edges.items()}


def _find_column(line: Line) -> int:
    return int(line.left // _COLUMN_STEP_POINTS)


def _continues(group: Sequence[Line], line: Line, right_edges: dict[int, float]) -> bool:
    """Whether a line goes on with the paragraph, item or heading that `group` begins."""
    last = group[-1]
    if not _looks_alike(last, line) or _ITEM.match(line.text) or _is_sparse(last) or _is_sparse(line):
        return False
    has_ended = _SENTENCE_END.search(last.text) is not None
    pitch = last.last_baseline - line.baseline
    if pitch < 0:  # the next column: a sentence may go on there
        return not has_ended
    if line.text[0].islower() and not has_ended:
        return pitch <= _SENTENCE_GAP * line.size
    if pitch > _PARAGRAPH_GAP * max(_find_pitch(group), line.size * 1.15):
        return False
    is_full = last.right - last.left >= _FULL_LINE_SHARE * (right_edges[_find_column(last)] - last.left)
    is_indented = line.left > last.left + line.size and not _ITEM.match(group[0].text)
    return is_full and not (is_indented and has_ended)


def _looks_alike(last: Line, line: Line) -> bool:
    is_same_size = abs(last.size - line.size) <= 0.1 * max(last.size, line.size)
    return is_same_size and last.is_bold == line.is_bold and last.angle == line.angle


def _find_pitch(group: Sequence[Line]) -> float:
    return group[-2].last_baseline - group[-1].baseline if len(group) > 1 else 0.0


def _is_sparse(line: Line) -> bool:
    """Whether wide gaps lie between the words, as in a row of a table."""
    return line.right - line.left > _SPARSE_EM_PER_CHARACTER * line.size * len(line.text)


def _make_piece(group: Sequence[Line], typography: Typography) -> Piece:
    text = " ".join(line.text for line in group)
    first = group[0]
    size = round(first.size)
    is_short = len(group) <= _MAX_HEADING_LINES and len(text) <= _MAX_HEADING_CHARACTERS * 1.5
    is_large = first.size >= typography.body_size * _HEADING_SCALE and size in typography.heading_sizes
    if is_short and is_large:
        return Piece("heading", text, min(6, typography.heading_sizes.index(size) + 1))
    if first.is_bold and typography.is_bold_rare and _reads_like_heading(group):
        return Piece("heading", text, min(6, len(typography.heading_sizes) + 1))
    if _ITEM.match(first.text):
        return Piece("list_item", _BULLET.sub("", text, count=1), 1)
    return Piece("paragraph", text)


def _reads_like_heading(group: Sequence[Line]) -> bool:
    text = group[0].text
    is_sentence = len(text) > 80 or _SENTENCE_END.search(text) is not None
    return (
        len(group) == 1
        and not is_sentence
        and not _is_sparse(group[0])
        and text[:1].isalnum()
        and len(text) > 3
    )


def mend_hyphenation(texts: Sequence[str]) -> list[str]:
    """Return the texts with words that a line's end had hyphenated put together again.

    The hyphen stays where the document writes the word with one elsewhere ("well-known"), or where a
    capital or digit follows ("Anglo-Saxon"); otherwise it goes.
    """
    known = Counter(word for text in texts for word in re.findall(r"\w+(?:-\w+)*", text.lower()))

    def mend(match: re.Match[str]) -> str:
        left, right = match.groups()
        joined, hyphenated = left + right, f"{left}-{right}"
        keeps_hyphen = not right[0].islower() or known[hyphenated.lower()] > known[joined.lower()]
        return f"{left}-" if keeps_hyphen else left

    return [_HYPHENATED.sub(mend, text).replace(HYPHENATION_MARK, "-") for text in texts]
