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

from chatbot.explanation import (
    describe_correction,
    describe_decision,
    describe_missing_prompt,
    name_page,
    name_rows,
    name_stage,
)
from chatbot.filters import describe_filters, unpack_filters

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
    lines = []
    for passage in answer["passages"]:
        cited = [item for item in answer["citations"] if item["passage_number"] == passage["number"]]
        if answer["found"] and not cited:
            continue
        lines.append(f"[{passage['number']}] {describe_place(passage)}")
        lines += dict.fromkeys(f"    {format_quote(citation, passage)}" for citation in cited)
        lines += format_other_places(passage)
    return lines


def format_quote(citation: Json, passage: Json) -> str:
    """The words of a citation, behind their page or row where the passage's own place does not tell it."""
    own = {name: citation.get(name) for name in ("page", "rows")}
    place = name_place(own | {"path": passage["path"]})
    is_told = place == name_place(passage)
    quote = f"“{shorten(citation['quote'], 300)}”"
    return quote if is_told or not place else f"{place}: {quote}"


def format_other_places(passage: Json) -> list[str]:
    """Where else nearly the same words stand, as one line; nothing where they stand nowhere else."""
    places = "; ".join(describe_place(place) for place in passage["also_in"])
    return [f"    also in: {places}"] if places else []


def format_changes(found: Json, question: str | None = None) -> list[str]:
    """How a search or an answer departed from what was typed, a line each.

    :param question: as it was typed; corrections of other words, from earlier questions, are left out.
    """
    corrections = [
        describe_correction(item["word"], item["replacement"])
        for item in found["corrections"]
        if question is None or item["word"] in question
    ]
    return [*corrections, *found["notes"]]


def describe_place(passage: Json) -> str:
    """Title, heading, page, date and path of a passage or a place, as far as they are known."""
    parts = [passage["title"], passage.get("heading")]
    parts += [name_place(passage), passage["date"], passage["path"]]
    return " · ".join(dict.fromkeys(part for part in parts if part))


def name_place(place: Json) -> str:
    """The page or the rows of a place; empty where its document has neither."""
    if rows := place.get("rows"):
        return name_rows(rows["sheet"], rows["first"], rows["last"])
    return name_page(place["path"], place["page"]) if place["page"] else ""


def format_passage(passage: Json) -> list[str]:
    """A search result: its place, why it was found (nothing where only filters chose it), and its text."""
    is_ranked = passage["vector_rank"] or passage["word_rank"]
    reasons = [f"similarity {passage['similarity']:.3f}"] if is_ranked else []
    reasons += [f"nearest vector #{passage['vector_rank']}"] if passage["vector_rank"] else []
    reasons += [f"shared words #{passage['word_rank']}"] if passage["word_rank"] else []
    body = textwrap.wrap(shorten(passage["text"], 400), 96)
    place = f"[{passage['number']}] {describe_place(passage)}"
    lines = [f"    {line}" for line in ([", ".join(reasons)] if reasons else []) + body]
    return [place, *lines, *format_other_places(passage), ""]


def format_explanation(explanation: Json) -> list[str]:
    """How a search went, stage by stage, and what a model would be sent, in at most 100 columns."""
    trace = explanation["trace"]
    return [
        *format_question(trace),
        "",
        *format_hits(trace["hits"]),
        "",
        *(f"{name_stage(stage) + ':':<30}{value:8.3f} s" for stage, value in trace["seconds"].items()),
        "",
        *format_prompt(explanation),
    ]


def format_question(trace: Json) -> list[str]:
    """What was asked, what was searched for in the end, and where."""
    facts = [("Question", trace["question"])]
    facts += [("Searched for", trace["searched_for"])] if trace["searched_for"] != trace["question"] else []
    facts += [("Corrected", change) for change in format_changes(trace | {"notes": []})]
    facts += [("Filter", text) for text in describe_filters(unpack_filters(trace["filters"]))]
    facts += [("Documents", f"{trace['documents']:,} of {trace['documents_total']:,} were searched")]
    facts += [("Note", note) for note in trace["notes"]]
    return [line for name, text in facts for line in wrap_after(f"{name:<14}", text)]


