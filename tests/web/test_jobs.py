"""Ingests over HTTP: what one would do, how each file fared, an end to one."""

import json

from chatbot.types import FileOutcome, IngestReport


def test_what_an_ingest_would_do_is_told(client):
    found = client.get("/api/changes").json()

    assert [(change["kind"], change["path"]) for change in found["changes"]] == [("removed", "shop/old.md")]
    assert found["refused"][0]["reason"]
    assert found["unchanged"] == 33
    assert client.get("/api/changes", params={"corpus": "nowhere"}).status_code == 404


def test_the_jobs_of_a_corpus_are_listed_the_newest_first(client, service):
    first = service.ingests.request("handbook")
    second = service.ingests.request("handbook", only_refused=True)

    jobs = client.get("/api/jobs").json()["jobs"]

    assert [(job["number"], job["state"], job["only_refused"]) for job in jobs] == [
        (second, "waiting", True),
        (first, "waiting", False),
    ]


def test_a_job_names_each_refused_file_with_its_reason(client, service):
    number = service.ingests.request("handbook")
    changes = service.upkeep.find_changes("handbook")
    service.ingests.jobs.note_changes(number, changes)
    outcome = FileOutcome("shop/old.md", "failed", reason="It is damaged.")
    service.ingests.jobs.note_outcome(number, outcome)
    service.ingests.jobs.finish(number, IngestReport("handbook", (outcome,), 33, 0, 0.1))

    job = client.get(f"/api/jobs/{number}").json()

    assert (job["state"], job["files"]) == ("finished", {"failed": 1})
    assert [(file["path"], file["reason"]) for file in job["outcomes"]] == [("shop/old.md", "It is damaged.")]


def test_a_waiting_job_is_cancelled(client, service):
    number = service.ingests.request("handbook")

    assert client.delete(f"/api/jobs/{number}").json()["state"] == "stopped"
    assert client.get(f"/api/jobs/{number}").json()["state"] == "stopped"
    assert client.delete("/api/jobs/999").status_code == 404


def test_an_ingest_of_refused_files_alone_is_asked_for_in_the_body(client, service):
    answer = client.post("/api/ingest", json={"corpus": "handbook", "only_refused": True})

    assert json.loads(answer.text.splitlines()[-1])["type"] == "report"
    assert client.get("/api/jobs").json()["jobs"][0]["only_refused"] is True


def test_a_key_for_another_corpus_sees_no_job(client, service):
    number = service.ingests.request("handbook")
    secret = service.keys.create_key("phone", "ingest", corpora=("kitchen",))
    headers = {"Authorization": f"Bearer {secret}"}

    assert client.get(f"/api/jobs/{number}", headers=headers).status_code == 404
    assert client.delete(f"/api/jobs/{number}", headers=headers).status_code == 404
