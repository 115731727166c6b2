"""How long a second start takes: seconds until the page answers, and until questions can be asked.

    python benchmarks/start_up.py [--starts 5]

Starts `chatbot serve` again and again on the shipped corpus, with a library that is up to date and
models that are prepared, and prints every figure with its median.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 120.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    starts = parser.parse_args().starts
    measure_start()  # brings the library up to date
    pairs = [measure_start() for _ in range(starts)]
    for name, seconds in zip(("page answers", "ready"), zip(*pairs, strict=True), strict=True):
        each = ", ".join(f"{value:.1f}" for value in seconds)
        print(f"{name:<13} median {statistics.median(seconds):.1f} s ({each})")


def measure_start() -> tuple[float, float]:
    """Seconds from the start of the process to the first page, and to ready."""
    port = find_free_port()
    command = [sys.executable, "-m", "chatbot", "serve", "--no-browser", "--port", str(port)]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: b"<html" in fetch(f"http://127.0.0.1:{port}/"), process)
        page = time.monotonic() - started
        wait_until(lambda: json.loads(fetch(f"http://127.0.0.1:{port}/health"))["ready"], process)
        return page, time.monotonic() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def fetch(url: str) -> bytes:
    """The body of a page."""
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address
        body: bytes = response.read()
        return body


def wait_until(is_true: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Look again and again; connections that are refused count as not yet."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            if is_true():
                return
        time.sleep(0.02)
    raise SystemExit("the chatbot did not start; run `chatbot serve` to see why")


def find_free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
