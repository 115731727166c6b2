"""What the embedding model and the language model are, what goes into them and what comes out."""

from __future__ import annotations

from collections.abc import Generator as PythonGenerator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from chatbot.types.documents import Span

Vectors = npt.NDArray[np.float32]
Role = Literal["system", "user", "assistant"]
StopReason = Literal["end", "length", "stopped"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """Unit vectors of texts, of shape (texts, dimension), and of the stretches within each text."""

    whole: Vectors
    spans: tuple[Vectors, ...]


class Embedder(Protocol):
    """Turns texts into unit vectors; sentence-transformers in the product, hashed words in tests."""

    @property
    def fingerprint(self) -> str:
        """Identifies the model and everything that changes its vectors."""

    @property
    def max_tokens(self) -> int:
        """The most tokens of one text that the model reads."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model counts them, its own special tokens included."""

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), each of length 1."""

    def embed_passages(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> PassageVectors:
        """The vectors of texts, and those of stretches `text[start:end]` of each as they are meant there."""

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question, of shape (dimension,) and length 1."""

    def knows_word(self, word: str) -> bool:
        """Whether the model's vocabulary holds a word whole, as it holds the common words of its language."""


class Generator(Protocol):
    """A language model that continues a conversation, a few characters at a time."""

    @property
    def name(self) -> str:
        """What to call the model in the page and in reports."""

    @property
    def window_tokens(self) -> int:
        """The most tokens of prompt and answer together."""

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of the whole prompt that `messages` become, the chat template included."""

    def stream(
        self, messages: Sequence[Message], *, max_new_tokens: int
    ) -> PythonGenerator[str, None, StopReason]:
        """Yield the answer's text as it is written and return why it ended.

        Empty pieces come while there is nothing yet, so that whoever listens can stop. Closing the generator
        stops the model within a token.
        """
