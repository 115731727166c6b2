from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from chatbot.cli import main
from chatbot.conversation.page_topic import find_page_topic, lead_with_page
from chatbot.conversation.standalone import make_standalone
from chatbot.errors import AccessError, LibraryError, SettingsError
from chatbot.settings import load_settings
from chatbot.site_records import RatedAnswer, SiteRecords
from chatbot.sites import SiteLimits, SiteStore, read_origin

REMOVE = """
import sys
from pathlib import Path
from chatbot.sites import SiteStore
SiteStore(Path(sys.argv[1])).remove_site("shop")
"""


@pytest.fixture
def sites(tmp_path):
    return SiteStore(tmp_path / "data" / "sites.json")


@pytest.fixture
def records(tmp_path):
    records = SiteRecords(tmp_path / "sites.sqlite3")
    yield records
    records.close()


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://www.example.org", "https://www.example.org"),
        ("https://WWW.Example.org:443/", "https://www.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_origins_are_kept_as_browsers_write_them(text, origin):
    assert read_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    ["*", "null", "", "www.example.org", "https://*.example.org", "https://a.example/path", "ftp://a.example",
     "https://user@a.example", "https://a.example:port", "https://a b.example", "https://a.example;x", "file:///x"],
)  # fmt: skip
def test_what_is_no_single_origin_is_refused(text):
    with pytest.raises(AccessError, match="is no origin"):
        read_origin(text)


def test_a_site_is_kept_with_its_origins_corpus_and_limits(sites, tmp_path):
    sites.add_site("shop", "handbook", ["https://a.example", "https://a.example/"], SiteLimits(1, 2, 3, 4))

    [site] = SiteStore(tmp_path / "data" / "sites.json").list_sites()
    assert (site.name, site.corpus, site.origins) == ("shop", "handbook", ("https://a.example",))
    assert site.limits == SiteLimits(1, 2, 3, 4)
    assert stat.S_IMODE((tmp_path / "data" / "sites.json").stat().st_mode) == 0o600


def test_a_site_removed_by_another_process_is_gone_at_once(sites, tmp_path):
    sites.add_site("shop", "handbook", ["https://a.example"])
    assert sites.is_listed("https://a.example")

    subprocess.run([sys.executable, "-c", REMOVE, str(tmp_path / "data" / "sites.json")], check=True)

    assert sites.find_site("shop") is None
    assert not sites.is_listed("https://a.example")


@pytest.mark.parametrize("name", ["", "Shop", "a b", "-a", "x" * 41, 'a"><script>'])
def test_names_that_cannot_stand_in_a_tag_are_refused(sites, name):
    with pytest.raises(AccessError, match="cannot be called"):
        sites.add_site(name, "handbook")


def test_a_name_is_used_once_and_only_what_is_there_is_removed(sites):
    sites.add_site("shop", "handbook")
    with pytest.raises(AccessError, match="already"):
        sites.add_site("shop", "papers")
    with pytest.raises(AccessError, match="no site 'other'"):
        sites.remove_site("other")


def test_a_damaged_file_answers_nobody(sites, tmp_path):
    sites.add_site("shop", "handbook", ["https://a.example"])
    (tmp_path / "data" / "sites.json").write_text('[{"name": "shop"}]')

    with pytest.raises(LibraryError, match="no site can be checked"):
        sites.find_site("shop")


def test_a_days_budget_is_spent_by_site_and_survives_a_restart(records, tmp_path):
    assert [records.count_question("shop", "2026-11-22", 2) for _ in range(3)] == [True, True, False]
    assert records.count_question("shop", "2026-11-23", 2)
    assert records.count_question("other", "2026-11-22", 2)
    again = SiteRecords(tmp_path / "sites.sqlite3")
    assert again.count_questions("shop", "2026-11-22") == 2
    again.close()


def test_a_rating_replaces_the_earlier_one_and_can_be_taken_back(records):
    for rating in ("up", "down"):
        records.rate(RatedAnswer("1", "shop", "Why?", "So.", rating, "2026-11-22T10:00:00+00:00"))

    assert [rated.rating for rated in records.list_ratings("shop")] == ["down"]
    assert records.list_ratings("other") == []
    records.take_back("1")
    assert records.list_ratings("shop") == []


def rate(records, answer_id, answer, *documents):
    rated = RatedAnswer(answer_id, "shop", "Why?", answer, "up", "2026-11-22T10:00:00+00:00")
    records.rate(rated, documents)


def read_answers(records) -> dict[str, str]:
    return {rated.answer_id: rated.answer for rated in records.list_ratings("shop")}


def read_all_bytes(folder) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("sites.sqlite3*"))


def test_a_rated_answer_loses_its_words_in_every_byte_when_a_document_it_rests_on_goes(records, tmp_path):
    rate(records, "1", "Zanzibarquokka one.", "ferry", "launch")
    rate(records, "2", "So.", "ferry")
    rate(records, "3", "Zanzibarquokka two.", "launch")
    records.take_back("3")
    assert b"Zanzibarquokka" in read_all_bytes(tmp_path)

    records.drop_document("launch", None)

    assert read_answers(records) == {"1": "", "2": "So."}
    assert b"Zanzibarquokka" not in read_all_bytes(tmp_path)


