"""Kill -9 at any moment, or a disk that is full at any moment, then a start: the same as a clean ingest."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chatbot.changes import hash_file
from chatbot.library import Library
from tests.bench import CORPUS, Bench, assert_same
from tests.crashing import CRASH_POINTS, read_plain_text

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SCRIPT = Path(__file__).parent / "crashing.py"
KILLS, MANY_KILLS = 15, 200
ROUNDS, MANY_ROUNDS = 3, 40
QUESTIONS = ["ferry 3", "berth 17", "marks noon", "version 2 of part 5", "dusk"]
FILE_LIMITS_BYTES = [1 << power for power in range(14, 22)]


class Crasher:
    """A folder of documents, and ingests of it that end badly."""

    def __init__(self, folder: Path, seed: int, work: str = "ingest") -> None:
        self.folder = folder
        self.documents = folder / "corpora" / CORPUS / "documents"
        self.documents.mkdir(parents=True)
        self.rng = random.Random(seed)
        self._clock = 10**18
        self._errors = (folder / "errors.txt").open("w")
        self._script = subprocess.Popen(
            [sys.executable, str(SCRIPT), work, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def close(self) -> None:
        self._script.stdin.close()
        self._script.wait()
        self._script.stdout.close()
        self._errors.close()

    def run(self, *, after_seconds: float | None = None, **orders: object) -> str:
        """An ingest with orders, killed after some seconds; how it ended."""
        self._script.stdin.write(json.dumps(orders) + "\n")
        self._script.stdin.flush()
        child = int(self._script.stdout.readline())
        if after_seconds is not None:
            time.sleep(after_seconds)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return self._script.stdout.readline().strip()

    def run_together(self, processes: int, *, after_seconds: float | None) -> list[str]:
        """Several chatbots over the same folder at once, one killed after some seconds; how each ended."""
        orders = {"processes": processes, "after_seconds": after_seconds}
        self._script.stdin.write(json.dumps(orders) + "\n")
        self._script.stdin.flush()
        return json.loads(self._script.stdout.readline())

    def change_files(self, version: int, *, count: int = 30, paragraphs: int = 6) -> None:
        """Add, change, rename, copy and delete some of `count` files."""
        paths = [self.documents / f"{number}.txt" for number in range(count)]
        for path in paths:
            roll = self.rng.random()
            if roll < 0.15 and path.exists():
                path.unlink()
            elif roll < 0.25 and path.exists():
                path.rename(self.rng.choice(paths))
            elif roll < 0.6 or not path.exists():
                self.write(path, version, paragraphs)
        old, new, copy = self.rng.sample(paths, 3)
        self.write(old, version, paragraphs)
        copy.write_bytes(old.read_bytes())
        self.date(copy)
        new.unlink(missing_ok=True)

    def write(self, path: Path, version: int, paragraphs: int) -> None:
        parts = [
            f"Part {part} of file {path.stem}: the ferry leaves at {self.rng.randrange(3)}. "
            f"Version {self.rng.randrange(version + 1)} costs {self.rng.randrange(99)} marks. " + "word " * 40
            for part in range(paragraphs)
        ]
        path.write_text("\n\n".join(parts))
        self.date(path)

    def date(self, path: Path) -> None:
        """Give a file a time that no other has: a folder's look is at size and time alone."""
        self._clock += 1
        os.utime(path, ns=(self._clock, self._clock))

    def check_acknowledged(self) -> None:
        """Whatever the last ingest acknowledged is in the library, as the files are now."""
        library = Library(self.folder / "data" / "library.sqlite3")
        try:
            kept = {record.path: record.sha256 for record in library.list_documents(CORPUS)}
        finally:
            library.close()
        acknowledged = self.folder / "acknowledged.txt"
        lines = acknowledged.read_text().splitlines() if acknowledged.exists() else []
        acknowledged.unlink(missing_ok=True)
        for path, result in map(json.loads, lines):
            if result == "removed":
                assert path not in kept
            else:
                assert kept[path] == hash_file(self.documents / path)

    def compare_with_clean(self, clean_folder: Path) -> None:
        """After one ingest that ends well, library and index equal those of a clean ingest."""
        survivor = Bench(self.folder, read_plain_text)
        clean = Bench(clean_folder, read_plain_text)
        try:
            survivor.check()
            survivor.ingest()
            clean.documents.rmdir()
            clean.documents.symlink_to(self.documents)
            clean.ingest()
            assert_same(survivor, clean)
            assert list_results(clean) == list_results(survivor)
            assert survivor.check() is False
        finally:
            survivor.close()
            clean.close()


