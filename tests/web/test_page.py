"""The page's behaviour without a browser: events in, parts out."""

from __future__ import annotations

import json
import threading
from html import unescape
from pathlib import Path

import pytest

from chatbot.admission import Admission
from chatbot.forgetting import FORGOTTEN
from chatbot.types import FilterChoices
from chatbot.web.page import BUSY_SECONDS, IDLE_SECONDS, Event, Page
from tests.web.fake_service import FakeService

QUESTION = "How long can a customer return coffee?"


@pytest.fixture
def page(service: FakeService) -> Page:
    return Page(service)


def make_event(chat_id: str = "", **fields: str) -> Event:
    return Event(fields, chat_id, "handbook", "session")


def ask(page: Page, question: str, chat_id: str = "", turn: str = "") -> dict[str, str]:
    parts: dict[str, str] = {}
    for update in page.ask(make_event(chat_id, question=question, turn=turn)):
        parts |= update.parts
    return parts


def test_a_first_question_makes_a_chat(page, service):
    parts = ask(page, QUESTION)
    assert parts["live"] == ""
    assert "get the full price back." in parts["transcript"]
    chat = service.chats.get_chat(parts["chat_id"])
    assert (chat.title, len(chat.turns)) == (QUESTION, 1)


def test_an_empty_question_does_nothing(page, service):
    assert ask(page, "  \n ") == {}
    assert service.asked == []


def test_a_failed_answer_is_shown_and_not_kept(page, service):
    parts = ask(page, "Please crash")
    assert "The language model ran out of memory." in parts["live"]
    assert 'data-writing="true"' not in parts["live"]
    assert service.chats.list_chats() == []
    assert "secret" not in ask(page, "bug")["live"]


def test_a_question_too_many_is_told_that_the_chatbot_is_busy(page, service):
    service.admission = Admission(parallel=1, waiting=0)
    with service.admission.enter(threading.Event()):
        parts = ask(page, QUESTION)

    assert "The chatbot is busy" in parts["live"]
    assert "Try again" in parts["live"]
    assert service.asked == []
    assert "get the full price back." in ask(page, QUESTION)["transcript"]


def test_a_long_question_is_refused_in_words(page):
    assert "400 are allowed" in ask(page, "a" * 401)["notice"]


def test_follow_ups_know_what_was_said(page, service):
    chat_id = ask(page, QUESTION)["chat_id"]
    ask(page, "And opened ones?", chat_id)
    assert [message.role for message in service.asked[1][1]] == ["user", "assistant"]


def test_retry_takes_the_place_of_the_turn(page, service):
    chat_id = ask(page, QUESTION)["chat_id"]
    ask(page, "Second", chat_id)
    first = service.chats.get_chat(chat_id).turns[0]
    ask(page, "Changed", chat_id, turn=first.id)
    assert [turn.question for turn in service.chats.get_chat(chat_id).turns] == ["Changed"]
    assert service.asked[-1][1] == ()


def test_a_failed_retry_keeps_the_old_turn(page, service):
    chat_id = ask(page, QUESTION)["chat_id"]
    turn = service.chats.get_chat(chat_id).turns[0]
    ask(page, "Please crash", chat_id, turn=turn.id)
    assert [turn.question for turn in service.chats.get_chat(chat_id).turns] == [QUESTION]


def test_stop_ends_the_answer_and_keeps_its_words(service):
    service.delay_seconds = 0.01
    page = Page(service)
    updates = page.ask(make_event(question="Tell me everything"))
    while "step 2" not in next(updates).parts.get("live", ""):
        pass
    page.act(make_event(action="stop"))
    parts = [update.parts for update in updates][-1]
    assert service.answers[0].was_stopped
    assert "Stopped" in parts["transcript"]
    assert "step 1 " in service.chats.get_chat(parts["chat_id"]).turns[0].answer.text


