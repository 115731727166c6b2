import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.changes import hash_file
from chatbot.errors import CorruptDocument
from chatbot.jobs import MOST_ATTEMPTS
from chatbot.preparing import make_document_id
from tests.bench import CORPUS, Bench, assert_same, assert_sound
from tests.fakes import HashingEmbedder

HARBOUR = "# Harbour\n\nThe harbour opens at six.\n\n## Fees\n\nA berth costs twelve marks a night.\n"
FERRY = "# Ferry\n\nThe ferry leaves at noon and returns at dusk.\n"


def results(report) -> dict[str, str]:
    return {outcome.path: outcome.result for outcome in report.outcomes}


def test_new_files_are_added_and_found(bench):
    bench.write("harbour.md", HARBOUR)
    bench.write("sub/ferry.md", FERRY)

    report = bench.ingest()

    assert results(report) == {"harbour.md": "added", "sub/ferry.md": "added"}
    assert report.chunks == len(bench.list_chunks()) > 0
    assert bench.search("When does the ferry leave?")[0].path == "sub/ferry.md"
    assert_sound(bench)


def test_unchanged_files_are_not_read_again(bench):
    bench.write("harbour.md", HARBOUR)
    bench.ingest()

    report = bench.ingest()

    assert (bench.files_read, report.unchanged) == ([], 1)
    assert results(report) == {}


def test_a_file_with_a_new_time_stamp_but_the_same_words_is_not_read_again(bench):
    path = bench.write("harbour.md", HARBOUR)
    bench.ingest()
    os.utime(path, ns=(1, 1))

    report = bench.ingest()

    assert (bench.files_read, report.unchanged) == ([], 1)
    assert bench.library.list_documents(CORPUS)[0].modified_ns == 1


def test_an_edit_embeds_only_the_chunks_that_are_new(bench):
    bench.write("harbour.md", HARBOUR)
    bench.ingest()
    bench.embedder.embedded.clear()
    bench.write("harbour.md", HARBOUR.replace("twelve", "thirteen"))

    report = bench.ingest()

    assert results(report) == {"harbour.md": "changed"}
    assert len(bench.embedder.embedded) == 1
    assert "thirteen" in bench.embedder.embedded[0]
    assert_sound(bench)


def test_an_edit_is_found_with_its_new_words_only(bench):
    bench.write("harbour.md", HARBOUR)
    bench.ingest()
    bench.write("harbour.md", HARBOUR.replace("twelve", "thirteen"))
    bench.ingest()

    texts = " ".join(passage.text for passage in bench.search("What does a berth cost?"))

    assert ("thirteen" in texts, "twelve" in texts) == (True, False)


def test_a_deleted_file_leaves_library_and_index(bench):
    bench.write("harbour.md", HARBOUR)
    bench.write("ferry.md", FERRY)
    bench.ingest()
    (bench.documents / "harbour.md").unlink()

    report = bench.ingest()

    assert results(report) == {"harbour.md": "removed"}
    assert {"ferry.md"} == {passage.path for passage in bench.search("harbour berth fees")}
    assert_sound(bench)


def test_a_removed_document_is_gone_from_search_at_once(bench):
    bench.write("harbour.md", HARBOUR)
    bench.ingest()

    bench.ingestor.remove_document(bench.library.list_documents(CORPUS)[0])

    assert bench.search("harbour") == []
    assert_sound(bench)


def test_a_deleted_document_is_in_no_byte_of_the_data_folder(bench):
    canary = "Zyxxomatic-Quibblefrotz"
    bench.write("secret.md", f"# Plans\n\nThe code word is {canary} today.\n")
    bench.write("ferry.md", FERRY)
    bench.ingest()
    (bench.documents / "secret.md").unlink()

    bench.ingest()

    needles = [part.encode() for part in (*canary.lower().split("-"), canary.lower())]
    files = [path for path in bench.data.rglob("*") if path.is_file()]
    assert [
        path.name for path in files if any(needle in path.read_bytes().lower() for needle in needles)
    ] == []


def test_two_files_that_share_a_paragraph_live_and_die_apart(bench):
    bench.write("one.md", HARBOUR)
    bench.write("two.md", HARBOUR)
    bench.ingest()
    (bench.documents / "one.md").unlink()
    bench.ingest()

    assert {"two.md"} == {passage.path for passage in bench.search("When does the harbour open?")}
    assert_sound(bench)


