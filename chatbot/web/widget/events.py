"""An answer for a visitor: the same running answer as everywhere, told without its insides."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request

from chatbot.errors import BusyError, ChatbotError
from chatbot.types import FinishedAnswer, Rating
from chatbot.web.running import AnswerSnapshot, RunningAnswer
from chatbot.web.schemas import Json, error_to_json
from chatbot.web.streams import follow
from chatbot.web.widget.blocks import MakeLink, build_blocks, build_sources
from chatbot.web.widget.visits import Turn


async def list_visitor_events(
    request: Request, running: RunningAnswer, turn_id: str, make_link: MakeLink
) -> AsyncIterator[Json]:
    """Events of the types waiting, reading, words, and at last done or error.

    `waiting` tells how many questions are `before` this one, whenever that changes, at last 0. `words`
    holds the blocks of the answer from number `from` on; those before have not changed.
    """
    shown: list[Json] = []
    async for seen, now in follow(request, running):
        if now.before != seen.before:
            yield {"type": "waiting", "before": now.before}
        if now.passages and not seen.passages:
            yield {"type": "reading", "passages": len(now.passages)}
        blocks = build_answer_blocks(now)
        if blocks != shown:
            start = count_same(shown, blocks)
            yield {"type": "words", "from": start, "blocks": blocks[start:]}
            shown = blocks
        if now.finished:
            yield {"type": "done", "turn": describe_turn(turn_id, now.finished, None, make_link)}
        if now.error:
            yield {"type": "error", "error": describe_error(now.error)}


def build_answer_blocks(now: AnswerSnapshot) -> list[Json]:
    """The blocks of an answer as far as it is written."""
    return build_blocks(
        now.text, now.citations, now.unsupported, short_answer=now.short_answer, draft=now.draft
    )


def count_same(before: list[Json], after: list[Json]) -> int:
    """How many blocks at the beginning are the same."""
    pairs = zip(before, after, strict=False)
    return next((place for place, (old, new) in enumerate(pairs) if old != new), min(len(before), len(after)))


def describe_kept_turn(turn: Turn, make_link: MakeLink) -> Json:
    """A turn as it is drawn again after a page was left for another."""
    return describe_turn(turn.id, turn.answer, turn.rating, make_link) | {"question": turn.question}


def describe_turn(turn_id: str, answer: FinishedAnswer, rating: Rating | None, make_link: MakeLink) -> Json:
    """A finished answer as a visitor sees it: no scores, no prompt, no trace."""
    return {
        "id": turn_id,
        "found": answer.found,
        "is_stopped": answer.stop_reason == "stopped",
        "blocks": build_blocks(
            answer.text, answer.citations, answer.unsupported, short_answer=answer.short_answer
        ),
        "sources": build_sources(answer.passages, answer.citations, found=answer.found, make_link=make_link),
        "rating": rating,
    }


def describe_error(error: ChatbotError) -> Json:
    """An error with when to try again, where that is known."""
    seconds = error.retry_after_seconds if isinstance(error, BusyError) else None
    return error_to_json(error) | {"retry_after_seconds": seconds}