def test_a_lost_connection_stops_the_answer_and_keeps_its_words(service):
    service.delay_seconds = 0.01
    page = Page(service)
    updates = page.ask(make_event(question="Tell me everything"))
    while "step 1 " not in next(updates).parts.get("live", ""):
        pass
    updates.close()
    assert service.answers[0].was_stopped
    page.act(make_event(action="new"))
    assert len(service.chats.list_chats()) == 1


def test_leaving_a_chat_stops_its_answer_and_shows_nothing_more_of_it(service):
    service.delay_seconds = 0.01
    page = Page(service)
    updates = page.ask(make_event(question="Tell me everything"))
    while "step 1 " not in next(updates).parts.get("live", ""):
        pass
    parts = page.act(make_event(action="new")).parts
    assert "Tell me everything" in parts["sidebar"]
    assert [update.parts for update in updates] == [{"live": "", "live_sources": ""}]
    assert service.answers[0].was_stopped


def test_chats_are_opened_renamed_rated_and_deleted(page, service):
    chat_id = ask(page, QUESTION)["chat_id"]
    turn = service.chats.get_chat(chat_id).turns[0]
    assert "full price back" in page.act(make_event(action="open", chat=chat_id)).parts["transcript"]
    assert (
        "Money"
        in page.act(make_event(chat_id, action="rename", chat=chat_id, value="Money")).parts["sidebar"]
    )
    page.act(make_event(chat_id, action="rate", turn=turn.id, rating="up"))
    assert service.chats.get_chat(chat_id).turns[0].rating == "up"
    page.act(make_event(chat_id, action="rate", turn=turn.id, rating="sideways"))
    assert service.chats.get_chat(chat_id).turns[0].rating is None
    assert page.act(make_event(chat_id, action="delete_chat", chat=chat_id)).parts["chat_id"] == ""
    assert service.chats.list_chats() == []


def read_words(service: FakeService, answer) -> object:
    return service.records.receipts.get(answer.receipt).words


def test_the_receipts_of_a_deleted_chat_lose_their_words_and_others_keep_them(page, service):
    chat_id, other_id = ask(page, QUESTION)["chat_id"], ask(page, QUESTION)["chat_id"]
    ask(page, "And opened ones?", chat_id)
    turns, [other] = service.chats.get_chat(chat_id).turns, service.chats.get_chat(other_id).turns
    assert None not in [read_words(service, turn.answer) for turn in turns]

    for _ in range(2):  # another tab may have deleted it already
        assert page.act(make_event(chat_id, action="delete_chat", chat=chat_id)).parts["notice"] == ""

    assert [read_words(service, turn.answer) for turn in turns] == [None, None]
    assert read_words(service, other.answer) is not None


def test_the_receipt_of_a_replaced_answer_loses_its_words(page, service):
    chat_id = ask(page, QUESTION)["chat_id"]
    [first] = service.chats.get_chat(chat_id).turns
    ask(page, "Changed", chat_id, turn=first.id)
    [second] = service.chats.get_chat(chat_id).turns

    assert read_words(service, first.answer) is None
    assert read_words(service, second.answer) is not None


def act_after_keeping(service: FakeService, monkeypatch, act) -> list:
    """Do something once an answer has its receipt and before its chat holds it; the answers are listed."""
    kept, keep = [], service.records.keep

    def keep_then_act(*args, **named):
        kept.append(keep(*args, **named))
        act(kept[-1])
        return kept[-1]

    monkeypatch.setattr(service.records, "keep", keep_then_act)
    return kept


def test_a_document_deleted_while_an_answer_is_written_is_not_in_the_chat(page, service, monkeypatch):
    act_after_keeping(
        service,
        monkeypatch,
        lambda answer: service.upkeep.delete_document(answer.passages[0].chunk.document_id),
    )
    chat_id = ask(page, QUESTION)["chat_id"]

    [turn] = service.chats.get_chat(chat_id).turns
    assert (turn.answer.text, turn.answer.passages) == (FORGOTTEN, ())


