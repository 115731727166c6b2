"""What the widget's routes let through: whom, for how long, how much, and what they say."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import chatbot
from chatbot.sites import SiteLimits
from chatbot.web.streams import start_answer
from chatbot.web.widget.events import count_same
from chatbot.web.widget.limits import MinuteLimits
from chatbot.web.widget.passes import Passes
from chatbot.web.widget.routes import Reception
from chatbot.web.widget.snippet import STATIC_FOLDER, make_snippet
from chatbot.web.widget.visits import Visits
from tests.web.fake_service import FakeSettings

QUESTION = "How long can a customer return coffee?"
ORIGIN = "https://www.example.org"
FOREIGN_ORIGINS = [
    "https://evil.example", "null", "", "https://www.example.org.evil.example", "https://evilwww.example.org",
    "http://www.example.org", "https://www.example.org:8443", "https://example.org", "https://WWW.EXAMPLE.ORG",
    "https://www.example.org/", "file://", "https://www.example.org, https://evil.example",
]  # fmt: skip


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(client) -> Clock:
    clock = Clock()
    client.app.state.reception = Reception(Visits(clock), MinuteLimits(clock), passes=Passes(clock))
    return clock


@pytest.fixture
def site(client, service, clock):
    return service.sites.add_site("handbook", "handbook", [ORIGIN])


def take_ticket(client, site="handbook", origin=ORIGIN):
    return client.post(f"/widget/sites/{site}/ticket", headers={"origin": origin})


def open_visit(client, conversation="", origin=ORIGIN, site="handbook") -> dict:
    ticket = take_ticket(client, site, origin).json()["ticket"]
    return client.post("/widget/visit", json={"ticket": ticket, "conversation": conversation}).json()


def use(visit: dict) -> dict[str, str]:
    return {"authorization": f"Bearer {visit['token']}"}


def ask(client, visit, question=QUESTION, **body):
    return client.post("/widget/ask", json={"question": question, **body}, headers=use(visit))


def read_events(response) -> list[dict]:
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]


# Who is let in


def test_a_listed_page_opens_a_visit_and_is_answered_with_sources(client, site):
    visit = open_visit(client)
    events = read_events(ask(client, visit))

    assert visit["title"] == "Harbour Coffee handbook"
    assert [event["type"] for event in events][-1] == "done"
    turn = events[-1]["turn"]
    assert {"citation": 1} in turn["blocks"][0]["pieces"]
    source = turn["sources"][0]
    quoted = [word["text"] for word in source["words"] if word["is_quoted"]]
    assert quoted[0].startswith("Unopened bags of coffee may be returned")
    page = client.get(f"/widget/{source['link'].partition('#')[0]}")
    assert page.status_code == 200
    assert re.search(r'<mark[^>]*id="quote"[^>]*>Unopened bags of coffee', page.text)


def test_visitors_are_told_nothing_of_prompts_scores_and_files(client, site):
    text = ask(client, open_visit(client)).text

    for inside in ("Answer this", "similarity", "score", "chunk", "shop/refunds", "trace", "timings"):
        assert inside not in text
    link = re.search(r"documents/[^\"#]+", text)[0]
    assert "shop/refunds" not in client.get(f"/widget/{link}").text


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_pages_of_other_origins_get_nothing(client, site, origin):
    ticket = take_ticket(client, origin=origin)
    admission = client.post("/widget/sites/handbook", headers={"origin": origin})
    frame = client.get("/widget/frame", params={"site": "handbook", "origin": origin})

    assert ticket.status_code == admission.status_code == frame.status_code == 403
    assert "access-control-allow-origin" not in ticket.headers | admission.headers
    assert "frame-ancestors 'none'" in frame.headers["content-security-policy"]
    assert frame.headers["x-frame-options"] == "DENY"
    assert "<script" not in frame.text


@pytest.mark.parametrize("origin", [ORIGIN, *FOREIGN_ORIGINS])
def test_only_listed_origins_may_read_and_only_three_addresses(client, site, origin):
    readable = set()
    for path in ("/", "/widget.js", "/widget/frame", "/widget/visit", "/widget/ask", "/widget/rating",
                 "/widget-demo", "/widget/sites/handbook", "/widget/sites/other",
                 "/widget/sites/handbook/ticket", "/widget/sites/other/ticket", "/api/corpora", "/api/ask",
                 "/v1/models", "/ui/widget/frame.js", "/docs", "/health"):  # fmt: skip
        for method in ("GET", "POST", "OPTIONS"):
            headers = {"origin": origin, "access-control-request-method": "POST"}
            response = client.request(method, path, headers=headers)
            allowed = response.headers.get("access-control-allow-origin")
            assert allowed in (None, origin), path
            assert "access-control-allow-credentials" not in response.headers
            if allowed:
                readable.add(path)
                assert "Origin" in response.headers["vary"]
    own = {"/widget.js", "/widget/sites/handbook", "/widget/sites/handbook/ticket"}
    assert readable == (own if origin == ORIGIN else set())


def test_a_site_without_origins_answers_nobody(client, service, site):
    service.sites.add_site("empty", "handbook")

    admitted = [
        client.post(f"/widget/sites/{name}", headers={"origin": ORIGIN}).status_code
        for name in ("handbook", "empty", "unknown")
    ]
    assert admitted == [204, 403, 403]
    assert take_ticket(client, "empty").status_code == 403
    assert take_ticket(client, "unknown").status_code == 403


def test_the_frame_may_be_shown_by_its_sites_pages_alone(client, site):
    frame = client.get("/widget/frame", params={"site": "handbook", "origin": ORIGIN})
    policy = frame.headers["content-security-policy"]

    assert policy.endswith(f"frame-ancestors {ORIGIN}")
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "x-frame-options" not in frame.headers
    assert "set-cookie" not in frame.headers
    assert re.findall(r"https?://[^\"' ]+", frame.text) == [ORIGIN]


# Tickets and tokens


def test_a_ticket_is_good_for_one_use_within_a_minute_from_one_address(client, site, clock, service):
    ticket = take_ticket(client).json()["ticket"]
    body = {"ticket": ticket, "conversation": ""}
    elsewhere = TestClient(client.app, base_url="http://127.0.0.1:7860", client=("10.0.0.9", 1))
    assert elsewhere.post("/widget/visit", json=body).status_code == 401
    assert client.post("/widget/visit", json=body).status_code == 401

    body["ticket"] = take_ticket(client).json()["ticket"]
    assert client.post("/widget/visit", json=body).status_code == 200
    assert client.post("/widget/visit", json=body).status_code == 401

    body["ticket"] = take_ticket(client).json()["ticket"]
    clock.now += 61
    assert client.post("/widget/visit", json=body).status_code == 401


def test_a_token_replayed_from_elsewhere_is_refused(client, site, service, clock):
    visit = open_visit(client)
    body = {"question": QUESTION}
    from_page = client.post("/widget/ask", json=body, headers={**use(visit), "origin": ORIGIN})
    from_evil = client.post(
        "/widget/ask", json=body, headers={**use(visit), "origin": "https://evil.example"}
    )
    elsewhere = TestClient(client.app, base_url="http://127.0.0.1:7860", client=("10.0.0.9", 1))

    assert from_page.status_code == from_evil.status_code == 403
    assert elsewhere.post("/widget/ask", json=body, headers=use(visit)).status_code == 401
    clock.now += 15 * 60 + 1
    assert ask(client, visit).status_code == 401
    assert service.asked == []


def test_a_token_opens_no_other_route(client, service, site):
    visit = open_visit(client)
    service.keys.create_key("phone", "admin")
    for method, path in (("GET", "/api/corpora"), ("POST", "/api/ask"), ("GET", "/v1/models"), ("GET", "/")):
        response = client.request(method, path, headers=use(visit), json={"question": QUESTION})
        assert response.status_code == 401, path
    assert ask(client, visit).status_code == 200  # and the widget needs no key


@pytest.mark.parametrize("token", ["", "x", "x" * 5000])
def test_without_a_visit_nothing_is_answered(client, site, service, token):
    for path, body in (
        ("ask", {"question": QUESTION}),
        ("rating", {"turn": "x", "rating": "up"}),
        ("new", None),
    ):
        response = client.post(f"/widget/{path}", json=body, headers={"authorization": f"Bearer {token}"})
        assert response.status_code == 401, path
    assert service.asked == []


def test_a_site_that_is_removed_is_refused_at_once(client, service, site):
    visit = open_visit(client)
    link = read_events(ask(client, visit))[-1]["turn"]["sources"][0]["link"].partition("#")[0]
    service.sites.remove_site("handbook")

    assert ask(client, visit).status_code == 403
    assert client.get(f"/widget/{link}").status_code == 401


def test_a_pass_opens_one_document_for_an_hour(client, service, site, clock):
    link = read_events(ask(client, open_visit(client)))[-1]["turn"]["sources"][0]["link"].partition("#")[0]
    shown, others = re.search(r"documents/(\w+)", link)[1], service.catalogue.list_documents("handbook")
    other = next(record.id for record in others if record.id != shown)

    assert client.get(f"/widget/{link.replace(shown, other)}").status_code == 401
    assert client.get(f"/widget/documents/{shown}").status_code == 401
    assert (
        client.get(f"/widget/documents/{shown}?pass=handbook.99999999999999999999999.ff").status_code == 401
    )
    assert client.get(f"/widget/{link}").status_code == 200
    clock.now += 3602
    assert client.get(f"/widget/{link}").status_code == 401


# Conversations


def test_a_conversation_goes_on_after_the_page_was_left(client, service, site):
    visit = open_visit(client)
    ask(client, visit)
    again = open_visit(client, visit["conversation"])

    assert again["conversation"] == visit["conversation"]
    assert again["token"] != visit["token"]
    assert [turn["question"] for turn in again["turns"]] == [QUESTION]
    ask(client, again, "And opened bags?")
    assert service.asked[1][1][0].content == QUESTION


def test_a_conversation_of_another_site_is_not_shown(client, service, site):
    service.sites.add_site("other", "handbook", [ORIGIN])
    visit = open_visit(client)
    ask(client, visit)

    other = open_visit(client, visit["conversation"], site="other")
    assert other["turns"] == []
    assert other["conversation"] != visit["conversation"]


def test_a_new_chat_forgets_the_old_one(client, service, site):
    visit = open_visit(client)
    ask(client, visit)
    fresh = client.post("/widget/new", headers=use(visit)).json()["conversation"]

    assert open_visit(client, visit["conversation"])["turns"] == []
    ask(client, visit, "And opened bags?")
    assert service.asked[1][1] == ()
    assert len(open_visit(client, fresh)["turns"]) == 1


def test_the_page_that_is_looked_at_leads_the_question(client, service, site):
    visit = open_visit(client)
    ask(
        client,
        visit,
        "How do I cancel this?",
        page={"title": "Season tickets | Shop", "address": f"{ORIGIN}/x"},
    )
    ask(
        client,
        visit,
        "And what does it cost?",
        page={"title": "Season tickets | Shop", "address": f"{ORIGIN}/x"},
    )
    ask(client, visit, "And this?", page={"title": "Gift cards | Shop", "address": f"{ORIGIN}/y"})

    histories = [[message.content for message in history] for _, history in service.asked]
    assert histories[0] == ["Season tickets", "I see."]
    assert histories[1][:3] == ["Season tickets", "I see.", "How do I cancel this?"]
    assert histories[1].count("Season tickets") == 1
    assert histories[2][-2:] == ["Gift cards", "I see."]


def test_ratings_are_kept_with_question_and_answer(client, service, site):
    visit = open_visit(client)
    turn = read_events(ask(client, visit))[-1]["turn"]["id"]
    rate = {"turn": turn, "rating": "down"}

    assert client.post("/widget/rating", json=rate, headers=use(visit)).json() == {"rating": "down"}
    [rated] = service.site_records.list_ratings("handbook")
    assert (rated.rating, rated.question) == ("down", QUESTION)
    assert open_visit(client, visit["conversation"])["turns"][0]["rating"] == "down"
    client.post("/widget/rating", json={"turn": turn, "rating": None}, headers=use(visit))
    assert service.site_records.list_ratings("handbook") == []
    assert client.post("/widget/rating", json=rate, headers=use(open_visit(client))).status_code == 404


def delete_first_source(service, events) -> None:
    service.upkeep.delete_document(re.search(r"documents/(\w+)", events[-1]["turn"]["sources"][0]["link"])[1])


def test_nothing_that_was_said_is_shown_again_once_a_document_of_it_is_deleted(client, service, site):
    visit = open_visit(client)
    events = read_events(ask(client, visit))
    delete_first_source(service, events)

    again = open_visit(client, visit["conversation"])
    assert (again["turns"], again["conversation"]) == ([], visit["conversation"])
    rating = {"turn": events[-1]["turn"]["id"], "rating": "up"}
    assert client.post("/widget/rating", json=rating, headers=use(visit)).status_code == 404
    assert service.site_records.list_ratings("handbook") == []


def test_a_follow_up_does_not_repeat_a_deleted_document(client, service, site):
    visit = open_visit(client)
    delete_first_source(service, read_events(ask(client, visit)))

    ask(client, visit, "And opened bags, moon?")

    assert service.asked[1][1] == ()


def test_a_receipt_does_not_keep_what_was_said_of_a_document_deleted_meanwhile(
    client, service, site, monkeypatch
):
    visit = open_visit(client)
    events = read_events(ask(client, visit))
    kept, keep = [], service.records.keep

    def keep_then_delete(*args, **named):
        kept.append(keep(*args, **named))
        delete_first_source(service, events)
        return kept[-1]

    monkeypatch.setattr(service.records, "keep", keep_then_delete)
    ask(client, visit, "And on the moon?")

    receipt = service.records.receipts.get(kept[0].receipt)
    assert (receipt.is_follow_up, receipt.words) == (True, None)
    assert open_visit(client, visit["conversation"])["turns"] == []


def test_a_rated_answer_is_kept_with_the_documents_that_it_was_written_from(client, service, site):
    visit = open_visit(client)
    turn = read_events(ask(client, visit))[-1]["turn"]["id"]
    client.post("/widget/rating", json={"turn": turn, "rating": "up"}, headers=use(visit))
    [passage, *_] = service.answers[0].passages

    service.site_records.drop_document(passage.chunk.document_id, None)

    [rated] = service.site_records.list_ratings("handbook")
    assert (rated.question, rated.answer) == (QUESTION, "")


# Limits


def limit(service, **limits: int) -> None:
    service.sites.remove_site("handbook")
    service.sites.add_site("handbook", "handbook", [ORIGIN], replace(SiteLimits(), **limits))


def test_questions_a_minute_are_counted_for_an_address_whatever_the_client_claims(
    client, service, site, clock
):
    limit(service, questions_per_minute=2)
    assert [ask(client, open_visit(client)).status_code for _ in range(3)] == [200, 200, 429]
    response = ask(client, open_visit(client))
    assert response.headers["retry-after"] == "60"
    assert response.json()["error"]["kind"] == "LimitReached"
    clock.now += 61
    assert ask(client, open_visit(client)).status_code == 200


def test_questions_are_counted_for_a_conversation_from_several_addresses(client, service, site):
    limit(service, questions_per_minute=1)
    visit = open_visit(client)
    assert ask(client, visit).status_code == 200
    elsewhere = TestClient(client.app, base_url="http://127.0.0.1:7860", client=("10.0.0.9", 1))
    moved = open_visit(elsewhere, visit["conversation"])

    assert moved["conversation"] == visit["conversation"]
    assert ask(elsewhere, moved).status_code == 429


def test_a_days_budget_ends_the_answers_of_a_site(client, service, site):
    limit(service, questions_per_day=1)
    visit = open_visit(client)

    assert ask(client, visit).status_code == 200
    assert ask(client, visit).json()["error"]["retry_after_seconds"] > 1
    assert len(service.asked) == 1


def test_so_many_answers_are_written_at_once_and_a_stopped_one_makes_room(client, service, site):
    limit(service, parallel_answers=1)
    visit, parallel = open_visit(client), client.app.state.reception.parallel
    service.delay_seconds = 0.05

    def start():
        return start_answer(service, "Tell me everything", corpus="handbook")

    running = parallel.start(("handbook testclient", "a conversation"), 1, start)
    response = ask(client, visit)
    assert (response.status_code, response.json()["error"]["kind"]) == (429, "LimitReached")
    parallel.stop("a conversation")
    assert running.wait(10)
    assert ask(client, visit).status_code == 200


@pytest.mark.parametrize("question", ["", "   ", "x" * 401, "x" * 90_000])
def test_questions_have_a_length(client, service, site, question):
    assert ask(client, open_visit(client), question).status_code == 422
    assert service.asked == []


def test_tickets_are_limited_for_an_address(client, site):
    statuses = [take_ticket(client).status_code for _ in range(61)]

    assert statuses == [200] * 60 + [429]


# What is sent


def test_the_launcher_is_small(client, site):
    response = client.get("/widget.js", headers={"origin": ORIGIN})

    assert len(gzip.compress(response.content)) < 15_000
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["access-control-allow-origin"] == ORIGIN


def test_the_tag_names_the_hash_of_what_is_served(client):
    tag = make_snippet("https://chat.example.org", "handbook")
    digest = base64.b64encode(hashlib.sha384(client.get("/widget.js").content).digest()).decode()

    assert f'integrity="sha384-{digest}" crossorigin="anonymous"' in tag
    assert "secret" not in tag


def test_no_file_of_the_widget_reads_html_or_names_a_foreign_address(client):
    for path in STATIC_FOLDER.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\*['\"]\)", text
        ), path
        addresses = set(re.findall(r"https?://[\w.-]+", text))
        assert addresses <= {"https://chat.example.org", "http://www.w3.org"}, path


def test_every_language_says_everything(client):
    text = (STATIC_FOLDER / "texts.js").read_text(encoding="utf-8")
    languages = re.findall(r"^  (\w\w): \{(.*?)^  \},", text, re.DOTALL | re.MULTILINE)
    keys = {name: sorted(re.findall(r"\b(\w+): \"", body)) for name, body in languages}

    assert list(keys) == ["en", "de", "fr", "es", "ar", "zh"]
    assert [name for name in keys if keys[name] != keys["en"]] == []
    launcher = (STATIC_FOLDER / "widget.js").read_text(encoding="utf-8")
    assert [name for name in keys if f"    {name}: {{ open:" not in launcher] == []


def test_the_wheel_holds_every_file_of_the_widget():
    folder = Path(chatbot.__file__).parent / "web" / "widget"

    assert (folder / "frame.html").is_file()
    assert {path.name for path in STATIC_FOLDER.iterdir()} == {
        "frame.css", "frame.js", "texts.js", "turn.js", "visit.js", "widget.js"
    }  # fmt: skip


def test_only_changed_blocks_are_sent_again():
    first, second, changed = {"tag": "p"}, {"tag": "ul"}, {"tag": "ol"}

    assert count_same([first, second], [first, changed]) == 1
    assert count_same([first], [first, second]) == 1
    assert count_same([], [first]) == 0


# The demonstration


def test_the_demonstration_shows_sites_that_list_this_address(client, service, clock):
    assert "chatbot sites add demo --origin http://127.0.0.1:7860" in client.get("/widget-demo").text
    service.sites.add_site("demo", "handbook", ["http://127.0.0.1:7860"])
    page = client.get("/widget-demo")

    assert '<script src="widget.js" data-site="demo" defer></script>' in page.text
    assert "integrity=&quot;sha384-" in page.text


def test_the_demonstration_is_for_the_owner(client, service, site):
    service.keys.create_key("phone", "read")
    service.settings = FakeSettings()

    assert client.get("/widget-demo").status_code == 401
