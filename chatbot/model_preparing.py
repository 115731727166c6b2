"""What preparing a model takes: a folder for unfinished work, watched children, errors in words."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from chatbot.errors import ModelError

POLL_SECONDS = 0.2
SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a preparation is: bytes so far, bytes in all if known, seconds since the step began."""

    what: str
    done_bytes: int
    total_bytes: int | None
    seconds: float


ReportProgress = Callable[[Progress], None]


@contextlib.contextmanager
def owned_models_folder(models_folder: Path, name: str) -> Iterator[None]:
    """Make the folder ours alone: nobody else prepares in it, and what a dead process left is gone."""
    try:
        models_folder.mkdir(parents=True, exist_ok=True)
        with FileLock(models_folder / "prepare.lock"):
            for leftover in models_folder.glob("partial-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
    except OSError as error:
        raise explain_os_error(error, models_folder, name) from error


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure_folder(folder: Path) -> int:
    """Bytes of all files below `folder`; a file that vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


# --- processes


@dataclass(frozen=True, slots=True)
class Watch:
    """What to report while a child process fills a folder."""

    what: str
    folder: Path
    total_bytes: int | None
    on_progress: ReportProgress


def run_watched(command: list[str], environment: dict[str, str], watch: Watch) -> tuple[str, int]:
    """Run a child, report the growth of a folder, and return the child's output and exit code.

    The child is killed when anything is raised here, a KeyboardInterrupt included.
    """
    log_path = watch.folder / "output.log"
    started = time.monotonic()
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while True:
                exit_code = _wait(child, POLL_SECONDS)
                done_bytes = measure_folder(watch.folder)
                if watch.total_bytes is not None:
                    done_bytes = min(done_bytes, watch.total_bytes)
                seconds = time.monotonic() - started
                watch.on_progress(Progress(watch.what, done_bytes, watch.total_bytes, seconds))
                if exit_code is not None:
                    return log_path.read_text(encoding="utf-8", errors="replace"), exit_code
        finally:
            child.kill()
            child.communicate()


def _wait(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Return the child's exit code if it ends within `seconds`, else None."""
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


# --- folders and errors


@contextlib.contextmanager
def partial_folder(models_folder: Path) -> Iterator[Path]:
    """A new folder for unfinished work, on the same file system as what it will become."""
    folder = Path(tempfile.mkdtemp(prefix="partial-", dir=models_folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_free_bytes(folder: Path, needed_bytes: int) -> None:
    """Raise ModelError where a folder's disk has less space than that, and a little to spare."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + SPARE_BYTES:
        raise _disk_full(folder, f"{(needed_bytes + SPARE_BYTES) // 10**6} MB are needed")


def flush_to_disk(path: Path) -> None:
    """See to it that a file outlives a power cut."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def explain_failure(what: str, output: str, next_step: str) -> ModelError:
    """Turn the end of a child's output into an error."""
    if "No space left on device" in output:
        return ModelError(f"{what}: the disk is full.", "Free some space (about 1 GB) and start again.")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR|Fatal|\w+Error|\w*Exception)\b", line)]
    reason = (errors or lines or ["no reason was given"])[-1].removeprefix("ERROR: ").rstrip(".")
    return ModelError(f"{what}: {reason}.", next_step)


def explain_os_error(error: OSError, folder: Path, name: str = "The model") -> ModelError:
    """What the system refused, in words."""
    if error.errno == errno.ENOSPC:
        return _disk_full(folder, "writing stopped")
    reason = error.strerror or str(error)
    return ModelError(
        f"{name} cannot be prepared in {folder}: {reason}.",
        "Make the data folder writable, or choose another.",
    )


def _disk_full(folder: Path, detail: str) -> ModelError:
    return ModelError(
        f"There is not enough space in {folder} for the model: {detail}.",
        "Free some space, or choose a data folder on a larger disk.",
    )
