"""Reads files in a child process that can be killed, so that no file can hang or crash the program."""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
import os
import queue
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self, cast

from chatbot.documents.files import explain_os_error
from chatbot.documents.protocol import (
    Message,
    ProtocolError,
    decode_document,
    decode_error,
    read_message,
    write_message,
)
from chatbot.documents.recognition import RECOGNIZED_SUFFIXES, is_recognizer_installed
from chatbot.errors import DocumentError, DocumentTimeout, DocumentTooLarge
from chatbot.types import ParsedDocument

READING_VERSION = 3
"""Raised whenever the same file would be read otherwise, so that libraries are brought up to date."""

FILES_PER_CHILD = 200

_SECONDS_TO_END = 1.0
_MAX_LOGGED_CHARACTERS = 500
_KEPT_VARIABLES = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR"),
    "TESSDATA_PREFIX",
)

logger = logging.getLogger(__name__)


class DocumentReader:
    """Reads documents in child processes, one at a time in each, which are reused from file to file.

    Pages are drawn in a child of their own. A child starts when a file finds the others busy, and anew after
    it was killed. Use the reader in a with block, or close it. It may be shared by threads.

    A file may take `timeout_seconds`; one whose pictures another program may have to read (OCR) may take
    `recognition_seconds`, of which the child itself may be busy for no longer than with any other file.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float = 20,
        recognition_seconds: float = 600,
        memory_bytes: int = 2 * 1024**3,
        max_file_bytes: int = 100 * 1024**2,
        most_children: int = 1,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._recognition_seconds = recognition_seconds
        self._memory_bytes = memory_bytes
        self._max_file_bytes = max_file_bytes
        # A page is drawn while a file is read, which may take minutes.
        self._crews = {"read": _Crew(most_children), "render": _Crew(1)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, path: Path) -> ParsedDocument:
        """Read one file of any supported format.

        Raises DocumentError: what is wrong with the file, DocumentTooLarge before it is opened, and
        DocumentTimeout where it takes too long or too much memory. The next file works after each of them.
        """
        self._check_file(path)
        answer = self._ask(path, {"task": "read"})
        try:
            return decode_document(answer)
        except ProtocolError as error:
            raise _explain_death(path) from error

    def render_page(
        self, path: Path, page_number: int, *, highlights: Sequence[str] = (), scale: float = 2.0
    ) -> bytes:
        """Return a PNG picture of a PDF's page, from 1, with the quotes marked; see `pdf_page.render_page`.

        Raises DocumentError as `read` does.
        """
        self._check_file(path)
        request = {"task": "render", "page": page_number, "highlights": list(highlights), "scale": scale}
        try:
            return base64.b64decode(self._ask(path, request)["image"], validate=True)
        except (KeyError, TypeError, binascii.Error) as error:
            raise _explain_death(path) from error

    def close(self) -> None:
        """End the child processes. The reader can be used again: it starts others."""
        for crew in self._crews.values():
            crew.end()

    def _check_file(self, path: Path) -> None:
        try:
            status = path.stat()
        except OSError as error:
            raise explain_os_error(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError(
                f"“{path.name}” is not an ordinary file.", "Add a file that holds a document."
            )
        if status.st_size > self._max_file_bytes:
            size, limit = _format_size(status.st_size), _format_size(self._max_file_bytes)
            raise DocumentTooLarge(
                f"“{path.name}” has {size}, more than the {limit} that are read.",
                "Split the document, or raise the limit.",
            )

    def _ask(self, path: Path, request: Message) -> Message:
        request["path"] = os.path.abspath(path)
        with self._crews[request["task"]].taking_seat() as seat:
            answer = self._ask_child(seat, path, request)
        if "error" in answer:
            raise decode_error(answer)
        return answer

    def _find_timeout(self, path: Path, request: Message) -> float:
        may_need_recognition = request["task"] == "read" and path.suffix.lower() in RECOGNIZED_SUFFIXES
        if may_need_recognition and is_recognizer_installed():
            return self._recognition_seconds
        return self._timeout_seconds

    def _ask_child(self, seat: _Seat, path: Path, request: Message) -> Message:
        """Send a request. A child that served before and died may have died of that: a new one is asked."""
        timeout_seconds = self._find_timeout(path, request)
        while True:
            child = self._get_child(seat)
            is_new = child.requests == 0
            try:
                return child.ask(request, timeout_seconds)
            except TimeoutError as error:
                seat.end_child()
                raise DocumentTimeout(
                    f"“{path.name}” took longer than {timeout_seconds:g} seconds to read.",
                    "Split it into smaller documents, or save it again in a simpler form.",
                ) from error
            except (OSError, ProtocolError) as error:
                seat.end_child()
                if is_new:
                    raise _explain_death(path) from error

    def _get_child(self, seat: _Seat) -> _Child:
        if seat.child and (seat.child.requests >= FILES_PER_CHILD or not seat.child.is_alive):
            seat.end_child()
        if seat.child is None:
            seat.child = _Child(self._memory_bytes, self._timeout_seconds)
        return seat.child


@dataclass(slots=True)
class _Seat:
    """The place of a child, which may be empty."""

    child: _Child | None = None

    def end_child(self) -> None:
        if self.child is not None:
            self.child.end()
            self.child = None


class _Crew:
    """The children for one task. Who finds all of them busy waits."""

    def __init__(self, most_children: int) -> None:
        self._seats = [_Seat() for _ in range(most_children)]
        # The seat that was free last is taken first: the others stay empty until they are needed.
        self._free: queue.LifoQueue[_Seat] = queue.LifoQueue()
        self._ending = threading.Lock()
        for seat in self._seats:
            self._free.put(seat)

    @contextlib.contextmanager
    def taking_seat(self) -> Iterator[_Seat]:
        """A seat that nobody else uses meanwhile."""
        seat = self._free.get()
        try:
            yield seat
        finally:
            self._free.put(seat)

    def end(self) -> None:
        """End the children, each after the file at hand."""
        with self._ending, contextlib.ExitStack() as stack:
            for _ in self._seats:
                stack.enter_context(self.taking_seat()).end_child()


class _Child:
    """A running `chatbot.documents.worker`."""

    def __init__(self, memory_bytes: int, timeout_seconds: float) -> None:
        self.requests = 0
        arguments = [str(memory_bytes), str(int(timeout_seconds) + 2)]
        flags = ["-P", "-s", "-W", "ignore", "-X", "utf8"]
        self._process = subprocess.Popen(
            [sys.executable, *flags, "-m", "chatbot.documents.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_make_environment(),
        )
        self._input = cast(BinaryIO, self._process.stdin)
        self._output = cast(BinaryIO, self._process.stdout)
        self._log_thread = threading.Thread(target=_log_lines, args=[self._process.stderr], daemon=True)
        self._log_thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, request: Message, timeout_seconds: float) -> Message:
        """Send a request and return the answer.

        Raises TimeoutError after `timeout_seconds`, OSError or ProtocolError where the process died.
        """
        self.requests += 1
        was_late = threading.Event()

        def kill() -> None:
            was_late.set()
            self._process.kill()

        timer = threading.Timer(timeout_seconds, kill)
        timer.start()
        try:
            write_message(self._input, request)
            answer = read_message(self._output)
        except (OSError, ProtocolError) as error:
            if was_late.is_set():
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
        if answer is None:
            raise TimeoutError if was_late.is_set() else ProtocolError("The reader's process died.")
        return answer

    def end(self) -> None:
        """Let the process end, and kill it if it does not."""
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._log_thread.join()


def _make_environment() -> dict[str, str]:
    """Return a small environment: without proxies and keys, and nothing that needs to be written."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    root = str(Path(__file__).resolve().parents[2])
    return {**kept, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}


def _log_lines(stream: BinaryIO) -> None:
    with stream:
        for line in stream:
            logger.warning(
                "document reader: %s", line.decode("utf-8", "replace").rstrip()[:_MAX_LOGGED_CHARACTERS]
            )


def _explain_death(path: Path) -> DocumentTimeout:
    return DocumentTimeout(
        f"Reading “{path.name}” failed: it needs too much memory or is damaged.",
        "Save it again, or split it into smaller documents.",
    )


def _format_size(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.0f} MB" if size_bytes >= 1024**2 else f"{size_bytes:,} bytes"