@pytest.fixture
def crasher(tmp_path, seed):
    crasher = Crasher(tmp_path / "lived", seed)
    yield crasher
    crasher.close()


@pytest.fixture
def competitors(tmp_path, seed):
    competitors = Crasher(tmp_path / "lived", seed, "compete")
    yield competitors
    competitors.close()


def list_results(bench: Bench) -> list[tuple[set[str], list[float]]]:
    """For each question, the chunks that share words with it and the similarities of the nearest."""
    return [
        (
            set(dict(bench.library.words.search_words(CORPUS, question, limit=1000))),
            [
                round(similarity, 3)
                for _, similarity in bench.vectors.find_nearest(
                    CORPUS, bench.embedder.embed_query(question), limit=10
                )
            ],
        )
        for question in QUESTIONS
    ]


def test_killed_at_random_moments_and_started_again_equals_a_clean_ingest(crasher, tmp_path, is_long):
    kills = MANY_KILLS if is_long else KILLS
    killed = 0
    for version in range(1, kills + 1):
        crasher.change_files(version)
        killed += crasher.run(after_seconds=crasher.rng.uniform(0.02, 1.0)) == "killed"
        crasher.check_acknowledged()

    assert killed >= kills // 2
    crasher.compare_with_clean(tmp_path / "clean")


def test_killed_at_every_crash_point_and_again_while_it_recovers_equals_a_clean_ingest(crasher, tmp_path):
    crasher.change_files(1, count=8)
    assert crasher.run() == "done"
    for version, point in enumerate(CRASH_POINTS, 2):
        crasher.change_files(version, count=8, paragraphs=2)
        if point.endswith("rebuild"):  # it runs where an earlier process left its mark
            assert crasher.run(point="after library.replace_document") == "killed"
        if point.endswith(("touch_document", "delete_document", "erase_leftovers")):
            assert crasher.run() == "done"
            next(crasher.documents.iterdir()).unlink()
            for path in crasher.documents.iterdir():
                crasher.date(path)
        assert crasher.run(point=point) == "killed", point
        crasher.check_acknowledged()
        assert crasher.run(after_seconds=crasher.rng.uniform(0.0, 0.3)) in ("killed", "done")
    crasher.compare_with_clean(tmp_path / "clean")


def test_a_disk_that_is_full_loses_nothing_and_once_it_has_space_all_is_as_after_a_clean_ingest(
    crasher, tmp_path
):
    endings = []
    for version, limit in enumerate(FILE_LIMITS_BYTES, 1):
        crasher.change_files(version, count=12, paragraphs=3 + version)
        endings.append(crasher.run(bytes=limit))
        crasher.check_acknowledged()

    errors = (crasher.folder / "errors.txt").read_text()
    assert set(endings) <= {"failed", "done"}, (endings, errors)
    assert "failed" in endings
    crasher.compare_with_clean(tmp_path / "clean")


def test_of_several_chatbots_over_one_folder_one_ingests_and_the_others_are_refused(
    competitors, tmp_path, is_long
):
    endings = []
    for version in range(1, (MANY_ROUNDS if is_long else ROUNDS) + 1):
        competitors.change_files(version, count=12)
        kills = competitors.rng.random() < 0.5
        after_seconds = competitors.rng.uniform(0.0, 0.5) if kills else None
        endings.append(competitors.run_together(3, after_seconds=after_seconds))
        assert set(endings[-1]) <= {"done", "in use", "killed"}, endings
        assert kills or "done" in endings[-1], endings

    assert any("in use" in ending for ending in endings), endings
    competitors.compare_with_clean(tmp_path / "clean")
