from __future__ import annotations

import json
import threading

import pytest

from chatbot.errors import CorpusError, LibraryInUse, ModelError, QuestionError, UnsupportedFormat
from chatbot.types import NO_FILTERS, SearchFilters
from chatbot.web.failures import find_status
from chatbot.web.schemas import filters_to_json, read_filters
from tests.web.fake_service import FakeService

QUESTION = "How long can a customer return coffee?"


def read_lines(response):
    return [json.loads(line) for line in response.text.splitlines()]


def find_document(service: FakeService, path: str) -> str:
    return next(record.id for record in service.catalogue.list_documents("handbook") if record.path == path)


# Health, headers, hosts, origins


def test_health_tells_what_is_awaited(client, service):
    assert client.get("/health").json()["ready"] is True
    service.loading_seconds = 1000
    health = client.get("/health").json()
    assert (health["live"], health["ready"]) == (True, False)
    assert "the language model is loading" in health["waiting_for"]


@pytest.mark.parametrize(
    "path", ["/", "/health", "/api/corpora", "/documents/unknown", "/ui/page.css", "/theme.css"]
)
def test_every_response_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def test_inline_scripts_of_the_page_need_the_nonce(client):
    response = client.get("/")
    policy = response.headers["content-security-policy"]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert "script-src 'self' 'nonce-" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert response.text.count("<script") == response.text.count(f'<script nonce="{nonce}"')
    assert client.get("/").headers["content-security-policy"] != policy
    assert "your documents, with sources" in response.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7860"])
def test_other_host_names_are_refused(client, host):
    assert client.get("/health", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:7861"},
        {"origin": "http://127.0.0.1:7860.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    "path",
    ["/api/ask", "/api/ingest", "/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/upload"],
)
def test_other_sites_may_change_nothing(client, service, path, headers):
    response = client.post(path, json={"question": QUESTION}, headers=headers)
    assert response.status_code == 403
    assert service.asked == []


def test_own_pages_may(client):
    headers = {"origin": "http://127.0.0.1:7860", "sec-fetch-site": "same-origin"}
    assert client.post("/api/search", json={"question": QUESTION}, headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_no_origin_is_ever_allowed_to_read(client, origin):
    for path in ("/", "/health", "/api/corpora", "/gradio_api/startup-events"):
        response = client.get(path, headers={"origin": origin})
        assert "access-control-allow-origin" not in response.headers


# Gradio


@pytest.mark.parametrize(
    "path",
    [
        "file=/etc/passwd",
        "file=../../etc/passwd",
        "file=http://127.0.0.1:9/",
        "file/etc/passwd",
        "proxy=http://evil.example/",
        "info",
        "openapi.json",
        "run/open_page",
        "run/act",
        "call/act",
        "stream/a/b/c/playlist.m3u8",
        "runs",
        "deep_link",
        "vibe-code/",
    ],
)
def test_gradio_offers_nothing_but_the_page(client, path):
    assert client.get(f"/gradio_api/{path}").status_code == 404
    assert client.post(f"/gradio_api/{path}", json={"data": []}).status_code == 404


def test_a_page_can_ask_which_run_of_the_server_it_speaks_to(client):
    response = client.get("/gradio_api/app_id")
    assert response.status_code == 200
    assert list(response.json()) == ["app_id"]


@pytest.mark.parametrize(
    "path",
    [
        "/config",
        "/monitoring",
        "/monitoring/summary",
        "/redoc",
        "/docs/oauth2-redirect",
        "/svelte/x.js",
        "/login",
    ],
)
def test_gradio_side_doors_are_closed(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["..%2f..%2f..%2fetc/passwd", "../../../../etc/passwd", "%2fetc%2fpasswd"])
@pytest.mark.parametrize("folder", ["/static/", "/assets/", "/ui/", "/documents/"])
def test_no_path_leads_out_of_a_folder(client, folder, path):
    response = client.get(folder + path)
    assert response.status_code in (400, 403, 404)
    assert "root:" not in response.text


def test_the_mounted_page_checks_the_files_that_clients_name(client, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    blocks = client.app.routes[-1].app.get_blocks()
    assert blocks.has_launched
    upload = next(function for function in blocks.fns.values() if function.name == "upload")
    body = {
        "data": [[{"path": str(secret), "meta": {"_type": "gradio.FileData"}}], "", "handbook"],
        "fn_index": upload._id,
        "session_hash": "one",
    }
    response = client.post("/gradio_api/run/predict", json=body)
    assert response.status_code == 500
    assert "secret" not in response.text.replace(str(secret), "")
    assert "Traceback" not in response.text
    assert not [
        record
        for record in client.app.state.service.catalogue.list_documents("handbook")
        if "secret" in record.path
    ]


def test_questions_cannot_go_around_the_queue(client, service):
    blocks = client.app.routes[-1].app.get_blocks()
    ask = next(function for function in blocks.fns.values() if function.name == "ask")
    body = {"data": ["", "handbook"], "fn_index": ask._id, "event_data": {"question": QUESTION}}
    assert client.post("/gradio_api/run/predict", json=body).status_code == 404
    assert service.asked == []


def test_uploads_have_a_limit(client):
    response = client.post("/gradio_api/upload", files={"files": ("big.txt", b"x" * 3_000_000)})
    assert response.status_code == 413


def test_other_bodies_have_a_limit(client):
    response = client.post("/api/ask", content=b"x" * 5_000_000, headers={"content-type": "application/json"})
    assert response.status_code == 413


# Errors


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (QuestionError, 422),
        (CorpusError, 404),
        (UnsupportedFormat, 415),
        (ModelError, 503),
        (LibraryInUse, 409),
    ],
)
def test_each_kind_of_error_has_its_status(error, status):
    assert find_status(error("It broke.", "Mend it.")) == status


def test_known_errors_say_what_to_do(client):
    response = client.post("/api/search", json={"question": QUESTION, "corpus": "nowhere"})
    assert response.status_code == 404
    assert response.json()["error"]["next_step"] == "Choose one of: handbook, papers."


def test_unknown_errors_tell_nothing_but_an_id(client, service, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise RuntimeError("the secret of /home/someone")

    monkeypatch.setattr(service, "search", fail)
    response = client.post("/api/search", json={"question": QUESTION})
    assert response.status_code == 500
    message = response.json()["error"]["message"]
    assert message.startswith("Something went wrong (id ")
    assert "secret" not in response.text
    assert "frame-ancestors" in response.headers["content-security-policy"]
    assert message.split("id ")[1][:8] in caplog.text
    assert "the secret of" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": 3},
        {"question": "x", "extra": 1},
        {"question": "x", "history": [{"role": "system"}]},
        [],
    ],
)
def test_malformed_requests_are_explained(client, body):
    response = client.post("/api/ask", json=body)
    assert response.status_code == 422
    assert "not understood" in response.json()["error"]["message"]


