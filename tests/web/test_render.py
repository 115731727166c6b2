from __future__ import annotations

from dataclasses import replace

import pytest

from chatbot.errors import ModelError, QuestionError
from chatbot.types import (
    Corpus,
    Correction,
    Explanation,
    FileOutcome,
    FilterChoices,
    IngestProgress,
    IngestReport,
    Message,
    PartStatus,
    Place,
    PromptPlan,
    SearchFilters,
    SearchResult,
    SearchTrace,
    ServiceStatus,
    Timings,
)
from chatbot.web import panels, search
from chatbot.web.export import describe_place, write_answer, write_chat
from chatbot.web.filter_controls import render_chat_filters
from chatbot.web.render import (
    render_answer_text,
    render_live_turn,
    render_transcript,
    render_turn,
    render_welcome,
)
from chatbot.web.running import AnswerSnapshot
from chatbot.web.sources import render_sources
from chatbot.web.trace import render_why_dialog
from tests.makers import make_passage
from tests.web.fake_library import make_documents, make_failed_record, make_hit
from tests.web.fake_service import FakeService
from tests.web.test_markup import parse

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "<style>@import 'http://evil.example'</style>",
    "</blockquote></aside><iframe src=http://evil.example>",
    "javascript:alert(1)",
    "&lt;script&gt;",
]
OWN_TAGS = {
    *(
        "a",
        "article",
        "aside",
        "blockquote",
        "button",
        "code",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "em",
        "form",
        "h1",
        "h2",
        "h3",
    ),
    *(
        "header",
        "h4",
        "input",
        "label",
        "li",
        "mark",
        "nav",
        "ol",
        "option",
        "p",
        "path",
        "pre",
        "progress",
        "section",
    ),
    *("select", "small", "span", "strong", "summary", "sup", "svg", "table", "tbody", "td", "textarea", "th"),
    *("thead", "tr", "ul"),
}
CORPUS = Corpus("handbook", "Handbook", "About the shop.", ("Why?",), 5, 9)


def make_turn(question="How long can a customer return coffee?"):
    service = FakeService()
    chat = service.chats.create_chat("handbook")
    return service.chats.append_turn(chat.id, question, service.ask(question, corpus="handbook").finish())


def make_hostile_explanation(payload, passages):
    """An explanation with the payload in every text of it."""
    place = Place(payload, payload, payload, payload, 1, 0, 9)
    passages = tuple(replace(passage, also_in=(place,)) for passage in passages)
    dropped = replace(make_hit(passages[0]), number=None, dropped=payload)
    filters = SearchFilters(*[(payload,)] * 4, phrases=(payload,), excluded=(payload,))
    trace = SearchTrace(
        payload, payload, filters, (Correction(payload, payload),), 1, 2,
        (*map(make_hit, passages), dropped), ((payload, 0.1),), (payload,),
    )  # fmt: skip
    prompt = PromptPlan((Message("user", payload),), 1, 2, (1,), 3)
    return Explanation(SearchResult(passages, trace), prompt, answerable=True, asks_model=True)


def check_harmless(html: str) -> None:
    seen = parse(html.replace(" disabled", "").replace(" hidden>", ">"))
    assert seen.tags <= OWN_TAGS
    assert not [
        name for name in seen.attributes if name.startswith("on") or name in ("src", "style", "srcdoc")
    ]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_outside_becomes_markup(payload):
    turn = make_turn()
    passages = tuple(
        replace(
            p,
            title=payload,
            path=payload,
            date=payload,
            chunk=replace(p.chunk, text=payload, headings=(payload,)),
        )
        for p in turn.answer.passages
    )
    citations = tuple(replace(c, quote=payload, source_start=0, source_end=9) for c in turn.answer.citations)
    answer = replace(
        turn.answer,
        question=payload,
        searched_for=f"{payload} again",
        passages=passages,
        citations=citations,
        text=payload + turn.answer.text,
        model=payload,
    )
    turn = replace(turn, question=payload, answer=answer, id=payload)
    chat = replace(FakeService().chats.create_chat("x"), title=payload, id=payload, turns=(turn,))
    corpus = Corpus(payload, payload, payload, (payload,), 3, 3)
    error = ModelError(payload, payload)
    record = replace(
        make_failed_record(), title=payload, path=payload, problem=payload, id=payload, format=payload
    )
    report = IngestReport(payload, (FileOutcome(payload, "failed", reason=payload),), 1, 1, 1.0)
    progress = IngestProgress(payload, payload, 1, 2, 3, 1.0, 2.0)
    status = ServiceStatus(False, (PartStatus(payload, "working", payload),))
    snapshot = AnswerSnapshot(payload, payload, True, passages, citations, ((0, 5),), None, error)
    explanation = make_hostile_explanation(payload, passages)
    filters = explanation.result.trace.filters
    choices = FilterChoices((payload,), (payload,), (payload,), payload, payload)
    hostile_answer = replace(answer, trace=explanation.result.trace, prompt=explanation.prompt)
    for html in (
        render_transcript((turn,)),
        render_live_turn(payload, snapshot, corpus),
        render_welcome(corpus),
        panels.render_sidebar([corpus], [chat], corpus=corpus, chat_id=payload),
        panels.render_composer(status, limit_characters=10),
        panels.render_notice(error),
        panels.render_documents_head(corpus, upload_limit_mb=1),
        panels.render_documents([record], progress, None),
        panels.render_documents([record], None, report),
        render_chat_filters(choices, filters),
        search.render_search_form(payload, corpus, limit_characters=10),
        search.render_search_filters(choices, filters),
        search.render_search_help(corpus),
        search.render_search_done(payload),
        search.render_search_error(error),
        search.render_found(explanation.result, payload),
        search.render_results(explanation.result),
        search.render_folded_trace(explanation.result.trace, payload, filters),
        search.render_whole_trace(explanation),
        render_why_dialog(payload, hostile_answer),
        render_turn(replace(turn, answer=hostile_answer), is_last=True),
    ):
        check_harmless(html)


