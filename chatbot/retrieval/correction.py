"""Mends the slips of the pen in a question with the words that a corpus holds."""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.library import Library
from chatbot.spelling import correct_words, find_unknown_words, list_words
from chatbot.types import NO_FILTERS, Correction, Embedder, SearchFilters


@dataclass(frozen=True, slots=True)
class CorpusKnowledge:
    """What a corpus and the embedding model know of words; `exact` ones are meant as they are typed."""

    corpus: str
    library: Library
    embedder: Embedder
    exact: frozenset[str] = frozenset()

    def is_held(self, words: str) -> bool:
        return words in self.exact or self.library.words.holds_words(self.corpus, words)

    def stand_together(self, word: str, other: str) -> bool:
        return self.library.words.holds_together(self.corpus, word, other)

    def is_common(self, word: str) -> bool:
        return self.embedder.knows_word(word)


def correct_question(
    question: str,
    *,
    corpus: str,
    library: Library,
    embedder: Embedder,
    filters: SearchFilters = NO_FILTERS,
) -> tuple[str, tuple[Correction, ...]]:
    """The question with the corpus's words in place of misspelt ones, and what was replaced.

    The vocabulary is read only where a word is unknown; words of exact phrases are left as typed.
    """
    exact = frozenset(list_words(" ".join(filters.phrases)))
    knowledge = CorpusKnowledge(corpus, library, embedder, exact)
    unknown = find_unknown_words(question, knowledge)
    if not unknown:
        return question, ()
    return correct_words(question, unknown, library.words.read_vocabulary(corpus), knowledge)
