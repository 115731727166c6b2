#!/usr/bin/env python3
"""Sets the chatbot up on this machine if that is still to be done, then starts it.

    python3 launch.py                    set up, then serve the chat in the browser
    python3 launch.py ask "..."          any other words go to the chatbot's command line
    python3 launch.py serve --help       so this explains the command line
    python3 launch.py test [options]     run the tests; the options are pytest's
    python3 launch.py pins               renew constraints.txt with today's versions

Everything is installed into the folder .venv beside this file; delete that folder to start anew. pip's
own settings are honoured (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS, pip.conf). CHATBOT_TORCH
replaces what pip is given for PyTorch: a wheel file, or options and a requirement, such as those that
take a build without libraries for NVIDIA cards.
"""

# Only the standard library, and no syntax newer than Python 3.8: an old interpreter must get as far as
# the message of check_python.
from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import queue
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")
NEEDED_BYTES = 5 * 10**9
LAYOUT = 1
"""Raised when an environment that an older launch.py made must be gone over again."""

ROOT = Path(__file__).resolve().parent
PROJECT_FILE = ROOT / "pyproject.toml"
PINS_FILE = ROOT / "constraints.txt"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PACKAGES = VENV / (
    "Lib/site-packages" if os.name == "nt" else "lib/python{}.{}/site-packages".format(*sys.version_info)
)
STAMP = VENV / "installed.json"
SETUP_LOCK = VENV / "setup.lock"
LOG = VENV / "install.log"

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_VARIABLE = "CHATBOT_TEST_BROWSER"
NVIDIA_PREFIXES = ("nvidia-", "cuda-", "triton")

PINS_HEADER = """\
# The versions that the chatbot is tested with: what it runs on and what its tests need.
# They hold for every platform; what a platform does not need is not installed.
# Renew, with the oldest Python that is to work, by: python3 launch.py pins
"""


