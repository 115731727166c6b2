"""How long a thousand real files take to ingest, whether memory stays flat, and what a second run costs.

    python benchmarks/ingest_at_scale.py FOLDER [FOLDER ...] [--data FOLDER] [--no-model]

The files of the folders become one corpus in a temporary place (or in --data, where an ingest that was
interrupted goes on). `chatbot ingest` runs as its user would run it, with the settings of the environment.
With --no-model the embedding model is a stand-in that costs next to nothing, which leaves what reading,
cutting, SQLite and Chroma take.
The memory of the process and of its children is sampled twice a second from /proc.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from chatbot.types import PassageVectors, Span, Vectors

PROJECT = Path(__file__).resolve().parent.parent
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Ingest twice and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--data", type=Path, help="keep everything here, and go on with what is there")
    parser.add_argument("--no-model", action="store_true", help="leave the embedding model out")
    options = parser.parse_args()
    root = options.data or Path(tempfile.mkdtemp(prefix="ingest-at-scale-"))
    copy_documents(options.folders, root / "corpora" / "scale" / "documents")
    for run in ("first", "second"):
        print(f"{run} run: {measure_ingest(root, has_model=not options.no_model)}", flush=True)
    if options.data is None:
        shutil.rmtree(root)


def copy_documents(folders: list[Path], documents: Path) -> None:
    """Copy the folders into a corpus, unless that is done already."""
    for folder in folders:
        if not (documents / folder.name).exists():
            shutil.copytree(folder, documents / folder.name)
    count = sum(path.is_file() for path in documents.rglob("*"))
    size = sum(path.stat().st_size for path in documents.rglob("*") if path.is_file())
    print(f"{count:,} files, {size / 1e6:.1f} MB", flush=True)


class StandIn:
    """An embedding model that knows nothing and remembers nothing: a vector drawn by the text's hash."""

    fingerprint = "stand-in"
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A token is four characters."""
        return [len(text) // 4 + 2 for text in texts]

    def embed_passages(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> PassageVectors:
        """A vector a text, the same for each of its sentences."""
        whole = np.stack([self.embed_query(text) for text in texts]) if texts else np.empty((0, 384))
        parts = [np.repeat(vector[None], len(own), axis=0) for vector, own in zip(whole, spans, strict=True)]
        return PassageVectors(np.asarray(whole, np.float32), tuple(parts))

    def embed_query(self, text: str) -> Vectors:
        """A direction of length 1."""
        seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(384).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def knows_word(self, word: str) -> bool:
        """It knows none."""
        return not word


def ingest_without_model(root: Path) -> None:
    """Ingest in this process with a stand-in for the embedding model, and print the report."""
    from chatbot.documents.reader import DocumentReader
    from chatbot.ingest import Ingestor
    from chatbot.library import Library
    from chatbot.vectors import VectorIndex

    embedder = StandIn()
    library = Library(root / "data" / "library.sqlite3")
    vectors = VectorIndex(
        root / "data" / "vectors", fingerprint=embedder.fingerprint, read_vectors=library.chunks.read_vectors
    )
    with DocumentReader() as reader:
        ingestor = Ingestor(library, vectors, embedder, reader.read, 200)
        report = ingestor.ingest_corpus("scale", root / "corpora" / "scale" / "documents")
    vectors.close()
    library.close()
    print(json.dumps(asdict(report)))


def measure_ingest(root: Path, *, has_model: bool) -> str:
    """Run an ingest once in a process of its own and describe it."""
    environment = os.environ | {
        "CHATBOT_DATA_FOLDER": str(root / "data"),
        "CHATBOT_CORPORA_FOLDER": str(root / "corpora"),
    }
    command = [sys.executable, "-m", "chatbot", "ingest", "--corpus", "scale", "--json"]
    if not has_model:
        own = f"from benchmarks.ingest_at_scale import *; ingest_without_model(Path({str(root)!r}))"
        command = [sys.executable, "-c", own]
    started = time.monotonic()
    samples: list[float] = []
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output)
        while process.poll() is None:
            samples.append(measure_memory(process.pid) / 2**20)
            time.sleep(0.5)
        wall_seconds = time.monotonic() - started
        output.seek(0)
        report = json.load(output)
    return describe_run(report, samples, wall_seconds)


def describe_run(report: dict, samples: list[float], wall_seconds: float) -> str:  # type: ignore[type-arg]
    """Counts, seconds, and how the memory of the last quarter compares with the second."""
    results = [outcome["result"] for outcome in report["outcomes"]]
    counts = ", ".join(f"{results.count(name)} {name}" for name in sorted(set(results))) or "nothing to do"
    quarter = max(len(samples) // 4, 1)
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    return (
        f"{counts}, {report['unchanged']} unchanged, {len(report['refused'])} still refused, "
        f"{report['chunks']:,} chunks; ingest {report['seconds']:.1f} s, command {wall_seconds:.1f} s; "
        f"memory {max(early):,.0f} MiB at most in the second quarter, {max(late):,.0f} MiB in the last"
    )


def measure_memory(pid: int) -> int:
    """The resident bytes of a process and of those it started."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        tasks = [task for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid)]
        for task in tasks:
            children += (task / "children").read_text().split()
    except OSError:
        return 0
    return own + sum(measure_memory(int(child)) for child in children)


if __name__ == "__main__":
    main()
