from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatbot.commands.replay import compare_receipts
from chatbot.errors import CorpusError
from chatbot.feedback import Feedback, FeedbackStore
from chatbot.receipts import ReceiptStore, Setup, make_receipt
from chatbot.types import NO_FILTERS, Citation, FinishedAnswer, Message, SearchFilters, Timings
from chatbot.web.receipts import receipt_to_json
from tests.web.fake_library import make_documents, make_passage

DOCUMENTS = make_documents()
SECRET = "Unopened bags of coffee may be returned"
SETUP = Setup(model="small", model_hash="aa", prompts={"system": "1"}, settings={"passage_limit": 6})


def make_answer(text: str = f"{SECRET} within 30 days.", document: int = 0) -> FinishedAnswer:
    passage = make_passage(DOCUMENTS[document], 0, 1)
    chunk = passage.chunk
    quote = chunk.text[:20]
    citation = Citation(1, 0, len(text), chunk.document_id, chunk.start, chunk.start + 20, quote, None, 1.0)
    return FinishedAnswer(
        "How long?", "How long may goods be returned?", "handbook", text, True, (passage,), (citation,),
        timings=Timings(0.1, 0.2, 0.3),
    )  # fmt: skip


def make(answer: FinishedAnswer | None = None, history=(), filters=NO_FILTERS, setup=SETUP):
    revisions = {document.record.id: document.record.sha256 for document in DOCUMENTS}
    return make_receipt(
        answer or make_answer(), history=history, filters=filters, setup=setup, revisions=revisions
    )


def find_document(document_id: str):
    found = [document for document in DOCUMENTS if document.record.id == document_id]
    if not found:
        raise CorpusError("gone", "")
    return found[0]


@pytest.fixture
def store(tmp_path):
    store = ReceiptStore(tmp_path / "receipts.sqlite3", most=3, days=30)
    yield store
    store.close()


def read_all_bytes(folder) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("receipts.sqlite3*"))


def test_a_receipt_comes_back_as_it_was_kept(store):
    receipt = make(
        history=[Message("user", "Hello"), Message("assistant", "Hi")],
        filters=SearchFilters(files=("a",), within=SearchFilters(folders=("b",))),
    )
    store.add(receipt)

    assert store.get(receipt.id) == receipt
    assert store.find("another") is None
    with pytest.raises(CorpusError, match="no such answer"):
        store.get("another")


def test_only_the_latest_receipts_are_kept_and_none_for_longer_than_is_set(store):
    receipts = [make() for _ in range(5)]
    long_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    for receipt in receipts:
        store.add(receipt)
    assert [store.find(receipt.id) is not None for receipt in receipts] == [False, False, True, True, True]

    store.add(replace(receipts[0], id="old", asked_at=long_ago))
    assert store.find("old") is None


def test_a_deleted_documents_words_are_in_no_byte_of_the_receipts(store, tmp_path):
    about_it, about_another = make(), make(make_answer("The float is 150 euros.", document=1))
    follow_up = make(make_answer("So 150 euros.", document=1), [Message("assistant", SECRET)])
    for receipt in (about_it, about_another, follow_up):
        store.add(receipt)
    assert SECRET.encode() in read_all_bytes(tmp_path)

    store.forget_documents("handbook", [DOCUMENTS[1].record.id])

    assert SECRET.encode() not in read_all_bytes(tmp_path)
    assert store.get(about_it.id).words is None
    assert store.get(about_it.id).passages == about_it.passages
    assert store.get(follow_up.id).words is None
    assert store.get(about_another.id) == about_another


def test_the_words_of_a_deleted_chat_are_in_no_byte_of_the_receipts(store, tmp_path):
    receipts = [
        make(),
        make(make_answer("Other words."), [Message("assistant", SECRET)]),
        make(make_answer("So.")),
    ]
    for receipt in receipts:
        store.add(receipt)

    store.forget_words([receipts[0].id, receipts[1].id, "another", ""])

    assert SECRET.encode() not in read_all_bytes(tmp_path)
    assert [store.get(receipt.id).words is None for receipt in receipts] == [True, True, False]
    assert store.get(receipts[0].id).citations == receipts[0].citations


def test_documents_of_other_corpora_are_left_alone(store):
    receipt = make()
    store.add(receipt)

    assert store.forget_documents("papers", []) == 0
    assert store.get(receipt.id).words is not None


def test_an_answer_whose_document_was_deleted_meanwhile_keeps_no_words():
    receipt = make_receipt(make_answer(), history=(), filters=NO_FILTERS, setup=SETUP, revisions={})

    assert receipt.words is None


def test_a_receipt_shows_the_texts_that_still_stand_there():
    receipt = make()
    passage = receipt_to_json(receipt, find_document)["passages"][0]
    assert (passage["state"], passage["path"]) == ("same", "shop/refunds-and-returns.pdf")
    assert passage["text"].startswith(SECRET)

    edited = replace(DOCUMENTS[0], text=DOCUMENTS[0].text.replace("30 days", "20 days"))
    shown = receipt_to_json(receipt, lambda _: edited)
    assert (shown["passages"][0]["state"], shown["passages"][0]["text"]) == ("changed", None)
    assert shown["citations"][0]["quote"] == SECRET[:20]

    shown = receipt_to_json(receipt, lambda _: find_document("deleted"))
    assert shown["passages"][0]["state"] == "gone"
    assert shown["citations"][0]["quote"] is None


def test_the_same_answer_twice_has_no_differences():
    first, second = (receipt_to_json(make(), find_document) for _ in range(2))

    assert list(compare_receipts(first, second)) == []


def test_what_changed_between_two_answers_is_told():
    setup = replace(SETUP, model_hash="bb", prompts={"system": "2"}, settings={"passage_limit": 4})
    before = receipt_to_json(make(), find_document)
    after = receipt_to_json(make(make_answer("Other words.", document=1), setup=setup), find_document)

    changes = list(compare_receipts(before, after))
    assert changes == [
        "the weights of the language model: aa → bb",
        "setting passage_limit: 6 → 4",
        "prompt system.md: another text",
        "passage 1 of shop/refunds-and-returns.pdf is no longer found",
        "passage 1 of shop/opening-and-closing.docx is new",
        f"answer: “{SECRET} within 30 days.” → “Other words.”",
        "citations: 1 → 1, not the same quotes",
    ]


def test_of_an_answer_the_latest_feedback_counts(tmp_path):
    store = FeedbackStore(tmp_path / "feedback.sqlite3")
    store.give(Feedback("a", "handbook", "How long?", "down", "wrong"))
    store.give(Feedback("b", "papers", "Why?", "up"))
    store.give(Feedback("a", "handbook", "How long?", "up"))

    assert [(item.answer_id, item.rating) for item in store.list_feedback()] == [("a", "up"), ("b", "up")]
    assert [item.answer_id for item in store.list_feedback("papers")] == ["b"]
    store.take_back("a")
    assert [item.answer_id for item in store.list_feedback()] == ["b"]
    store.close()
