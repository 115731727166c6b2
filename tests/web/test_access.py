from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from chatbot.admission import Admission
from chatbot.keys import KeyStore
from chatbot.sessions import SessionStore
from tests.web.fake_service import FakeSettings

QUESTION = "How long can a customer return coffee?"
PAGE = {"accept": "text/html"}


def use(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def wait_until(holds: Callable[[], object]) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.01)


@pytest.fixture
def document_id(service) -> str:
    return next(
        record.id for record in service.catalogue.list_documents("handbook") if record.problem is None
    )


def list_requests(document_id: str) -> list[tuple[str, str, dict | None, str]]:
    """Method, path, body and the scope that each route needs."""
    question = {"question": QUESTION}
    completion = {"model": "handbook", "messages": [{"role": "user", "content": QUESTION}]}
    return [
        ("GET", "/api/corpora", None, "read"),
        ("GET", "/api/documents", None, "read"),
        ("GET", "/api/filters", None, "read"),
        ("POST", "/api/search", question, "read"),
        ("POST", "/api/ask", question, "read"),
        ("GET", "/v1/models", None, "read"),
        ("GET", "/v1/models/handbook", None, "read"),
        ("POST", "/v1/chat/completions", completion, "read"),
        ("GET", f"/documents/{document_id}", None, "read"),
        ("GET", f"/documents/{document_id}/original", None, "read"),
        ("GET", "/health", None, "read"),
        ("GET", "/metrics", None, "read"),
        ("GET", "/docs", None, "read"),
        ("GET", "/openapi.json", None, "read"),
        ("GET", "/corpus", None, "read"),
        ("GET", "/corpus/handbook", None, "read"),
        ("GET", "/api/ingest", None, "read"),
        ("POST", "/api/ingest", {}, "ingest"),
        ("GET", "/api/changes", None, "ingest"),
        ("GET", "/api/jobs", None, "ingest"),
        ("GET", "/api/jobs/1", None, "ingest"),
        ("DELETE", "/api/jobs/1", None, "ingest"),
        ("GET", "/api/feedback", None, "admin"),
        ("POST", "/corpus/handbook/check", None, "ingest"),
        ("POST", f"/corpus/handbook/documents/{document_id}/read", None, "ingest"),
        ("GET", f"/corpus/handbook/documents/{document_id}/delete", None, "admin"),
        ("GET", "/", None, "admin"),
        ("GET", "/gradio_api/startup-events", None, "admin"),
        ("DELETE", f"/api/documents/{document_id}", None, "admin"),
    ]


def test_without_any_key_everybody_on_this_machine_may_do_everything(client, document_id):
    for method, path, body, _ in list_requests(document_id):
        assert client.request(method, path, json=body).status_code == 200, path


@pytest.mark.parametrize("scope", ["read", "ingest", "admin"])
def test_each_scope_opens_what_it_is_for_and_no_more(client, service, document_id, scope):
    secret = service.keys.create_key("phone", scope)
    reached = ["read", "ingest", "admin"][: ["read", "ingest", "admin"].index(scope) + 1]
    for method, path, body, needed in list_requests(document_id):
        status = client.request(method, path, json=body, headers=use(secret)).status_code
        assert status == (200 if needed in reached else 403), path


@pytest.mark.parametrize("headers", [{}, use(""), use("cbk-wrong"), {"authorization": "Basic Y2I6"}])
def test_once_there_is_a_key_every_route_asks_for_one(client, service, document_id, headers):
    service.keys.create_key("phone")
    for method, path, body, _ in list_requests(document_id):
        response = client.request(method, path, json=body, headers=headers)
        assert response.status_code == 401, path
        assert response.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_is_refused_on_every_route_at_once(client, service, document_id):
    secret = service.keys.create_key("phone", "admin")
    assert client.get("/api/corpora", headers=use(secret)).status_code == 200
    service.keys.revoke_key("phone")
    for method, path, body, _ in list_requests(document_id):
        assert client.request(method, path, json=body, headers=use(secret)).status_code == 401, path


def test_others_need_a_key_even_while_there_is_none(client, service):
    service.settings = FakeSettings(host="0.0.0.0")

    assert client.get("/api/corpora").status_code == 401