def test_citations_stand_at_the_end_of_their_sentence():
    answer = make_turn().answer
    html = render_answer_text(answer.text, answer.passages, answer.citations, ())
    assert html.count('class="citation"') == 4
    before_first = html[: html.index("<sup>")]
    assert before_first.endswith("get the full price back.&#8288;")
    assert 'data-quote="Unopened bags of coffee may be returned' in html


def test_two_quotes_of_one_passage_share_a_number():
    answer = make_turn().answer
    first, second = answer.citations[0], answer.citations[1]
    same_sentence = (first, replace(second, answer_start=first.answer_start, answer_end=first.answer_end))
    html = render_answer_text(answer.text, answer.passages, same_sentence, ())
    assert html.count('class="citation"') == 1
    assert 'data-citations="0 1"' in html


def test_unsupported_sentences_are_marked_in_words_too():
    answer = make_turn().answer
    html = render_answer_text(answer.text, answer.passages, (), answer.unsupported)
    assert 'class="unsupported" title="Not found in the documents">gift cards' in html
    assert "not found in the documents</small>" in html


def test_the_sentence_in_progress_is_paler():
    html = render_answer_text("Done.", (), (), (), draft="Being writ")
    assert html == '<p>Done.<span class="draft"> Being writ</span></p>'


def test_source_cards_mark_exactly_the_quoted_words():
    answer = make_turn().answer
    html = render_sources(answer.passages, answer.citations)
    assert (
        '<mark data-citations="0">Unopened bags of coffee may be returned within 30 days of delivery'
        " for a full refund.</mark> The customer" in html
    )
    citation = answer.citations[0]
    assert f"?start={citation.source_start}&amp;end={citation.source_end}#quote" in html
    assert "2 more passages were read" in html


def test_overlapping_quotes_both_find_their_words():
    answer = make_turn().answer
    first = answer.citations[0]
    overlapping = replace(first, source_start=first.source_start + 9, source_end=first.source_end + 5)
    html = render_sources(answer.passages, (first, overlapping))
    assert '<mark data-citations="0">Unopened </mark><mark data-citations="0 1">' in html


def test_a_not_found_answer_shows_the_nearest_passages():
    html = render_turn(make_turn("Who was on the moon?"), is_last=True)
    assert "Not in these documents" in html
    assert "<h2>Nearest passages" in html
    assert "Sources" not in html.replace("Show the sources", "").replace("Close the sources", "")


def test_facts_tell_how_the_answer_came_about():
    html = render_turn(make_turn("Can they return them?"), is_last=True)
    assert "Searched for: “how long may goods be returned”" in html
    assert "2 passages did not fit" in html
    assert "SmolLM2-135M-Instruct" in html


def test_only_the_last_question_can_be_edited():
    turn = make_turn()
    assert 'data-action="edit"' in render_turn(turn, is_last=True)
    assert 'data-action="edit"' not in render_turn(turn, is_last=False)


def test_copied_answer_names_its_sources():
    text = write_answer(make_turn().answer)
    assert "get the full price back. [1]" in text
    assert "[1] Refunds and returns (How long a customer may return goods · page 1 · 2026-03-02" in text


def test_place_in_a_presentation_is_a_slide():
    place = describe_place(make_passage("Trains first.", path="trains.pptx", page=3))
    assert place == "slide 3"


def test_export_holds_questions_answers_and_sources():
    service = FakeService()
    chat = service.chats.create_chat("handbook")
    service.chats.append_turn(chat.id, "Why?", service.ask("Why?", corpus="handbook").finish())
    text = write_chat(service.chats.get_chat(chat.id))
    assert text.startswith("# Why?\n\nCorpus: handbook")
    assert "## Why?" in text
    assert "- [2] Refunds and returns" in text


def test_documents_panel_names_the_reason_of_a_failure():
    records = [document.record for document in make_documents()] + [make_failed_record()]
    html = panels.render_documents(records, None, None)
    assert "opens only with a password" in html
    assert html.index("wages-2026") < html.index("Roasting guide")


def test_composer_says_what_is_awaited():
    status = ServiceStatus(False, (PartStatus("model", "working", "the language model is loading (12 s)"),))
    html = panels.render_composer(status, limit_characters=10)
    assert "Waiting for: the language model is loading (12 s)" in html
    assert html.count(" disabled") == 2


