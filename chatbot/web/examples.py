"""Examples of what the HTTP interface answers, for its description at /docs and /openapi.json."""

from __future__ import annotations

import json
from typing import Any

Responses = dict[int | str, dict[str, Any]]

LINK = "http://127.0.0.1:7860/documents/5d41402abc4b2a76?start=412&end=470#quote"
QUOTE = "You may carry up to five days into the next leave year."
TEXT = f"“{QUOTE}”"

_PASSAGE = {
    "number": 1,
    "document_id": "5d41402abc4b2a76",
    "corpus": "handbook",
    "path": "people/annual-leave.md",
    "title": "Annual leave",
    "heading": "Carrying days over",
    "page": None,
    "rows": None,
    "date": "2024-04-01",
    "start": 380,
    "end": 655,
    "text": f"{QUOTE} They must be used by 30 June.",
    "score": 0.65,
}
_CITATION = {
    "passage_number": 1,
    "answer_start": 0,
    "answer_end": 57,
    "document_id": "5d41402abc4b2a76",
    "source_start": 412,
    "source_end": 467,
    "quote": QUOTE,
    "page": None,
    "rows": None,
    "support": 1.0,
}
_SOURCE = {
    "cited": True,
    "quote": QUOTE,
    "document": "Annual leave",
    "document_id": "5d41402abc4b2a76",
    "path": "people/annual-leave.md",
    "date": "2024-04-01",
    "page": None,
    "rows": None,
    "headings": ["Annual leave", "Carrying days over"],
    "start": 412,
    "end": 467,
    "score": 0.65,
    "link": LINK,
}
_SOURCES = {
    "found": True,
    "receipt": "9f2c4b7e1a3d5c6f8e0b2a41",
    "searched_for": "How many days may I carry over?",
    "short_answer": "",
    "passages": [_SOURCE],
    "ignored": [],
}
_JOB = {
    "number": 12,
    "corpus": "handbook",
    "only_refused": False,
    "state": "finished",
    "requested_at": "2026-03-02T09:00:00.000+00:00",
    "started_at": "2026-03-02T09:00:00.100+00:00",
    "finished_at": "2026-03-02T09:00:04.300+00:00",
    "unchanged": 31,
    "chunks": 14,
    "seconds": 4.2,
    "problem": None,
    "files": {"added": 1, "failed": 1},
}
_MODEL = {
    "id": "handbook",
    "object": "model",
    "created": 0,
    "owned_by": "chatbot",
    "title": "Staff handbook",
    "description": "How we work.",
    "documents": 33,
}
_ANNOTATION = {
    "type": "url_citation",
    "url_citation": {"start_index": 0, "end_index": 57, "url": LINK, "title": "Annual leave"},
}
_COMPLETION = {
    "id": "chatcmpl-1f0c",
    "object": "chat.completion",
    "created": 1767225600,
    "model": "handbook",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": TEXT,
                "refusal": None,
                "annotations": [_ANNOTATION],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 19, "completion_tokens": 18, "total_tokens": 37},
    "sources": _SOURCES,
}
_LAST_CHUNK = {
    "id": "chatcmpl-1f0c",
    "object": "chat.completion.chunk",
    "created": 1767225600,
    "model": "handbook",
    "choices": [
        {
            "index": 0,
            "delta": {"content": TEXT, "annotations": [_ANNOTATION]},
            "logprobs": None,
            "finish_reason": None,
        }
    ],
    "sources": _SOURCES,
}

_FEEDBACK = {"answer_id": "9f2c4b7e1a3d5c6f8e0b2a41", "rating": "up", "comment": "Exactly this."}

