"""Says what is installed, where things lie, what is wrong and how to mend it."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from chatbot import __version__
from chatbot.build import build_service, is_url
from chatbot.corpora import list_corpora, list_unusable_folders, read_corpus, scan_files
from chatbot.engines import choose_engine, describe_engine
from chatbot.errors import ChatbotError, LibraryInUse
from chatbot.ownership import claim_data_folder, find_owner_url
from chatbot.prompting import PROMPT_VARIABLES, load_prompts
from chatbot.scratch import make_scratch_settings
from chatbot.settings import LOOPBACK_HOSTS, Settings

PACKAGES = ("chromadb", "sentence-transformers", "transformers", "gradio", "tiktoken", "torch")
ENOUGH_DISK_BYTES = 1_000_000_000
ENOUGH_MEMORY_BYTES = 3_000_000_000
CLONE_NEWNET = 0x40000000

TRIAL_DOCUMENT = """# Lighthouse handbook

## Visiting hours

The lighthouse is open to visitors from 10:15 to 16:45 every day except Monday.
"""
TRIAL_QUESTION = "From when to when is the lighthouse open to visitors?"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `next_step` says what to do where it is not ok."""

    name: str
    ok: bool
    finding: str
    next_step: str = ""

    def describe(self) -> dict[str, Any]:
        """The check for a program."""
        return asdict(self)


def check_everything(settings: Settings) -> list[Check]:
    """Every check that needs no model to be loaded."""
    return [
        check_python(),
        *check_packages(),
        check_processor(settings),
        check_memory(),
        check_data_folder(settings.data_folder),
        check_prompts(settings.prompts_folder),
        *check_models(settings),
        check_reader(settings),
        check_recognition(),
        *check_corpora(settings),
        check_port(settings),
    ]


def check_python() -> Check:
    """The interpreter and the product's own version."""
    finding = f"chatbot {__version__} on Python {platform.python_version()}, {platform.platform()}"
    return Check("program", sys.version_info >= (3, 11), finding, "Use Python 3.11 or newer.")