def test_a_key_for_one_corpus_sees_no_other(client, service, document_id):
    secret = service.keys.create_key("phone", "admin", ["papers"])
    headers = use(secret)

    corpora = client.get("/api/corpora", headers=headers).json()["corpora"]
    models = client.get("/v1/models", headers=headers).json()["data"]
    assert [corpus["name"] for corpus in corpora] == [model["id"] for model in models] == ["papers"]
    for method, path, body in [
        ("GET", "/api/documents?corpus=handbook", None),
        ("GET", "/api/filters?corpus=handbook", None),
        ("POST", "/api/search", {"question": QUESTION, "corpus": "handbook"}),
        ("POST", "/api/ask", {"question": QUESTION, "corpus": "handbook"}),
        ("POST", "/api/ingest", {"corpus": "handbook"}),
        (
            "POST",
            "/v1/chat/completions",
            {"model": "handbook", "messages": [{"role": "user", "content": "x"}]},
        ),
        ("GET", "/v1/models/handbook", None),
        ("GET", f"/documents/{document_id}", None),
        ("GET", f"/documents/{document_id}/original", None),
        ("GET", f"/documents/{document_id}/pages/1.png", None),
        ("DELETE", f"/api/documents/{document_id}", None),
    ]:
        response = client.request(method, path, json=body, headers=headers)
        assert response.status_code == 404, path
        assert "Harbour" not in response.text
    for path in ("/documents/{}", "/documents/{}/original", "/documents/{}/pages/1.png"):
        there, nowhere = (
            client.get(path.format(each), headers=headers).text for each in (document_id, "0" * 16)
        )
        assert there == nowhere
    assert client.get("/", headers=headers).status_code == 403
    assert client.get("/api/documents", headers=headers).json()["documents"] == []
    assert service.asked == []


def test_health_for_machines_needs_no_key(client, service):
    service.keys.create_key("phone")

    assert client.get("/health/live").json() == {"live": True}
    assert client.get("/health/ready").json() == {"ready": True}
    service.loading_seconds = 1000
    assert client.get("/health/ready").status_code == 503


def test_the_page_asks_for_a_key_once_and_keeps_it_from_scripts(client, service):
    secret = service.keys.create_key("ann", "admin")
    sent = client.get("/?chat=7", headers=PAGE, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/%3Fchat%3D7")
    assert 'type="password"' in client.get(sent.headers["location"]).text

    opened = client.post("/sign-in", data={"key": secret, "next": "/?chat=7"}, follow_redirects=False)
    cookie = opened.headers["set-cookie"]
    sent_back = {**PAGE, "cookie": cookie.split(";")[0]}
    client.cookies.clear()

    assert (opened.status_code, opened.headers["location"]) == (303, "/?chat=7")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert secret not in cookie
    page = client.get("/", headers=sent_back)
    assert "your documents, with sources" in page.text
    service.keys.revoke_key("ann")
    again = client.get("/", headers=sent_back, follow_redirects=False)
    assert again.status_code == 303


def sign_in(client, service, name: str = "ann", scope: str = "admin") -> dict[str, str]:
    """The headers of a browser that has signed in."""
    data = {"key": service.keys.create_key(name, scope)}
    answer = client.post("/sign-in", data=data, follow_redirects=False)
    client.cookies.clear()
    return {**PAGE, "cookie": answer.headers["set-cookie"].split(";")[0]}


def test_signing_out_ends_this_browsers_session_alone(client, service):
    browser = sign_in(client, service)
    other = sign_in(client, service, "ben")
    page = client.get("/", headers=browser)
    assert page.status_code == 200

    left = client.post("/sign-out", headers=browser, follow_redirects=False)

    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert 'chatbot_session=""' in left.headers["set-cookie"]
    assert client.get("/", headers=browser, follow_redirects=False).status_code == 303
    assert client.get("/", headers=other).status_code == 200


def test_a_session_is_no_key_and_a_key_is_no_session(client, service):
    browser = sign_in(client, service)
    token = browser["cookie"].split("=", 1)[1]

    assert client.get("/api/corpora", headers=use(token)).status_code == 401
    secret = service.keys.create_key("ben", "admin")
    assert client.get("/api/corpora", headers={"cookie": f"chatbot_session={secret}"}).status_code == 401
    assert client.get("/api/corpora", headers=use("")).status_code == 401
    assert client.get("/api/corpora", headers=browser).status_code == 200


def test_a_session_survives_a_restart_and_ends_by_itself(tmp_path):
    keys = KeyStore(tmp_path / "keys.json")
    secret = keys.create_key("ann")
    first = SessionStore(tmp_path / "sessions.sqlite3", keys)
    token = first.open(secret)
    first.close()
    again = SessionStore(tmp_path / "sessions.sqlite3", keys)

    assert again.find_access(token).scope == "read"
    assert again.open("cbk-unknown") is None
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("sessions*"))
    database = sqlite3.connect(tmp_path / "sessions.sqlite3", isolation_level=None)
    database.execute("UPDATE sessions SET expires_at = '2020-01-01'")
    database.close()
    assert again.find_access(token) is None
    again.close()


