"""A backup is made while the chatbot works, and restored elsewhere."""

import io
import json
import sqlite3
import tarfile
import threading

import pytest

from chatbot.backup import restore_backup, write_backup
from chatbot.errors import LibraryError
from chatbot.ownership import claim_data_folder
from tests.bench import CORPUS, Bench, assert_same

FERRY = "# Ferry\n\nThe ferry leaves at noon and returns at dusk.\n"


def ignore(_: str) -> None:
    """Nobody is told."""


@pytest.fixture
def back_up(bench, tmp_path):
    """Writes a backup of the bench."""

    def back_up(name="backup.tar"):
        return write_backup(
            tmp_path / name,
            data_folder=bench.data,
            corpora_folder=bench.documents.parent.parent,
            report=ignore,
        )

    return back_up


def restore(path, folder):
    return restore_backup(path, data_folder=folder / "data", corpora_folder=folder / "corpora", report=ignore)


def test_a_restored_backup_holds_all_and_needs_no_reading(bench, back_up, tmp_path, reader):
    bench.write("ferry.md", FERRY)
    bench.write("sub/line\nbreak.md", "The berth costs twelve marks.")
    bench.ingest()
    backup = back_up()

    assert backup.corpus_files == 2
    assert restore(backup.path, tmp_path / "elsewhere") == 3
    restored = Bench(tmp_path / "elsewhere", reader.read)
    try:
        restored.check()
        report = restored.ingest()
        assert (restored.files_read, report.outcomes, report.unchanged) == ([], (), 2)
        assert_same(restored, bench)
        assert restored.search("When does the ferry leave?")[0].path == "ferry.md"
    finally:
        restored.close()


def test_a_backup_while_documents_are_read_is_the_state_of_one_moment(bench, back_up, tmp_path, reader):
    for number in range(40):
        bench.write(f"{number}.md", FERRY.replace("noon", f"{number} o'clock") * 10)
    ingest = threading.Thread(target=bench.ingest)
    ingest.start()
    backups = [back_up(f"{number}.tar").path for number in range(3)]
    ingest.join()

    for number, path in enumerate(backups):
        restore(path, tmp_path / f"restored-{number}")
        restored = Bench(tmp_path / f"restored-{number}", reader.read)
        try:
            restored.check()
            kept = {record.path for record in restored.library.list_documents(CORPUS)}
            assert {path for _, path, _ in restored.list_chunks().values()} == kept
            restored.ingest()
            assert_same(restored, bench)
        finally:
            restored.close()


def test_a_backup_replaces_nothing_when_it_is_restored(bench, back_up, tmp_path):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    path = back_up().path
    (tmp_path / "taken" / "corpora" / "mine").mkdir(parents=True)

    with pytest.raises(LibraryError, match="is there already"):
        restore(path, tmp_path / "taken")
    with pytest.raises(LibraryError, match="is there already"):
        restore(path, bench.data.parent)
    assert list((tmp_path / "taken" / "corpora").iterdir()) == [tmp_path / "taken" / "corpora" / "mine"]


def test_a_folder_in_use_is_not_restored_into(bench, back_up, tmp_path):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    path = back_up().path
    owner = claim_data_folder(tmp_path / "used" / "data")

    with pytest.raises(LibraryError, match="already using"):
        restore(path, tmp_path / "used")
    owner.release()


def make_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("description", "words"),
    [({"format": 99}, "newer version"), ({"format": "x"}, "no backup"), ([], "no backup")],
)
def test_what_is_no_backup_of_this_version_is_refused(tmp_path, description, words):
    path = make_tar(tmp_path / "other.tar", [("backup.json", json.dumps(description).encode())])

    with pytest.raises(LibraryError, match=words):
        restore(path, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "data" / "library.sqlite3").exists()


def test_a_backup_cannot_write_outside_its_folders(tmp_path):
    path = make_tar(tmp_path / "evil.tar", [("backup.json", b'{"format": 1}'), ("../../evil.txt", b"evil")])

    with pytest.raises(LibraryError, match="could not be restored"):
        restore(path, tmp_path / "elsewhere")
    assert list(tmp_path.rglob("evil.txt")) == []


@pytest.mark.parametrize("length", [0, 100, 5000])
def test_a_backup_that_is_cut_off_is_refused_and_changes_nothing(bench, back_up, tmp_path, length):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    path = back_up().path
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(LibraryError):
        restore(path, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "data" / "library.sqlite3").exists()


def test_without_a_library_there_is_nothing_to_back_up(tmp_path):
    with pytest.raises(LibraryError, match="no library"):
        write_backup(tmp_path / "b.tar", data_folder=tmp_path, corpora_folder=tmp_path, report=ignore)


def test_a_backup_that_cannot_be_written_leaves_the_last_one(bench, back_up, tmp_path, monkeypatch):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    first = back_up().path.read_bytes()

    def fail(*_):
        raise sqlite3.OperationalError("disk is full")

    monkeypatch.setattr("chatbot.backup.copy_database", fail)
    with pytest.raises(LibraryError, match="disk is full"):
        back_up()
    assert (tmp_path / "backup.tar").read_bytes() == first
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_receipts_sites_and_other_indexes_are_kept_too(bench, back_up, tmp_path):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    others = ["receipts.sqlite3", "feedback.sqlite3", "sites.sqlite3", "indexes/other/library.sqlite3"]
    for name in others:
        (bench.data / name).parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(bench.data / name) as database:
            database.execute("CREATE TABLE facts (word TEXT)")
            database.execute("INSERT INTO facts VALUES (?)", (name,))
        database.close()
    files = ["sites.json", "index.json", "indexes/other/index-state.json"]
    for name in files:
        (bench.data / name).write_text(name)

    restore(back_up().path, tmp_path / "elsewhere")

    folder = tmp_path / "elsewhere" / "data"
    assert [(folder / name).read_text() for name in files] == files
    for name in others:
        database = sqlite3.connect(folder / name)
        assert database.execute("SELECT word FROM facts").fetchall() == [(name,)]
        database.close()


@pytest.mark.parametrize("name", ["keys.json", "sites.json"])
def test_keys_and_sites_that_are_there_are_not_replaced(bench, back_up, tmp_path, name):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    backup = back_up().path
    folder = tmp_path / "elsewhere" / "data"
    folder.mkdir(parents=True)
    (folder / name).write_text("{}")

    with pytest.raises(LibraryError, match="is there already"):
        restore(backup, tmp_path / "elsewhere")
    assert (folder / name).read_text() == "{}"
