"""Processes that a test kills: an ingest, and an owner of a data folder.

Run as `python crashing.py WHAT FOLDER`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def ingest(folder: Path) -> None:
    """Bring the library in step again and again, each time in a child that may be killed.

    Reads a line from its input for each child; answers with its process id, then with `done`
    or `killed`. One process for all children, because importing Chroma takes a second.
    """
    import chromadb  # noqa: F401 - imported before the children are forked

    from tests.bench import Bench
    from tests.fakes import HashingEmbedder

    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            bench = Bench(folder, read_plain_text, embedder=HashingEmbedder(seconds_per_text=0.002))
            bench.check()
            bench.ingest()
            os._exit(0)
        say(str(child))
        _, status = os.waitpid(child, 0)
        say("done" if status == 0 else "killed")


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
    {"ingest": ingest, "own": own}[sys.argv[1]](Path(sys.argv[2]))
