"""Transcripts and subtitles (.vtt, .srt): what was said, with the time at which each minute begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.metadata import finish_document, name_from_path
from chatbot.documents.text import TextBuilder, clean_characters, clean_line
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

NAME = "transcripts"
SUFFIXES = (".vtt", ".srt")

SECTION_SECONDS = 60
_LONGEST_SECTION_SECONDS = 90

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,]\d{1,3}"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_TITLE = re.compile(r"WEBVTT[ \t]+-?[ \t]*(\S.*)")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>")
_TAG = re.compile(r"</?(?:[a-z]|\d)[^<>]{0,100}>|\{\\[^{}]{0,100}\}", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"”’)\]]*$")


@dataclass(frozen=True, slots=True)
class _Cue:
    """Words with the second at which they are said; `speaker` is empty where it is not told."""

    second: int
    speaker: str
    words: str


accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a transcript. Raises DocumentError, and CorruptDocument where no line tells a time."""
    source = clean_characters(read_text(path))
    cues = list(_read_cues(source.split("\n")))
    if source.strip() and not _TIMING.search(source):
        raise CorruptDocument(
            f"“{path.name}” is no transcript: no line of it tells when something is said.",
            "Give the file the ending that fits, such as .txt.",
        )
    builder = TextBuilder()
    for section in _split_sections(cues):
        builder.add("heading", _format_time(section[0].second), 2)
        for turn in _join_turns(section):
            builder.add("paragraph", turn)
    title = _TITLE.match(source)
    return finish_document(builder, path, titles=[title[1] if title else None, name_from_path(path)])


def _read_cues(lines: list[str]) -> Iterator[_Cue]:
    """Yield what is said; a line that the cue before has shown already is left out."""
    shown: set[str] = set()
    second: int | None = None
    speaker = ""
    fresh: set[str] = set()
    for line in lines:
        if timing := _TIMING.match(line):
            hours, minutes, seconds = (int(part or 0) for part in timing.groups()[:3])
            second, speaker = hours * 3600 + minutes * 60 + seconds, ""
            shown, fresh = fresh, set()
        elif not line.strip():
            second = None
        elif second is not None:
            voice = _VOICE.search(line)
            speaker = clean_line(unescape(voice[1])) if voice else speaker
            words = clean_line(unescape(_TAG.sub("", _VOICE.sub("", line))))
            fresh.add(words)
            if words and words not in shown:
                yield _Cue(second, speaker, words)


def _split_sections(cues: list[_Cue]) -> Iterator[list[_Cue]]:
    """Yield the cues of about a minute each, cut where a sentence ends if one does."""
    section: list[_Cue] = []
    for cue in cues:
        seconds = cue.second - section[0].second if section else 0
        is_over = seconds >= SECTION_SECONDS and _SENTENCE_END.search(section[-1].words)
        if is_over or seconds >= _LONGEST_SECTION_SECONDS:
            yield section
            section = []
        section.append(cue)
    if section:
        yield section


def _join_turns(cues: list[_Cue]) -> Iterator[str]:
    """Yield what one speaker says in a row, the name in front."""
    speaker, words = "", [""]
    for cue in cues:
        if cue.speaker != speaker:
            yield " ".join(words)
            speaker, words = cue.speaker, [f"{cue.speaker}:"] if cue.speaker else []
        words.append(cue.words)
    yield " ".join(words)


def _format_time(second: int) -> str:
    """Return a time as players show it: 1:02:03, or 02:03 within the first hour."""
    hours, minutes = second // 3600, second // 60 % 60
    return f"{hours}:{minutes:02}:{second % 60:02}" if hours else f"{minutes:02}:{second % 60:02}"