def test_a_bad_file_is_reported_and_the_others_go_on(bench):
    bench.write("a.pdf", b"%PDF-1.4 broken")
    bench.write("b.md", FERRY)
    bench.write("c.xyz", "unknown")
    bench.write("d.md", "")

    report = bench.ingest()

    assert results(report) == {"a.pdf": "failed", "b.md": "added", "c.xyz": "failed", "d.md": "failed"}
    reasons = {outcome.path: outcome.reason for outcome in report.outcomes if outcome.result == "failed"}
    assert all(path in reason for path, reason in reasons.items())
    assert reasons == {
        record.path: record.problem for record in bench.library.list_documents(CORPUS) if record.problem
    }


def test_a_bad_file_is_reported_until_it_can_be_read(bench):
    bench.write("d.md", "")
    bench.ingest()

    again = bench.ingest()
    assert [(item.path, item.result) for item in again.refused] == [("d.md", "failed")]
    assert "is empty" in again.refused[0].reason
    assert bench.files_read == []
    bench.write("d.md", FERRY)
    assert results(bench.ingest()) == {"d.md": "changed"}
    assert results(bench.ingest()) == {}
    assert bench.library.list_documents(CORPUS)[0].problem is None


def test_a_document_that_became_unreadable_is_found_no_more(bench):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    bench.write("ferry.md", "")

    report = bench.ingest()

    assert results(report) == {"ferry.md": "failed"}
    assert bench.search("When does the ferry leave?") == []
    assert_sound(bench)


def test_a_file_that_vanishes_between_the_look_and_the_reading_harms_nothing(bench):
    for name in "abc":
        bench.write(f"{name}.md", FERRY)

    def delete_next(progress):
        if progress.current == "b.md":
            (bench.documents / "b.md").unlink()

    report = bench.ingest(on_progress=delete_next)

    assert {path: result for path, result in results(report).items() if path != "b.md"} == {
        "a.md": "added",
        "c.md": "added",
    }
    assert {"a.md", "c.md"} == {record.path for record in bench.library.list_documents(CORPUS)}
    assert_sound(bench)


def test_a_file_that_vanishes_while_it_is_read_is_not_written(make_bench, reader):
    def read_and_delete(path):
        parsed = reader.read(path)
        path.unlink()
        return parsed

    bench = make_bench("vanishing")
    bench.ingestor = type(bench.ingestor)(
        bench.library, bench.vectors, bench.embedder, read_and_delete, chunk_tokens=64
    )
    bench.write("a.md", FERRY)
    bench.ingest()

    assert bench.library.list_documents(CORPUS) == []
    assert bench.search("ferry") == []


def test_a_file_that_is_replaced_while_it_is_read_is_right_after_the_next_ingest(make_bench, reader):
    bench = make_bench("replaced")

    def read_and_replace(path):
        parsed = reader.read(path)
        if "noon" in parsed.text:
            bench.write("a.md", FERRY.replace("noon", "midnight"))
        return parsed

    bench.ingestor = type(bench.ingestor)(
        bench.library, bench.vectors, bench.embedder, read_and_replace, chunk_tokens=64
    )
    bench.write("a.md", FERRY)
    bench.ingest()
    bench.ingest()

    assert "midnight" in bench.search("ferry")[0].text


def test_a_stopped_ingest_is_resumed_where_it_stopped(bench):
    for number in range(5):
        bench.write(f"{number}.md", FERRY.replace("noon", f"{number} o'clock"))
    stop = threading.Event()

    first = bench.ingest(on_outcome=lambda outcome: outcome.path == "1.md" and stop.set(), stop=stop)
    second = bench.ingest()

    assert (first.stopped, list(results(first))) == (True, ["0.md", "1.md"])
    assert (second.stopped, list(results(second))) == (False, ["2.md", "3.md", "4.md"])
    assert second.unchanged == 2


def test_progress_names_each_file_and_how_many_are_left(bench):
    for name in "ab":
        bench.write(f"{name}.md", FERRY)
    seen = []

    bench.ingest(on_progress=seen.append)

    assert [(progress.current, progress.files_done, progress.files_total) for progress in seen] == [
        ("a.md", 0, 2),
        ("b.md", 1, 2),
    ]
    assert seen[0].seconds_left is None
    assert seen[1].seconds_left is not None


