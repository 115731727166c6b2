"""What is answered: the finished answer, its citations, what it rests on; and the chats that keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from chatbot.types.documents import SheetRows
from chatbot.types.models import Message, StopReason
from chatbot.types.search import Passage, SearchResult, SearchTrace


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