EXAMPLES: dict[str, dict[str, Any]] = {
    "corpora": {
        "corpora": [
            {
                "name": "handbook",
                "title": "Staff handbook",
                "description": "How we work.",
                "starter_questions": ["How many days of leave do I have?"],
                "documents": 33,
                "chunks": 410,
            }
        ]
    },
    "documents": {
        "documents": [
            {
                "id": "5d41402abc4b2a76",
                "corpus": "handbook",
                "path": "people/annual-leave.md",
                "title": "Annual leave",
                "format": "md",
                "date": "2024-04-01",
                "chunks": 11,
                "problem": None,
                "authors": "Ada Lovelace",
                "unread_pages": "",
                "recognized_pages": "",
                "state": "ready",
                "told": "",
            }
        ]
    },
    "added": {"corpus": "handbook", "added": ["annual-leave.md"]},
    "progress": {
        "corpus": "handbook",
        "progress": {"corpus": "handbook", "files_done": 1, "files_total": 3},
        "report": None,
    },
    "deleted": {"deleted": "5d41402abc4b2a76"},
    "changes": {
        "changes": [
            {"kind": "removed", "path": "people/old.md", "size_bytes": 0, "same_as": None},
            {"kind": "added", "path": "people/leave.md", "size_bytes": 4120, "same_as": None},
        ],
        "refused": [{"path": "scan.pdf", "reason": "“scan.pdf” holds no text. Add one that does."}],
        "unchanged": 31,
    },
    "jobs": {"jobs": [_JOB]},
    "stopped_job": {**_JOB, "state": "stopped"},
    "job": {
        **_JOB,
        "outcomes": [
            {
                "path": "cut.pdf",
                "state": "failed",
                "chunks": 0,
                "seconds": 0.1,
                "reason": "“cut.pdf” is damaged. Save it again and add that.",
                "same_as": None,
            }
        ],
    },
    "filters": {
        "formats": ["md", "pdf"],
        "folders": ["people"],
        "languages": ["en"],
        "earliest": "2021-02-01",
        "latest": "2026-03-02",
    },
    "search": {
        "passages": [_PASSAGE],
        "searched_for": "carry leave over",
        "corrections": [],
        "notes": [],
    },
    "receipt": {
        "id": "9f2c4b7e1a3d5c6f8e0b2a41",
        "corpus": "handbook",
        "asked_at": "2026-04-11T09:30:00.000+00:00",
        "question": "How many days may I carry over?",
        "filters": {},
        "searched_for": "How many days may I carry over?",
        "history": [],
        "found": True,
        "stop_reason": "end",
        "answer": TEXT,
        "answer_hash": "0f343b0931126a20f133d67c2b018a3b",
        "passages": [
            {
                "number": 1,
                "chunk_id": "8d777f385d3dfec8815d20f7496026dc",
                "document_id": "5d41402abc4b2a76",
                "revision": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                "start": 380,
                "end": 655,
                "text_hash": "486ea46224d1bb4fb680f34f7c9ad96a",
                "score": 0.65,
                "path": "people/annual-leave.md",
                "title": "Annual leave",
                "text": f"{QUOTE} They must be used by 30 June.",
                "state": "same",
            }
        ],
        "citations": [{"passage_number": 1, "quote": QUOTE, "source_start": 412, "source_end": 467}],
        "setup": {
            "model": "smollm2-135m-instruct",
            "model_hash": "b5bb9d8014a0f9b1d61e21e796d78dcc",
            "prompts": {"system": "7d865e959b2466918c9863afca942d0f"},
            "settings": {"passage_limit": 6, "evidence_floor": 0.65},
        },
        "timings": {"search": 0.05, "first_word": 0.4, "total": 0.9},
    },
    "feedback": _FEEDBACK,
    "feedbacks": {
        "feedback": [
            _FEEDBACK
            | {
                "corpus": "handbook",
                "question": "How many days may I carry over?",
                "given_at": "2026-04-11T09:31:00+00:00",
            }
        ]
    },
    "models": {"object": "list", "data": [_MODEL]},
    "model": _MODEL,
    "health": {"live": True, "ready": True, "waiting_for": "", "parts": []},
    "live": {"live": True},
    "ready": {"ready": True},
}
EVENTS: dict[str, list[dict[str, Any]]] = {
    "ask": [
        {"type": "waiting", "before": 1},
        {"type": "waiting", "before": 0},
        {"type": "question", "searched_for": "How many days may I carry over?"},
        {"type": "passages", "passages": [_PASSAGE]},
        {"type": "text", "text": TEXT},
        {"type": "citations", "citations": [_CITATION]},
        {
            "type": "done",
            "answer": {
                "text": TEXT,
                "found": True,
                "receipt": "9f2c4b7e1a3d5c6f8e0b2a41",
                "citations": [_CITATION],
                "timings": {"search": 0.05, "first_word": 0.4, "total": 0.9},
            },
        },
    ],
    "ingest": [
        {"type": "progress", "progress": {"corpus": "handbook", "files_done": 1, "files_total": 3}},
        {
            "type": "report",
            "report": {"corpus": "handbook", "outcomes": [], "unchanged": 33, "chunks": 0, "seconds": 0.2},
        },
    ],
}


def describe_json(name: str, status: int = 200) -> Responses:
    """A route that answers with the example of this name."""
    return {status: _describe("What was asked for.", "application/json", EXAMPLES[name])}


