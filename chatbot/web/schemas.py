"""The product's data as JSON: for the HTTP interface and for the command line's `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from chatbot.changes import FolderChanges
from chatbot.document_states import describe_state, find_state
from chatbot.errors import ChatbotError, QuestionError
from chatbot.filters import read_language
from chatbot.jobs import Job, JobFile
from chatbot.places import find_rows
from chatbot.types import (
    Chat,
    Citation,
    Corpus,
    DocumentRecord,
    Explanation,
    FilterChoices,
    FinishedAnswer,
    IngestProgress,
    IngestReport,
    Passage,
    SearchFilters,
    SearchResult,
    SearchTrace,
    ServiceStatus,
)

Json = dict[str, Any]


def check_day(text: str) -> str:
    """The text, if it is an ISO day that exists.

    :raises ValueError: when it is not.
    """
    date.fromisoformat(text)
    return text


Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=20)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(check_day)]


class FiltersBody(BaseModel):
    """The fields of `SearchFilters` as a client sends them; all may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    files: Texts = []
    folders: Texts = []
    formats: Texts = []
    languages: Texts = []
    after: Day | None = None
    before: Day | None = None
    phrases: Texts = []
    excluded: Texts = []
    within: FiltersBody | None = None

    def make_filters(self) -> SearchFilters:
        """The filters that a search takes.

        :raises QuestionError: for a language that is none.
        """
        return SearchFilters(
            files=tuple(self.files),
            folders=tuple(self.folders),
            formats=tuple(self.formats),
            languages=tuple(read_language(name) for name in self.languages),
            after=self.after,
            before=self.before,
            phrases=tuple(self.phrases),
            excluded=tuple(self.excluded),
            within=self.within.make_filters() if self.within else None,
        )


def read_filters(values: object) -> SearchFilters:
    """The filters of a JSON object.

    :raises QuestionError: when it is no such object, or names a language that is none.
    """
    try:
        return FiltersBody.model_validate(values).make_filters()
    except ValidationError as error:
        field = " ".join(str(part) for part in error.errors()[0]["loc"][:1]) or "filters"
        raise QuestionError(
            f"The filter “{field}” cannot be used.",
            "Write days as 2026-03-31."
            if field in ("after", "before")
            else "Give at most 20 short texts of each kind.",
        ) from error


def filters_to_json(filters: SearchFilters) -> Json:
    """Filters by name; `read_filters` takes them back."""
    values = asdict(replace(filters, within=None))
    lists = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return lists | {"within": filters_to_json(filters.within) if filters.within else None}


def choices_to_json(choices: FilterChoices) -> Json:
    """What a search can be narrowed to."""
    return asdict(choices)


def corpus_to_json(corpus: Corpus) -> Json:
    """A corpus with its counts."""
    return asdict(corpus)


def document_to_json(record: DocumentRecord) -> Json:
    """The register's line about a document, its state, and what is to be told of it."""
    return asdict(record) | {"state": find_state(record), "told": describe_state(record)}


def passage_to_json(passage: Passage) -> Json:
    """A passage with its place and why it was found."""
    chunk = passage.chunk
    rows = find_rows(chunk, chunk.start, chunk.end)
    return {
        "number": passage.number,
        "document_id": chunk.document_id,
        "chunk_id": chunk.id,
        "corpus": passage.corpus,
        "path": passage.path,
        "title": passage.title,
        "heading": passage.heading,
        "page": chunk.page,
        "rows": asdict(rows) if rows else None,
        "date": passage.date,
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "score": passage.score,
        "similarity": passage.similarity,
        "vector_rank": passage.vector_rank,
        "word_rank": passage.word_rank,
        "also_in": [asdict(place) for place in passage.also_in],
    }


def trace_to_json(trace: SearchTrace) -> Json:
    """How passages were found; the seconds by stage."""
    return asdict(trace) | {"filters": filters_to_json(trace.filters), "seconds": dict(trace.seconds)}


def search_to_json(result: SearchResult) -> Json:
    """Passages, what was searched for in the end, and what to tell the reader about it."""
    trace = result.trace
    return {
        "passages": [passage_to_json(passage) for passage in result.passages],
        "searched_for": trace.searched_for,
        "corrections": [asdict(correction) for correction in trace.corrections],
        "notes": list(trace.notes),
    }


def explanation_to_json(explanation: Explanation) -> Json:
    """A search with its trace, and what a model would be sent."""
    return search_to_json(explanation.result) | {
        "trace": trace_to_json(explanation.result.trace),
        "prompt": asdict(explanation.prompt) if explanation.prompt else None,
        "answerable": explanation.answerable,
        "asks_model": explanation.asks_model,
        "is_survey": explanation.is_survey,
        "best_evidence": explanation.best_evidence,
        "floor": explanation.floor,
    }


def citation_to_json(citation: Citation) -> Json:
    """Which words of which document a sentence rests on."""
    return asdict(citation)


def answer_to_json(answer: FinishedAnswer) -> Json:
    """A finished answer with everything it rests on."""
    return {
        "question": answer.question,
        "searched_for": answer.searched_for,
        "corpus": answer.corpus,
        "text": answer.text,
        "found": answer.found,
        "passages": [passage_to_json(passage) for passage in answer.passages],
        "citations": [citation_to_json(citation) for citation in answer.citations],
        "unsupported": [list(span) for span in answer.unsupported],
        "short_answer": answer.short_answer,
        "dropped": answer.dropped,
        "receipt": answer.receipt,
        "stop_reason": answer.stop_reason,
        "timings": asdict(answer.timings),
        "model": answer.model,
        "trace": trace_to_json(answer.trace) if answer.trace else None,
        "prompt": asdict(answer.prompt) if answer.prompt else None,
    }


def chat_to_json(chat: Chat) -> Json:
    """A chat with the turns that it was loaded with."""
    turns = [
        {
            "id": turn.id,
            "question": turn.question,
            "answer": answer_to_json(turn.answer),
            "asked_at": turn.asked_at,
            "rating": turn.rating,
        }
        for turn in chat.turns
    ]
    return {
        "id": chat.id,
        "corpus": chat.corpus,
        "title": chat.title,
        "created_at": chat.created_at,
        "updated_at": chat.updated_at,
        "turns": turns,
    }


def progress_to_json(progress: IngestProgress) -> Json:
    """Where an ingest stands."""
    return asdict(progress)


def report_to_json(report: IngestReport) -> Json:
    """What an ingest did, file by file."""
    return asdict(report)


def changes_to_json(changes: FolderChanges) -> Json:
    """What an ingest would do, without doing it."""
    return {
        "changes": [
            {
                "kind": change.kind,
                "path": change.path,
                "size_bytes": change.size_bytes,
                "same_as": change.same_as,
            }
            for change in changes.changes
        ],
        "refused": [{"path": record.path, "reason": record.problem} for record in changes.refused],
        "unchanged": changes.unchanged,
    }


def job_to_json(job: Job, files: Sequence[JobFile] | None = None) -> Json:
    """An ingest and how many of its files are in which state; `files` adds each of them."""
    return asdict(job) | ({} if files is None else {"outcomes": [asdict(file) for file in files]})


def status_to_json(status: ServiceStatus) -> Json:
    """Whether questions can be answered yet."""
    return {
        "live": True,
        "ready": status.ready,
        "waiting_for": status.waiting_for,
        "parts": [asdict(part) for part in status.parts],
    }


def error_to_json(error: ChatbotError) -> Json:
    """What a client is told about an error."""
    return {"kind": type(error).__name__, "message": error.message, "next_step": error.next_step}
