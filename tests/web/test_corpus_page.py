"""The page of a corpus: what it shows, what it lets whom do, and how it looks without a script."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chatbot.types import Corpus, DocumentRecord
from chatbot.web.corpus_page import ROWS_PER_PAGE, Rights, View, choose_records, render_corpus_page
from tests.web.fake_library import make_document, make_failed_record

CORPUS = Corpus("handbook", "Hand & book", "", (), 2, 8)
EVERYTHING = Rights(may_ingest=True, may_delete=True)


FIRST_VIEW = View()


def make_record(path: str = "a.pdf", **fields: object) -> DocumentRecord:
    record = make_document("handbook", path, path, "md", None, "Words").record
    return replace(record, **fields)


def render(
    records: list[DocumentRecord], view: View = FIRST_VIEW, rights: Rights = EVERYTHING, **options
) -> str:
    values = {"progress": None, "report": None, "upload_limit_mb": 100} | options
    return render_corpus_page(CORPUS, [CORPUS], records, view, rights, **values)


def test_shows_type_pages_chunks_state_change_and_errors():
    """Every document has a row with what is known of it."""
    record = make_record(
        pages=7,
        chunks=3,
        authors="Ada Lovelace",
        unread_pages="2-4",
        recognized_pages="5",
        modified_ns=10**18,
    )
    page = render([record, make_failed_record()])
    for shown in (
        "a.pdf",
        "Ada Lovelace",
        ">7<",
        ">3<",
        "Partly read",
        "2001-09-09 01:46",
        "Could not be read",
    ):
        assert shown in page
    assert "No text layer, and no words read off the picture: pages 2-4." in page
    assert "Read off the picture (OCR): page 5." in page
    assert make_failed_record().problem in page


def test_text_of_documents_is_never_html():
    """Titles, paths, authors and problems are escaped."""
    evil = "<script>x</script>"
    page = render([make_record(title=evil, path=evil, authors=evil), make_record("b", problem=evil)])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "Hand &amp; book" in page


def test_searches_title_path_author_and_error():
    """All words must be there, in any case."""
    records = [
        make_record("a.pdf", title="Travel rules", authors="Ada"),
        make_record("travel/b.pdf"),
        make_record("c.pdf", problem="It is damaged."),
    ]
    found = {
        words: [item.path for item in choose_records(records, View(words))]
        for words in ("TRAVEL ada", "damaged", "nothing")
    }
    assert found == {"TRAVEL ada": ["a.pdf"], "damaged": ["c.pdf"], "nothing": []}
    both = {item.path for item in choose_records(records, View("travel"))}
    assert both == {"a.pdf", "travel/b.pdf"}
    assert "No document matches “nothing”" in render(records, View("nothing"))


@pytest.mark.parametrize(
    ("sort", "order"), [("pages", "bac"), ("chunks", "acb"), ("changed", "cab"), ("title", "abc")]
)
def test_sorts_by_every_column_both_ways(sort: str, order: str):
    """The head of the sorted column says so, and its link turns the order round."""
    records = [
        make_record("a", pages=2, chunks=1, modified_ns=2),
        make_record("b", pages=1, chunks=3, modified_ns=3),
        make_record("c", pages=3, chunks=2, modified_ns=1),
    ]
    assert [record.path for record in choose_records(records, View(sort=sort))] == list(order)
    turned = View(sort=sort, is_descending=True)
    assert [record.path for record in choose_records(records, turned)] == list(reversed(order))
    assert re.search(
        rf'aria-sort="descending"[^>]*><a href="[^"]*sort={sort}&amp;descending=0', render(records, turned)
    )


def test_a_long_list_has_pages():
    """The rows are shown a hundred at a time."""
    records = [make_record(f"{number:04}.pdf") for number in range(ROWS_PER_PAGE + 5)]
    first, second = render(records), render(records, View(page=2))
    assert (first.count("<tr class="), second.count("<tr class=")) == (ROWS_PER_PAGE, 5)
    assert 'rel="next"' in first
    assert 'rel="prev"' in second


def test_an_empty_corpus_says_what_to_do():
    """Whoever may add files is told where."""
    assert "There are none yet. Add some below" in render([])
    assert "There are none yet. Put files into" in render([], rights=Rights())


@pytest.mark.parametrize(
    ("scope", "sees"), [("read", ""), ("ingest", "Add Check Read"), ("admin", "Add Check Read Delete")]
)
def test_who_may_not_change_anything_sees_no_buttons(client, service, scope: str, sees: str):
    """Forms are shown to those whose key opens what they do."""
    secret = service.keys.create_key("phone", scope)
    page = client.get("/corpus/handbook", headers={"authorization": f"Bearer {secret}"}).text
    shown = {
        "Add": "<button>Add</button>",
        "Check": "Check the folder again</button>",
        "Read": ">Read again<",
        "Delete": ">Delete<",
    }
    assert " ".join(name for name, words in shown.items() if words in page) == sees


def test_a_key_for_another_corpus_does_not_open_it(client, service):
    """Neither the page nor what it can do."""
    secret = service.keys.create_key("phone", "admin", ["papers"])
    headers = {"authorization": f"Bearer {secret}"}
    record = service.catalogue.list_documents("handbook")[0]
    assert client.get("/corpus/handbook", headers=headers).status_code == 404
    for path in ("check", "files", f"documents/{record.id}/read", f"documents/{record.id}/delete"):
        assert client.post(f"/corpus/handbook/{path}", headers=headers).status_code == 404, path
    assert record in service.catalogue.list_documents("handbook")
    assert "Harbour" not in client.get("/corpus/papers", headers=headers).text


def test_files_are_added_read_again_and_deleted_after_a_question(client, service):
    """Each form leads back to the page."""
    files = [("files", ("new.md", b"# New", "text/markdown")), ("files", ("b.md", b"# B", "text/markdown"))]
    answer = client.post("/corpus/handbook/files", files=files, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/corpus/handbook")
    record = next(item for item in service.catalogue.list_documents("handbook") if item.problem is None)
    client.post(f"/corpus/handbook/documents/{record.id}/read")
    assert service.read_again_ids == [record.id]
    asked = client.get(f"/corpus/handbook/documents/{record.id}/delete").text
    assert record.path in asked
    assert "cannot be taken back" in asked
    assert record.id in [item.id for item in service.catalogue.list_documents("handbook")]
    client.post(f"/corpus/handbook/documents/{record.id}/delete")
    assert record.id not in [item.id for item in service.catalogue.list_documents("handbook")]


def test_a_form_without_files_and_files_too_large_are_refused(client, service):
    """Nothing is added then, and the page says why."""
    assert client.post("/corpus/handbook/files", files=[("other", ("a", b"a"))]).status_code == 422
    service.settings = replace(service.settings, upload_limit_mb=0)
    answer = client.post("/corpus/handbook/files", files=[("files", ("large.md", b"# Large"))])
    assert answer.status_code == 413
    assert "large.md" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_another_site_can_change_nothing(client, service):
    """A form of a foreign page is refused before it is read."""
    record = service.catalogue.list_documents("handbook")[0]
    for path in ("check", f"documents/{record.id}/delete"):
        answer = client.post(f"/corpus/handbook/{path}", headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403


def test_the_document_of_another_corpus_is_none_of_this_one(client, service):
    """The address of a document names its own corpus."""
    record = service.catalogue.list_documents("handbook")[0]
    assert client.post(f"/corpus/papers/documents/{record.id}/delete").status_code == 404
