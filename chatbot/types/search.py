"""What is found for a question: filters, passages, and how the search went."""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.types.documents import Chunk, SheetRows


@dataclass(frozen=True, slots=True)
class Place:
    """Where else nearly the same words stand: a stretch `document.text[start:end]`."""

    document_id: str
    path: str
    title: str
    date: str | None
    page: int | None
    start: int
    end: int
    rows: SheetRows | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that search found for a question, with its place and why it was found.

    Neighbouring chunks that were both found are joined: `chunk` then reaches from the first to the
    last of them. `similarity` is the cosine of question and chunk; a rank (from 1) is None where
    that way of searching did not find the chunk. `score` orders the passages. `also_in` are the
    places of passages that say nearly the same and were left out for that.
    """

    number: int
    chunk: Chunk
    corpus: str
    path: str
    title: str
    date: str | None
    score: float
    similarity: float
    vector_rank: int | None = None
    word_rank: int | None = None
    also_in: tuple[Place, ...] = ()

    @property
    def text(self) -> str:
        return self.chunk.text

    @property
    def heading(self) -> str:
        """The headings above the passage, from the document's down; its title is not repeated."""
        return " › ".join(heading for heading in self.chunk.headings if heading != self.title)


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """What a passage must satisfy to be found; empty filters let every passage through.

    Of several `files`, `folders`, `formats` or `languages` one must match. `after` and `before` are
    ISO days: a document of the day `after` matches, one of the day `before` does not, and one that
    states no date matches neither. A passage must hold all `phrases` word for word and none of the
    `excluded` words. Where `within` is given, it must satisfy those filters too.
    """

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    after: str | None = None
    before: str | None = None
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    within: SearchFilters | None = None

    @property
    def is_empty(self) -> bool:
        return self == SearchFilters()

    @property
    def choose_documents(self) -> bool:
        """Whether whole documents are left out, rather than single passages."""
        return self != SearchFilters(phrases=self.phrases, excluded=self.excluded)


NO_FILTERS = SearchFilters()


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What the documents of a corpus can be chosen by, to offer in controls.

    `folders` are paths with forward slashes, those within others too; `languages` are ISO 639-1 codes;
    `earliest` and `latest` are the ISO days of the oldest and newest document that states one.
    """

    formats: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    earliest: str | None = None
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A word of a question that no document holds, and the word of the documents put in its place."""

    word: str
    replacement: str


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A chunk that some way of searching proposed, and what became of it.

    `number` is that of the passage it became or was joined into; else `dropped` says why it was
    left out. `similarity` is the cosine of question and chunk, `sentence_similarity` that of the question
    and the chunk's best sentence, where it was looked at. `word_score` is the BM25 score of the words
    shared with the question, higher is better.
    """

    chunk_id: str
    document_id: str
    path: str
    title: str
    heading: str
    page: int | None
    start: int
    end: int
    score: float
    similarity: float
    vector_rank: int | None
    word_rank: int | None
    word_score: float | None
    sentence_similarity: float | None = None
    number: int | None = None
    dropped: str = ""
    rows: SheetRows | None = None


@dataclass(frozen=True, slots=True)
class SearchTrace:
    """How passages were found, stage by stage; no model was asked.

    `question` is what was asked for after a follow-up was made to stand alone, `searched_for` the same
    with its corrections. `documents` counts those that the filters let through, of `documents_total`.
    `hits` are in the order of their score, but for the newer of two versions, which goes first; those that
    hold excluded words are last. `seconds` holds the time of each stage by its name; "words" runs beside
    "embedding" and "vectors". `notes` tell the reader what else happened, such as exact words that nothing
    holds.
    """

    question: str
    searched_for: str
    filters: SearchFilters = NO_FILTERS
    corrections: tuple[Correction, ...] = ()
    documents: int = 0
    documents_total: int = 0
    hits: tuple[SearchHit, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The passages for a question, best first and numbered from 1, and how they were found."""

    passages: tuple[Passage, ...]
    trace: SearchTrace
