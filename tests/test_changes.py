"""What is different between a folder and the library is told first, and done in the right order."""

import json
import os

import pytest

from chatbot.documents.recognition import is_recognizer_installed
from chatbot.types import SearchFilters
from tests.bench import CORPUS, assert_same, assert_sound

FERRY = "# Ferry\n\nThe ferry leaves at noon and returns at dusk.\n"
BERTH = "# Berth\n\nA berth costs twelve marks a night.\n"


def tell(bench) -> list[tuple[str, str, str | None]]:
    """What an ingest would do."""
    changes = bench.ingestor.find_changes(CORPUS, bench.documents)
    return [(change.kind, change.path, change.same_as) for change in changes.changes]


def results(report) -> dict[str, str]:
    return {outcome.path: outcome.result for outcome in report.outcomes}


def list_places(bench, question: str, **options) -> list[list[str]]:
    """For each passage, every path that it is cited with."""
    found = bench.search_with_trace(question, **options).passages
    return [[item.path, *(place.path for place in item.also_in)] for item in found]


def test_the_difference_is_told_before_anything_is_done(bench):
    for name, text in (
        ("edited.md", FERRY),
        ("moved.md", BERTH),
        ("gone.md", FERRY + "Gone."),
        ("bad.md", ""),
    ):
        bench.write(name, text)
    bench.ingest()
    bench.write("edited.md", FERRY.replace("noon", "six"))
    bench.write("new.md", "A new one.")
    bench.write("twin.md", "A new one.")
    (bench.documents / "moved.md").rename(bench.documents / "moved-away.md")
    (bench.documents / "gone.md").unlink()
    before = bench.library.list_documents(CORPUS)

    told = tell(bench)

    assert told == [
        ("removed", "gone.md", None),
        ("renamed", "moved-away.md", "moved.md"),
        ("changed", "edited.md", None),
        ("added", "new.md", None),
        ("copied", "twin.md", "new.md"),
    ]
    refused = bench.ingestor.find_changes(CORPUS, bench.documents).refused
    assert [record.path for record in refused] == ["bad.md"]
    assert bench.library.list_documents(CORPUS) == before
    assert list(results(bench.ingest())) == [path for _, path, _ in told]
    assert tell(bench) == []


def test_unchanged_files_are_not_even_opened(bench):
    path = bench.write("ferry.md", FERRY)
    bench.ingest()
    status = path.stat()
    path.write_text(FERRY.replace("noon", "nine"))  # nobody can see this without opening the file
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert tell(bench) == []


def test_a_renamed_file_is_cited_with_its_new_place_and_needs_no_new_vectors(bench):
    bench.write("old/ferry.md", FERRY)
    bench.ingest()
    bench.embedder.embedded.clear()
    (bench.documents / "new").mkdir()
    (bench.documents / "old/ferry.md").rename(bench.documents / "new/ferry.md")

    report = bench.ingest()

    assert [(item.path, item.result, item.same_as) for item in report.outcomes] == [
        ("new/ferry.md", "renamed", "old/ferry.md")
    ]
    assert bench.embedder.embedded == []
    assert list_places(bench, "When does the ferry leave?") == [["new/ferry.md"]]
    assert_sound(bench)


def test_the_same_content_twice_is_indexed_once_and_cited_with_both_places(bench):
    bench.write("a/ferry.md", FERRY)
    bench.write("b/timetable.md", FERRY)
    bench.write("b/berth.md", BERTH)

    report = bench.ingest()

    assert {item.path: item.same_as for item in report.outcomes}["b/timetable.md"] == "a/ferry.md"
    assert bench.files_read == ["a/ferry.md", "b/berth.md"]
    assert list_places(bench, "When does the ferry leave?")[0] == ["a/ferry.md", "b/timetable.md"]
    texts = [chunk.text for chunk, _, _ in bench.list_chunks().values()]
    assert len(texts) == len(set(texts))
    assert tell(bench) == []


