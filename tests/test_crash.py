"""Kill -9 at any moment, then a start: the same as a clean ingest."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench import CORPUS, Bench, assert_same
from tests.crashing import read_plain_text

SCRIPT = Path(__file__).parent / "crashing.py"
KILLS = 8
QUESTIONS = ["ferry 3", "berth 17", "marks noon", "version 2 of part 5", "dusk"]


def write_files(folder: Path, rng: random.Random, version: int) -> None:
    """Add, change and delete some files."""
    for number in range(30):
        path = folder / f"{number}.txt"
        roll = rng.random()
        if roll < 0.15 and path.exists():
            path.unlink()
        elif roll < 0.6 or not path.exists():
            parts = [
                f"Part {part} of file {number}: the ferry leaves at {rng.randrange(3)}. "
                f"Version {rng.randrange(version + 1)} costs {rng.randrange(99)} marks. " + "word " * 40
                for part in range(6)
            ]
            path.write_text("\n\n".join(parts))
            os.utime(path, ns=(version * 10**9, version * 10**9))


def list_results(bench: Bench) -> list[tuple[set[str], list[float]]]:
    """For each question, the chunks that share words with it and the similarities of the nearest."""
    return [
        (
            set(dict(bench.library.search_words(CORPUS, question, limit=1000))),
            [
                round(similarity, 3)
                for _, similarity in bench.vectors.find_nearest(
                    CORPUS, bench.embedder.embed_query(question), limit=10
                )
            ],
        )
        for question in QUESTIONS
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_moments_and_started_again_equals_a_clean_ingest(tmp_path):
    rng = random.Random(20251122)
    lived = tmp_path / "lived"
    documents = lived / "corpora" / CORPUS / "documents"
    documents.mkdir(parents=True)
    command = [sys.executable, str(SCRIPT), "ingest", str(lived)]
    killed = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdin is not None
        assert script.stdout is not None
        for version in range(1, KILLS + 1):
            write_files(documents, rng, version)
            script.stdin.write("go\n")
            script.stdin.flush()
            child = int(script.stdout.readline())
            time.sleep(rng.uniform(0.02, 1.0))
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            killed += script.stdout.readline() == "killed\n"
        script.stdin.close()

    survivor = Bench(lived, read_plain_text)
    clean = Bench(tmp_path / "clean", read_plain_text)
    survivor.check()
    survivor.ingest()
    clean.documents.rmdir()
    clean.documents.symlink_to(documents)
    clean.ingest()
    try:
        assert killed >= KILLS // 2
        assert_same(survivor, clean)
        assert list_results(clean) == list_results(survivor)
        assert survivor.check() is False
    finally:
        survivor.close()
        clean.close()