def describe_stream(name: str) -> Responses:
    """A route that answers with these events, as server-sent events or as a line of JSON each."""
    lines = "\n".join(json.dumps(event, ensure_ascii=False) for event in EVENTS[name])
    return {200: _describe("Events, as they happen.", "application/x-ndjson", lines, kind="string")}


def describe_completion() -> Responses:
    """A chat completion, whole or in pieces."""
    chunk = f"data: {json.dumps(_LAST_CHUNK, ensure_ascii=False)}\n\ndata: [DONE]\n\n"
    whole = _describe("The answer; with `stream` in pieces.", "application/json", _COMPLETION)
    pieces = _describe("", "text/event-stream", chunk, kind=None)
    return {200: {**whole, "content": whole["content"] | pieces["content"]}}


def describe_text(media_type: str, example: str) -> Responses:
    """A route that answers with text."""
    return {200: _describe("What was asked for.", media_type, example, kind="string")}


def describe_error(meaning: str, kind: str, message: str, next_step: str) -> dict[str, Any]:
    """An error as `/api` tells of it."""
    example = {"error": {"kind": kind, "message": message, "next_step": next_step}}
    return _describe(meaning, "application/json", example)


def describe_completion_error(meaning: str, kind: str, field: str | None, code: str | None) -> dict[str, Any]:
    """An error as `/v1` tells of it."""
    example = {"error": {"message": meaning, "type": kind, "param": field, "code": code}}
    return _describe(meaning, "application/json", example)


def _describe(
    meaning: str, media_type: str, example: object, *, kind: str | None = "object"
) -> dict[str, Any]:
    return {
        "description": meaning,
        "content": {media_type: {"schema": {"type": kind} if kind else {}, "example": example}},
    }


ERRORS: Responses = {
    400: describe_error(
        "Another host name.", "ChatbotError", "Invalid host header.", "Use the server's own address."
    ),
    401: describe_error(
        "A key is needed, or it is not known.",
        "AccessError",
        "A key is needed here.",
        "Send it as: Authorization: Bearer KEY.",
    ),
    403: describe_error(
        "The key may not do this.",
        "AccessDenied",
        "This key may not do that.",
        "It needs the scope ingest.",
    ),
    404: describe_error(
        "There is no such corpus or document.",
        "CorpusError",
        "There is no corpus 'x'.",
        "The corpora are: handbook.",
    ),
    409: describe_error(
        "Another process uses the data folder.",
        "LibraryInUse",
        "Another chatbot is already using the data folder.",
        "Use that one, or stop it first.",
    ),
    411: describe_error(
        "The request does not say how large it is.",
        "ChatbotError",
        "The request does not say how large it is.",
        "Send a Content-Length.",
    ),
    413: describe_error(
        "The request or a file in it is too large.",
        "DocumentTooLarge",
        "scan.pdf is larger than 50 MB.",
        "Split it, or raise the setting upload_limit_mb.",
    ),
    415: describe_error(
        "No reader takes this kind of file.",
        "UnsupportedFormat",
        "This kind of file cannot be read.",
        "Save it as PDF, and try again.",
    ),
    422: describe_error(
        "The request is not understood, or the question cannot be used.",
        "QuestionError",
        "The question is empty.",
        "Type a question.",
    ),
    429: describe_error(
        "Too many questions are waiting; `Retry-After` says for how many seconds.",
        "BusyError",
        "The chatbot is busy: too many questions are waiting already.",
        "Try again in a few seconds.",
    ),
    503: describe_error(
        "A model is still loading, or cannot be used.",
        "ModelError",
        "The language model is still loading.",
        "Ask again in a few seconds.",
    ),
}
COMPLETION_ERRORS: Responses = {
    400: describe_completion_error(
        "A parameter that cannot be honoured, or a question that cannot be used.",
        "invalid_request_error",
        "tools",
        None,
    ),
    401: describe_completion_error(
        "A key is needed, or it is not known.", "authentication_error", None, "invalid_api_key"
    ),
    403: describe_completion_error("The key may not do this.", "permission_error", None, "not_allowed"),
    404: describe_completion_error(
        "There is no such model.", "invalid_request_error", "model", "model_not_found"
    ),
    422: {"description": "Never sent: 400 stands for it.", "content": {}},
    429: describe_completion_error("Too many questions are waiting.", "rate_limit_error", None, "busy"),
    503: describe_completion_error("A model is still loading.", "server_error", None, None),
}