def test_a_search_narrowed_to_a_copy_cites_the_copy(bench):
    bench.write("a/ferry.md", FERRY)
    bench.write("b/timetable.md", FERRY)
    bench.ingest()

    question = "When does the ferry leave?"
    assert list_places(bench, question, filters=SearchFilters(folders=("b",))) == [["b/timetable.md"]]
    assert list_places(bench, question, filters=SearchFilters(folders=("a",))) == [["a/ferry.md"]]
    [passage] = bench.search_with_trace(question, filters=SearchFilters(folders=("b",))).passages
    text = bench.library.find_document(passage.chunk.document_id).text
    assert text[passage.chunk.start : passage.chunk.end] == passage.text


def test_two_files_of_one_name_in_two_folders_are_two_documents(bench):
    bench.write("north/readme.md", FERRY)
    bench.write("south/readme.md", BERTH)
    bench.ingest()

    assert list_places(bench, "ferry noon")[0] == ["north/readme.md"]
    assert list_places(bench, "berth marks")[0] == ["south/readme.md"]


def test_the_same_bytes_under_another_ending_are_another_document(bench):
    bench.write("ferry.md", FERRY)
    bench.write("ferry.txt", FERRY)

    assert {item.same_as for item in bench.ingest().outcomes} == {None}


def test_a_copy_takes_the_place_of_its_deleted_original_without_a_moment_in_between(bench):
    bench.write("a.md", FERRY)
    bench.write("b.md", FERRY)
    bench.ingest()
    (bench.documents / "a.md").unlink()
    bench.embedder.embedded.clear()
    seen = []

    bench.ingest(on_outcome=lambda _: seen.append(list_places(bench, "When does the ferry leave?")[0][0]))

    assert seen[-1] == "b.md"
    assert None not in seen
    assert bench.embedder.embedded == []
    assert list_places(bench, "When does the ferry leave?") == [["b.md"]]
    assert_sound(bench)


def test_whichever_came_first_the_library_ends_the_same(make_bench):
    bench, clean = make_bench("lived"), make_bench("clean")
    bench.write("b.md", FERRY)
    bench.ingest()
    for each in (bench, clean):
        each.write("a.md", FERRY)
        each.write("b.md", FERRY)
        each.ingest()

    assert_same(bench, clean)
    assert list_places(bench, "ferry") == [["a.md", "b.md"]]


def test_an_edited_copy_is_a_document_of_its_own(bench):
    bench.write("a.md", FERRY)
    bench.write("b.md", FERRY)
    bench.ingest()
    bench.write("b.md", BERTH)
    bench.ingest()

    assert list_places(bench, "berth marks")[0] == ["b.md"]
    assert list_places(bench, "When does the ferry leave?")[0] == ["a.md"]
    assert_sound(bench)


def test_only_refused_files_are_tried_again_on_request(bench, monkeypatch):
    for name in ("bad.md", "good.md"):
        bench.write(name, "" if name == "bad.md" else FERRY)
    bench.ingest()
    bench.write("new.md", BERTH)

    report = bench.ingest(only_refused=True)

    assert results(report) == {"bad.md": "failed"}
    assert bench.files_read == ["bad.md"]
    assert tell(bench) == [("added", "new.md", None)]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may open every file")
def test_a_file_that_could_not_be_opened_is_tried_by_every_ingest(bench):
    path = bench.write("locked.md", FERRY)
    path.chmod(0)
    assert results(bench.ingest()) == {"locked.md": "failed"}
    path.chmod(0o600)

    assert results(bench.ingest()) == {"locked.md": "changed"}


def test_refused_files_are_tried_again_once_pictures_can_be_read(bench, monkeypatch):
    bench.write("scan.md", "")
    bench.ingest()
    is_installed = is_recognizer_installed()
    monkeypatch.setattr("chatbot.ingest.is_recognizer_installed", lambda: not is_installed)
    tried = results(bench.ingest())

    assert tried == {"scan.md": "failed"}
    assert results(bench.ingest()) == {}


def test_a_file_name_with_a_line_break_is_a_file_like_any_other(bench):
    bench.write("ferry\ntimes.md", FERRY)
    bench.ingest()

    assert list_places(bench, "ferry") == [["ferry\ntimes.md"]]
    assert json.loads(json.dumps(list_places(bench, "ferry"))) == [["ferry\ntimes.md"]]
