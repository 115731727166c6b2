"""What a service does with a second index: it owns the one that answers, and the idle one forgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.documents.reader import DocumentReader
from chatbot.errors import LibraryError, LibraryInUse
from chatbot.index_places import (
    MAIN,
    IndexPlace,
    choose_index,
    find_index_place,
    make_index_place,
)
from chatbot.indexes.building import build_index
from chatbot.library import Library
from chatbot.ownership import claim_data_folder
from tests.fakes import HashingEmbedder
from tests.test_service import corpora, make_service  # noqa: F401 - fixtures

SECRET = "# Launch\n\nThe Zanzibarquokka leaves the harbour at midnight.\n"


@pytest.fixture
def notes(corpora) -> Path:  # noqa: F811
    """The documents folder, with a document to forget."""
    folder = corpora / "notes" / "documents"
    (folder / "launch.md").write_text(SECRET)
    return folder


@pytest.fixture
def idle(notes, tmp_path) -> IndexPlace:
    """A second index of all documents, which does not answer."""
    place = make_index_place(tmp_path / "data", "other", "other")
    with DocumentReader() as reader:
        build_index(place, HashingEmbedder(), notes.parent.parent, reader.read, chunk_tokens=64)
    assert holds_secret(place)
    return place


@pytest.fixture
def open_service(make_service, tmp_path):  # noqa: F811
    """Opens a service over the data folder that reads nothing by itself."""

    def open_it(**options):
        service = make_service(data_folder=tmp_path / "data")
        service.start(generator=False, ingest=options.get("ingest", False))
        service.wait_until_ready()
        return service

    return open_it


def ingest(service) -> None:
    service.upkeep.ingest_now("notes", lambda _: None, lambda _: None)


def holds_secret(place: IndexPlace) -> bool:
    return any(
        b"zanzibarquokka" in path.read_bytes().lower() for path in place.folder.rglob("*") if path.is_file()
    )


def list_paths(place: IndexPlace) -> list[str]:
    library = Library(place.library_path)
    try:
        return [record.path for record in library.list_documents("notes")]
    finally:
        library.close()


def test_the_second_index_belongs_to_the_service_that_answers_from_it(idle, make_service, tmp_path):  # noqa: F811
    choose_index(tmp_path / "data", idle, MAIN)
    service = make_service(data_folder=tmp_path / "data")

    with pytest.raises(LibraryInUse):
        claim_data_folder(idle.folder)
    service.close()
    claim_data_folder(idle.folder).release()


def test_a_second_index_that_is_being_built_is_not_opened_and_the_data_folder_given_back(
    idle,
    make_service,  # noqa: F811
    tmp_path,
):
    choose_index(tmp_path / "data", idle, MAIN)
    builder = claim_data_folder(idle.folder)
    try:
        with pytest.raises(LibraryInUse):
            make_service(data_folder=tmp_path / "data")
        claim_data_folder(tmp_path / "data").release()
    finally:
        builder.release()


def test_a_damaged_library_gives_the_second_index_back_too(idle, make_service, tmp_path):  # noqa: F811
    choose_index(tmp_path / "data", idle, MAIN)
    idle.library_path.write_bytes(b"garbage" * 1000)

    with pytest.raises(LibraryError):
        make_service(data_folder=tmp_path / "data")
    claim_data_folder(idle.folder).release()


@pytest.mark.parametrize("way", ["deleted", "changed", "unreadable", "renamed"])
def test_a_document_that_went_before_a_run_failed_is_in_no_byte_of_an_idle_index(
    idle, open_service, notes, monkeypatch, way
):
    service = open_service()
    ingest(service)
    if way == "deleted":
        (notes / "launch.md").unlink()
    elif way == "renamed":
        (notes / "launch.md").rename(notes / "aaa.md")
    else:
        (notes / "launch.md").write_bytes(b"\0\1" * 500 if way == "unreadable" else b"# Launch\n\nIt is off.")
    (notes / "zzz.md").write_text("# Late\n\nThis one is read last.")
    note_outcome = service.ingests.jobs.note_outcome

    def fail_at_last(number, outcome):
        if outcome.path == "zzz.md":
            raise LibraryError("The disk is full.", "Make room.")
        note_outcome(number, outcome)

    monkeypatch.setattr(service.ingests.jobs, "note_outcome", fail_at_last)
    with pytest.raises(LibraryError, match="disk is full"):
        ingest(service)

    assert not holds_secret(idle)
    assert list_paths(idle) == ["ferry.md"]


def test_a_deletion_that_a_crash_kept_from_an_idle_index_reaches_it_with_the_next_run(
    idle, open_service, notes, monkeypatch
):
    service = open_service()
    ingest(service)
    (notes / "launch.md").unlink()
    with monkeypatch.context() as crash:
        crash.setattr("chatbot.service.forget_in_idle_indexes", lambda *_, **__: None)
        ingest(service)
    assert holds_secret(idle)
    service.close()

    ingest(open_service())

    assert not holds_secret(idle)


def test_a_corpus_that_is_gone_leaves_an_idle_index_also_where_the_library_has_lost_it_before(
    idle, open_service, notes
):
    service = open_service()
    assert service.catalogue.list_documents("notes") == []
    service.close()
    notes.parent.rename(notes.parent.parent.parent / "away")

    open_service(ingest=True).close()

    assert not holds_secret(idle)


def test_a_document_deleted_in_the_page_leaves_an_idle_index(idle, open_service):
    service = open_service()
    ingest(service)
    [record] = [record for record in service.catalogue.list_documents("notes") if record.path == "launch.md"]

    service.upkeep.delete_document(record.id)

    assert not holds_secret(idle)
    assert list_paths(idle) == ["ferry.md"]


def test_an_idle_index_that_cannot_be_opened_is_told_and_hinders_nothing(idle, open_service, notes, caplog):
    service = open_service()
    idle.library_path.write_bytes(b"garbage" * 1000)

    ingest(service)

    assert len(service.catalogue.list_documents("notes")) == 2
    assert "the index other may still hold deleted documents" in caplog.text
    assert find_index_place(service.settings.data_folder, "", "other") == idle
