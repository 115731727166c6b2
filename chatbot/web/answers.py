"""Answers that were given: their receipts, and what readers thought of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request

from chatbot.chunking import hash_text
from chatbot.errors import CorpusError
from chatbot.feedback import MOST_KEPT
from chatbot.receipts import Receipt, describe_no_receipt
from chatbot.types import Document
from chatbot.web.access import get_access, get_service
from chatbot.web.bodies import FeedbackBody
from chatbot.web.examples import ERRORS, describe_json
from chatbot.web.schemas import Json, filters_to_json

FindDocument = Callable[[str], Document]

router = APIRouter(prefix="/api", responses=ERRORS, tags=["Chatbot"])


@router.get("/answers/{answer_id}", responses=describe_json("receipt"))
def show_answer(request: Request, answer_id: str) -> Json:
    """The receipt of an answer: what it rested on, and whether that is still so."""
    return receipt_to_json(find_receipt(request, answer_id), get_service(request).catalogue.get_document)


@router.post("/feedback", responses=describe_json("feedback"))
def give_feedback(request: Request, body: FeedbackBody) -> Json:
    """Say whether an answer helped; of one answer the latest word counts."""
    receipt = find_receipt(request, body.answer_id)
    get_service(request).records.rate(receipt.id, body.rating, body.comment)
    return {"answer_id": receipt.id, "rating": body.rating, "comment": body.comment}


@router.get("/feedback", responses=describe_json("feedbacks"))
def list_feedback(
    request: Request,
    corpus: Annotated[str, Query(description="Only of this corpus.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Json:
    """The latest feedback, newest first. Needs the scope admin."""
    found = get_service(request).records.feedback.list_feedback(corpus, limit=MOST_KEPT)
    access = get_access(request)
    return {"feedback": [asdict(item) for item in found if access.sees(item.corpus)][:limit]}


def find_receipt(request: Request, answer_id: str) -> Receipt:
    """The receipt of an answer from a corpus that the request may use.

    :raises CorpusError: where there is none; nobody is told of one that the key does not open.
    """
    receipts = get_service(request).records.receipts
    receipt = receipts.find(answer_id)
    if receipt is None or not get_access(request).sees(receipt.corpus):
        raise describe_no_receipt(receipts.days)
    return receipt


def receipt_to_json(receipt: Receipt, find_document: FindDocument) -> Json:
    """A receipt, with the texts of its passages and quotes as far as they still stand in the documents.

    The `state` of a passage is same, changed or gone.
    """
    documents = {
        passage.document_id: _look_up(passage.document_id, find_document) for passage in receipt.passages
    }
    for citation in receipt.citations:
        documents.setdefault(citation.document_id, _look_up(citation.document_id, find_document))
    values = asdict(receipt)
    for passage in values["passages"]:
        document = documents[passage["document_id"]]
        text = _read(document, passage["start"], passage["end"], passage["text_hash"])
        state = "gone" if document is None else "changed" if text is None else "same"
        place = {"path": document.record.path, "title": document.record.title} if document else {}
        passage.update({"path": None, "title": None} | place | {"text": text, "state": state})
    for citation in values["citations"]:
        document = documents[citation["document_id"]]
        citation["quote"] = _read(
            document, citation["source_start"], citation["source_end"], citation["quote_hash"]
        )
    words = values.pop("words") or {"searched_for": None, "answer": None, "history": None}
    return values | {
        "filters": filters_to_json(receipt.filters),
        "searched_for": words["searched_for"],
        "answer": words["answer"],
        "history": words["history"],
    }


def _look_up(document_id: str, find_document: FindDocument) -> Document | None:
    try:
        return find_document(document_id)
    except CorpusError:
        return None


def _read(document: Document | None, start: int, end: int, expected_hash: str) -> str | None:
    """The characters of a document, if they are still the ones that were meant."""
    text = document.text[start:end] if document else ""
    return text if document and hash_text(text) == expected_hash else None
