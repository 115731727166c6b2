"""Receipts of answers as JSON, with the words that they point at as far as these still stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from chatbot.chunking import hash_text
from chatbot.errors import CorpusError
from chatbot.receipts import Receipt
from chatbot.types import Document
from chatbot.web.schemas import Json, filters_to_json

FindDocument = Callable[[str], Document]


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