def test_composer_tells_a_remark_and_keeps_nobody_from_asking():
    status = ServiceStatus(True, (PartStatus("reading model", "ready", "The small one <b>stands in</b>."),))

    html = panels.render_composer(status, limit_characters=10)

    assert "The small one &lt;b&gt;stands in&lt;/b&gt;." in html
    assert " disabled" not in html


def test_a_corrected_question_is_told_once_and_offers_nothing():
    html = render_turn(make_turn("How long can a customer return cofee?"), is_last=True)
    assert "Showing results for “<strong>How long can a customer return coffee?</strong>”" in html
    assert "no document holds “cofee”" in html
    assert "Searched for" not in html


@pytest.mark.parametrize("text", ["渡船中午" * 200, "word\n" * 200, "x" * 600 + " coffee " + "y" * 600])
def test_an_excerpt_is_long_whatever_stands_between_the_words(text):
    for words in (["coffee"], ["渡船中午"], []):
        start, end = search.choose_excerpt(text, words)
        assert 0 <= start < end <= len(text)
        assert 400 <= end - start <= search.EXCERPT_CHARACTERS
    if "coffee" in text:
        start, end = search.choose_excerpt(text, ["coffee"])
        assert "coffee" in text[start:end]


def test_an_answer_without_a_trace_does_not_offer_to_explain_itself():
    turn = make_turn()
    assert "Why these sources?" in render_turn(turn, is_last=True)
    html = render_turn(replace(turn, answer=replace(turn.answer, trace=None)), is_last=True)
    assert "Why these sources?" not in html


def test_a_source_names_the_other_places_of_its_words():
    html = render_sources(make_turn().answer.passages, ())
    assert "Also in: <a href=" in html
    assert "Food hygiene</a> (shop/food-hygiene.md)" in html


@pytest.mark.parametrize(
    ("found", "is_asked", "words"),
    [
        (True, True, "was sent this"),
        (True, False, "the answer is in the documents&#x27; own words"),
        (False, False, "not likely to hold the answer"),
    ],
)
def test_why_tells_whether_a_model_was_asked(found, is_asked, words):
    answer = make_turn().answer
    answer = replace(answer, found=found, prompt=answer.prompt if is_asked else None)
    assert words in render_why_dialog("turn", answer)


def make_result(text: str, *, phrases: tuple[str, ...] = (), notes: tuple[str, ...] = (), documents: int = 5):
    trace = SearchTrace(
        text, text, SearchFilters(formats=("md",), phrases=phrases), (), documents, 5, notes=notes
    )
    passages = tuple(replace(passage, word_rank=None) for passage in make_turn().answer.passages)
    return SearchResult(passages if documents else (), trace)


def render_found(result: SearchResult) -> str:
    return search.render_found(result, result.trace.question)


def test_a_search_says_when_nothing_shares_a_word_with_it():
    assert "None of these holds a word" in render_found(make_result("xqzvt"))
    assert "None of these holds a word" not in render_found(make_result("coffee"))


def test_exact_words_that_nothing_holds_are_not_told_as_a_filter():
    notes = ("No passage holds “kind words” word for word; its words were searched instead.",)
    html = render_found(make_result("coffee", phrases=("kind words", "coffee"), notes=notes))
    assert "Only type md · with “coffee” (5 of 5 documents)" in html
    assert html.count("kind words") == 1


def test_filters_that_no_document_passes_are_told_once():
    html = render_found(make_result("coffee", notes=("No document matches: type md.",), documents=0))
    assert html.count("type md") == 1


def test_a_question_in_quotation_marks_gets_no_others():
    assert "for &quot;kind words&quot; <span" in render_found(make_result('"kind words"'))


def test_facts_name_no_model_that_was_not_asked_and_no_time_of_nothing():
    turn = make_turn()
    answer = replace(turn.answer, prompt=None, timings=Timings(0.0, 0.0, 0.01), model="small-model")
    html = render_turn(replace(turn, answer=answer), is_last=True)
    assert "small-model" not in html
    assert "0.0 s" not in html


def test_a_question_that_cannot_be_used_goes_back_to_be_changed():
    snapshot = AnswerSnapshot(error=QuestionError("Not a date.", "Write a day."))
    html = render_live_turn("after:soon", snapshot, Corpus("c", "C", "", ()))
    assert 'data-action="reuse"' in html
    assert 'data-question="after:soon"' in html
    assert 'data-action="ask"' not in html


def test_a_spoken_name_begins_with_the_words_that_are_shown():
    html = render_turn(make_turn(), is_last=True)
    assert 'aria-label="Why these sources? – How the sources' in html


def test_a_report_says_what_a_renamed_file_was_called_and_of_what_a_copy_is_one():
    outcomes = (
        FileOutcome("new.md", "renamed", 3, same_as="<old>.md"),
        FileOutcome("twin.md", "added", same_as="new.md"),
    )

    html = panels.render_report(IngestReport("notes", outcomes, 0, 3, 0.1))

    assert "<span>renamed from &lt;old&gt;.md</span>" in html
    assert "<span>a copy of new.md</span>" in html