def format_hits(hits: Sequence[Json]) -> list[str]:
    """A table of every chunk that a way of searching proposed; letters stand for why it was left out."""
    if not hits:
        return ["Nothing was found."]
    reasons = list(dict.fromkeys(hit["dropped"] for hit in hits if hit["dropped"]))
    letters = {reason: f"({chr(ord('a') + index)})" for index, reason in enumerate(reasons)}
    lines = [f"{'':6}{'by meaning':<13}{'sentence':<10}{'by words':<13}{'score':<8}place"]
    for hit in hits:
        outcome = f"[{hit['number']}]" if hit["number"] else letters.get(hit["dropped"], "")
        nearest = f"{describe_rank(hit['vector_rank']):<5}{hit['similarity']:.3f}"
        sentence = "–" if hit["sentence_similarity"] is None else f"{hit['sentence_similarity']:.3f}"
        words = describe_rank(hit["word_rank"])
        words += f" {hit['word_score']:.2f}" if hit["word_score"] is not None else ""
        parts = (hit["path"], hit["heading"], name_place(hit))
        place = shorten(" · ".join(part for part in parts if part), 50)
        found = f"{nearest:<13}{sentence:<10}{words:<13}{hit['score']:<8.3f}"
        lines.append(f"{outcome:<6}{found}{place}")
    return lines + [line for reason in reasons for line in wrap_after(f"{letters[reason]:<6}", reason)]


def describe_rank(rank: int | None) -> str:
    """`#2`, or a dash where this way of searching did not find it."""
    return "–" if rank is None else f"#{rank}"


def format_prompt(explanation: Json) -> list[str]:
    """Whether a model would be asked, and the messages that it would be sent."""
    prompt = explanation["prompt"]
    if prompt is None:
        return [describe_missing_prompt(explanation["trace"]["question"])]
    decision = describe_decision(
        answerable=explanation["answerable"],
        asks_model=explanation["asks_model"],
        is_survey=explanation["is_survey"],
        best_evidence=explanation["best_evidence"],
        floor=explanation["floor"],
    )
    size = f"Prompt: {prompt['tokens']:,} of {prompt['limit_tokens']:,} tokens"
    dropped = f"; {prompt['dropped']} did not fit" if prompt["dropped"] else ""
    numbers = ", ".join(str(number) for number in dict.fromkeys(prompt["passages"]))
    messages = [
        line for message in prompt["messages"] for line in format_message(message["role"], message["content"])
    ]
    return [decision, f"{size}, passages {numbers or 'none'}{dropped}", *messages]


def format_message(role: str, content: str) -> list[str]:
    """A message of a prompt, indented below the name of who speaks."""
    lines = [part for line in content.splitlines() for part in textwrap.wrap(line, 94) or [""]]
    return [f"  {role}", *(f"    {line}".rstrip() for line in lines)]


def wrap_after(head: str, text: str) -> list[str]:
    """`text` in lines of at most 100 columns, all beginning below its first word behind `head`."""
    return textwrap.wrap(text, 100, initial_indent=head, subsequent_indent=" " * len(head)) or [head.rstrip()]


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
    return f"{outcome['result']:<8} {outcome['path']}{describe_detail(outcome)}"


def describe_detail(outcome: Json) -> str:
    """What else there is to say of a file: how many chunks, what it was called, what it is a copy of."""
    if outcome.get("same_as"):
        relation = "was" if "renamed" in (outcome.get("result"), outcome.get("kind")) else "a copy of"
        return f" ({relation} {outcome['same_as']})"
    count = outcome.get("chunks", 0)
    return f" ({count} chunk{'' if count == 1 else 's'})" if count else ""


def describe_change(change: Json) -> str:
    """What an ingest would do about one file, in one line."""
    return f"{change['kind']:<8} {change['path']}{describe_detail(change)}"


def describe_job(job: Json) -> str:
    """What an ingest did or does, in one line."""
    files = ", ".join(f"{count} {state}" for state, count in job["files"].items()) or "nothing to do"
    kind = "refused files again" if job["only_refused"] else "whole folder"
    problem = f": {job['problem']}" if job["problem"] else ""
    when = job["requested_at"][:19].replace("T", " ")
    return f"{job['number']:>5}  {when}  {job['corpus']}, {kind}: {job['state']}{problem}; {files}"


def describe_report(report: Json) -> str:
    """What an ingest did, in one line."""
    results: Sequence[str] = [outcome["result"] for outcome in report["outcomes"]]
    counts = [f"{results.count(name)} {name}" for name in ("added", "changed", "removed", "failed")]
    counts += [f"{results.count('renamed')} renamed"] if "renamed" in results else []
    counts += [f"{len(report['refused'])} still refused"] if report.get("refused") else []
    stopped = "stopped; " if report["stopped"] else ""
    return (
        f"{report['corpus']}: {stopped}{', '.join(counts)}, {report['unchanged']} unchanged, "
        f"{report['chunks']} chunks written in {report['seconds']:.1f} s"
    )


def shorten(text: str, characters: int) -> str:
    """`text` on one line, cut between words."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rsplit(" ", 1)[0] + "…"
