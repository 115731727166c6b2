"""Answers that were given: their receipts, and what readers thought of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request

from chatbot.feedback import MOST_KEPT
from chatbot.receipts import Receipt, describe_no_receipt
from chatbot.web.access import get_access, get_service
from chatbot.web.bodies import FeedbackBody
from chatbot.web.examples import ERRORS, describe_json
from chatbot.web.receipts import receipt_to_json
from chatbot.web.schemas import Json

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