def test_another_embedding_model_reads_every_document_again(make_bench):
    old = make_bench("models")
    old.write("ferry.md", FERRY)
    old.ingest()
    old.close()

    new = make_bench("models", embedder=HashingEmbedder(fingerprint="hashing2", dimension=48))
    new.check()
    report = new.ingest()

    assert results(report) == {"ferry.md": "changed"}
    assert {48} == {len(vector) for vector in new.list_indexed().values()}
    assert new.vectors.find_nearest(CORPUS, new.embedder.embed_query("ferry"), limit=1)
    assert_sound(new)


def test_other_chunk_sizes_cut_every_document_again(make_bench):
    old = make_bench("sizes", chunk_tokens=64)
    old.write("long.md", "# Long\n\n" + "The ferry leaves at noon. " * 60)
    old.ingest()
    old.close()

    new = make_bench("sizes", chunk_tokens=32)
    report = new.ingest()

    assert results(report) == {"long.md": "changed"}
    assert all(len(chunk.text.split()) <= 32 for chunk, _, _ in new.list_chunks().values())
    assert_sound(new)


def test_the_language_of_each_document_is_noted(bench):
    bench.write("ferry.md", FERRY)
    bench.write("faehre.md", "# Fähre\n\nDie Fähre fährt um zwölf Uhr ab und kommt am Abend zurück.\n")
    bench.write("codes.md", "GW-410\n")
    bench.ingest()

    languages = {record.path: record.language for record in bench.library.list_documents(CORPUS)}

    assert languages == {"ferry.md": "en", "faehre.md": "de", "codes.md": None}


def test_another_way_of_telling_languages_reads_every_document_again_and_keeps_its_vectors(
    bench, monkeypatch
):
    bench.write("ferry.md", FERRY)
    bench.ingest()
    bench.embedder.embedded.clear()
    monkeypatch.setattr("chatbot.ingest.DETECTION_VERSION", -1)

    bench.ingest()

    assert bench.files_read == ["ferry.md"]
    assert bench.embedder.embedded == []


def test_a_chunk_is_never_larger_than_the_embedding_model_reads(make_bench):
    bench = make_bench(embedder=HashingEmbedder(max_tokens=40), chunk_tokens=2000)
    bench.write("long.md", "# Long\n\n" + "The ferry leaves at noon. " * 60)

    assert results(bench.ingest()) == {"long.md": "added"}