def test_a_follow_up_keeps_nothing_of_a_document_deleted_while_it_is_written(page, service, monkeypatch):
    chat_id = ask(page, QUESTION)["chat_id"]
    first = service.chats.get_chat(chat_id).turns[0].answer
    other = service.catalogue.list_documents("handbook")[1].path

    def delete(_):
        service.upkeep.delete_document(first.passages[0].chunk.document_id)

    kept = act_after_keeping(service, monkeypatch, delete)
    ask(page, f"And on the moon? file:{other}", chat_id)

    follow_up = service.chats.get_chat(chat_id).turns[1].answer
    assert [passage.path for passage in follow_up.passages] == [other] * len(follow_up.passages) != []
    assert follow_up.prompt is None
    assert read_words(service, kept[0]) is None


def test_an_answer_to_a_chat_deleted_meanwhile_leaves_no_words(page, service, monkeypatch):
    chat_id = ask(page, QUESTION)["chat_id"]
    kept = act_after_keeping(service, monkeypatch, lambda _: service.chats.delete_chat(chat_id))
    ask(page, "And opened ones?", chat_id)

    assert read_words(service, kept[0]) is None


def test_unknown_chats_and_actions_do_no_harm(page):
    assert "does not exist" in page.act(make_event(action="open", chat="none")).parts["notice"]
    assert page.act(make_event(action="format_disk")).parts == {}
    opened = page.open(chat_id="none", corpus="").parts
    assert "does not exist" in opened["notice"]
    assert opened["chat_id"] == ""
    assert "Harbour Coffee handbook" in opened["transcript"]


def test_the_page_looks_often_only_while_it_waits(service):
    assert Page(service).refresh("", "handbook").refresh_seconds == IDLE_SECONDS
    service.loading_seconds = 1000
    update = Page(service).refresh("", "handbook")
    assert update.refresh_seconds == BUSY_SECONDS
    assert "Waiting for: the language model is loading" in update.parts["composer"]


def test_uploads_are_read_and_reported(page, service, tmp_path: Path):
    file = tmp_path / "menu.txt"
    file.write_text("Six drinks.")
    assert "Reading menu.txt" in page.upload([file], "", "handbook").parts["documents"]
    while service.ingests.progress("handbook"):
        pass
    assert "added, 1 chunk" in page.refresh("", "handbook").parts["documents"]
    assert "no corpus called" in page.upload([file], "", "nowhere").parts["notice"]


def test_an_empty_corpus_asks_for_documents(page):
    parts = page.act(make_event(action="corpus", value="papers")).parts
    assert "There are no documents here yet." in parts["transcript"]
    assert "Drop a few files above" in parts["documents"]
    assert parts["corpus"] == "papers"


def search(page: Page, question: str, filters: str = "") -> dict[str, str]:
    parts = page.act(make_event(action="search", question=question, filters=filters, search="7")).parts
    assert 'data-search="7"' in parts["search_done"]
    return parts


def test_a_search_shows_passages_and_asks_no_model(page, service):
    found = search(page, " return coffee ")
    assert "<strong>4 passages</strong> for “return coffee”" in found["search_found"]
    assert found["search_results"].count("<article") == 4
    assert service.asked == []


def test_an_empty_search_shows_what_can_be_searched(page):
    parts = search(page, "  ")
    assert "folder:people" in parts["search_found"]


def test_the_prompt_of_a_search_is_written_when_it_is_looked_for(page):
    folded = search(page, "return coffee type:pdf")["search_trace"]
    assert "below the first 4" in folded
    assert "Answer this" not in folded
    event = make_event(action="explain", question="return coffee type:pdf")
    whole = page.act(event).parts["search_trace"]
    assert "Answer this: return coffee" in whole
    assert "below the first 4" in whole


def test_a_search_that_cannot_be_used_says_why_in_its_place(page):
    parts = search(page, "coffee after:yesterday")
    assert "is not a date" in parts["search_found"]