def test_a_thousand_times_signed_in_keeps_only_the_latest(tmp_path):
    keys = KeyStore(tmp_path / "keys.json")
    secret = keys.create_key("ann")
    store = SessionStore(tmp_path / "sessions.sqlite3", keys)
    tokens = [store.open(secret) for _ in range(120)]

    alive = [token for token in tokens if store.find_access(token)]
    assert alive == tokens[-100:]
    store.close()


def test_an_answer_on_its_way_breaks_off_when_its_key_is_revoked(running_server):
    url, service = running_server
    secret = service.keys.create_key("phone")
    body = {"question": "Tell me everything"}
    with httpx.stream(
        "POST", f"{url}/api/ask", json=body, headers=use(secret), trust_env=False, timeout=10
    ) as response:
        lines = response.iter_lines()
        next(lines)
        service.keys.revoke_key("phone")
        rest = list(lines)

    assert '"done"' not in "".join(rest)
    wait_until(lambda: service.answers[-1].was_stopped and service.admission.running == 0)


def test_a_wrong_key_is_told_and_kept_nowhere(client, service):
    service.keys.create_key("ann", "admin")
    response = client.post("/sign-in", data={"key": "cbk-wrong"})

    assert response.status_code == 401
    assert "not known" in response.text
    assert "cbk-wrong" not in response.text
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "target", ["http://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_signing_in_leads_to_no_other_site(client, service, target):
    secret = service.keys.create_key("ann", "admin")
    data = {"key": secret, "next": target}
    response = client.post("/sign-in", data=data, follow_redirects=False)
    client.cookies.clear()

    assert response.headers["location"] == "/"


def test_the_log_holds_no_key(client, service, monkeypatch, caplog):
    secret = service.keys.create_key("phone")

    def fail(*args, **kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr(service, "search", fail)
    client.post("/api/search", json={"question": QUESTION}, headers=use(secret))

    assert "a bug" in caplog.text
    assert secret not in caplog.text


# Asking, counting, describing


def test_ask_sends_events_to_those_who_want_them(client):
    response = client.post("/api/ask", json={"question": QUESTION}, headers={"accept": "text/event-stream"})

    names = [line.removeprefix("event: ") for line in response.text.splitlines() if line.startswith("event")]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert names[:2] == ["question", "passages"]
    assert names[-1] == "done"
    assert {"text", "citations"} <= set(names)
    assert '"timings"' in response.text


def test_a_question_too_many_is_turned_away(client, service):
    service.admission = Admission(parallel=1, waiting=0)
    with service.admission.enter(threading.Event()):
        response = client.post("/api/ask", json={"question": QUESTION})

    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["error"]["kind"] == "BusyError"
    assert client.post("/api/ask", json={"question": QUESTION}).status_code == 200


def test_what_happens_is_counted(client, service):
    for question in (QUESTION, "Who owns the moon?", "Please crash"):
        client.post("/api/ask", json={"question": question})
    text = client.get("/metrics").text

    for line in (
        "chatbot_questions_total 3.0",
        "chatbot_declined_total 1.0",
        'chatbot_errors_total{kind="ModelError"} 1.0',
        "chatbot_answer_seconds_count 2.0",
        "chatbot_first_word_seconds_count 2.0",
        "chatbot_waiting_questions 0.0",
        "chatbot_documents 5.0",
    ):
        assert line in text


def test_the_interface_describes_itself_without_a_foreign_address(client):
    description = client.get("/openapi.json").json()
    page = client.get("/docs")

    for path, methods in description["paths"].items():
        assert path in page.text
        for route in methods.values():
            [good] = [each for status, each in route["responses"].items() if status.startswith("2")]
            assert any("example" in answer for answer in good["content"].values()), path
            if body := route.get("requestBody", {}).get("content", {}).get("application/json"):
                reference = body["schema"]["$ref"]
                assert description["components"]["schemas"][reference.split("/")[-1]]["examples"], path
    assert "<script" not in page.text
    assert "https://" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_person_whose_key_does_not_open_the_chat_is_led_to_the_corpora(client, service):
    browser = sign_in(client, service, scope="read")

    led = client.get("/", headers=browser, follow_redirects=False)

    assert (led.status_code, led.headers["location"]) == (303, "/corpus")
    assert client.get("/corpus", headers=browser).status_code == 200


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client, service):
    service.keys.create_key("ann", "admin")

    led = client.post("/corpus/handbook/check", headers=PAGE, follow_redirects=False)

    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=/corpus/handbook")
