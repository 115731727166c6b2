"""Where a survey looks, and how it reads there: every chunk with some words, not only the best few."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chatbot.changes import is_copy, make_content_key
from chatbot.filters import holds_words
from chatbot.library import Library
from chatbot.retrieval.candidates import FindNearest
from chatbot.retrieval.choosing import make_passage
from chatbot.retrieval.ranking import Match
from chatbot.sentences import STOP_WORDS, find_content_words, find_words
from chatbot.surveys.topics import speaks_of
from chatbot.types import Chunk, DocumentRecord, Passage, SearchFilters, Vectors

NEIGHBOURS = 200
"""Documents that are near in meaning are looked for among so many chunks nearest to the topic."""
CHUNKS_PER_READ = 1000
"""So many chunks are read between two looks at whether the survey was stopped."""
MOST_COMPARED = 5000
"""Up to so many chunks that filters leave are compared with the topic one by one."""


class SurveyStopped(Exception):
    """Whoever asked does not want to wait any longer."""


@dataclass(frozen=True, slots=True)
class SurveyScope:
    """Where a survey looks.

    `records` are the documents that were let through, by id; chunks must satisfy `filters` too. `holders` are
    the same by the document that their words were read from, of which they may be copies. `vector` is that of
    the topic, made by the embedding model with this `fingerprint`. When `stop` is set, reading
    ends with SurveyStopped.
    """

    corpus: str
    library: Library
    records: Mapping[str, DocumentRecord]
    holders: Mapping[str, Sequence[DocumentRecord]]
    filters: SearchFilters
    vector: Vectors
    fingerprint: str
    stop: threading.Event | None = None

    def check_stop(self) -> None:
        """Go on only if the survey was not stopped.

        :raises SurveyStopped: when it was.
        """
        if self.stop is not None and self.stop.is_set():
            raise SurveyStopped


def find_holding(topics: Sequence[str], scope: SurveyScope) -> list[str]:
    """Ids of all chunks that hold every word of a topic, in any of their forms.

    FTS5's stems miss some plurals, such as "walruses"; so ours are searched too.
    """
    ids: dict[str, None] = {}
    for topic in topics:
        words = [word for word in find_words(topic) if word not in STOP_WORDS]
        for forms in (words, find_content_words(topic)):
            scope.check_stop()
            ids |= dict.fromkeys(scope.library.words.find_phrases(scope.corpus, forms, limit=sys.maxsize))
    return list(ids)


def find_speaking(topics: Sequence[str], scope: SurveyScope) -> list[Passage]:
    """The passages that have a sentence with all words of a topic, the most similar to it first."""
    holding = read_passages(scope, find_holding(topics, scope))
    return [passage for passage in watch_stop(holding, scope) if speaks_of(passage, topics)]


def watch_stop(passages: Sequence[Passage], scope: SurveyScope) -> Iterator[Passage]:
    """The passages, as long as the survey is not stopped."""
    for passage in passages:
        scope.check_stop()
        yield passage


def read_passages(scope: SurveyScope, ids: Sequence[str]) -> list[Passage]:
    """The chunks that the scope lets through, the most similar to the topic first.

    A chunk that stands in several files with the same content is a passage of each.
    """
    passages = []
    for first in range(0, len(ids), CHUNKS_PER_READ):
        scope.check_stop()
        some = ids[first : first + CHUNKS_PER_READ]
        chunks = [
            chunk
            for chunk in scope.library.chunks.read_chunks(some)
            if chunk.document_id in scope.holders and satisfies(chunk, scope.filters)
        ]
        similarities = measure_similarities(scope, [chunk.id for chunk in chunks])
        for chunk in chunks:
            similarity = similarities.get(chunk.id, 0.0)
            for record in scope.holders[chunk.document_id]:
                match = Match(replace(chunk, document_id=record.id), record, similarity, similarity)
                passages.append(make_passage(match, scope.corpus))
    return sorted(passages, key=lambda passage: (-passage.similarity, passage.path, passage.chunk.ordinal))


def measure_similarities(scope: SurveyScope, ids: Sequence[str]) -> dict[str, float]:
    """The cosines of the topic and of chunks, by chunk."""
    vectors = scope.library.chunks.find_vectors(ids, scope.fingerprint)
    if not vectors:
        return {}
    return dict(zip(vectors, (np.stack(list(vectors.values())) @ scope.vector).tolist(), strict=True))


def satisfies(chunk: Chunk, filters: SearchFilters) -> bool:
    """Whether a chunk with its context holds the phrases of the filters and none of the excluded words."""
    if not filters.phrases and not filters.excluded:
        return True
    text = f"{chunk.context}\n{chunk.text}"
    has_phrases = all(holds_words(text, phrase) for phrase in filters.phrases)
    return has_phrases and not any(holds_words(text, words) for words in filters.excluded)


def list_fitting(scope: SurveyScope) -> list[DocumentRecord]:
    """The documents that hold all phrases of the filters and none of the excluded words, wherever in them."""

    def find_holders(words: str) -> set[str]:
        ids = scope.library.words.find_phrases(scope.corpus, [words], limit=sys.maxsize)
        passages = read_passages(replace(scope, filters=SearchFilters(phrases=(words,))), ids)
        return {passage.chunk.document_id for passage in passages}

    left = set(scope.records)
    for phrase in scope.filters.phrases:
        left &= find_holders(phrase)
    for words in scope.filters.excluded:
        left -= find_holders(words)
    return [record for record in scope.records.values() if record.id in left]


def list_nearest(scope: SurveyScope, find_nearest: FindNearest, *, is_whole: bool) -> list[str]:
    """Ids of the chunks nearest to the topic; those of a few documents of the corpus, all of them.

    :param is_whole: whether no document of the corpus is left out. Among the chunks that are nearest in the
        whole corpus there may be none of those that a filter leaves.
    """
    if not is_whole:
        ids = scope.library.chunks.list_chunks_of(list(scope.holders), limit=MOST_COMPARED + 1)
        if len(ids) <= MOST_COMPARED:
            return ids
    return [chunk_id for chunk_id, _ in find_nearest(scope.corpus, scope.vector, limit=NEIGHBOURS)]


def read_own_passages(
    record: DocumentRecord, scope: SurveyScope, *, most: int = sys.maxsize
) -> list[Passage]:
    """The first passages of a document, in their order; all where it has no more."""
    original = scope.library.find_original(record.id)
    chunks = scope.library.chunks.read_chunks(scope.library.chunks.list_chunks_of([original], limit=most))
    own = [replace(chunk, document_id=record.id) for chunk in sorted(chunks, key=lambda chunk: chunk.start)]
    return [make_passage(Match(chunk, record), scope.corpus) for chunk in own]


def group_copies(
    records: Sequence[DocumentRecord], selected: Sequence[DocumentRecord]
) -> dict[str, list[DocumentRecord]]:
    """The selected documents by the id of the one that their words were read from.

    :param records: all that can be searched, selected or not.
    """
    originals = {
        make_content_key(record.path, record.sha256): record.id for record in records if not is_copy(record)
    }
    holders: dict[str, list[DocumentRecord]] = {}
    for record in selected:
        key = make_content_key(record.path, record.sha256)
        original = originals.get(key) if is_copy(record) else record.id
        if original is not None:
            holders.setdefault(original, []).append(record)
    return holders
