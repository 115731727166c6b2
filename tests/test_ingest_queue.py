import threading

from chatbot.ingest_queue import IngestQueue
from chatbot.types import FileOutcome, IngestProgress, IngestReport

OUTCOME = FileOutcome("a.md", "added", 1)


def make_report(*outcomes: FileOutcome) -> IngestReport:
    return IngestReport("notes", outcomes, unchanged=0, chunks=1, seconds=0.1)


def test_corpora_are_taken_in_order_and_once():
    queue = IngestQueue()
    for corpus in ("a", "b", "a"):
        queue.request(corpus)

    assert [queue.take(timeout_seconds=0) for _ in range(3)] == ["a", "b", None]


def test_a_request_while_the_corpus_is_read_asks_for_another_reading():
    queue = IngestQueue()
    queue.request("a")
    queue.take(timeout_seconds=0)

    queue.request("a")
    queue.finish("a", None)

    assert queue.take(timeout_seconds=0) == "a"


def test_whoever_waits_is_woken_by_a_request():
    queue = IngestQueue()
    timer = threading.Timer(0.05, queue.request, ["a"])
    timer.start()

    assert queue.take(timeout_seconds=10) == "a"


def test_progress_is_there_from_the_request_to_the_end():
    queue = IngestQueue()
    seen = [queue.progress("a")]
    queue.request("a")
    seen.append(queue.progress("a"))
    queue.take(timeout_seconds=0)
    queue.note_progress(IngestProgress("a", "x.md", 1, 2, 3, 0.1, None))
    seen.append(queue.progress("a"))
    queue.finish("a", make_report(OUTCOME))
    seen.append(queue.progress("a"))

    assert [progress and progress.current for progress in seen] == [None, "", "x.md", None]


def test_the_last_report_that_tells_something_stays():
    queue = IngestQueue()
    told = make_report(OUTCOME)

    queue.finish("a", told)
    queue.finish("a", make_report())
    queue.finish("a", None)

    assert told == queue.report("a")
    assert queue.report("b") is None
