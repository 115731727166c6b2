"""A model's own tokenizer, used to count and to find words; it never cuts or fills a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatbot.sentences import split_sentences

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_WORD_MARKS = "▁Ġ"
"""What tokenizers other than WordPiece put in front of a token that begins a word."""


class TokenCounter:
    """Counts as the embedding model does. Safe to call from several threads.

    :param max_tokens: the most that the model reads of one text.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int) -> None:
        # A copy of its own: a tokenizer that truncates and one that counts must not be the same object.
        self._tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.max_tokens = max_tokens

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """The tokens of texts with their places.

        :raises ValueError: for a text that the model would silently cut.
        """
        encodings: list[Encoding] = self._tokenizer.encode_batch(list(texts))
        longest = max((len(encoding.ids) for encoding in encodings), default=0)
        if longest > self.max_tokens:
            raise ValueError(f"a text has {longest} tokens, the embedding model reads {self.max_tokens}")
        return encodings

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, the special ones included."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def knows_word(self, word: str) -> bool:
        """Whether the vocabulary holds a word whole."""
        tokens = self._tokenizer.encode(word, add_special_tokens=False).tokens
        return len(tokens) == 1 and tokens[0].strip(_WORD_MARKS).lower() == word.lower()

    def split(self, text: str) -> list[str]:
        """A text in parts that the model reads whole, cut between sentences where there are any."""
        if self.count([text])[0] <= self.max_tokens:
            return [text]
        spans = split_sentences(text)
        cut = spans[len(spans) // 2][0] if len(spans) > 1 else len(text) // 2
        return [*self.split(text[:cut]), *self.split(text[cut:])]


class TokenizingEmbedder:
    """What embedding models tell of texts by their tokenizer alone."""

    def __init__(self, counter: TokenCounter, *, fingerprint: str) -> None:
        self._counter = counter
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> str:
        """Changes with the weights, the pooling, the prompts or the text limit."""
        return self._fingerprint

    @property
    def max_tokens(self) -> int:
        """The most that the model reads of one text."""
        return self._counter.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, the special ones included."""
        return self._counter.count(texts)

    def knows_word(self, word: str) -> bool:
        """Whether the model's vocabulary holds a word whole, as it holds the common words of its language."""
        return self._counter.knows_word(word)
