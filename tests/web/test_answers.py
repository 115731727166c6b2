"""Receipts, feedback and documents over HTTP."""

from __future__ import annotations

import json

import pytest

from chatbot.admission import Admission
from chatbot.feedback import Feedback
from tests.web.test_access import use, wait_until

QUESTION = "How long can a customer return coffee?"


def ask(client, headers=None, **fields) -> dict:
    lines = client.post("/api/ask", json={"question": QUESTION, **fields}, headers=headers).text.splitlines()
    return json.loads(lines[-1])["answer"]


def test_every_answer_can_be_looked_up_by_its_receipt(client):
    answer = ask(client, history=[{"role": "user", "content": "Hello"}])
    body = {"model": "handbook", "messages": [{"role": "user", "content": QUESTION}]}
    completion = client.post("/v1/chat/completions", json=body).json()

    receipt = client.get(f"/api/answers/{answer['receipt']}").json()
    assert (receipt["question"], receipt["answer"]) == (QUESTION, answer["text"])
    assert receipt["history"] == [{"role": "user", "content": "Hello"}]
    assert [item["quote"] for item in receipt["citations"]] == [item["quote"] for item in answer["citations"]]
    assert {item["state"] for item in receipt["passages"]} == {"same"}
    assert [item["text"] for item in receipt["passages"]] == [item["text"] for item in answer["passages"]]
    assert receipt["setup"]["model"] == "SmolLM2-135M-Instruct"
    assert receipt["timings"]["total"] > 0
    other = client.get(f"/api/answers/{completion['sources']['receipt']}").json()
    assert (other["answer_hash"], other["id"]) == (receipt["answer_hash"], completion["sources"]["receipt"])


def test_nobody_is_told_of_an_answer_from_a_corpus_that_the_key_does_not_open(client, service):
    receipt = ask(client)["receipt"]
    headers = use(service.keys.create_key("phone", "admin", ["papers"]))

    hidden = client.get(f"/api/answers/{receipt}", headers=headers)
    unknown = client.get("/api/answers/000000", headers=headers)
    rated = client.post("/api/feedback", json={"answer_id": receipt, "rating": "up"}, headers=headers)
    assert (hidden.status_code, rated.status_code, hidden.text) == (404, 404, unknown.text)
    assert service.records.feedback.list_feedback() == []


def test_feedback_is_kept_with_its_question_and_can_be_taken_back(client, service):
    receipt = ask(client)["receipt"]
    body = {"answer_id": receipt, "rating": "down", "comment": "<b>wrong</b>"}
    assert client.post("/api/feedback", json=body).json() == body

    [item] = client.get("/api/feedback").json()["feedback"]
    assert (item["question"], item["rating"], item["comment"]) == (QUESTION, "down", "<b>wrong</b>")
    client.post("/api/feedback", json={"answer_id": receipt, "rating": None})
    assert client.get("/api/feedback").json() == {"feedback": []}


@pytest.mark.parametrize(
    "body",
    [{"rating": "up"}, {"answer_id": "x", "rating": "sideways"}, {"answer_id": "x", "rating": "up", "a": 1}],
)
def test_feedback_that_is_none_is_refused(client, body):
    assert client.post("/api/feedback", json=body).status_code == 422


def test_documents_are_added_read_and_deleted(client, service):
    files = [("files", ("../../rules.txt", b"No dogs.", "text/plain")), ("files", ("broken.pdf", b"x"))]
    added = client.post("/api/documents", files=files, data={"corpus": "papers"})
    assert (added.status_code, added.json()["corpus"]) == (202, "papers")

    wait_until(lambda: client.get("/api/ingest?corpus=papers").json()["report"])
    state = client.get("/api/ingest?corpus=papers").json()
    outcomes = {item["path"].split("/")[-1]: item["result"] for item in state["report"]["outcomes"]}
    assert outcomes == {"rules.txt": "added", "broken.pdf": "failed"}
    assert state["progress"] is None
    [document] = client.get("/api/documents?corpus=papers").json()["documents"]
    assert client.delete(f"/api/documents/{document['id']}").status_code == 200
    assert client.get("/api/documents?corpus=papers").json()["documents"] == []


def test_documents_that_are_too_large_or_none_at_all_are_refused(client, service):
    large = [("files", ("large.txt", b"x" * (2 * 1024**2 + 1)))]

    refused = client.post("/api/documents", files=large)
    assert (refused.status_code, refused.json()["error"]["kind"]) == (413, "DocumentTooLarge")
    assert client.post("/api/documents", files=[("files", ("x.txt", b"x" * 3 * 1024**2))]).status_code == 413
    assert client.post("/api/documents", data={"corpus": "papers"}).status_code == 422
    assert service.ingests.latest("handbook") is None


def test_adding_documents_takes_a_key_for_that_and_that_corpus(client, service):
    files = [("files", ("rules.txt", b"No dogs."))]
    reader = use(service.keys.create_key("phone"))
    papers = use(service.keys.create_key("scanner", "ingest", ["papers"]))

    assert client.post("/api/documents", files=files, headers=reader).status_code == 403
    data = {"corpus": "handbook"}
    assert client.post("/api/documents", files=files, data=data, headers=papers).status_code == 404
    assert client.post("/api/documents", files=files, headers=papers).status_code == 202


def test_explained_searches_wait_in_the_queue_and_plain_ones_do_not(client, service):
    service.admission = Admission(parallel=1, waiting=0)
    import threading

    with service.admission.enter(threading.Event()):
        body = {"question": QUESTION}
        assert client.post("/api/search", json=body | {"explain": True}).status_code == 429
        assert client.post("/api/search", json=body).status_code == 200
        document = next(item for item in service.catalogue.list_documents("handbook") if item.format == "pdf")
        assert client.get(f"/documents/{document.id}/pages/1.png").status_code == 429


def find_long_lists(value, path="") -> list[str]:
    """Where a JSON value holds many numbers in a row, as a vector would."""
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in find_long_lists(item, f"{path}.{name}")]
    if not isinstance(value, list):
        return []
    if len(value) >= 16 and all(isinstance(item, float) for item in value):
        return [path]
    return [found for item in value for found in find_long_lists(item, f"{path}[]")]


def test_no_route_answers_with_an_embedding(client):
    receipt = ask(client)["receipt"]
    description = client.get("/openapi.json").json()
    answers = [
        client.post("/api/search", json={"question": QUESTION, "explain": True}).json(),
        client.get(f"/api/answers/{receipt}").json(),
        ask(client),
        *(
            client.get(path).json()
            for path, methods in description["paths"].items()
            if "get" in methods and "{" not in path and path != "/metrics"
        ),
    ]

    assert find_long_lists(answers) == []
    names = {
        name for schema in description["components"]["schemas"].values() for name in schema["properties"]
    }
    assert not names & {"vector", "vectors", "embedding", "embeddings"}
    assert find_long_lists([[0.1] * 16]) == ["[]"]


def test_newer_feedback_of_other_corpora_hides_none_of_ones_own(client, service):
    for number, corpus in enumerate(("papers", "handbook", "handbook")):
        service.records.feedback.give(Feedback(f"{number:024}", corpus, QUESTION, "up", ""))
    headers = use(service.keys.create_key("phone", "admin", ["papers"]))

    [item] = client.get("/api/feedback?limit=2", headers=headers).json()["feedback"]

    assert item["corpus"] == "papers"