def test_only_json_is_taken(client):
    response = client.post("/api/search", content='{"question": "x"}', headers={"content-type": "text/plain"})
    assert response.status_code == 422


# The interface


def test_ask_streams_passages_words_and_the_answer(client):
    events = read_lines(client.post("/api/ask", json={"question": QUESTION}))
    assert [event["type"] for event in events[:2]] == ["question", "passages"]
    assert events[-1]["type"] == "done"
    answer = events[-1]["answer"]
    text = "".join(event["text"] for event in events if event["type"] == "text")
    assert text.rstrip() == answer["text"]
    assert answer["citations"][0]["quote"].startswith("Unopened bags")
    assert "vector" not in answer["passages"][0]


def test_ask_ends_with_an_error_line(client):
    events = read_lines(client.post("/api/ask", json={"question": "Please crash"}))
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["message"] == "The language model ran out of memory."
    events = read_lines(client.post("/api/ask", json={"question": "a bug"}))
    assert "secret" not in json.dumps(events)


def test_history_reaches_the_service(client, service):
    history = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    client.post("/api/ask", json={"question": QUESTION, "history": history})
    assert [message.content for message in service.asked[0][1]] == ["Hello", "Hi"]


def test_corpora_documents_and_search(client):
    assert [corpus["name"] for corpus in client.get("/api/corpora").json()["corpora"]] == [
        "handbook",
        "papers",
    ]
    assert len(client.get("/api/documents").json()["documents"]) == 6
    assert client.get("/api/documents", params={"corpus": "papers"}).json()["documents"] == []
    passages = client.post("/api/search", json={"question": QUESTION, "limit": 2}).json()["passages"]
    assert [passage["number"] for passage in passages] == [1, 2]


def test_search_takes_filters_and_explains_itself(client, service):
    body = {"question": "return cofee", "filters": {"formats": ["pdf"]}, "explain": True}
    found = client.post("/api/search", json=body).json()
    assert [passage["path"] for passage in found["passages"]] == ["shop/refunds-and-returns.pdf"] * 2
    assert found["searched_for"] == "return coffee"
    assert found["corrections"] == [{"word": "cofee", "replacement": "coffee"}]
    assert found["trace"]["filters"]["formats"] == ["pdf"]
    assert found["trace"]["seconds"]["embedding"] == 0.012
    assert found["trace"]["hits"][-1]["dropped"] == "below the first 4"
    assert found["prompt"]["messages"][0]["role"] == "user"
    assert found["passages"][0]["also_in"][0]["title"] == "Food hygiene"
    assert "trace" not in client.post("/api/search", json={"question": "x"}).json()
    assert service.asked == []


def test_ask_takes_filters_and_tells_how_the_sources_were_found(client, service):
    body = {"question": QUESTION, "filters": {"folders": ["shop"], "after": "2025-01-01"}}
    answer = read_lines(client.post("/api/ask", json=body))[-1]["answer"]
    assert (service.filters[-1].folders, service.filters[-1].after) == (("shop",), "2025-01-01")
    assert answer["trace"]["documents"] == 2
    assert answer["prompt"]["tokens"] == 120


@pytest.mark.parametrize("name", ["de", "DE", "German", "de-AT"])
def test_languages_are_known_by_code_and_name(client, service, name):
    body = {"question": QUESTION, "filters": {"languages": [name]}}
    client.post("/api/ask", json=body)

    assert service.filters[-1].languages == ("de",)


