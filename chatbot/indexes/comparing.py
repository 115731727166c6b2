"""Measures two indexes on the same questions: those of the corpora, else questions made of headings.

Both libraries are copied first, so that the one that answers can go on doing so, and searched exactly: what
is compared are the embedding models, not how well Chroma finds their neighbours.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chatbot.database import copy_database
from chatbot.errors import CorpusError
from chatbot.evaluation.datasets import load_questions
from chatbot.evaluation.metrics import measure_recall, measure_reciprocal_rank, take_mean
from chatbot.evaluation.run import list_paths
from chatbot.index_places import IndexPlace
from chatbot.library import Library
from chatbot.retrieval.candidates import FindNearest
from chatbot.retrieval.search import search_passages
from chatbot.types import Embedder, Vectors

MOST_QUESTIONS = 300
"""Of more questions so many are drawn, always the same."""
_DEPTH = 10
_SHORTEST_HEADING_WORDS = 2


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question and the paths of the documents that answer it."""

    corpus: str
    text: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexFigures:
    """How much of what is known an index found: shares from 0 to 1, and seconds a search (median)."""

    name: str
    embedder: str
    questions: int
    recall_at_1: float
    recall_at_5: float
    reciprocal_rank: float
    seconds: float


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """An index that can be searched: a copy of its library, and its embedding model."""

    place: IndexPlace
    library: Library
    embedder: Embedder


def compare_indexes(
    places: Sequence[IndexPlace],
    load_embedder: Callable[[IndexPlace], Embedder],
    corpora_folder: Path,
    *,
    on_progress: Callable[[str], None] = lambda _: None,
) -> list[IndexFigures]:
    """The figures of indexes, in their order; the questions are those that the first one has documents for.

    :raises CorpusError: when there is nothing to ask.
    """
    with tempfile.TemporaryDirectory(dir=places[0].folder, prefix="comparing-") as folder:
        figures: list[IndexFigures] = []
        questions: list[KnownQuestion] = []
        for place in places:
            on_progress(f"the index {place.name} is copied")
            copy = Path(folder) / f"{place.name}.sqlite3"
            copy_database(place.library_path, copy)
            library = Library(copy)
            try:
                questions = questions or list_known_questions(library, corpora_folder)
                index = OpenIndex(place, library, load_embedder(place))
                figures.append(measure_index(index, questions, on_progress=on_progress))
            finally:
                library.close()
    return figures


def list_known_questions(library: Library, corpora_folder: Path) -> list[KnownQuestion]:
    """The questions of `corpora/<name>/questions.jsonl`; of a corpus without them, its headings.

    :raises CorpusError: when there is neither.
    """
    found: list[KnownQuestion] = []
    for corpus in library.list_corpora():
        file = corpora_folder / corpus / "questions.jsonl"
        paths = {record.path for record in library.list_documents(corpus)}
        asked = load_questions(file) if file.is_file() else []
        known = [
            KnownQuestion(corpus, item.question, item.gold)
            for item in asked
            if item.answerable and item.gold and not item.history and paths.issuperset(item.gold)
        ]
        found += known or list_headings(library, corpus)
    if not found:
        raise CorpusError(
            "There are no questions to compare the indexes with.",
            "Write some to corpora/<name>/questions.jsonl; docs/evaluation.md shows how.",
        )
    return found if len(found) <= MOST_QUESTIONS else random.Random(0).sample(found, MOST_QUESTIONS)  # noqa: S311


def list_headings(library: Library, corpus: str) -> list[KnownQuestion]:
    """The headings of a corpus's documents that stand in one document only, each as a question."""
    places: list[tuple[str, str]] = []
    for record in library.list_documents(corpus):
        document = library.find_document(record.id)
        if document is None:
            continue
        headings = {
            document.text[block.start : block.end] for block in document.blocks if block.kind == "heading"
        }
        places += [(heading, record.path) for heading in headings]
    counts = Counter(heading.casefold() for heading, _ in places)
    return [
        KnownQuestion(corpus, heading, (path,))
        for heading, path in sorted(places)
        if counts[heading.casefold()] == 1 and len(heading.split()) >= _SHORTEST_HEADING_WORDS
    ]


def measure_index(
    index: OpenIndex, questions: Sequence[KnownQuestion], *, on_progress: Callable[[str], None]
) -> IndexFigures:
    """Search for each question and look for its documents among the first found."""
    corpora = {question.corpus for question in questions}
    nearest = {corpus: make_exact_search(index.library, index.embedder, corpus) for corpus in corpora}
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    seconds: list[float] = []
    for number, question in enumerate(questions):
        on_progress(f"{index.place.name}: question {number + 1} of {len(questions)}")
        started = time.monotonic()
        result = search_passages(
            question.text,
            corpus=question.corpus,
            limit=_DEPTH,
            library=index.library,
            find_nearest=nearest[question.corpus],
            embedder=index.embedder,
        )
        seconds.append(time.monotonic() - started)
        found.append((list_paths(result.passages), question.paths))
    return IndexFigures(
        index.place.name,
        index.place.embedder,
        len(questions),
        take_mean([measure_recall(paths, gold, 1) for paths, gold in found]) or 0.0,
        take_mean([measure_recall(paths, gold, 5) for paths, gold in found]) or 0.0,
        take_mean([measure_reciprocal_rank(paths, gold) for paths, gold in found]) or 0.0,
        float(np.median(seconds)),
    )


def make_exact_search(library: Library, embedder: Embedder, corpus: str) -> FindNearest:
    """A search that compares a question with the vector of every chunk of a corpus."""
    pages = list(library.chunks.read_vectors(corpus, embedder.fingerprint))
    ids = [chunk_id for page, _ in pages for chunk_id in page]
    matrix = np.concatenate([vectors for _, vectors in pages]) if pages else np.empty((0, 1), np.float32)

    def find_nearest(corpus: str, vector: Vectors, *, limit: int) -> list[tuple[str, float]]:  # noqa: ARG001
        if not ids:
            return []
        scores = matrix @ vector
        best = np.argsort(-scores)[:limit]
        return [(ids[row], float(scores[row])) for row in best]

    return find_nearest


def is_better_or_equal(figures: Sequence[IndexFigures]) -> bool:
    """Whether the second index finds as much as the first among the first five, and ranks as well."""
    first, second = figures
    return (second.recall_at_5, second.reciprocal_rank) >= (first.recall_at_5, first.reciprocal_rank)
