import threading
from dataclasses import replace
from pathlib import Path

import pytest

from chatbot.changes import Change, FolderChanges
from chatbot.corpora import SourceFile
from chatbot.errors import CorpusError, LibraryError
from chatbot.ingest_queue import IngestQueue
from chatbot.jobs import MOST_ATTEMPTS, JobStore
from chatbot.preparing import describe_file
from chatbot.types import FileOutcome, IngestProgress, IngestReport

OUTCOMES = (FileOutcome("a.md", "added", 3), FileOutcome("b.md", "failed", reason="It is damaged."))


class StubIngest:
    """An ingest of a.md and b.md; `at` is called before each, and may raise."""

    def __init__(self, at=lambda path, stop: None) -> None:
        self.at = at
        self.options = {}

    def __call__(self, *, on_changes, on_begin, on_progress, on_outcome, stop, **options) -> IngestReport:
        self.options = options
        on_changes(FolderChanges(tuple(Change("added", item.path) for item in OUTCOMES), (), (), 5))
        done = []
        for outcome in OUTCOMES:
            if stop.is_set():
                break
            on_begin(outcome.path)
            on_progress(IngestProgress("notes", outcome.path, len(done), 2, 0, 0.1, None))
            self.at(outcome.path, stop)
            on_outcome(outcome)
            done.append(outcome)
        return IngestReport("notes", tuple(done), 5, 3, 0.2, stopped=stop.is_set())


@pytest.fixture
def make_queue(tmp_path):
    """Opens the queue of one data folder, again and again as after a restart."""
    stores = []

    def make() -> IngestQueue:
        stores.append(JobStore(tmp_path / "jobs.sqlite3"))
        return IngestQueue(stores[-1])

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def queue(make_queue):
    return make_queue()


def list_states(queue: IngestQueue, number: int) -> dict[str, str]:
    return {file.path: file.state for file in queue.jobs.list_files(number)}


def test_corpora_are_taken_in_order_and_once(queue):
    for corpus in ("a", "b", "a"):
        queue.request(corpus)

    taken = [queue.take(timeout_seconds=0) for _ in range(3)]

    assert [job and job.corpus for job in taken] == ["a", "b", None]


def test_a_request_while_the_corpus_is_read_asks_for_another_reading(queue):
    queue.request("a")
    job = queue.take(timeout_seconds=0)

    queue.request("a")
    queue.run(job, StubIngest())

    assert queue.take(timeout_seconds=0).corpus == "a"


def test_whoever_waits_is_woken_by_a_request(queue):
    timer = threading.Timer(0.05, queue.request, ["a"])
    timer.start()

    assert queue.take(timeout_seconds=10).corpus == "a"
    timer.join()


def test_progress_is_there_from_the_request_to_the_end(queue):
    seen = [queue.progress("notes")]
    queue.request("notes")
    seen.append(queue.progress("notes"))
    job = queue.take(timeout_seconds=0)
    queue.run(job, StubIngest(lambda path, stop: seen.append(queue.progress("notes"))))
    seen.append(queue.progress("notes"))

    assert [progress and progress.current for progress in seen] == [None, "", "a.md", "b.md", None]


def test_the_report_names_each_file_with_its_reason_also_after_a_restart(make_queue):
    first = make_queue()
    report = first.run(first.take_now("notes"), StubIngest())

    recalled = make_queue().last_report("notes")

    assert report.outcomes == OUTCOMES
    assert set(recalled.outcomes) == set(OUTCOMES)
    assert (recalled.unchanged, recalled.job) == (5, report.job)
    assert first.last_report("elsewhere") is None


def test_an_ingest_that_found_nothing_to_do_does_not_hide_the_report_before(queue):
    told = queue.run(queue.take_now("notes"), StubIngest())

    queue.run(queue.take_now("notes"), lambda **_: IngestReport("notes", (), 7, 0, 0.1))

    assert queue.last_report("notes") == told
    assert queue.latest("notes").unchanged == 7


def test_a_job_that_a_crash_ended_waits_again_under_its_number_and_keeps_what_it_did(make_queue):
    def crash(path, stop):
        if path == "b.md":
            raise KeyboardInterrupt  # nothing is noted, as when the process is killed

    first = make_queue()
    job = first.take_now("notes")
    with pytest.raises(KeyboardInterrupt):
        first.run(job, StubIngest(crash))
    assert list_states(first, job.number) == {"a.md": "added", "b.md": "reading"}

    second = make_queue()
    resumed = second.take(timeout_seconds=0)

    assert resumed.number == job.number
    assert list_states(second, job.number)["a.md"] == "added"


