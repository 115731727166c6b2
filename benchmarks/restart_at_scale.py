"""How soon the chatbot is back after it was killed in the middle of an ingest, and whether anything was lost.

    python benchmarks/restart_at_scale.py FOLDER [FOLDER ...] [--chunks 10000] [--data FOLDER]

The files of the folders become one corpus in a temporary place, or in --data. An ingest of it is killed (-9)
while it writes, once the library holds so many chunks. Then the chatbot is started: the time until it can
search is printed, with what it had to make again, and the time until its ingest has ended. At last the same
files are ingested in one go elsewhere, and both libraries and indexes are compared, down to the vectors.

The embedding model is a stand-in that costs next to nothing: what is measured is the chatbot's own work.
The exit code is 1 where the libraries differ.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from ingest_at_scale import StandIn, copy_documents

from chatbot.documents.reader import DocumentReader
from chatbot.factories import Factories
from chatbot.library import Library
from chatbot.prompting import load_prompts
from chatbot.service import Service
from chatbot.settings import load_settings

CORPUS = "scale"
PROJECT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Kill, start again, compare; print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--chunks", type=int, default=10_000, help="killed once there are so many")
    parser.add_argument("--data", type=Path, help="an empty folder to work in, which is kept")
    parser.add_argument("--ingest", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ingest:
        bring_in_step(options.ingest, options.ingest.parent / "corpora")
        return 0
    root = options.data or Path(tempfile.mkdtemp(prefix="restart-at-scale-"))
    try:
        copy_documents(options.folders, root / "corpora" / CORPUS / "documents")
        print(kill_in_the_middle(root / "killed", options.chunks), flush=True)
        print(bring_in_step(root / "killed", root / "corpora"), flush=True)
        print(f"in one go: {bring_in_step(root / 'clean', root / 'corpora')}", flush=True)
        same = describe_library(root / "killed") == describe_library(root / "clean")
        print("both hold the same" if same else "THEY DIFFER", flush=True)
    finally:
        if options.data is None:
            shutil.rmtree(root)
    return 0 if same else 1


def kill_in_the_middle(data_folder: Path, chunks: int) -> str:
    """Start an ingest in a process of its own and kill it while it writes, with so many chunks written.

    :raises SystemExit: when it ended before.
    """
    process = subprocess.Popen([sys.executable, __file__, "--ingest", str(data_folder)], cwd=PROJECT)
    while process.poll() is None:
        written = count_chunks(data_folder / "library.sqlite3")
        if written >= chunks and (data_folder / "vectors" / "being-written").exists():
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return f"killed while it wrote, with {count_chunks(data_folder / 'library.sqlite3'):,} chunks"
        time.sleep(0.01)
    raise SystemExit(
        f"The ingest ended before it had {chunks:,} chunks: name more folders, or fewer --chunks."
    )


def count_chunks(path: Path) -> int:
    """The chunks of a library that another process writes; 0 while it makes its tables."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM chunks").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def bring_in_step(data_folder: Path, corpora_folder: Path) -> str:
    """Start the chatbot over a data folder, ingest, and tell how long each took."""
    settings = load_settings(
        data_folder=data_folder, corpora_folder=corpora_folder, corpus=CORPUS, watch_seconds=0
    )
    found = count_chunks(data_folder / "library.sqlite3")
    factories = Factories(
        make_embedder=lambda _: StandIn(),
        make_generator=lambda _: None,  # type: ignore[arg-type, return-value] - never asked for
        reader=DocumentReader(),
    )
    started, begun = time.monotonic(), time.process_time()
    with Service(settings, load_prompts(settings.prompts_folder), factories) as service:
        service.start(generator=False, ingest=False)
        service.wait_until_ready()
        passages = service.search("who is on call at the weekend", corpus=CORPUS).passages
        ready, computed = time.monotonic() - started, time.process_time() - begun
        report = service.upkeep.ingest_now(CORPUS, lambda _: None, lambda _: None)
    return (
        f"{found:,} chunks found, searched after {ready:.1f} s, of which {computed:.1f} s of processor time "
        f"({len(passages)} passages); ingest {report.seconds:.1f} s, {len(report.outcomes)} files"
    )


def describe_library(data_folder: Path) -> dict[str, str]:
    """For each chunk of library and index, a hash of its place, its words and its vectors."""
    from chatbot.vectors import VectorIndex

    with closing(Library(data_folder / "library.sqlite3")) as library:
        pages = list(library.chunks.read_vectors(CORPUS, StandIn.fingerprint))
        stored = {
            chunk_id: vector.tobytes()
            for ids, vectors in pages
            for chunk_id, vector in zip(ids, vectors, strict=True)
        }
        index = VectorIndex(
            data_folder / "vectors", fingerprint=StandIn.fingerprint, read_vectors=library.chunks.read_vectors
        )
        with closing(index):
            made_again = index.check(CORPUS, len(stored))
        found = {
            chunk_id: hashlib.sha256(
                repr((record.path, record.sha256, chunk)).encode() + stored[chunk_id]
            ).hexdigest()
            for ids, _ in pages
            for chunk_id, (chunk, record) in library.chunks.find_chunks(ids).items()
        }
    return found | {"index": "made again" if made_again else "sound"}


if __name__ == "__main__":
    raise SystemExit(main())
