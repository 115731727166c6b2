"""What a survey found: the nouns that its answer is written from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chatbot.grounding import SourceSpan
from chatbot.surveys.survey import Survey
from chatbot.types import DocumentRecord, Passage, SearchTrace

LEFT_OPEN = frozenset({"list_members", "list_items", "count_pages", "outline_document"})
"""Surveys of these kinds that find nothing may be ordinary questions."""
FindingGroup = Literal["member", "named", "near"]
"""Listed under the topic's name, holding its words, or near to it in meaning only."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters of a passage's text; `table_header` is the first row of the table that they belong to."""

    start: int
    end: int
    table_header: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A document or an item that answers a survey.

    `passages` are those of the document that were found, best first. An item is a `stretch` of the first of
    them. `span` is the quote; None while none was chosen, and for a document without a sentence. A quote
    without a word of the topic `tells_nothing`: the topic then stands in the title. `part` names the part of
    the document that a sentence of its outline stands in.
    """

    record: DocumentRecord
    passages: tuple[Passage, ...] = ()
    stretch: Stretch | None = None
    span: SourceSpan | None = None
    group: FindingGroup = "named"
    tells_nothing: bool = False
    part: str = ""


@dataclass(frozen=True, slots=True)
class SurveyFindings:
    """What a survey found, and how much of the corpus was looked at.

    `shown` are the first of `count` documents or items, which lie in `documents` documents; it is empty
    where all documents were only to be counted. The first `members` are listed under the topic's name in
    `member_documents` documents, the last `near` are near in meaning only. `candidates` is how many documents
    were put in order, where only the first of them are wanted. `groups` are the languages, folders or formats
    asked for, with how many documents each has; the name is empty for those of none.
    Of `total` readable documents `searched` were let through by `limits`, a short text each. `undated`
    documents were left out because they state no date, and `unread` files could not be read.
    `uses_file_dates` where no document to be put in order states a date. `passages` are those of `shown`, or
    the nearest where nothing was found. `others` are further documents that a question for the outline of one
    may mean. `is_stopped` where the search was given up before its end.
    """

    survey: Survey
    trace: SearchTrace
    shown: tuple[Finding, ...] = ()
    count: int = 0
    members: int = 0
    member_documents: int = 0
    near: int = 0
    documents: int = 0
    candidates: int = 0
    groups: tuple[tuple[str, int], ...] = ()
    searched: int = 0
    total: int = 0
    undated: int = 0
    unread: int = 0
    uses_file_dates: bool = False
    limits: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    others: tuple[DocumentRecord, ...] = ()
    is_stopped: bool = False

    @property
    def is_left_open(self) -> bool:
        """Whether nothing was found that an ordinary search might not find under other words."""
        if self.count or self.is_stopped:
            return False
        return bool(self.survey.named) or self.survey.kind in LEFT_OPEN
