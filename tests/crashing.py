"""Processes that a test kills: an ingest, and an owner of a data folder.

Run as `python crashing.py WHAT FOLDER`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Where an ingest dies: the object of which a method is about to run, or has just run.
CRASH_POINTS = tuple(
    f"{when} {what}"
    for what in (
        "library.replace_document",
        "library.delete_document",
        "library.erase_leftovers",
        "library.touch_document",
        "vectors.update",
        "vectors.rebuild",
        "jobs.start",
        "jobs.note_changes",
        "jobs.begin_file",
        "jobs.note_outcome",
        "jobs.finish",
    )
    for when in ("before", "after")
)
FAILED, IN_USE = 3, 4


def ingest(folder: Path) -> None:
    """Bring the library in step again and again, each time in a child that may be killed.

    Reads a line for each child: {"point": where it kills itself, "bytes": the largest file it may write}.
    Answers with its process id, then with `done`, `failed` or `killed`. A child writes what it has
    acknowledged into `acknowledged.txt`. One process for all, because importing Chroma takes a second.
    """
    import chromadb  # noqa: F401 - imported before the children are forked

    from chatbot.languages import detect_language

    detect_language("so that its model is unpacked")
    for line in sys.stdin:
        orders = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(run_child(folder, orders))
        say(str(child))
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        say({0: "done", FAILED: "failed", -signal.SIGKILL: "killed"}.get(code, f"ended with {code}"))


def run_child(folder: Path, orders: dict[str, Any]) -> int:
    """Check the index, ingest, and keep account of it as the service does."""
    from chatbot.errors import LibraryError

    if limit := orders.get("bytes"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        ingest_once(folder, orders.get("point", ""))
    except LibraryError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return 0


def ingest_once(folder: Path, point: str) -> None:
    from chatbot.ingest_queue import IngestQueue
    from chatbot.jobs import JobStore
    from tests.bench import CORPUS, Bench
    from tests.fakes import HashingEmbedder

    bench = Bench(folder, read_plain_text, embedder=HashingEmbedder(seconds_per_text=0.002))
    jobs = JobStore(folder / "data" / "jobs.sqlite3")
    when, _, place = point.partition(" ")
    if place:
        part, _, method = place.partition(".")
        owner = {"library": bench.library, "vectors": bench.vectors, "jobs": jobs}[part]
        setattr(owner, method, dying(getattr(owner, method), when))
    acknowledged = os.open(folder / "acknowledged.txt", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)

    def acknowledge(outcome: Any) -> None:
        os.write(acknowledged, json.dumps([outcome.path, outcome.result]).encode() + b"\n")

    bench.check()
    queue = IngestQueue(jobs)
    queue.run(queue.take_now(CORPUS), bench.ingest, on_outcome=acknowledge)


def compete(folder: Path) -> None:
    """Let several processes start a chatbot over the same folder at once, again and again, and ingest.

    Reads a line for each round: {"processes": how many, "after_seconds": when one of them is killed}. Answers
    with a list of how each ended: `done`, `in use` or `killed`.
    """
    import chromadb  # noqa: F401 - imported before the children are forked

    from chatbot.languages import detect_language

    detect_language("so that its model is unpacked")
    for line in sys.stdin:
        orders = json.loads(line)
        children = []
        for _ in range(orders["processes"]):
            if (child := os.fork()) == 0:
                os._exit(run_chatbot(folder))
            children.append(child)
        if orders["after_seconds"] is not None:
            time.sleep(orders["after_seconds"])
            os.kill(children[0], signal.SIGKILL)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        names = {0: "done", IN_USE: "in use", -signal.SIGKILL: "killed"}
        say(json.dumps([names.get(code, f"ended with {code}") for code in codes]))


def run_chatbot(folder: Path) -> int:
    """Start a chatbot over a folder, bring its corpus in step, and close it."""
    from chatbot.errors import LibraryInUse
    from chatbot.factories import Factories
    from chatbot.prompting import load_prompts
    from chatbot.service import Service
    from chatbot.settings import load_settings
    from tests.bench import CORPUS
    from tests.fakes import HashingEmbedder, ScriptedGenerator

    settings = load_settings(
        data_folder=folder / "data", corpora_folder=folder / "corpora", corpus=CORPUS, chunk_tokens=64
    )
    factories = Factories(
        make_embedder=lambda _: HashingEmbedder(seconds_per_text=0.002),
        make_generator=lambda _: ScriptedGenerator("noon"),
        reader=OwnReader(),  # type: ignore[arg-type] - nothing is drawn
    )
    try:
        service = Service(settings, load_prompts(settings.prompts_folder), factories)
    except LibraryInUse:
        return IN_USE
    with service:
        service.start(generator=False, ingest=False)
        service.wait_until_ready()
        service.upkeep.ingest_now(CORPUS, lambda _: None, lambda _: None)
    return 0


class OwnReader:
    """Reads texts in this very process."""

    def read(self, path: Path) -> Any:
        return read_plain_text(path)

    def close(self) -> None:
        """There is no child to end."""


def dying(method: Callable[..., Any], when: str) -> Callable[..., Any]:
    """The method, in a process that dies before or after it."""

    def die(*arguments: Any, **options: Any) -> None:
        if when == "after":
            method(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return die


def say(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read_plain_text(path: Path):
    """Read a text in this very process."""
    from chatbot.documents import plain

    return plain.load(path)


def own(folder: Path) -> None:
    """Own a data folder until killed."""
    from chatbot.ownership import claim_data_folder

    owner = claim_data_folder(folder)
    owner.announce("http://127.0.0.1:1")
    say("owned")
    time.sleep(600)


if __name__ == "__main__":
    {"ingest": ingest, "compete": compete, "own": own}[sys.argv[1]](Path(sys.argv[2]))
