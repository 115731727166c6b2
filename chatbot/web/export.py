"""Answers as text to take away: for the clipboard and as a Markdown file."""

from __future__ import annotations

from collections.abc import Iterator

from chatbot.explanation import name_page
from chatbot.types import Chat, Citation, FinishedAnswer, Passage


def describe_place(passage: Passage, page: int | None = None) -> str:
    """Where a passage stands: heading, page, date."""
    shown_page = page or passage.chunk.page
    headings = [
        heading for heading in passage.chunk.headings if heading.casefold() != passage.title.casefold()
    ]
    parts = [
        " › ".join(headings),
        name_page(passage.path, shown_page) if shown_page else "",
        passage.date or "",
    ]
    return " · ".join(part for part in parts if part)


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
                part for part in (describe_place(passage, citation.page), passage.path) if part
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