def test_an_index_that_missed_the_library_s_last_write_is_made_again(make_bench, monkeypatch):
    bench = make_bench("torn")
    bench.write("ferry.md", FERRY)
    bench.ingest()
    bench.write("ferry.md", FERRY.replace("noon", "midnight"))
    # As if the process died between the two: the same number of chunks, but not the same chunks.
    monkeypatch.setattr(type(bench.vectors), "update", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(MemoryError):
        bench.ingest()
    monkeypatch.undo()
    bench.close()

    again = make_bench("torn")

    assert again.check() is True
    assert_sound(again)


def test_a_document_id_depends_on_its_place_alone():
    ids = {
        make_document_id("notes", "a.md"),
        make_document_id("notes", "b.md"),
        make_document_id("x", "a.md"),
    }

    assert len(ids) == 3
    assert make_document_id("notes", "a.md") in ids


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(Exception, match=r"missing\.md"):
        hash_file(tmp_path / "missing.md")


@pytest.mark.skipif(os.name == "nt", reason="file names are bytes on POSIX only")
@pytest.mark.parametrize(
    ("suffix", "content"), [(".md", FERRY), (".txt", "words"), (".pdf", ""), (".md", "")]
)
def test_a_file_whose_name_is_no_valid_text_does_not_stop_the_others(bench, suffix, content):
    bench.write(os.fsdecode(b"caf\xe9" + suffix.encode()), content)
    bench.write("ferry.md", FERRY)

    report = bench.ingest()

    assert results(report)["ferry.md"] == "added"
    assert results(report)[f"caf�{suffix}"] == ("added" if len(content) > 1 else "failed")
    again = bench.ingest()
    assert results(again) == {}
    assert [item.path for item in again.refused] == ([] if len(content) > 1 else [f"caf�{suffix}"])


def test_an_error_of_the_reader_keeps_its_next_step(make_bench):
    def refuse(path):
        raise CorruptDocument(f"{path.name} is damaged.", "Save it again.")

    bench = make_bench("refusing")
    bench.ingestor = type(bench.ingestor)(
        bench.library, bench.vectors, bench.embedder, refuse, chunk_tokens=64
    )
    bench.write("a.md", FERRY)

    assert bench.ingest().outcomes[0].reason == "a.md is damaged. Save it again."


def test_an_ingest_while_others_search_gives_only_whole_documents(make_bench):
    bench = make_bench("busy", embedder=HashingEmbedder(seconds_per_text=0.002))
    versions = ["one", "two", "three"]
    sections = [f"## Part {number}\n\nferry part {number} is version VERSION\n" for number in range(3)]
    text = "# Ferry\n\n" + "\n".join(sections)
    bench.write("ferry.md", text.replace("VERSION", "zero"))
    bench.ingest()
    problems, done = [], threading.Event()

    def search():
        while not done.is_set():
            try:
                found = bench.search("ferry part version", limit=3)
            except Exception as error:  # noqa: BLE001 - told to the test
                problems.append(repr(error))
                return
            kinds = {passage.text.split()[-1] for passage in found}
            if len(kinds) > 1:
                problems.append(f"a mix of versions: {kinds}")

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in versions * 4:
        bench.write("ferry.md", text.replace("VERSION", version))
        bench.ingest()
    done.set()
    for thread in threads:
        thread.join()

    assert problems == []


def test_one_text_that_cannot_be_embedded_stops_none_of_the_files_embedded_with_it(bench, monkeypatch):
    for name in "abc":
        bench.write(f"{name}.md", FERRY.replace("noon", f"{name} o'clock"))
    embed = bench.embedder.embed_passages

    def stumble(texts, spans):
        if any("b o'clock" in text for text in texts):
            raise ValueError
        return embed(texts, spans)

    monkeypatch.setattr(bench.embedder, "embed_passages", stumble)
    report = bench.ingest()

    assert results(report) == {"a.md": "added", "b.md": "failed", "c.md": "added"}
    assert "ValueError" in report.outcomes[1].reason
    assert_sound(bench)


def test_a_file_in_hand_when_the_program_ended_is_read_alone_and_refused_after_several_times(bench):
    for name in "abcd":
        bench.write(f"{name}.md", FERRY.replace("noon", f"{name} o'clock"))
    told = []

    report = bench.ingest(
        attempts={"b.md": 1, "c.md": MOST_ATTEMPTS},
        on_begin=lambda path: told.append(f"begin {path}"),
        on_outcome=lambda outcome: told.append(f"end {outcome.path}"),
    )

    assert results(report) == {"a.md": "added", "b.md": "added", "c.md": "failed", "d.md": "added"}
    assert told == [f"{what} {path}.md" for path in "ab" for what in ("begin", "end")] + [
        "end c.md",
        "begin d.md",
        "end d.md",
    ]


NAMES = st.sampled_from(["a.md", "b.txt", "c.html", "sub/d.md", "ü e.md"])
SENTENCES = st.lists(
    st.sampled_from(
        ["The ferry leaves at noon.", "A berth costs twelve marks.", "Dogs stay outside.", "# Part", "- item"]
    ),
    max_size=6,
).map("\n\n".join)
STEPS = st.one_of(
    st.tuples(st.just("write"), NAMES, SENTENCES),
    st.tuples(st.just("delete"), NAMES, st.none()),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("ingest"), st.none(), st.none()),
    st.tuples(st.just("stop"), st.none(), st.none()),
    st.tuples(st.just("reopen"), st.none(), st.none()),
)


@settings(max_examples=25)
@given(steps=st.lists(STEPS, max_size=15))
def test_any_history_of_changes_ends_like_a_clean_ingest_of_the_last_folder(tmp_path_factory, reader, steps):
    folder = tmp_path_factory.mktemp("history")
    bench = Bench(folder / "lived", reader.read)
    for step, name, value in steps:
        path = bench.documents / name if name else bench.documents
        if step == "write":
            bench.write(name, value)
        elif step == "delete" and path.exists():
            path.unlink()
        elif step == "rename" and path.exists():
            (bench.documents / value).parent.mkdir(exist_ok=True)
            path.rename(bench.documents / value)
        elif step == "ingest":
            bench.ingest()
        elif step == "stop":
            stop = threading.Event()
            bench.ingest(on_outcome=lambda _, stop=stop: stop.set(), stop=stop)
        elif step == "reopen":
            bench.close()
            bench = Bench(folder / "lived", reader.read)
            assert bench.check() is False
    bench.ingest()
    clean = Bench(folder / "clean", reader.read)
    clean.documents.rmdir()
    bench.documents.rename(clean.documents)
    clean.ingest()
    try:
        assert_same(bench, clean)
    finally:
        bench.close()
        clean.close()
