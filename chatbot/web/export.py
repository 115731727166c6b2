"""Answers as text to take away: for the clipboard and as a Markdown file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chatbot.explanation import name_page, name_rows
from chatbot.places import find_rows
from chatbot.types import Chat, Citation, FinishedAnswer, Passage, SheetRows


def describe_place(passage: Passage, page: int | None = None, rows: SheetRows | None = None) -> str:
    """Where a passage stands: heading, page or rows of a sheet, date.

    :param page: of the words that are meant, :param rows: likewise; those of the whole passage where None.
    """
    chunk = passage.chunk
    rows = rows or find_rows(chunk, chunk.start, chunk.end)
    shown_page = page or chunk.page
    told = {passage.title.casefold(), rows.sheet.casefold() if rows else ""}
    parts = [
        " › ".join(heading for heading in chunk.headings if heading.casefold() not in told),
        name_page(passage.path, shown_page) if shown_page else "",
        name_rows(rows.sheet, rows.first, rows.last) if rows else "",
        passage.date or "",
    ]
    return " · ".join(part for part in parts if part)


def describe_quotes(passage: Passage, citations: Sequence[Citation]) -> str:
    """Where the quotes of a passage stand, or the passage itself where there are none."""
    if not citations:
        return describe_place(passage)
    start = min(citation.source_start for citation in citations)
    end = max(citation.source_end for citation in citations)
    return describe_place(passage, citations[0].page, find_rows(passage.chunk, start, end))


def number_text(text: str, citations: tuple[Citation, ...]) -> str:
    """The text with [1][2] behind each sentence that rests on a source."""
    marks: dict[int, list[int]] = {}
    for citation in citations:
        end = len(text[: citation.answer_end].rstrip())
        numbers = marks.setdefault(end, [])
        if citation.passage_number not in numbers:
            numbers.append(citation.passage_number)
    for end in sorted(marks, reverse=True):
        numbers = marks[end]
        text = text[:end] + " " + "".join(f"[{number}]" for number in sorted(numbers)) + text[end:]
    return text


def list_sources(answer: FinishedAnswer) -> Iterator[str]:
    """One line a quote: number, title, place, file, words."""
    passages = {passage.number: passage for passage in answer.passages}
    for citation in answer.citations:
        passage = passages.get(citation.passage_number)
        if passage is not None:
            place = " · ".join(
                part for part in (describe_place(passage, citation.page, citation.rows), passage.path) if part
            )
            quote = " ".join(citation.quote.split())
            yield f"[{passage.number}] {passage.title} ({place}): “{quote}”"


def write_answer(answer: FinishedAnswer) -> str:
    """The answer with its citation numbers and its sources, as plain text."""
    sources = sorted(set(list_sources(answer)))
    text = number_text(answer.text, answer.citations)
    return "\n".join([text, "", "Sources", *sources]) if sources else text


def write_chat(chat: Chat) -> str:
    """The whole chat as Markdown."""
    parts = [f"# {chat.title}", f"Corpus: {chat.corpus} · {chat.created_at[:10]}"]
    for turn in chat.turns:
        parts += [f"## {turn.question}", number_text(turn.answer.text, turn.answer.citations)]
        if sources := sorted(set(list_sources(turn.answer))):
            parts.append("Sources:\n\n" + "\n".join(f"- {line}" for line in sources))
        if turn.answer.stop_reason == "stopped":
            parts.append("(stopped)")
    return "\n\n".join(parts) + "\n"