def check_packages() -> Iterator[Check]:
    """The packages that the product is made of."""
    for name in PACKAGES:
        try:
            yield Check(f"package {name}", True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(f"package {name}", False, "not installed", "Run: python3 launch.py")


def check_processor(settings: Settings) -> Check:
    """What the models will run on."""
    try:
        engine = describe_engine(choose_engine(settings.engine))
    except ChatbotError as error:
        return Check("engine", False, error.message, error.next_step)
    return Check("engine", True, f"{engine}, {os.cpu_count()} CPU cores")


def check_memory() -> Check:
    """Whether the models fit."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return Check("memory", True, "unknown")
    return Check("memory", size >= ENOUGH_MEMORY_BYTES, f"{size / 1e9:.0f} GB", "At least 3 GB are needed.")


def check_data_folder(folder: Path) -> Check:
    """Whether the library can be kept, and who uses it."""
    try:
        claim_data_folder(folder).release()
    except LibraryInUse:
        return Check("data folder", True, f"{folder}, in use by {find_owner_url(folder) or 'a command'}")
    except ChatbotError as error:
        return Check("data folder", False, error.message, error.next_step)
    free = shutil.disk_usage(folder).free
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Check(
        "data folder",
        free >= ENOUGH_DISK_BYTES,
        f"{folder}, {used / 1e6:.0f} MB used, {free / 1e9:.0f} GB free",
        "Free at least 1 GB on that disk.",
    )


def check_prompts(folder: Path) -> Check:
    """Whether every prompt can be used."""
    try:
        load_prompts(folder)
    except ChatbotError as error:
        return Check("prompts", False, error.message, error.next_step)
    return Check("prompts", True, f"{len(PROMPT_VARIABLES)} in {folder}")


def check_models(settings: Settings) -> Iterator[Check]:
    """Which models are used, and whether the packaged ones are whole."""
    from chatbot.models import DEFAULT_EMBEDDER, DEFAULT_GENERATOR, describe_models

    chosen = {"embedder": settings.embedder, "generator": settings.generator}
    defaults = {"embedder": DEFAULT_EMBEDDER, "generator": DEFAULT_GENERATOR}
    for report in describe_models(settings.data_folder):
        role, default = report.role, defaults[report.role]
        if chosen[role] != default:
            yield Check(role, True, f"{chosen[role]} (chosen by setting)")
            continue
        if not report.present:
            fetched = role == "generator"  # at the first start; the embedder comes with the installation
            finding = f"{default} is fetched at the first start" if fetched else f"{default} is missing"
            yield Check(role, fetched, finding, "Run: python3 launch.py")
            continue
        size = f"{report.size_bytes / 1e6:.0f} MB"
        whole = report.hash_ok is not False
        finding = f"{default}, {size}, {'hash checked' if whole else 'damaged'}, {report.path}"
        yield Check(role, whole, finding, f"Delete {report.path} and start again.")


def check_reader(settings: Settings) -> Check:
    """Whether the reading model that is set is there, whole, and fits the encoder that it is made from."""
    from chatbot.models import EMBEDDER_SHA256
    from chatbot.reading.base_model import LARGE_BASE, locate_base
    from chatbot.reading.choosing import LARGE_READER, locate_reader
    from chatbot.reading.weights import read_base_sha256, read_weights

    try:
        weights = locate_reader(settings.reader)
        if weights is None:
            return Check("reader", True, "off (chosen by setting)")
        is_large = read_base_sha256(weights) == LARGE_BASE.sha256
        read_weights(weights, base_sha256=LARGE_BASE.sha256 if is_large else EMBEDDER_SHA256)
    except ChatbotError as error:
        return Check("reader", False, error.message, error.next_step)
    found = f"{settings.reader}, {weights.stat().st_size / 1e6:.0f} MB, {weights}"
    if not is_large:
        return Check("reader", True, found)
    folder = locate_base(LARGE_BASE, settings.data_folder)
    if folder is not None:
        return Check("reader", True, f"{found}, for {folder}, hash checked")
    fetched = f"its encoder is fetched at the next start ({LARGE_BASE.fetched_bytes / 1e6:.0f} MB)"
    if settings.reader == LARGE_READER:
        fetched += "; where that fails the small one stands in"
    return Check("reader", True, f"{found}: {fetched}")


def check_recognition() -> Check:
    """Whether the words in pictures can be read; nothing else needs that."""
    from chatbot.documents.recognition import find_recognizer

    recognizer = find_recognizer()
    if recognizer is None:
        return Check("text recognition", True, "no Tesseract: pictures and scanned pages are not read")
    languages = ", ".join(recognizer.languages)
    return Check("text recognition", True, f"{recognizer.program}, languages {languages}")


def check_corpora(settings: Settings) -> Iterator[Check]:
    """What there is to chat with."""
    try:
        corpora = list_corpora(settings.corpora_folder)
    except ChatbotError as error:
        yield Check("corpora", False, error.message, error.next_step)
        return
    for name in list_unusable_folders(settings.corpora_folder):
        step = "Rename it: 2 to 40 lower-case letters, digits, hyphens or underscores."
        yield Check(f"corpus {name}", False, "its name cannot be used", step)
    if not corpora:
        step = f"Make {settings.corpora_folder}/handbook/documents/ and put documents there."
        yield Check("corpora", False, f"none in {settings.corpora_folder}", step)
    for corpus in corpora:
        try:
            read_corpus(settings.corpora_folder / corpus.name)
        except ChatbotError as error:
            yield Check(f"corpus {corpus.name}", False, error.message, error.next_step)
            continue
        folder = settings.corpora_folder / corpus.name / "documents"
        files = len(list(scan_files(folder))) if folder.is_dir() else 0
        yield Check(f"corpus {corpus.name}", files > 0, f"{files} files", f"Put documents into {folder}.")


def check_port(settings: Settings) -> Check:
    """Whether the page can be served."""
    from chatbot.web.serve import open_socket

    if find_owner_url(settings.data_folder):
        return Check("port", True, f"the chat is open at {find_owner_url(settings.data_folder)}")
    try:
        open_socket(settings.host, settings.port).close()
    except ChatbotError as error:
        return Check("port", False, error.message, error.next_step)
    return Check("port", True, f"{settings.host}:{settings.port} is free")


def check_offline(settings: Settings, on_progress: Callable[[str], None]) -> list[Check]:
    """Ingest, search and answer with every outside connection blocked; lists any attempt.

    The network of this process is taken away where the system allows it (Linux, as root), and any
    address asked for by Python code is noted and refused in any case.
    """
    attempts: list[str] = []
    isolated = not is_url(settings.generator) and leave_network()
    watch_connections(attempts)
    how = "no network at all" if isolated else "every outside address refused"
    checks = [Check("isolation", True, how)]
    try:
        checks += list(try_answer(settings, on_progress))
    except ChatbotError as error:
        checks.append(Check("trial", False, error.message, error.next_step))
    tried = ", ".join(dict.fromkeys(attempts)) or "none"
    checks.append(
        Check("attempts to connect", not attempts, tried, "Report this: nothing should leave the machine.")
    )
    return checks


def leave_network() -> bool:
    """Move this process and its children to a network of their own without any interface."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0)


def watch_connections(attempts: list[str]) -> None:
    """Note and refuse every look-up and connection of Python code that leads off this machine."""

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = str(arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            host = str(arguments[1][0])
        else:
            return
        if host not in (*LOOPBACK_HOSTS, "None", ""):
            attempts.append(host)
            raise OSError(f"blocked by doctor --offline: {host}")

    sys.addaudithook(watch)


def try_answer(settings: Settings, on_progress: Callable[[str], None]) -> Iterator[Check]:
    """Ingest one document into a throw-away library, search it, and answer from it."""
    with make_scratch_settings(settings, "trial") as own:
        document = own.corpora_folder / "trial" / "documents" / "lighthouse.md"
        document.write_text(TRIAL_DOCUMENT, encoding="utf-8")
        with build_service(own) as service:
            service.start(ingest=False)
            service.wait_until_ready(on_progress)
            report = service.upkeep.ingest_now("trial", lambda _: None, lambda _: None)
            yield Check(
                "ingest",
                report.chunks > 0,
                f"{count_things(report.chunks, 'chunk')} in {report.seconds:.1f} s",
            )
            passages = service.search(TRIAL_QUESTION, corpus="trial", limit=1).passages
            found = bool(passages) and "10:15" in passages[0].text
            yield Check("search", found, "the right passage was found" if found else "nothing was found")
            answer = service.ask(TRIAL_QUESTION, corpus="trial").finish()
            finding = f"{answer.text!r} in {answer.timings.total:.1f} s by {answer.model}"
            yield Check("answer", "10:15" in answer.text and bool(answer.citations), finding)


def count_things(count: int, thing: str) -> str:
    """For instance "1 chunk", "2 chunks"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