def test_a_search_that_breaks_leaves_nothing_waiting(page, service, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("secret")

    monkeypatch.setattr(service, "search", fail)
    parts = search(page, "coffee")
    assert "Something went wrong (id " in parts["search_found"]
    assert "secret" not in parts["search_found"]


def test_a_search_without_passages_says_so(page):
    parts = search(page, "coffee", '{"folders": ["nowhere"]}')
    assert "No passage matches" in parts["search_found"]


@pytest.mark.parametrize(
    "filters", ["{", "[]", '{"files": "a"}', '{"sql": ["x"]}', '{"after": "2025-13-01"}']
)
def test_filters_that_no_page_sends_are_refused(page, service, filters):
    assert "filter" in search(page, "coffee", filters)["notice"]
    parts = [update.parts for update in page.ask(make_event(question=QUESTION, filters=filters))]
    assert "filter" in parts[0]["notice"]
    assert service.asked == []


def test_filters_reach_the_question_and_stay(page, service):
    filters = '{"formats": ["md"]}'
    updates = page.ask(make_event(question=QUESTION, filters=filters))
    parts = [update.parts for update in updates]
    assert service.filters[-1].formats == ("md",)
    assert not any("filters" in each for each in parts), "they may have been changed while it was written"
    assert "type md" in page.act(make_event(action="new", filters=filters)).parts["filters"]


def test_the_filter_dialog_offers_what_documents_there_are_now(page, service, monkeypatch):
    monkeypatch.setattr(service, "list_filter_choices", lambda _: FilterChoices(folders=("fresh",)))

    assert "fresh" in page.act(make_event(action="filter", filters="")).parts["filters"]


@pytest.mark.parametrize("view", ["", "search"])
def test_an_address_with_an_unknown_corpus_says_that_another_one_is_shown(page, view):
    parts = page.open_address([("corpus", "<nowhere>"), ("view", view), ("q", "coffee")]).parts

    assert "There is no corpus “&lt;nowhere&gt;”." in parts["notice"]
    assert parts["corpus"] == "handbook"


def test_an_address_with_a_known_corpus_says_nothing(page):
    assert not page.open_address([("corpus", "handbook")]).parts["notice"]


def test_a_question_can_be_stopped_while_it_is_searched_for(page, service):
    ask(page, QUESTION)

    assert isinstance(service.stops[-1], threading.Event)


def test_each_chip_takes_away_one_filter(page):
    filters = '{"folders": ["shop"], "formats": ["md", "pdf"], "after": "2025-01-01"}'
    html = page.act(make_event(action="filter", filters=filters)).parts["filters"]
    left = [json.loads(unescape(part.split('"')[0])) for part in html.split('data-filters="')[1:]]
    assert left == [
        json.loads(filters),
        {"formats": ["md", "pdf"], "after": "2025-01-01"},
        {"folders": ["shop"], "formats": ["pdf"], "after": "2025-01-01"},
        {"folders": ["shop"], "formats": ["md"], "after": "2025-01-01"},
        {"folders": ["shop"], "formats": ["md", "pdf"]},
    ]


def test_an_address_opens_its_search(page):
    query = [("view", "search"), ("q", "return coffee"), ("corpus", "handbook"), ("type", "pdf")]
    opened = page.open_address(query).parts
    assert 'value="return coffee"' in opened["search_form"]
    assert '<option value="pdf" selected>' in opened["search_filters"]
    assert 'data-wanted="true"' in opened["search_done"]
    refused = page.open_address([*query, ("after", "soon")]).parts
    assert 'value="return coffee"' in refused["search_form"]
    assert "cannot be used.</strong> Write days as" in refused["notice"]
    assert 'data-wanted="false"' in refused["search_done"]


def test_why_is_told_of_a_turn_of_the_chat_only(page, service):
    chat_id = ask(page, QUESTION)["chat_id"]
    turn = service.chats.get_chat(chat_id).turns[0]
    assert "Passage 1" in page.act(make_event(chat_id, action="why", turn=turn.id)).parts["why"]
    assert page.act(make_event(chat_id, action="why", turn="other")).parts["why"] == ""
