"""The product's data as JSON: for the HTTP interface and for the command line's `--json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chatbot.errors import ChatbotError
from chatbot.types import (
    Chat,
    Citation,
    Corpus,
    DocumentRecord,
    FinishedAnswer,
    IngestProgress,
    IngestReport,
    Passage,
    ServiceStatus,
)

Json = dict[str, Any]


def corpus_to_json(corpus: Corpus) -> Json:
    """A corpus with its counts."""
    return asdict(corpus)


def document_to_json(record: DocumentRecord) -> Json:
    """The register's line about a document."""
    return asdict(record)


def passage_to_json(passage: Passage) -> Json:
    """A passage with its place and why it was found."""
    chunk = passage.chunk
    return {
        "number": passage.number,
        "document_id": chunk.document_id,
        "chunk_id": chunk.id,
        "corpus": passage.corpus,
        "path": passage.path,
        "title": passage.title,
        "heading": passage.heading,
        "page": chunk.page,
        "date": passage.date,
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "score": passage.score,
        "similarity": passage.similarity,
        "vector_rank": passage.vector_rank,
        "word_rank": passage.word_rank,
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
        "dropped": answer.dropped,
        "stop_reason": answer.stop_reason,
        "timings": asdict(answer.timings),
        "model": answer.model,
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