class Problem(Exception):
    """Something that stops the set-up, with what to do about it."""

    def __init__(self, message: str, next_step: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.exit_code = exit_code


def main(words: list[str]) -> int:
    """Do what the command line says and return the exit code."""
    try:
        return run_words(words)
    except Problem as problem:
        print(f"\nThis does not work yet: {problem.message}", file=sys.stderr)
        print(f"What to do: {problem.next_step}", file=sys.stderr)
        return problem.exit_code
    except OSError as error:
        print(f"\nThis does not work yet: {error}.", file=sys.stderr)
        print(f"What to do: {choose_next_step(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Start again to go on from here.", file=sys.stderr)
        return 130


def run_words(words: list[str]) -> int:
    """Set up what the words need and run them; raises Problem."""
    if words and words[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    check_python(sys.version_info[:2])
    if words[:1] == ["test"]:
        return run_tests(words[1:])
    if words[:1] == ["pins"]:
        return renew_pins()
    ensure_installed([])
    return run_in_place(["-P", "-m", "chatbot", *(words or ["serve"])])


def run_tests(options: list[str]) -> int:
    """Install what the tests need besides the product, a browser included, and run them."""
    ensure_installed(["test"])
    browser = find_browser() or install_browser()
    if browser is not None:
        os.environ[BROWSER_VARIABLE] = browser
    os.chdir(ROOT)
    return run_in_place(["-m", "pytest", *options])


def run_in_place(arguments: list[str]) -> int:
    """Become the environment's Python; where a process cannot, run it and return its exit code."""
    command = [str(VENV_PYTHON), *arguments]
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606 - no shell is meant

    process = subprocess.Popen(command)
    while True:
        # Ctrl-C reaches the child as well, which ends in its own way.
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


# --- what is installed


def ensure_installed(groups: list[str]) -> None:
    """Install the product and these dependency groups unless the stamp says that they are there."""
    fingerprint = compute_fingerprint()
    wanted = ["product", *groups]
    if not find_missing(wanted, fingerprint):
        return
    started = time.monotonic()
    print(f"Setting up in {VENV} (once; the log is .venv/install.log)", flush=True)
    check_machine()
    with own_setup() as lock:
        # Whoever held the lock before us may have done the work.
        missing = find_missing(wanted, fingerprint)
        if missing:
            make_environment()
            forget_half_installed()
        for part in missing:
            install_part(part, lock)
            # The stamp comes last: an interrupted installation is simply gone over again.
            write_stamp([*read_installed(fingerprint), part], fingerprint)
    print(f"Set up in {format_seconds(time.monotonic() - started)}.", flush=True)


def compute_fingerprint() -> str:
    """Identify what an environment must have been made from to be used as it is."""
    project = read_project()
    relevant = [project.get(key) for key in ("project", "dependency-groups", "build-system")]
    pins = PINS_FILE.read_text(encoding="utf-8")
    version = "{}.{}".format(*sys.version_info[:2])
    text = json.dumps([LAYOUT, str(ROOT), version, relevant, pins], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_project() -> dict[str, Any]:
    """Return pyproject.toml; raises Problem if it is missing, so that this is no copy of the project."""
    import tomllib

    try:
        with PROJECT_FILE.open("rb") as file:
            return tomllib.load(file)
    except (OSError, ValueError) as error:
        raise Problem(
            f"{PROJECT_FILE} cannot be read: {error}.", "Take the whole project again, not launch.py alone."
        ) from None


def find_missing(wanted: list[str], fingerprint: str) -> list[str]:
    """Return the parts that are still to be installed."""
    installed = read_installed(fingerprint)
    return [part for part in wanted if part not in installed]


def read_installed(fingerprint: str) -> list[str]:
    """Return the parts that were installed completely from exactly this fingerprint."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if stamp.get("fingerprint") != fingerprint or not VENV_PYTHON.exists():
        return []
    return list(stamp["parts"])


def write_stamp(parts: list[str], fingerprint: str) -> None:
    """Note, in one step, that these parts are installed."""
    temporary = STAMP.with_suffix(".new")
    temporary.write_text(json.dumps({"fingerprint": fingerprint, "parts": parts}), encoding="utf-8")
    os.replace(str(temporary), str(STAMP))


# --- checks


def check_python(version: tuple[int, ...]) -> None:
    """Raise Problem if this Python is too old."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return
    newer = find_newer_python()
    next_step = (
        f"run: {newer} launch.py" if newer else "install Python 3.11 or newer and run this again with it."
    )
    raise Problem(
        "Python {}.{} or newer is needed, and this is {}.{}.".format(*OLDEST_PYTHON, *version[:2]),
        next_step[0].upper() + next_step[1:],
    )


def find_newer_python() -> str | None:
    """Return the name of a Python on this machine that would do and really starts."""
    for name in NEWER_PYTHONS:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return name
    return None


def check_machine() -> None:
    """Raise Problem if an installation could not succeed here; say what was found."""
    check_modules()
    check_writable()
    free_bytes = check_space()
    version = "{}.{}.{}".format(*sys.version_info[:3])
    print(f"  Python {version}, {free_bytes / 1e9:.1f} GB free on the disk", flush=True)


def check_modules() -> None:
    """Raise Problem if this Python cannot make environments; Debian leaves that out."""
    if all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip")):
        return

    if shutil.which("apt"):
        next_step = "Install it with: sudo apt install python3-venv"
    else:
        next_step = "Install your system's package for Python's venv module, or Python from its makers."
    raise Problem("This Python has no venv module.", next_step)


def check_writable() -> None:
    """Raise Problem if nothing can be written beside this file."""
    try:
        with tempfile.TemporaryFile(dir=str(ROOT)):
            pass
    except OSError as error:
        raise Problem(
            f"The folder {ROOT} cannot be written ({error.strerror}).",
            "Copy the project into a folder of your own and start it there.",
        ) from None


def check_space() -> int:
    """Return the free bytes; raise Problem if they cannot hold what is still to be installed."""
    free_bytes = shutil.disk_usage(str(ROOT)).free
    there_bytes = sum(path.stat().st_size for path in VENV.rglob("*") if path.is_file())
    needed_bytes = max(NEEDED_BYTES - there_bytes, NEEDED_BYTES // 8)
    if free_bytes < needed_bytes:
        raise Problem(
            f"Only {free_bytes / 1e9:.1f} GB are free here, and {needed_bytes / 1e9:.1f} GB are needed.",
            "Free some space, or move the project to a larger disk.",
        )
    return free_bytes


# --- installing


@contextlib.contextmanager
def own_setup() -> Iterator[int | None]:
    """Hold the only right to install here; yields the descriptor that holds it, or None on Windows."""
    try:
        import fcntl
    except ImportError:
        yield None
        return
    VENV.mkdir(exist_ok=True)
    with SETUP_LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("  Another set-up is at work in this folder; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def make_environment() -> None:
    """Make .venv with pip in it, unless a usable one for this Python is there."""
    if is_environment_usable():
        return

    started = time.monotonic()
    print("  Making the environment ...", flush=True)
    clear_environment()
    result = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode != 0 or not is_environment_usable():
        raise explain_failure("The environment could not be made.", result.stdout.splitlines())
    print(f"  Made the environment in {format_seconds(time.monotonic() - started)}", flush=True)


def clear_environment() -> None:
    """Remove all of .venv but the lock that is being held; for another Python's or a broken one."""
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        elif path != SETUP_LOCK:
            path.unlink()


def is_environment_usable() -> bool:
    """Tell whether .venv has this Python's version and a pip that starts."""
    code = "import sys, pip; print('{}.{}'.format(*sys.version_info[:2]))"
    try:
        answer = subprocess.run(
            [str(VENV_PYTHON), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.decode().strip() == "{}.{}".format(*sys.version_info[:2])


def forget_half_installed() -> None:
    """Remove what a killed pip left, which the next pip would take for an installed package."""
    for record in PACKAGES.glob("*.dist-info"):
        # pip writes INSTALLER when all files of a package are in place.
        if not (record / "INSTALLER").exists():
            shutil.rmtree(str(record))
    for leftover in PACKAGES.glob("~*"):
        shutil.rmtree(str(leftover), ignore_errors=True)


def install_part(part: str, lock: int | None) -> None:
    """Install the product with PyTorch first, or one dependency group."""
    if part == "product":
        run_pip("PyTorch", choose_torch(), lock)
        run_pip("the chatbot and what it needs", ["-e", str(ROOT)], lock)
    else:
        run_pip(f"what “{part}” needs", read_group(part), lock)


def choose_torch() -> list[str]:
    """Return what pip is given for PyTorch: CHATBOT_TORCH, else the pinned version."""
    given = os.environ.get("CHATBOT_TORCH")
    return shlex.split(given) if given else [f"torch=={read_pins()['torch']}"]


def read_pins() -> dict[str, str]:
    """Return the pinned version of each package."""
    lines = PINS_FILE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))


def read_group(name: str) -> list[str]:
    """Return the requirements of a dependency group, those of the groups it includes too."""
    requirements: list[str] = []
    for entry in read_project()["dependency-groups"][name]:
        if isinstance(entry, str):
            requirements.append(entry)
        else:
            requirements += read_group(entry["include-group"])
    return requirements


def run_pip(what: str, arguments: list[str], lock: int | None) -> None:
    """Run pip install with the pins, showing how far it is; raises Problem with the end of its output."""
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--retries", "3", "-c", str(PINS_FILE), *arguments]
    progress = PipProgress()
    lines, exit_code = run_watched(f"Installing {what}", command, progress, lock)
    if exit_code != 0:
        raise explain_failure(f"pip could not install {what}.", lines)


class PipProgress:
    """Reads pip's output and says in a few words how far it is."""

    def __init__(self) -> None:
        self.packages = 0
        self.megabytes = 0.0
        self.current = ""
        self.to_install = 0
        self.installed_before = 0
        self.warned = False

    def read_line(self, line: str) -> None:
        """Take in one line of pip's output."""
        words = line.split()
        if words[:1] == ["Collecting"]:
            self.packages += 1
            self.current = words[1]
            if words[1].startswith(NVIDIA_PREFIXES) and not os.environ.get("CHATBOT_TORCH"):
                self.warn_of_nvidia()
        elif words[:1] == ["Downloading"]:
            self.megabytes += parse_megabytes(line)
        elif line.startswith("Installing collected packages:"):
            self.to_install = line.count(",") + 1
            self.installed_before = count_installed()

    def describe(self) -> str:
        """How much is done, and what is being worked on."""
        if self.to_install:
            done = min(count_installed() - self.installed_before, self.to_install)
            return f"unpacking, {done} of {self.to_install} packages"
        if not self.packages:
            return "looking at what is there"
        return f"fetching, {self.packages} packages, {self.megabytes:.0f} MB; now {self.current}"

    def warn_of_nvidia(self) -> None:
        """Say once that this build is large and need not be."""
        if not self.warned:
            self.warned = True
            print(
                "\n  This build of PyTorch brings several GB for NVIDIA cards. If you have none, press"
                "\n  Ctrl-C and see “PyTorch without NVIDIA libraries” in the documentation (CHATBOT_TORCH).",
                flush=True,
            )


def parse_megabytes(line: str) -> float:
    """Return the size that pip states in brackets at the end of a line, in MB; 0 if there is none."""
    match = re.search(r"\(([\d.]+) (bytes|kB|MB|GB)", line)
    if match is None:
        return 0.0
    return float(match[1]) * {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}[match[2]]


def count_installed() -> int:
    """Return how many packages .venv holds."""
    return sum(1 for _ in PACKAGES.glob("*.dist-info"))


# --- running a slow command


def run_watched(
    what: str, command: list[str], progress: PipProgress, lock: int | None = None
) -> tuple[list[str], int]:
    """Run a command, show how far it is all the while, keep its log; return its lines and exit code."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # Should we be killed, the child keeps the lock until it has ended too.
        pass_fds=() if lock is None else (lock,),
    )
    pending: queue.Queue[str | None] = queue.Queue()

    def read_output() -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
        with process.stdout as output:
            for line in output:
                pending.put(line.rstrip())
        pending.put(None)

    threading.Thread(target=read_output, daemon=True).start()
    lines: list[str] = []
    display = Display(what)
    try:
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"\n# {what}\n")
            for line in iterate_with_pauses(pending):
                if line is not None:
                    lines.append(line)
                    log.write(line + "\n")
                    progress.read_line(line)
                display.show(progress.describe())
        exit_code = process.wait()
    finally:
        process.terminate()
        process.wait()
    display.finish(exit_code == 0)
    return lines, exit_code


def iterate_with_pauses(pending: queue.Queue[str | None]) -> Iterator[str | None]:
    """Yield the lines of a queue until its None; yield None itself whenever nothing came for a while."""
    while True:
        try:
            line = pending.get(timeout=0.2)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


class Display:
    """One line that is kept up to date on a terminal; elsewhere a line every few seconds."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.started = time.monotonic()
        self.shown_at = self.started
        self.on_terminal = sys.stdout.isatty()
        print(f"  {what} ...", end="" if self.on_terminal else "\n", flush=True)

    def show(self, state: str) -> None:
        """Show the state if it is time for that."""
        now = time.monotonic()
        if now - self.shown_at < (0.1 if self.on_terminal else 5.0):
            return
        self.shown_at = now
        text = f"  {self.what}: {format_seconds(now - self.started)}, {state}"
        if self.on_terminal:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + text[:width].ljust(width), end="", flush=True)
        else:
            print(text, flush=True)

    def finish(self, succeeded: bool) -> None:
        """Leave a last line that stays."""
        ending = "done" if succeeded else "failed"
        text = f"  {self.what}: {ending} after {format_seconds(time.monotonic() - self.started)}"
        if self.on_terminal:
            # Erases what the live line leaves behind it.
            text = "\r" + text + "\033[K"
        print(text, flush=True)


def format_seconds(seconds: float) -> str:
    """Write a duration as 7.3 s or 2:05 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02} min"


def explain_failure(message: str, lines: list[str]) -> Problem:
    """Turn the output of a failed command into a Problem that shows its end and what to do."""
    text = "\n".join(lines)
    tail = "\n    ".join(line[:150] for line in lines[-15:] if line.strip())
    return Problem(f"{message} The end of its output:\n\n    {tail}\n", choose_next_step(text))


def choose_next_step(output: str) -> str:
    """Guess from a command's output what would help."""
    if "No space left on device" in output:
        return "The disk is full. Free some space and start again; what is done is kept."
    if "Permission denied" in output:
        return f"Make {ROOT} writable for you, or copy the project into a folder of your own."
    network_signs = (
        "Failed to establish a new connection",
        "NewConnectionError",
        "NameResolutionError",
        "Temporary failure",
        "timed out",
        "ProxyError",
        "No matching distribution found",
        "Could not resolve",
    )
    if any(sign in output for sign in network_signs):
        return (
            "The package index gave no answer. Connect to the network, or set pip's proxy or index "
            "(PIP_PROXY, PIP_INDEX_URL, PIP_FIND_LINKS), and start again; what is done is kept."
        )
    if "ResolutionImpossible" in output:
        return (
            "The place that pip installs from does not offer one of the pinned versions for this Python. Is "
            "the network there, and are pip's settings (PIP_INDEX_URL, PIP_NO_INDEX) as they should be?"
        )
    return "Start again; if it fails in the same place, the whole log is in .venv/install.log."


# --- the tests' browser


def find_browser() -> str | None:
    """Return the path of a browser that the tests can drive."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def install_browser() -> str | None:
    """Install Debian's Chromium if we may; else say how, and return None.

    Raises Problem where the tests must not pass without a browser (CI=true).
    """
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        for what, command in (
            ("Reading Debian's list of packages", ["apt-get", "update"]),
            ("Installing a browser", ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]),
        ):
            run_watched(what, command, AptProgress())
    browser = find_browser()
    if browser is None:
        message = "The tests found no browser."
        advice = "Install one (on Debian: sudo apt install chromium) and start again."
        if os.environ.get("CI", "").lower() == "true":
            raise Problem(message, advice)
        print(f"  {message} Those that need one are skipped. {advice}", flush=True)
    return browser


class AptProgress(PipProgress):
    """Reads apt-get's output."""

    def read_line(self, line: str) -> None:
        """Take in one line of apt-get's output."""
        if line.startswith(("Get:", "Unpacking", "Setting up")):
            self.packages += 1
            self.current = " ".join(line.split()[:3])

    def describe(self) -> str:
        """The step that apt-get is at."""
        return f"step {self.packages}; {self.current}"


# --- the pins


def renew_pins() -> int:
    """Let pip choose today's versions of everything but PyTorch and write them to constraints.txt."""
    ensure_installed(["test"])
    report = VENV / "pins.json"
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--progress-bar", "off", "--report", str(report), *choose_torch()]
    command += [*read_project()["project"]["dependencies"], *read_group("test")]
    lines, exit_code = run_watched("Choosing versions", command, PipProgress())
    if exit_code != 0:
        raise explain_failure("pip could not choose versions.", lines)
    chosen = json.loads(report.read_text(encoding="utf-8"))["install"]
    PINS_FILE.write_text(format_pins([package["metadata"] for package in chosen]), encoding="utf-8")
    print(f"{PINS_FILE} has {len(read_pins())} pins now.")
    return 0


def format_pins(packages: list[dict[str, str]]) -> str:
    """Return the text of constraints.txt: no local versions, nothing that only some machines have."""
    pins = {
        package["name"].lower().replace("_", "-"): package["version"].split("+")[0]
        for package in packages
        if not package["name"].lower().startswith(NVIDIA_PREFIXES)
    }
    return PINS_HEADER + "".join(f"{name}=={pins[name]}\n" for name in sorted(pins))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
