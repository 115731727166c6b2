"""Answers and errors in the shape of OpenAI's chat completions, with what they rest on beside them."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass

from chatbot.errors import BusyError, ChatbotError, CorpusError, QuestionError
from chatbot.places import find_rows
from chatbot.tokens import cut_to_tokens, estimate_message_tokens, estimate_tokens
from chatbot.types import Citation, Corpus, FinishedAnswer, Passage
from chatbot.web.completion_requests import AskedConversation
from chatbot.web.schemas import Json

ERROR_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
ERROR_CODES = {401: "invalid_api_key", 403: "not_allowed", 429: "busy"}


@dataclass(frozen=True, slots=True)
class CompletionForm:
    """What all parts of one completion have in common.

    :param site: the address that links to documents begin with.
    :param limit_tokens: where the answer is cut; None leaves it whole.
    :param with_usage: whether the last piece of a stream tells the usage, and all others that they do not.
    """

    id: str
    created: int
    model: str
    site: str
    asked: AskedConversation
    limit_tokens: int | None = None
    with_usage: bool = False

    def cut(self, text: str) -> str:
        """The text up to the limit."""
        return text if self.limit_tokens is None else cut_to_tokens(text, self.limit_tokens)


def make_form(
    model: str, *, site: str, asked: AskedConversation, limit_tokens: int | None, with_usage: bool
) -> CompletionForm:
    """A completion that begins now."""
    return CompletionForm(
        f"chatcmpl-{secrets.token_hex(12)}", int(time.time()), model, site, asked, limit_tokens, with_usage
    )


def model_to_json(corpus: Corpus) -> Json:
    """A corpus as a model."""
    return {
        "id": corpus.name,
        "object": "model",
        "created": 0,
        "owned_by": "chatbot",
        "title": corpus.title,
        "description": corpus.description,
        "documents": corpus.documents,
    }


def completion_to_json(answer: FinishedAnswer, form: CompletionForm) -> Json:
    """A whole answer."""
    text = form.cut(answer.text)
    message = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "annotations": list_annotations(answer, text, form),
    }
    return {
        "id": form.id,
        "object": "chat.completion",
        "created": form.created,
        "model": form.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": choose_finish_reason(answer, text),
            }
        ],
        "usage": count_usage(text, form),
        "sources": sources_to_json(answer, text, form),
    }


def chunk_to_json(form: CompletionForm, delta: Json, finish_reason: str | None = None) -> Json:
    """A piece of an answer that is being written."""
    chunk = {
        "id": form.id,
        "object": "chat.completion.chunk",
        "created": form.created,
        "model": form.model,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
    }
    return chunk | {"usage": None} if form.with_usage else chunk


def usage_chunk_to_json(text: str, form: CompletionForm) -> Json:
    """The piece that ends a stream whose usage was asked for."""
    return chunk_to_json(form, {}) | {"choices": [], "usage": count_usage(text, form)}


def choose_finish_reason(answer: FinishedAnswer, text: str) -> str:
    """Why the text ends where it does, in OpenAI's words."""
    was_cut = len(text) < len(answer.text.rstrip()) or answer.stop_reason == "length"
    return "length" if was_cut else "stop"


def count_usage(text: str, form: CompletionForm) -> Json:
    """The tokens of question and history, and those of the answer, as estimated."""
    messages = [*form.asked.history, form.asked.as_message()]
    prompt, completion = estimate_message_tokens(messages), estimate_tokens(text) if text else 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def list_annotations(answer: FinishedAnswer, text: str, form: CompletionForm) -> list[Json]:
    """Which stretch of the text rests on which place; those that were cut off are left out."""
    titles = {passage.number: passage.title for passage in answer.passages}
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": citation.answer_start,
                "end_index": citation.answer_end,
                "url": make_link(form.site, citation.document_id, citation.source_start, citation.source_end),
                "title": titles.get(citation.passage_number, ""),
            },
        }
        for citation in list_kept_citations(answer, text)
    ]


def list_kept_citations(answer: FinishedAnswer, text: str) -> list[Citation]:
    """The citations whose sentences stand whole in the text, which may have been cut."""
    return [citation for citation in answer.citations if citation.answer_end <= len(text)]


def sources_to_json(answer: FinishedAnswer, text: str, form: CompletionForm) -> Json:
    """What the text of an answer rests on: the quotes it cites, and then the passages that it does not."""
    passages = {passage.number: passage for passage in answer.passages}
    kept = list_kept_citations(answer, text)
    cited = [item for item in kept if item.passage_number in passages]
    numbers = {citation.passage_number for citation in cited}
    return {
        "found": answer.found,
        "receipt": answer.receipt,
        "searched_for": answer.searched_for,
        "short_answer": answer.short_answer,
        "passages": [
            *(_describe_quote(item, passages[item.passage_number], form) for item in cited),
            *(_describe_rest(item, form) for item in answer.passages if item.number not in numbers),
        ],
        "ignored": list(form.asked.ignored),
    }


def _describe_quote(citation: Citation, passage: Passage, form: CompletionForm) -> Json:
    place = _describe_place(passage, citation.source_start, citation.source_end, form)
    return {"cited": True, "quote": citation.quote, **place, "page": citation.page}


def _describe_rest(passage: Passage, form: CompletionForm) -> Json:
    chunk = passage.chunk
    return {"cited": False, "quote": chunk.text, **_describe_place(passage, chunk.start, chunk.end, form)}


def _describe_place(passage: Passage, start: int, end: int, form: CompletionForm) -> Json:
    document_id, rows = passage.chunk.document_id, find_rows(passage.chunk, start, end)
    return {
        "document": passage.title,
        "document_id": document_id,
        "path": passage.path,
        "date": passage.date,
        "page": passage.chunk.page,
        "rows": asdict(rows) if rows else None,
        "headings": list(passage.chunk.headings),
        "start": start,
        "end": end,
        "score": passage.score,
        "link": make_link(form.site, document_id, start, end),
    }


def make_link(site: str, document_id: str, start: int, end: int) -> str:
    """The address that shows a place in a document."""
    return f"{site}/documents/{document_id}?start={start}&end={end}#quote"


def completion_error_to_json(error: ChatbotError, status: int, field: str | None = None) -> Json:
    """An error as OpenAI's clients read it."""
    code = ERROR_CODES.get(status)
    if isinstance(error, CorpusError):
        field, code = "model", "model_not_found"
    elif isinstance(error, QuestionError):
        field = field or "messages"
    kind = "server_error" if status >= 500 else ERROR_TYPES.get(status, "invalid_request_error")
    if isinstance(error, BusyError):
        kind = "rate_limit_error"
    return {"error": {"message": str(error), "type": kind, "param": field, "code": code}}
