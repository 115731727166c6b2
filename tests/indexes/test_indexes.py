"""A second index beside the first: built, resumed, compared, switched to and back, dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatbot import index_places
from chatbot.documents.reader import DocumentReader
from chatbot.errors import LibraryError, LibraryInUse
from chatbot.index_places import (
    MAIN,
    IndexPlace,
    choose_index,
    find_active_index,
    find_index_place,
    forget_in_idle_indexes,
    list_index_places,
    make_index_place,
    name_index,
    read_index_state,
)
from chatbot.indexes import command
from chatbot.indexes.building import build_index
from chatbot.indexes.comparing import compare_indexes, is_better_or_equal
from chatbot.indexes.options import add_index_options
from chatbot.library import Library
from chatbot.ownership import claim_data_folder
from chatbot.settings import Settings, load_settings
from tests.fakes import HashingEmbedder

TEXTS = {
    "dogs.md": "# Dogs on board\n\nDogs travel free of charge.\n\n# Muzzles for dogs\n\nLarge dogs wear one.",
    "cats.md": "# Cats in boxes\n\nCats travel in a box.\n\n# Price of a box\n\nA box costs 5 pounds.",
    "bikes.md": "# Bicycles on deck\n\nBicycles are tied to the rail.",
}
FIRST, OTHER = "first-model", "maker/Other.Model"


EMBEDDERS = {
    FIRST: HashingEmbedder(),
    OTHER: HashingEmbedder(fingerprint="hashing2"),
    "deaf": HashingEmbedder(fingerprint="deaf"),
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings over a corpus of three documents; models are loaded by name from those above."""
    documents = tmp_path / "corpora" / "pets" / "documents"
    documents.mkdir(parents=True)
    for name, text in TEXTS.items():
        (documents / name).write_text(text)
    monkeypatch.setenv("CHATBOT_CORPORA_FOLDER", str(tmp_path / "corpora"))
    monkeypatch.setenv("CHATBOT_DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("CHATBOT_EMBEDDER", FIRST)
    monkeypatch.setattr(command, "make_embedder", lambda _, __, name: EMBEDDERS[name])
    return load_settings()


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


def build(place: IndexPlace, settings: Settings, reader: DocumentReader, **options):
    return build_index(
        place, EMBEDDERS[place.embedder], settings.corpora_folder, reader.read, chunk_tokens=64, **options
    )


def run(settings: Settings, *words: str) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_index_options(parser)
    command.run_index_command(parser.parse_args(words), settings)


def build_main(settings: Settings, reader: DocumentReader) -> IndexPlace:
    """The index that a service would have made in the data folder itself."""
    place = IndexPlace(MAIN, settings.data_folder, FIRST)
    settings.data_folder.mkdir(parents=True)
    build(place, settings, reader)
    (settings.data_folder / "index-state.json").unlink()
    return place


def test_a_second_index_is_built_beside_the_first_and_only_then_switched_to(settings, reader, capsys):
    """While it is built the first one answers; switching takes a comparison that it does not lose."""
    build_main(settings, reader)
    with pytest.raises(LibraryError, match="no index"):
        run(settings, "switch", "other-model")
    run(settings, "build", OTHER)
    assert find_active_index(settings.data_folder, FIRST).name == MAIN
    with pytest.raises(LibraryError, match="not compared"):
        run(settings, "switch", "other-model")
    run(settings, "compare", "other-model", "--json")
    report = json.loads(capsys.readouterr().out.split("compare other-model\n")[-1])
    assert [item["name"] for item in report["indexes"]] == [MAIN, "other-model"]
    assert report["indexes"][1]["recall_at_5"] == 1.0
    run(settings, "switch", "other-model")
    active = find_active_index(settings.data_folder, FIRST)
    assert (active.name, active.embedder) == ("other-model", OTHER)
    run(settings, "switch", "--back")
    assert find_active_index(settings.data_folder, FIRST).embedder == FIRST


def test_an_index_that_finds_less_is_not_switched_to_unless_wanted(settings, reader, capsys):
    """`build --switch` compares, and the present index answers on where the new one is worse."""
    build_main(settings, reader)
    figures = [
        command.IndexFigures(MAIN, FIRST, 3, 1.0, 1.0, 1.0, 0.1),
        command.IndexFigures("deaf", "deaf", 3, 0, 0.5, 0.4, 0.1),
    ]
    assert not is_better_or_equal(figures)
    assert is_better_or_equal([figures[1], figures[0]])
    run(settings, "build", "deaf")
    state = read_index_state(find_index_place(settings.data_folder, FIRST, "deaf").folder)
    place = find_index_place(settings.data_folder, FIRST, "deaf")
    index_places.write_index_state(
        place, index_places.IndexState("deaf", state.built_at, {"main": {}}, False)
    )
    with pytest.raises(LibraryError, match="finds less"):
        run(settings, "switch", "deaf")
    run(settings, "switch", "deaf", "--anyway")
    assert find_active_index(settings.data_folder, FIRST).name == "deaf"


def test_a_build_that_was_stopped_goes_on_where_it_was(settings, reader):
    """What was read and embedded before is not read again."""
    place = make_index_place(settings.data_folder, OTHER, "other-model")

    class Stopped(Exception):
        pass

    def stop_at_last(progress) -> None:
        if progress.files_done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        build(place, settings, reader, on_progress=stop_at_last)
    assert not read_index_state(place.folder).built_at
    with pytest.raises(LibraryError, match="not built to its end"):
        run(settings, "switch", "other-model", "--anyway")
    (report,) = build(place, settings, reader)
    assert (len(report.outcomes), report.unchanged) == (1, 2)
    assert read_index_state(place.folder).built_at
    library = Library(place.library_path)
    assert [record.path for record in library.list_documents("pets")] == sorted(TEXTS)
    library.close()


def test_comparing_does_not_need_the_lock_of_the_index_that_answers(settings, reader):
    """A library is copied while its owner has it open, and the copies are gone afterwards."""
    main = build_main(settings, reader)
    other = make_index_place(settings.data_folder, OTHER, "other-model")
    build(other, settings, reader)
    owner, library = claim_data_folder(settings.data_folder), Library(main.library_path)
    try:
        figures = compare_indexes(
            [main, other], lambda place: EMBEDDERS[place.embedder], settings.corpora_folder
        )
    finally:
        library.close()
        owner.release()
    assert [item.questions for item in figures] == [5, 5], "every heading that one document has"
    assert not list(settings.data_folder.glob("comparing-*"))


def test_an_index_is_not_built_twice_at_once(settings, reader):
    """The second build is told that another process has it."""
    place = make_index_place(settings.data_folder, OTHER, "other-model")
    owner = claim_data_folder(place.folder)
    try:
        with pytest.raises(LibraryInUse):
            build(place, settings, reader)
    finally:
        owner.release()


def test_documents_that_went_leave_idle_indexes_too(settings, reader):
    """No word of a deleted document stays in an index that does not answer."""
    main = build_main(settings, reader)
    place = make_index_place(settings.data_folder, OTHER, "other-model")
    build(place, settings, reader)
    forget_in_idle_indexes(settings.data_folder, FIRST, lambda record: record.path == "dogs.md", active=MAIN)
    holding = [path for path in place.folder.rglob("*") if path.is_file() and b"Muzzles" in path.read_bytes()]
    assert holding == []
    assert b"Muzzles" in main.library_path.read_bytes(), (
        "the index that answers is brought in step by the ingest"
    )


def test_names_lists_and_drops_indexes(settings, reader, capsys):
    """The one that answers cannot be dropped; main can, once another answers."""
    build_main(settings, reader)
    run(settings, "build", OTHER)
    assert [place.name for place in list_index_places(settings.data_folder, FIRST)] == [MAIN, "other-model"]
    with pytest.raises(LibraryError, match="answers"):
        run(settings, "drop", MAIN)
    choose_index(settings.data_folder, find_index_place(settings.data_folder, FIRST, "other-model"), MAIN)
    capsys.readouterr()
    run(settings, "list")
    assert "other-model  maker/Other.Model  answers" in capsys.readouterr().out
    run(settings, "drop", MAIN)
    assert not (settings.data_folder / "library.sqlite3").exists()
    with pytest.raises(LibraryError, match="not built"):
        run(settings, "switch", MAIN)


@pytest.mark.parametrize(
    ("embedder", "name"),
    [("BAAI/bge-small-en", "bge-small-en"), ("/models/My Model/", "my-model"), ("…", "other")],
)
def test_an_index_is_named_by_its_model(embedder: str, name: str):
    assert name_index(embedder) == name


def test_refuses_names_that_are_taken_or_cannot_be(settings):
    """Neither another model's index nor a path is overwritten."""
    make_index_place(settings.data_folder, OTHER, "mine")
    with pytest.raises(LibraryError, match="another embedding model"):
        make_index_place(settings.data_folder, "deaf", "mine")
    for name in (MAIN, "../up", "A b"):
        with pytest.raises(LibraryError, match="cannot be called"):
            make_index_place(settings.data_folder, OTHER, name)
