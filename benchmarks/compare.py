"""Our chatbot beside LangChain, LlamaIndex and llama.cpp: same files, questions and weights, one run.

    python benchmarks/compare.py --peers-python /tmp/bench-venv/bin/python --rounds 3 --out docs/images

The others live in an environment of their own (this project depends on none of them):

    python3 -m venv /tmp/bench-venv
    /tmp/bench-venv/bin/pip install -r benchmarks/peers.txt

Every measurement is a process of its own; the systems take turns, so that whatever else the machine does
meets all of them. Medians over the rounds; ratios are those of the medians. Writes compare.json, compare.md
and compare.svg to --out. Without --peers-python only our chatbot is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from chatbot.models import DEFAULT_GENERATOR, packaged_embedder_folder
from chatbot.settings import load_settings
from chatbot.speed import measure_floors

PROJECT = Path(__file__).resolve().parent.parent
PEERS = ("LangChain", "LlamaIndex", "llama.cpp")
ROWS = {
    "start_s": "models loaded, s",
    "chunks": "chunks",
    "ingest_s": "ingest, s",
    "search_ms": "search, ms",
    "first_word_s": "first word, s",
    "last_word_s": "last word, s",
    "model_first_token_s": "model alone: first token, s",
    "model_last_token_s": "model alone: last token, s",
    "characters_per_s_1": "one at once, characters/s",
    "characters_per_s_4": "four at once, characters/s",
    "characters_per_s_16": "sixteen at once, characters/s",
    "memory_mb": "peak memory, MB",
}
Figures = dict[str, Any]


def main() -> None:
    """Measure, then write table and plots."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--peers-python", type=Path)
    parser.add_argument("--systems", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--sizes", type=float, nargs="*", default=[0.25, 0.5, 1.0], help="more corpora, MB")
    parser.add_argument("--users", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("compare"))
    options = parser.parse_args()
    systems = {"ours": Path(sys.executable)}
    if options.peers_python:
        systems |= dict.fromkeys(options.systems, options.peers_python)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        report = {"floors": measure_floors(), "rounds": measure_rounds(systems, Path(folder), options)}
        report["sizes"] = measure_sizes(systems, Path(folder), options)
    report["medians"] = {name: find_medians(report["rounds"][name]) for name in systems}
    (options.out / "compare.json").write_text(json.dumps(report, indent=1))
    table = format_table(report["medians"], report["floors"])
    (options.out / "compare.md").write_text(table + "\n")
    print(table)
    draw_plots(report, options.out)


def measure_rounds(systems: dict[str, Path], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of every system, round by round; the systems take turns."""
    work = make_work(folder, options, options.megabytes, ingest_only=False)
    found: dict[str, list[Figures]] = {name: [] for name in systems}
    for number in range(options.rounds):
        for name, python in systems.items():
            found[name].append(run_system(name, python, work, folder))
            print(f"round {number + 1}, {name}: {found[name][-1]}", file=sys.stderr, flush=True)
    return found


def measure_sizes(systems: dict[str, Path], folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds to ingest corpora of several sizes, once each."""
    found: dict[str, dict[str, float]] = {name: {} for name in systems if name != "llama.cpp"}
    for size in options.sizes:
        work = make_work(folder, options, size, ingest_only=True)
        for name in found:
            figures = run_system(name, systems[name], work, folder)
            found[name][str(size)] = figures["ingest_s"]
    return found


def make_work(folder: Path, options: argparse.Namespace, megabytes: float, *, ingest_only: bool) -> Figures:
    """What a system is told to do: files of so many megabytes, questions and prompts of them."""
    documents = folder / f"documents-{megabytes}"
    handbook = options.data / "handbook_sourcegraph"
    fill_folder(documents, handbook, int(megabytes * 1e6))
    rows = (options.data / "handbook_sourcegraph_heading_questions.jsonl").read_text().splitlines()
    names = {path.relative_to(documents).as_posix() for path in documents.rglob("*.md")}
    asked = [row for row in map(json.loads, filter(None, rows)) if row["path"] in names]
    questions = [row["question"] for row in asked[:: max(1, len(asked) // options.questions)]]
    texts = [path.read_text("utf-8", "replace") for path in sorted(documents.rglob("*.md"))]
    long_texts = [text for text in texts if len(text) > 3000]
    prompts = [f"{text[:3000]}\n\nWhat does this text say? Quote its sentences." for text in long_texts[:16]]
    models = load_settings().data_folder / "models"
    return {
        "folder": str(documents),
        "questions": questions[: options.questions],
        "prompts": prompts,
        "users": options.users,
        "threads": os.cpu_count(),
        "embedder": str(packaged_embedder_folder()),
        "model": str((models / DEFAULT_GENERATOR).resolve()),
        "gguf": str((models / f"{DEFAULT_GENERATOR}.gguf").resolve()),
        "ingest_only": ingest_only,
    }


def fill_folder(target: Path, source: Path, size_bytes: int) -> None:
    """Copy Markdown files, in the order of their names, until there are so many bytes."""
    total = 0
    for path in sorted(source.rglob("*.md")):
        if total >= size_bytes:
            return
        place = target / path.relative_to(source)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
        total += path.stat().st_size


def run_system(name: str, python: Path, work: Figures, folder: Path) -> Figures:
    """The figures of one system in a process of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        plan = Path(scratch) / "work.json"
        plan.write_text(json.dumps(work | {"scratch": str(Path(scratch) / "store")}))
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1"}
        started = time.monotonic()
        result = subprocess.run(
            [str(python), str(PROJECT / "benchmarks" / "compare_systems.py"), name, str(plan)],
            env=environment,
            capture_output=True,
            text=True,
        )
        lines = [line for line in result.stdout.splitlines() if line.startswith("RESULT ")]
        if not lines:
            raise SystemExit(f"{name} failed:\n{result.stderr[-3000:]}")
        figures: Figures = json.loads(lines[-1].removeprefix("RESULT "))
        return figures | {"process_s": time.monotonic() - started}


def find_medians(rounds: list[Figures]) -> Figures:
    """The median of every figure over the rounds."""
    return {key: statistics.median(item[key] for item in rounds) for key in rounds[0]}


def format_table(medians: dict[str, Figures], floors: Figures) -> str:
    """A Markdown table: medians, and in brackets how many times ours."""
    names = list(medians)
    lines = ["| | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for key, title in ROWS.items():
        if not any(key in figures for figures in medians.values()):
            continue
        ours = medians["ours"].get(key)
        lines.append(
            f"| {title} | " + " | ".join(format_cell(medians[n].get(key), ours) for n in names) + " |"
        )
    floor = ", ".join(f"{name} {value:,.0f}" for name, value in floors.items())
    return "\n".join([*lines, "", f"Measured of this machine: {floor}."])


def format_cell(value: float | None, ours: float | None) -> str:
    """A figure and its ratio to ours."""
    if value is None:
        return ""
    text = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return text if not ours or value == ours else f"{text} ({value / ours:.2f} x)"


def draw_plots(report: dict[str, Any], folder: Path) -> None:
    """Ingest against corpus size, throughput against users, and the parts of one question."""
    try:
        import matplotlib
    except ImportError:
        print("no plots: pip install matplotlib", file=sys.stderr)
        return
    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for name, sizes in report["sizes"].items():
        axes[0].plot([float(size) for size in sizes], list(sizes.values()), "-o", label=name)
    axes[0].set(title="Ingest", xlabel="MB of Markdown", ylabel="seconds", ylim=(0, None))
    for name, figures in report["medians"].items():
        users = sorted(int(key.rsplit("_", 1)[1]) for key in figures if key.startswith("wall_s_"))
        axes[1].plot(users, [figures[f"wall_s_{count}"] for count in users], "-o", label=name)
    axes[1].set(
        title="Answers at once", xlabel="users", ylabel="seconds until all have theirs", ylim=(0, None)
    )
    stages = ("search", "to the first word", "to the last word")
    complete = {name: item for name, item in report["medians"].items() if "search_ms" in item}
    left = [0.0] * len(complete)
    for stage in stages:
        widths = [split_stages(item)[stage] for item in complete.values()]
        axes[2].barh(list(complete), widths, left=left, label=stage)
        left = [before + width for before, width in zip(left, widths, strict=True)]
    axes[2].set(title="One question", xlabel="milliseconds")
    for axis in axes:
        axis.legend(frameon=False, fontsize="small")
    figure.savefig(folder / "compare.svg")


def split_stages(figures: Figures) -> dict[str, float]:
    """Milliseconds of the parts of one answer."""
    search = figures["search_ms"]
    first, last = 1e3 * figures["first_word_s"], 1e3 * figures["last_word_s"]
    return {"search": search, "to the first word": max(first - search, 0.0), "to the last word": last - first}


if __name__ == "__main__":
    main()
