"""How long a search takes, and how much memory and disk a library needs, as it grows.

    python benchmarks/search_at_scale.py --sizes 10000 100000 300000 --plot docs/images/search-at-scale.svg

The chunks are runs of neighbouring sentences of real texts (--texts, by default the shipped corpus),
those of a document from one stretch of them, so that words are as frequent as there; their vectors are random
points around 500 centres, because embedding 300,000 chunks takes an hour and changes nothing here.
Library, vector index, embedding model and questions are the real ones. Every size is measured in a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.build import make_embedder, set_offline_environment
from chatbot.chunking import hash_text
from chatbot.evaluation.datasets import load_questions
from chatbot.library import Library
from chatbot.retrieval.search import search_passages
from chatbot.sentences import split_sentences
from chatbot.settings import load_settings
from chatbot.types import Chunk, Document, DocumentRecord, Embedder, PassageVectors, SearchResult, Vectors
from chatbot.vectors import VectorIndex

CORPUS = "scale"
CHUNKS_PER_DOCUMENT = 20
SENTENCES_PER_CHUNK = 6
STRETCH = 300
"""The sentences of a document come from so many that follow each other."""
CENTRES = 500
SPREAD = 0.8
WARM_UP = 20
TEXT_SUFFIXES = {".md", ".txt", ".jsonl"}


def main() -> None:
    """Measure every size in a process of its own, then print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shipped = load_settings().corpora_folder / "marrowick-ferries"
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    parser.add_argument("--texts", type=Path, nargs="+", default=[shipped / "documents"])
    parser.add_argument("--questions", type=Path, default=shipped / "questions.jsonl")
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    set_offline_environment(offline=True)
    if options.build:
        print(json.dumps(build_library(options.build, options.sizes[0], options.texts)))
    elif options.measure:
        print(json.dumps(measure_library(options.measure, options.questions, options.searches)))
    else:
        results = [measure_size(size, options) for size in options.sizes]
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))
        if options.plot:
            draw_plot(results, options.plot)


def measure_size(size: int, options: argparse.Namespace) -> dict[str, Any]:
    """Figures of a library of `size` chunks: built by one process, searched by another."""
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        common = ["--sizes", str(size), "--searches", str(options.searches)]
        common += ["--questions", str(options.questions), "--texts", *map(str, options.texts)]
        figures: dict[str, Any] = {"chunks": size}
        for step in ("--build", "--measure"):
            command = [sys.executable, __file__, step, folder, *common]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            figures |= json.loads(output.splitlines()[-1])
    print_result(figures)
    return figures


def build_library(folder: Path, size: int, texts: Sequence[Path]) -> dict[str, Any]:
    """Write a library and its index; the seconds that took, and their size."""
    embedder = make_embedder(load_settings(), lambda _: None)
    library = Library(folder / "library.sqlite3")
    started = time.perf_counter()
    fill_library(library, size, read_sentences(texts), embedder)
    written = time.perf_counter()
    vectors = open_index(folder, library, embedder)
    vectors.rebuild(CORPUS)
    indexed = time.perf_counter()
    vectors.close()
    library.close()
    return {
        "library_seconds": written - started,
        "index_seconds": indexed - written,
        "library_mb": sum_bytes(folder, "library.sqlite3*") / 1e6,
        "index_mb": sum_bytes(folder / "vectors", "**/*") / 1e6,
    }


def measure_library(folder: Path, questions: Path, searches: int) -> dict[str, Any]:
    """Open a library as a start does, and search it."""
    embedder = make_embedder(load_settings(), lambda _: None)
    asked = [question.question for question in load_questions(questions) if question.answerable]
    library = Library(folder / "library.sqlite3")
    started = time.perf_counter()
    vectors = open_index(folder, library, embedder)
    vectors.check(CORPUS, library.chunks.count_chunks(CORPUS, embedder.fingerprint))
    opened = time.perf_counter()
    results = [
        run_search(asked[number % len(asked)], library, vectors, embedder)
        for number in range(WARM_UP + searches)
    ][WARM_UP:]
    figures = {"open_seconds": opened - started, "memory_mb": read_memory_mb(), **summarize_times(results)}
    vectors.close()
    library.close()
    return figures


def open_index(folder: Path, library: Library, embedder: Embedder) -> VectorIndex:
    """The vector index beside a library."""
    return VectorIndex(
        folder / "vectors", fingerprint=embedder.fingerprint, read_vectors=library.chunks.read_vectors
    )


def run_search(
    question: str, library: Library, vectors: VectorIndex, embedder: Embedder
) -> tuple[float, SearchResult]:
    """One search as the chat runs it, with its seconds."""
    started = time.perf_counter()
    result = search_passages(
        question,
        corpus=CORPUS,
        limit=6,
        library=library,
        find_nearest=vectors.find_nearest,
        embedder=embedder,
    )
    return time.perf_counter() - started, result


def summarize_times(results: Sequence[tuple[float, SearchResult]]) -> dict[str, Any]:
    """Milliseconds: median and 95th percentile of all, median of each stage."""
    seconds = sorted(item[0] for item in results)
    stages: dict[str, list[float]] = {}
    for _, result in results:
        for stage, value in result.trace.seconds:
            stages.setdefault(stage, []).append(value)
    return {
        "search_ms": statistics.median(seconds) * 1e3,
        "search_p95_ms": seconds[int(len(seconds) * 0.95)] * 1e3,
        "stages_ms": {stage: statistics.median(values) * 1e3 for stage, values in stages.items()},
    }