def test_filters_that_narrow_others_go_through_json_and_back():
    narrowed = SearchFilters(formats=("pdf",), within=SearchFilters(formats=("docx", "pdf")))

    for filters in (NO_FILTERS, narrowed):
        assert read_filters(json.loads(json.dumps(filters_to_json(filters)))) == filters


def test_typed_filters_narrow_those_that_a_client_sets(client):
    body = {"question": "return coffee type:pdf", "filters": {"formats": ["docx"]}, "explain": True}

    found = client.post("/api/search", json=body).json()

    assert found["passages"] == []


def test_an_unknown_language_is_refused_with_advice(client):
    answer = client.post("/api/ask", json={"question": QUESTION, "filters": {"languages": ["klingon"]}})

    assert answer.status_code == 422
    assert "klingon" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "filters",
    [
        {"file": ["x"]},
        {"files": "x"},
        {"files": [1]},
        {"files": ["x" * 201]},
        {"files": ["x"] * 21},
        {"files": [""]},
        {"after": "2025"},
        {"after": "2025-02-30"},
        [],
    ],
)
@pytest.mark.parametrize("path", ["/api/search", "/api/ask"])
def test_filters_are_checked(client, path, filters):
    assert client.post(path, json={"question": QUESTION, "filters": filters}).status_code == 422


def test_filter_choices_are_listed(client):
    choices = client.get("/api/filters").json()
    assert choices["folders"] == ["people", "roastery", "shop"]
    assert choices["formats"] == ["docx", "html", "md", "pdf"]
    assert (choices["earliest"], choices["latest"]) == ("2025-11-18", "2026-03-02")
    assert client.get("/api/filters", params={"corpus": "nowhere"}).status_code == 404


def test_ingest_ends_with_the_report(client):
    events = read_lines(client.post("/api/ingest", json={"corpus": "handbook"}))
    assert events[0]["type"] == "progress"
    assert events[-1]["type"] == "report"
    assert events[-1]["report"]["unchanged"] == 5


def test_documents_can_be_deleted(client, service):
    document_id = find_document(service, "shop/food-hygiene.md")
    assert client.delete(f"/api/documents/{document_id}").status_code == 200
    assert client.get(f"/documents/{document_id}").status_code == 404


# The viewer


def test_viewer_marks_the_quote(client, service):
    document_id = find_document(service, "shop/refunds-and-returns.pdf")
    start = service.catalogue.get_document(document_id).text.index("Unopened")
    response = client.get(f"/documents/{document_id}", params={"start": start, "end": start + 13})
    assert ">Unopened bags</mark>" in response.text
    assert 'id="quote"' in response.text
    assert f"/documents/{document_id}/pages/1.png?start={start}" in response.text
    assert response.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self'; img-src 'self'"
    )


@pytest.mark.parametrize("span", [{"start": 10**9, "end": 2 * 10**9}, {"start": 50, "end": 3}, {}])
def test_viewer_survives_any_span(client, service, span):
    document_id = find_document(service, "shop/food-hygiene.md")
    response = client.get(f"/documents/{document_id}", params=span)
    assert response.status_code == 200
    assert "<mark" not in response.text


def test_viewer_of_an_unknown_document_is_a_page(client):
    response = client.get("/documents/unknown")
    assert response.status_code == 404
    assert "There is no such document." in response.text
    assert "Back to the chat" in response.text


def test_original_is_saved_and_never_run(client, service):
    response = client.get(
        f"/documents/{find_document(service, 'people/holidays-and-sick-days.html')}/original"
    )
    assert response.headers["content-disposition"] == 'attachment; filename="holidays-and-sick-days.html"'
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-security-policy"].startswith("sandbox")


def test_pages_exist_only_for_pdfs(client, service):
    document_id = find_document(service, "shop/food-hygiene.md")
    assert client.get(f"/documents/{document_id}/pages/1.png").status_code == 404


def test_chats_can_be_taken_away(client, service):
    chat = service.chats.create_chat("handbook")
    service.chats.append_turn(chat.id, "Größe?", service.ask("Größe?", corpus="handbook").finish())
    response = client.get(f"/chats/{chat.id}/export")
    assert response.headers["content-disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe-.md"
    assert "# Größe?" in response.text
    assert client.get("/chats/none/export").status_code == 404


def test_no_thread_is_left_behind(client):
    client.post("/api/ask", json={"question": QUESTION})
    assert not [thread for thread in threading.enumerate() if thread.name == "answer" and thread.is_alive()]


def test_the_fake_service_offers_nothing_that_the_real_one_lacks():
    from chatbot.catalogue import Catalogue
    from chatbot.service import Service
    from chatbot.upkeep import Upkeep
    from tests.web.fake_service import FakeService

    offered = {name for name, value in vars(FakeService).items() if callable(value)}

    assert {name for name in offered if not name.startswith("_")} <= {
        *dir(Service),
        *dir(Catalogue),
        *dir(Upkeep),
    }
