"""The nouns of the product: what a document, a chunk, a passage, a citation and a message are.

Everything here is plain frozen data. `text[start:end]` always speaks of characters of
`Document.text`, the plain text that a file was read to, counted from zero.
"""

from __future__ import annotations

from collections.abc import Generator as PythonGenerator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Span = tuple[int, int]
"""Start and end of a stretch of characters."""
NumberedStart = tuple[int, int]
"""Where a page or a row of a sheet begins in the text, and its number from 1."""
SheetStart = tuple[int, str]
"""Where a sheet of a workbook begins in the text, and its name; a text file's table has none."""

BlockKind = Literal["heading", "paragraph", "list_item", "table_header", "table_row", "code"]
Role = Literal["system", "user", "assistant"]
StopReason = Literal["end", "length", "stopped"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a document: the characters `text[start:end]`.

    Blocks are in reading order and do not overlap; the text between two blocks is white space.
    `level` is 1 to 6 for headings and the nesting depth (from 1) for list items, else 0. `row` is the row of
    its sheet as a spreadsheet program numbers it, from 1; 0 for what stands in no sheet.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a file format's reader makes of one file.

    `page_starts[i]` is the offset at which page i + 1 begins; empty for formats without pages.
    `date` is the ISO day (YYYY-MM-DD) that the document states for itself, if any. `authors` are those that
    its file names, parted by "; ". Of a PDF, `unread_pages` are those without words (no text layer, and
    nothing was read off their picture) and `recognized_pages` those whose words were read off their picture,
    as ranges from 1: "2-4, 7". `sheets` are those of a spreadsheet. Cells of a table row are joined with
    ` | `.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    page_starts: tuple[int, ...] = ()
    date: str | None = None
    authors: str = ""
    unread_pages: str = ""
    recognized_pages: str = ""
    sheets: tuple[SheetStart, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """The register's line about one file: what it is, and how reading it ended.

    `path` is relative to the corpus's documents folder, with forward slashes.
    `problem` is None for a document that can be searched, else why the file was refused. `language`
    is the ISO 639-1 code of the language that most of the text is in, where it could be told. The last three
    are those of `ParsedDocument`.
    """

    id: str
    corpus: str
    path: str
    title: str
    format: str
    size_bytes: int
    modified_ns: int
    sha256: str
    date: str | None
    pages: int
    chunks: int
    added_at: str
    problem: str | None = None
    language: str | None = None
    authors: str = ""
    unread_pages: str = ""
    recognized_pages: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document in the library: its register line and its parsed content."""

    record: DocumentRecord
    text: str
    blocks: tuple[Block, ...]
    page_starts: tuple[int, ...]
    sheets: tuple[SheetStart, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document small enough for the embedder: `document.text[start:end] == text`.

    `context` is what the piece needs to make sense alone (document title, headings, the header of
    its table). It is embedded and indexed in front of `text`, but is no part of it. `page` is the one that
    it begins on. `sheet` is the name of the spreadsheet's sheet that it stands in, None elsewhere.
    `starts` are those of the sheet's rows in it, else of the further pages that it reaches.
    """

    id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    context: str
    page: int | None
    sheet: str | None = None
    starts: tuple[NumberedStart, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetRows:
    """Rows of a sheet, as a spreadsheet program numbers them; `sheet` is empty for a text file's table."""

    sheet: str
    first: int
    last: int


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


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """What a model would be sent: its messages, their tokens, and how many the window leaves for them."""

    messages: tuple[Message, ...]
    tokens: int
    limit_tokens: int
    passages: tuple[int, ...]
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an answer would rest on, found without calling a language model.

    `prompt` is what the model would be sent; where no model is loaded it is None, and what follows it
    says nothing. `answerable` tells whether the passages are likely to hold the answer: whether
    `best_evidence`, the score of their best sentence, reaches `floor`, and they name what the question
    names. `asks_model` is False too where a quote alone says it best, and for a survey: a question about
    the corpus as a whole, which is answered from all of it.
    """

    result: SearchResult
    prompt: PromptPlan | None = None
    answerable: bool = False
    asks_model: bool = False
    is_survey: bool = False
    best_evidence: float = 0.0
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Citation:
    """The words of a source that one sentence of the answer rests on.

    `answer_start` and `answer_end` bound the sentence in the answer's text; `source_start` and
    `source_end` bound the quoted words in the document's text. `support` is between 0 and 1.
    """

    passage_number: int
    answer_start: int
    answer_end: int
    document_id: str
    source_start: int
    source_end: int
    quote: str
    page: int | None
    support: float
    rows: SheetRows | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds that the parts of one answer took; `first_word` and `total` count from the question."""

    search: float = 0.0
    first_word: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class FinishedAnswer:
    """Everything about a completed answer; what the page, the command line and the chats keep.

    `found` is False when the documents do not hold the answer: then `text` says so and `passages`
    are only the nearest ones. `unsupported` bounds the sentences of `text` that no passage backs.
    `dropped` counts passages that were found but did not fit the model's window. `trace` tells how
    the passages were found and `prompt` what the model was sent, None where it was not asked.
    `short_answer` are the words that the text begins with where a few of a source's words answer the
    question; `best_evidence` is the score of the likeliest sentence. `receipt` is the id under which all
    of this can be looked up and repeated; empty where no receipts are kept.
    """

    question: str
    searched_for: str
    corpus: str
    text: str
    found: bool
    passages: tuple[Passage, ...]
    citations: tuple[Citation, ...]
    unsupported: tuple[tuple[int, int], ...] = ()
    dropped: int = 0
    stop_reason: StopReason = "end"
    timings: Timings = field(default_factory=Timings)
    model: str = ""
    trace: SearchTrace | None = None
    prompt: PromptPlan | None = None
    short_answer: str = ""
    best_evidence: float = 0.0
    receipt: str = ""


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


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of documents that one can chat with: `corpora/<name>/`."""

    name: str
    title: str
    description: str
    starter_questions: tuple[str, ...]
    documents: int = 0
    chunks: int = 0


FileResult = Literal["added", "changed", "renamed", "unchanged", "removed", "failed"]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """How one file fared in an ingest; `reason` is what to tell the user when it failed.

    `same_as` is the path that a renamed file had; of any other file, the one that it is a copy of.
    """

    path: str
    result: FileResult
    chunks: int = 0
    seconds: float = 0.0
    reason: str | None = None
    same_as: str | None = None


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Where an ingest stands: the file being read, files and chunks done, and an estimate."""

    corpus: str
    current: str
    files_done: int
    files_total: int
    chunks_done: int
    seconds: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did, file by file; unchanged files are only counted.

    `refused` are those that an earlier ingest could not read and that have not changed since. `job` is
    the number under which the ingest is kept; 0 where it is not.
    """

    corpus: str
    outcomes: tuple[FileOutcome, ...]
    unchanged: int
    chunks: int
    seconds: float
    stopped: bool = False
    refused: tuple[FileOutcome, ...] = ()
    job: int = 0


PartState = Literal["waiting", "working", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class PartStatus:
    """What one part of the running product (the embedder, the model, a corpus) is doing."""

    name: str
    state: PartState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Whether questions can be answered yet, and if not, what is still awaited."""

    ready: bool
    parts: tuple[PartStatus, ...]

    @property
    def waiting_for(self) -> str:
        """One sentence for the user; empty when ready."""
        problems = [part.detail for part in self.parts if part.state == "failed"]
        if problems:
            return " ".join(problems)
        return ", ".join(part.detail for part in self.parts if part.state == "working")

    @property
    def remarks(self) -> str:
        """What users are to know of parts that are ready; mostly empty."""
        return " ".join(part.detail for part in self.parts if part.state == "ready" and part.detail)


Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A question with its answer, as kept; `rating` is the reader's thumb."""

    id: str
    question: str
    answer: FinishedAnswer
    asked_at: str
    rating: Rating | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation over one corpus; `turns` is empty where chats are only listed."""

    id: str
    corpus: str
    title: str
    created_at: str
    updated_at: str
    turns: tuple[ChatTurn, ...] = ()