def read_sentences(folders: Sequence[Path]) -> list[str]:
    """The sentences of all texts in folders and files, each once."""
    sentences: dict[str, None] = {}
    for path in sorted(path for folder in folders for path in [folder, *folder.rglob("*")] if path.is_file()):
        if path.suffix not in TEXT_SUFFIXES:
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if path.suffix == ".jsonl":
            lines = [str(json.loads(line).get("text", "")) for line in lines if line.strip()]
        for line in lines:
            for start, end in split_sentences(line):
                if 30 < end - start < 300:
                    sentences[line[start:end]] = None
    return list(sentences)


def fill_library(library: Library, size: int, sentences: Sequence[str], embedder: Embedder) -> None:
    """Write documents with chunks of random sentences and random vectors."""
    shuffled = random.Random(size)  # noqa: S311 - no secret
    numbers = np.random.default_rng(size)
    centres = numbers.standard_normal((CENTRES, len(embedder.embed_query("size"))))
    for first in range(0, size, CHUNKS_PER_DOCUMENT):
        count = min(CHUNKS_PER_DOCUMENT, size - first)
        texts = draw_texts(shuffled, sentences, count)
        document = make_document(first, texts)
        whole = draw_vectors(numbers, centres, count)
        spans = tuple(draw_vectors(numbers, centres, SENTENCES_PER_CHUNK) for _ in texts)
        library.replace_document(
            document,
            list(make_chunks(document, texts)),
            PassageVectors(whole, spans),
            recipe="",
            fingerprint=embedder.fingerprint,
        )


def draw_texts(shuffled: random.Random, sentences: Sequence[str], count: int) -> list[str]:
    """Runs of neighbouring sentences, all from one stretch of the real texts."""
    first = shuffled.randrange(max(len(sentences) - STRETCH, 1))
    starts = [first + shuffled.randrange(STRETCH) for _ in range(count)]
    return [" ".join(sentences[start : start + SENTENCES_PER_CHUNK]) or sentences[-1] for start in starts]


def draw_vectors(numbers: np.random.Generator, centres: np.ndarray, count: int) -> Vectors:
    """Unit vectors around centres drawn at random, of shape (count, dimension)."""
    points = centres[numbers.integers(len(centres), size=count)]
    points = points + SPREAD * numbers.standard_normal(points.shape)
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), dtype=np.float32)


def make_document(number: int, texts: Sequence[str]) -> Document:
    """A document of these texts, a line each."""
    path, text = f"folder-{number % 7}/{number}.md", "\n".join(texts)
    record = DocumentRecord(
        id=hash_text(path),
        corpus=CORPUS,
        path=path,
        title=f"Document {number}",
        format="md",
        size_bytes=len(text),
        modified_ns=0,
        sha256="",
        date=None,
        pages=0,
        chunks=len(texts),
        added_at="",
    )
    return Document(record, text, (), ())


def make_chunks(document: Document, texts: Sequence[str]) -> Iterator[Chunk]:
    """A chunk for each line of a document."""
    start = 0
    for ordinal, text in enumerate(texts):
        yield Chunk(
            id=hash_text(f"{document.record.id}/{ordinal}"),
            document_id=document.record.id,
            ordinal=ordinal,
            start=start,
            end=start + len(text),
            text=text,
            headings=(),
            context=document.record.title,
            page=None,
        )
        start += len(text) + 1


def sum_bytes(folder: Path, pattern: str) -> int:
    """The size of the files in a folder that match."""
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


def read_memory_mb() -> float:
    """What this process holds in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def print_result(figures: dict[str, Any]) -> None:
    """A line for each size."""
    stages = ", ".join(f"{name} {value:.1f}" for name, value in figures["stages_ms"].items())
    print(
        f"{figures['chunks']:>7,} chunks: search {figures['search_ms']:.1f} ms median, "
        f"{figures['search_p95_ms']:.1f} p95 ({stages}); memory {figures['memory_mb']:.0f} MB, "
        f"library {figures['library_mb']:.0f} MB, index {figures['index_mb']:.0f} MB, "
        f"opened in {figures['open_seconds']:.1f} s; "
        f"written in {figures['library_seconds']:.0f} s, indexed in {figures['index_seconds']:.0f} s",
        flush=True,
    )


def draw_plot(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Search time by stage, and memory and disk, against the number of chunks."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    sizes = [figures["chunks"] for figures in results]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    stages = [name for name in results[-1]["stages_ms"] if results[-1]["stages_ms"][name] >= 0.1]
    left.stackplot(sizes, [[item["stages_ms"][name] for item in results] for name in stages], labels=stages)
    left.plot(sizes, [item["search_ms"] for item in results], "k-o", label="whole search, median")
    left.plot(sizes, [item["search_p95_ms"] for item in results], "k:", label="95th percentile")
    left.set(title="Search", xlabel="chunks", ylabel="milliseconds", ylim=(0, None))
    for name, label in (("memory_mb", "memory"), ("library_mb", "library.sqlite3"), ("index_mb", "Chroma")):
        right.plot(sizes, [item[name] for item in results], "-o", label=label)
    right.set(title="Memory and disk", xlabel="chunks", ylabel="MB", ylim=(0, None))
    for axes in (left, right):
        axes.legend(frameon=False, fontsize="small")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.savefig(path)


if __name__ == "__main__":
    main()
