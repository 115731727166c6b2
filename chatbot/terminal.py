"""What the command line writes: answers with their sources, progress on one line, tables."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

Json = dict[str, Any]

SECONDS_BETWEEN_LINES = 2.0


class Terminal:
    """Writes results to one stream and progress to another."""

    def __init__(self, output: TextIO, progress: TextIO) -> None:
        self._output = output
        self._progress = progress
        self._line_length = 0
        self._next_line = 0.0

    def say(self, text: str = "") -> None:
        """A line of the result."""
        self.clear_progress()
        print(text, file=self._output, flush=True)

    def say_json(self, value: object) -> None:
        """The result for a program."""
        self.clear_progress()
        print(json.dumps(value, ensure_ascii=False, indent=2), file=self._output, flush=True)

    def write(self, text: str) -> None:
        """A piece of a line of the result."""
        print(text, end="", file=self._output, flush=True)

    def note(self, text: str) -> None:
        """Progress: replaces the last note on a terminal, else a line of its own now and then."""
        if not self._progress.isatty():
            if time.monotonic() >= self._next_line:
                print(text, file=self._progress, flush=True)
                self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            return
        width = shutil.get_terminal_size().columns - 1
        line = text if len(text) <= width else text[: width - 1] + "…"
        print("\r" + line.ljust(self._line_length), end="", file=self._progress, flush=True)
        self._line_length = len(line)

    def clear_progress(self) -> None:
        """Remove the last note."""
        if self._line_length:
            print("\r" + " " * self._line_length + "\r", end="", file=self._progress, flush=True)
            self._line_length = 0

    @contextmanager
    def noting(self) -> Iterator[None]:
        """A stretch of work whose notes are removed at its end."""
        try:
            yield
        finally:
            self.clear_progress()


def make_terminal() -> Terminal:
    """The terminal of this process."""
    return Terminal(sys.stdout, sys.stderr)


def mark_citations(answer: Json) -> str:
    """The answer's text with `[n]` behind each sentence that has a source, `[no source]` behind others."""
    text: str = answer["text"]
    marks = [(item["answer_end"], f" [{item['passage_number']}]") for item in answer["citations"]]
    marks += [(end, " [no source]") for _, end in answer["unsupported"]]
    for end, mark in sorted(marks, reverse=True):
        text = f"{text[:end]}{mark}{text[end:]}"
    return text


def format_sources(answer: Json) -> list[str]:
    """A source a line, with the words that were quoted; the nearest passages where nothing was found."""
    quotes: dict[int, list[str]] = {}
    for citation in answer["citations"]:
        quotes.setdefault(citation["passage_number"], []).append(citation["quote"])
    lines = []
    for passage in answer["passages"]:
        number = passage["number"]
        if answer["found"] and number not in quotes:
            continue
        lines.append(f"[{number}] {describe_place(passage)}")
        lines += [f"    “{shorten(quote, 300)}”" for quote in dict.fromkeys(quotes.get(number, []))]
    return lines


def describe_place(passage: Json) -> str:
    """Title, heading, page, date and path of a passage."""
    parts = [passage["title"], passage["heading"]]
    parts += [f"page {passage['page']}"] if passage["page"] else []
    parts += [passage["date"], passage["path"]]
    return " · ".join(dict.fromkeys(part for part in parts if part))


def format_passage(passage: Json) -> list[str]:
    """A search result: its place, why it was found, and its text."""
    reasons = [f"similarity {passage['similarity']:.3f}"]
    reasons += [f"nearest vector #{passage['vector_rank']}"] if passage["vector_rank"] else []
    reasons += [f"shared words #{passage['word_rank']}"] if passage["word_rank"] else []
    body = textwrap.wrap(shorten(passage["text"], 400), 96)
    place = f"[{passage['number']}] {describe_place(passage)}"
    return [place, f"    {', '.join(reasons)}", *(f"    {line}" for line in body), ""]


def describe_progress(progress: Json) -> str:
    """Where an ingest stands, in one line."""
    text = f"reading {progress['files_done'] + 1} of {progress['files_total']}: {progress['current']}"
    text += f" · {progress['chunks_done']} chunks · {progress['seconds']:.0f} s"
    left = progress["seconds_left"]
    return f"{text} · about {left:.0f} s left" if left is not None and progress["seconds"] > 2 else text


def describe_outcome(outcome: Json) -> str:
    """How one file fared, in one line."""
    if outcome["result"] == "failed":
        return f"failed   {outcome['path']}: {outcome['reason']}"
    count = outcome["chunks"]
    chunks = f" ({count} chunk{'' if count == 1 else 's'})" if count else ""
    return f"{outcome['result']:<8} {outcome['path']}{chunks}"


def describe_report(report: Json) -> str:
    """What an ingest did, in one line."""
    results: Sequence[str] = [outcome["result"] for outcome in report["outcomes"]]
    counts = [f"{results.count(name)} {name}" for name in ("added", "changed", "removed", "failed")]
    stopped = "stopped; " if report["stopped"] else ""
    return (
        f"{report['corpus']}: {stopped}{', '.join(counts)}, {report['unchanged']} unchanged, "
        f"{report['chunks']} chunks written in {report['seconds']:.1f} s"
    )


def shorten(text: str, characters: int) -> str:
    """`text` on one line, cut between words."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rsplit(" ", 1)[0] + "…"