def test_the_report_of_a_resumed_job_tells_what_was_done_before_the_crash_too(make_queue):
    def crash(path, stop):
        if path == "b.md":
            raise KeyboardInterrupt

    def resume(*, on_changes, on_progress, on_outcome, **_):
        on_changes(FolderChanges((Change("added", "b.md"),), (), (), 6))
        on_progress(IngestProgress("notes", "b.md", 0, 1, 0, 0.1, None))
        on_outcome(OUTCOMES[1])
        return IngestReport("notes", OUTCOMES[1:], 6, 0, 0.2)

    first = make_queue()
    with pytest.raises(KeyboardInterrupt):
        first.run(first.take_now("notes"), StubIngest(crash))
    second = make_queue()
    report = second.run(second.take(timeout_seconds=0), resume)

    assert report.outcomes == OUTCOMES
    assert (report.unchanged, report.chunks) == (5, 3), "a.md is told as added, not as unchanged"
    assert second.jobs.get_job(report.job).unchanged == 5
    assert second.latest("notes") == report


def test_a_file_that_was_taken_in_or_refused_just_before_the_crash_is_not_said_to_be_read_still(make_queue):
    def crash(path, stop):
        raise KeyboardInterrupt

    refused = describe_file("notes", SourceFile("a.md", Path("a.md"), 1, 1), "")
    refused = replace(refused, problem="It is damaged.")
    for left, told in (((), ("changed", None)), ((refused,), ("failed", "It is damaged."))):
        first = make_queue()
        with pytest.raises(KeyboardInterrupt):
            first.run(first.take_now("notes"), StubIngest(crash))
        second = make_queue()
        job = second.take(timeout_seconds=0)
        assert list_states(second, job.number)["a.md"] == "reading"
        second.jobs.note_changes(job.number, FolderChanges((), (), left, 5))
        [file] = [file for file in second.jobs.list_files(job.number) if file.path == "a.md"]
        assert (file.state, file.reason) == told
        assert second.jobs.list_attempts(job.number) == {}
        second.jobs.finish(job.number, IngestReport("notes", (), 5, 0, 0.1))


def test_a_file_over_which_the_program_ended_again_and_again_is_given_up(make_queue):
    def crash(path, stop):
        if path == "b.md":
            raise KeyboardInterrupt

    ingests = []
    for _ in range(MOST_ATTEMPTS + 1):
        queue = make_queue()
        ingests.append(StubIngest(crash))
        with pytest.raises(KeyboardInterrupt):
            queue.run(queue.take_now("notes"), ingests[-1])

    told = [ingest.options["attempts"] for ingest in ingests]
    assert told == [{}, *({"b.md": times} for times in range(1, MOST_ATTEMPTS + 1))]


def test_a_waiting_job_is_cancelled_at_once(queue):
    number = queue.request("notes")

    assert queue.cancel(number).state == "stopped"
    assert queue.take(timeout_seconds=0) is None
    assert queue.progress("notes") is None


def test_a_running_job_is_cancelled_after_the_file_at_hand(queue):
    job = queue.take_now("notes")

    report = queue.run(job, StubIngest(lambda path, stop: queue.cancel(job.number)))

    assert (report.stopped, queue.jobs.get_job(job.number).state) == (True, "stopped")
    assert list_states(queue, job.number) == {"a.md": "added", "b.md": "waiting"}


def test_files_begun_by_a_job_that_is_stopped_are_not_suspected_of_having_ended_the_program(queue):
    job = queue.take_now("notes")

    def begin_another(path, stop):
        queue.jobs.begin_file(job.number, "b.md")
        stop.set()

    queue.run(job, StubIngest(begin_another))

    assert list_states(queue, job.number) == {"a.md": "added", "b.md": "waiting"}
    assert queue.jobs.list_attempts(job.number) == {}


def test_a_job_that_the_end_of_the_program_interrupts_waits_for_the_next_start(queue):
    job = queue.take_now("notes")

    queue.run(job, StubIngest(lambda path, stop: queue.stop()))

    assert queue.jobs.get_job(job.number).state == "waiting"


def test_a_job_that_fails_as_a_whole_says_why(queue):
    def fail(path, stop):
        raise LibraryError("The disk is full.", "Free some space.")

    job = queue.take_now("notes")
    with pytest.raises(LibraryError):
        queue.run(job, StubIngest(fail))

    kept = queue.jobs.get_job(job.number)
    assert (kept.state, kept.problem) == ("failed", "The disk is full. Free some space.")
    assert queue.latest("notes") is None
    assert queue.progress("notes") is None


def test_trying_refused_files_again_is_a_job_of_its_own(queue):
    whole, refused = queue.request("notes"), queue.request("notes", only_refused=True)
    ingest = StubIngest()
    queue.take(timeout_seconds=0)
    queue.run(queue.take(timeout_seconds=0), ingest)

    assert whole != refused
    assert ingest.options["only_refused"] is True


def test_a_job_that_is_not_there_is_told(queue):
    with pytest.raises(CorpusError, match="no job 7"):
        queue.cancel(7)


def test_a_job_whose_end_cannot_be_noted_is_over_all_the_same(queue, monkeypatch):
    def refuse(*_) -> None:
        raise LibraryError("The disk is full.", "Make room.")

    monkeypatch.setattr(queue.jobs, "finish", refuse)
    job = queue.take_now("notes")

    with pytest.raises(LibraryError, match="disk is full"):
        queue.run(job, StubIngest())
    assert queue.progress("notes") is None
