"""A deleted document is in no byte of the data folder, also not in the chats that quoted it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict

import pytest

from chatbot.chats import list_messages
from chatbot.forgetting import FORGOTTEN, find_sources
from chatbot.site_records import RatedAnswer
from tests.bench import CORPUS
from tests.test_service import corpora, make_service, wait_for  # noqa: F401 - fixtures

CANARY = "Zanzibarquokka"
SECRET = f"# Launch\n\nThe {CANARY} leaves the harbour at midnight on a Thursday.\n"
QUESTION = "When is the launch on a Thursday?"


@pytest.fixture
def service(make_service, corpora, tmp_path):  # noqa: F811
    (corpora / "notes" / "documents" / "launch.md").write_text(SECRET)
    service = make_service(data_folder=tmp_path / "data", answer_style="quoting")
    service.start()
    service.wait_until_ready()
    wait_for(lambda: service.ingests.latest("notes"))
    return service


def ask(service, question=QUESTION):
    """Ask in a chat of its own, as the page does."""
    chat = service.chats.create_chat("notes")
    history = list_messages(service.chats.get_chat(chat.id))
    answer = service.ask(question, corpus="notes", history=history).finish()
    service.chats.append_turn(chat.id, question, answer)
    return chat.id


def find_in_files(folder, words: str) -> list[str]:
    """The files below a folder that hold words, in any of three encodings or any case."""
    wanted = [words.lower().encode(), words.lower().encode("utf-16-le"), json.dumps(words.lower()).encode()]
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and any(word in path.read_bytes().lower() for word in wanted)
    ]


def find_id(service, path):
    return next(record.id for record in service.catalogue.list_documents("notes") if record.path == path)


def test_a_deleted_document_is_gone_from_answers_at_once_and_from_every_byte(service, tmp_path):
    chat = ask(service)
    assert CANARY in json.dumps(asdict(service.chats.get_chat(chat)))
    assert {"library.sqlite3-wal", "chats.sqlite3-wal"} & set(find_in_files(tmp_path / "data", CANARY))

    service.upkeep.delete_document(find_id(service, "launch.md"))

    assert CANARY not in str(service.search(QUESTION, corpus="notes"))
    assert find_in_files(tmp_path / "data", CANARY) == []
    [turn] = service.chats.get_chat(chat).turns
    assert (turn.question, turn.answer.text, turn.answer.passages) == (QUESTION, FORGOTTEN, ())


def test_a_file_deleted_from_the_folder_is_in_no_byte_after_the_next_ingest(service, corpora, tmp_path):  # noqa: F811
    ask(service)
    (corpora / "notes" / "documents" / "launch.md").unlink()

    service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)

    assert find_in_files(tmp_path / "data", CANARY) == []


def test_rated_answers_of_sites_are_forgotten_with_the_document(service, tmp_path):
    answer = service.ask(QUESTION, corpus="notes").finish()
    rated = RatedAnswer("1", "shop", QUESTION, answer.text, "up", "2026-11-22T10:00:00+00:00")
    service.site_records.rate(rated, find_sources(answer))
    assert "sites.sqlite3-wal" in find_in_files(tmp_path / "data", CANARY)
    launch = find_id(service, "launch.md")
    assert list(service.catalogue.find_revisions([launch, "another"])) == [launch]

    service.upkeep.delete_document(launch)

    assert find_in_files(tmp_path / "data", CANARY) == []
    assert service.catalogue.find_revisions([launch]) == {}
    assert [kept.answer for kept in service.site_records.list_ratings("shop")] == [""]


def test_rated_answers_stay_when_the_document_is_renamed(service, corpora):  # noqa: F811
    answer = service.ask(QUESTION, corpus="notes").finish()
    rated = RatedAnswer("1", "shop", QUESTION, answer.text, "up", "2026-11-22T10:00:00+00:00")
    service.site_records.rate(rated, find_sources(answer))
    documents = corpora / "notes" / "documents"
    (documents / "launch.md").rename(documents / "departure.md")
    service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)
    assert service.site_records.list_ratings("shop") == [rated]

    service.upkeep.delete_document(find_id(service, "departure.md"))
    assert [kept.answer for kept in service.site_records.list_ratings("shop")] == [""]


def test_an_answer_that_only_looked_at_the_document_keeps_its_text(service, tmp_path):
    chat = ask(service, "When does the ferry leave, at noon?")
    before = service.chats.get_chat(chat).turns[0].answer
    service.upkeep.delete_document(find_id(service, "launch.md"))

    after = service.chats.get_chat(chat).turns[0].answer
    assert (after.text, after.citations) == (before.text, before.citations)
    assert CANARY not in json.dumps(asdict(after))


def test_the_answers_about_a_renamed_document_name_its_new_place(service, corpora):  # noqa: F811
    chat = ask(service)
    documents = corpora / "notes" / "documents"
    (documents / "launch.md").rename(documents / "departure.md")

    service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)

    answer = service.chats.get_chat(chat).turns[0].answer
    moved = find_id(service, "departure.md")
    assert {citation.document_id for citation in answer.citations} == {moved}
    assert {item.path for item in answer.passages if item.chunk.document_id == moved} == {"departure.md"}
    assert CANARY in answer.text


def test_an_answer_from_a_document_of_which_there_is_a_copy_stays(service, corpora):  # noqa: F811
    chat = ask(service)
    (corpora / "notes" / "documents" / "twin.md").write_text(SECRET)
    service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)

    service.upkeep.delete_document(find_id(service, "launch.md"))
    wait_for(lambda: service.ingests.progress("notes") is None)

    assert CANARY in service.chats.get_chat(chat).turns[0].answer.text
    assert service.search(QUESTION, corpus="notes").passages[0].path == "twin.md"


def test_what_a_killed_run_deleted_is_erased_by_the_next_one(bench):
    """One that is killed between deleting and erasing leaves a note; the next one, of any corpus, obeys."""
    bench.write("launch.md", SECRET)
    bench.ingest()
    [record] = bench.library.list_documents(CORPUS)
    (bench.documents / "launch.md").unlink()
    bench.library.delete_document(record.id)
    assert bench.library.has_leftovers()
    assert find_in_files(bench.data, CANARY) != []

    bench.ingest()

    assert find_in_files(bench.data, CANARY) == []
    assert not bench.library.has_leftovers()


def test_what_cannot_be_erased_while_another_process_reads_is_erased_by_the_next_run(bench):
    bench.write("launch.md", SECRET)
    bench.ingest()
    bench.library._database.read("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(bench.data / "library.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM documents").fetchall()
        (bench.documents / "launch.md").unlink()
        bench.ingest()
        assert bench.library.has_leftovers()

    bench.ingest()

    assert find_in_files(bench.data, CANARY) == []
    assert not bench.library.has_leftovers()
