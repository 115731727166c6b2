"""What can be found in the library: passages for a question, and all that is held for a wide one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.evidence import SentenceVectors
from chatbot.library import Library
from chatbot.retrieval.search import ALL_WAYS, read_sentence_vectors, search_passages
from chatbot.surveys.findings import SurveyFindings
from chatbot.surveys.survey import Survey
from chatbot.surveys.wide_search import conduct_survey
from chatbot.types import NO_FILTERS, Embedder, Passage, SearchFilters, SearchResult
from chatbot.vectors import VectorIndex


@dataclass(frozen=True, slots=True)
class CorpusSearch:
    """Searches corpora that are known to exist, in a library whose index is open."""

    library: Library
    vectors: VectorIndex
    embedder: Embedder

    def search(
        self,
        question: str,
        *,
        corpus: str,
        limit: int,
        filters: SearchFilters = NO_FILTERS,
        ways: frozenset[str] = ALL_WAYS,
    ) -> SearchResult:
        """The passages for a question of any length that stands alone."""
        return search_passages(
            question,
            corpus=corpus,
            limit=limit,
            library=self.library,
            find_nearest=self.vectors.find_nearest,
            embedder=self.embedder,
            filters=filters,
            ways=ways,
        )

    def look_through(
        self,
        survey: Survey,
        question: str,
        *,
        corpus: str,
        filters: SearchFilters = NO_FILTERS,
        stop: threading.Event | None = None,
    ) -> SurveyFindings:
        """What a corpus holds for a question about it as a whole."""
        return conduct_survey(
            survey,
            question,
            corpus=corpus,
            library=self.library,
            find_nearest=self.vectors.find_nearest,
            embedder=self.embedder,
            filters=filters,
            stop=stop,
        )

    def read_sentence_vectors(self, passages: Sequence[Passage]) -> SentenceVectors:
        """The vectors that the library holds of the passages' sentences."""
        return read_sentence_vectors(passages, library=self.library, fingerprint=self.embedder.fingerprint)