def test_a_rated_answer_follows_a_renamed_document(records):
    rate(records, "1", "So.", "old", "new")
    rate(records, "2", "So too.", "old")
    records.drop_document("old", "new")
    assert read_answers(records) == {"1": "So.", "2": "So too."}

    records.drop_document("old", None)
    assert read_answers(records) == {"1": "So.", "2": "So too."}
    records.drop_document("new", None)
    assert read_answers(records) == {"1": "", "2": ""}


def test_an_answer_rated_again_rests_on_the_documents_of_the_last_time(records):
    rate(records, "1", "So.", "ferry")
    rate(records, "1", "So.", "launch", "launch")
    records.drop_document("ferry", None)

    assert read_answers(records) == {"1": "So."}


def test_answers_rated_before_documents_were_noted_lose_their_words(tmp_path):
    with closing(sqlite3.connect(tmp_path / "sites.sqlite3")) as old:
        old.executescript(
            "CREATE TABLE usage (site TEXT NOT NULL, day TEXT NOT NULL, questions INTEGER NOT NULL, "
            "PRIMARY KEY (site, day));"
            "CREATE TABLE ratings (answer_id TEXT PRIMARY KEY, site TEXT NOT NULL, question TEXT NOT NULL, "
            "answer TEXT NOT NULL, rating TEXT NOT NULL, rated_at TEXT NOT NULL);"
            "INSERT INTO ratings VALUES ('1', 'shop', 'Why?', 'Zanzibarquokka', 'up', '2026-11-21');"
            "PRAGMA user_version = 1"
        )
    with closing(SiteRecords(tmp_path / "sites.sqlite3")) as records:
        rate(records, "2", "So.", "ferry")
        assert read_answers(records) == {"1": "", "2": "So."}
        records.drop_document("ferry", None)
        assert read_answers(records) == {"1": "", "2": ""}
    assert b"Zanzibarquokka" not in read_all_bytes(tmp_path)


@pytest.mark.parametrize(
    ("title", "address", "topic"),
    [
        ("Season tickets | Marrowick Ferries", "https://a.example/tickets/season-tickets", "Season tickets"),
        ("Marrowick Ferries – Season tickets", "https://a.example/season-tickets.html", "Season tickets"),
        ("Season tickets", "https://a.example/", "Season tickets"),
        ("", "https://a.example/help/season-tickets.html", "season tickets"),
        ("", "https://a.example/en/index.html", ""),
        ("", "http://[bad", ""),
        ("Long-distance lorries", "", "Long-distance lorries"),
    ],
)
def test_the_topic_of_a_page_is_what_its_title_and_address_share(title, address, topic):
    assert find_page_topic(title, address) == topic


def test_a_question_about_this_page_is_asked_with_its_topic():
    history = lead_with_page("Season tickets")

    assert make_standalone("How do I cancel this?", history) == "Season tickets. How do I cancel this?"
    assert make_standalone("What does a bicycle cost?", history) == "What does a bicycle cost?"
    assert lead_with_page("") == ()


def test_the_command_adds_lists_prints_and_removes(capsys, tmp_path):
    (tmp_path / "corpora" / "notes" / "documents").mkdir(parents=True)
    corpora = str(tmp_path / "corpora")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHATBOT_CORPORA_FOLDER", corpora)
        assert main(["sites", "list"]) == 0
        assert "no sites" in capsys.readouterr().out
        assert main(["sites", "add", "shop", "--corpus", "other"]) == 3
        assert main(["sites", "add", "shop", "--corpus", "notes", "--origin", "*"]) == 10
        assert main(["sites", "add", "shop", "--corpus", "notes", "--per-day", "0"]) == 10
        arguments = ["--origin", "https://a.example", "--per-day", "7"]
        assert main(["sites", "add", "shop", "--corpus", "notes", *arguments]) == 0
        capsys.readouterr()
        assert main(["sites", "list"]) == 0
        assert capsys.readouterr().out == "shop  notes  https://a.example  0 of 7 questions today\n"
        assert main(["sites", "snippet", "shop", "--url", "https://www.example.org/chat/"]) == 0
        tag = capsys.readouterr().out
        assert tag.startswith('<script src="https://www.example.org/chat/widget.js" data-site="shop"')
        assert ' integrity="sha384-' in tag
        assert main(["sites", "ratings", "shop"]) == 0
        assert main(["sites", "remove", "shop"]) == 0
        assert main(["sites", "snippet", "shop"]) == 10


def test_trusted_proxies_are_addresses():
    assert load_settings(trusted_proxies="127.0.0.1, 10.0.0.0/8").trusted_proxies == "127.0.0.1, 10.0.0.0/8"
    with pytest.raises(SettingsError, match="trusted_proxies"):
        load_settings(trusted_proxies="*")
