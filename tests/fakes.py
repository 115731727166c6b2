"""Stand-ins for the two models, simple enough to know by heart what they answer."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from functools import cache

import numpy as np

from chatbot.types import Message, PassageVectors, Span, StopReason, Vectors

_WORD = re.compile(r"\w+")


@cache
def project_word(word: str, dimension: int) -> Vectors:
    """A direction for a word, always the same."""
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)


class HashingEmbedder:
    """Adds up a fixed random direction for each word, so that texts with common words are near.

    A token is a stretch of text without blanks, and there are two special ones, as with BERT.
    `embedded` holds every text whose vector was computed; `words` are those that it knows.
    """

    def __init__(
        self,
        *,
        fingerprint: str = "hashing1",
        max_tokens: int = 128,
        dimension: int = 96,
        seconds_per_text: float = 0.0,
        words: frozenset[str] = frozenset(),
    ) -> None:
        self.fingerprint = fingerprint
        self.max_tokens = max_tokens
        self.embedded: list[str] = []
        self.words = words
        self._dimension = dimension
        self._seconds_per_text = seconds_per_text

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        assert all(count <= self.max_tokens for count in self.count_tokens(texts)), "a text is too long"
        self.embedded += texts
        time.sleep(self._seconds_per_text * len(texts))
        return np.array([self._embed(text) for text in texts], np.float32).reshape(-1, self._dimension)

    def embed_passages(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> PassageVectors:
        parts = [
            np.array([self._embed(text[start:end]) for start, end in own], np.float32)
            for text, own in zip(texts, spans, strict=True)
        ]
        return PassageVectors(
            self.embed_documents(texts), tuple(part.reshape(-1, self._dimension) for part in parts)
        )

    def embed_query(self, text: str) -> Vectors:
        return self._embed(text)

    def knows_word(self, word: str) -> bool:
        return word in self.words

    def _embed(self, text: str) -> Vectors:
        words = _WORD.findall(text.lower()) or [""]
        total = np.sum(
            [project_word(f"{self.fingerprint}/{word}", self._dimension) for word in words], axis=0
        )
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


class ScriptedGenerator:
    """Streams queued replies word by word; an exception in the queue is raised when its turn comes.

    `prompts` holds what it was asked; `closed` counts the replies that were closed before their end.
    """

    name = "scripted"

    def __init__(
        self,
        *replies: str | Exception,
        window_tokens: int = 4096,
        seconds_per_word: float = 0.0,
        repeat: bool = False,
    ) -> None:
        self.window_tokens = window_tokens
        self.prompts: list[list[Message]] = []
        self.words_written = 0
        self.closed = 0
        self.first_word_written = threading.Event()
        self._replies = deque(replies)
        self._repeat = repeat
        self._seconds_per_word = seconds_per_word

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content.split()) + 4 for message in messages)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Generator[str, None, StopReason]:
        self.prompts.append(list(messages))
        reply = self._replies[0] if self._repeat else self._replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        words = re.findall(r"\S+\s*|\s+", reply)
        try:
            for word in words[:max_new_tokens]:
                time.sleep(self._seconds_per_word)
                self.words_written += 1
                self.first_word_written.set()
                yield word
        except GeneratorExit:
            self.closed += 1
            raise
        return "length" if len(words) > max_new_tokens else "end"
