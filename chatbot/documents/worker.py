"""The child process in which files are read: `python -m chatbot.documents.worker MEMORY CPU_SECONDS`.

It takes requests on its standard input and answers on its standard output until the input ends. It may not
write files, takes no more memory than it is told, and a file that keeps it busy for longer ends it.
"""

from __future__ import annotations

import base64
import os
import sys
import traceback
from pathlib import Path

from chatbot.documents.formats import load_document
from chatbot.documents.protocol import (
    MAX_MESSAGE_BYTES,
    Message,
    encode_document,
    encode_error,
    encode_message,
    read_message,
)
from chatbot.errors import CorruptDocument, DocumentError, DocumentTimeout, DocumentTooLarge

_MAX_OPEN_FILES = 64
_MAX_CALLS = 50_000


def main(memory_bytes: int, cpu_seconds: int) -> None:
    """Answer requests until the input ends; each may use `cpu_seconds` of processor time."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(
        sys.stderr.fileno(), sys.stdout.fileno()
    )  # so that nothing a parser prints lands among the answers
    limit_process(memory_bytes)
    sys.setrecursionlimit(_MAX_CALLS)  # web pages that never close their tags nest thousands deep
    while (request := read_message(requests)) is not None:
        limit_processor_time(cpu_seconds)
        answer, has_memory = answer_request(request)
        answers.write(answer)
        answers.flush()
        if not has_memory:
            return


def answer_request(request: Message) -> tuple[bytes, bool]:
    """Return the answer to a request, and whether this process has the memory to take another."""
    path = Path(request["path"])
    try:
        answer = encode_message(_handle(request, path))
        return (
            answer if len(answer) < MAX_MESSAGE_BYTES else encode_message(encode_error(_too_much(path)))
        ), True
    except DocumentError as error:
        return encode_message(encode_error(error)), True
    except MemoryError:
        return encode_message(encode_error(_out_of_memory(path))), False
    except Exception:  # noqa: BLE001 - parsers raise anything on hostile files; logged, and the next file works
        traceback.print_exc()
        return encode_message(encode_error(_could_not_be_read(path))), True


def _handle(request: Message, path: Path) -> Message:
    if request["task"] == "read":
        return encode_document(load_document(path))
    from chatbot.documents.pdf_page import render_page

    image = render_page(path, request["page"], highlights=request["highlights"], scale=request["scale"])
    return {"image": base64.b64encode(image).decode("ascii")}


def _out_of_memory(path: Path) -> DocumentTimeout:
    return DocumentTimeout(
        f"“{path.name}” needs too much memory to be read.", "Split it into smaller documents and add those."
    )


def _too_much(path: Path) -> DocumentTooLarge:
    return DocumentTooLarge(
        f"“{path.name}” unpacks to more text than is read.", "Split it into smaller documents."
    )


def _could_not_be_read(path: Path) -> CorruptDocument:
    return CorruptDocument(
        f"“{path.name}” could not be read: it seems to be damaged.", "Save it again and add that."
    )


def limit_process(memory_bytes: int) -> None:
    """Limit this process for good, where the system can: memory, open files, no writing, no core dumps."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_NOFILE: _MAX_OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (most, most))


def limit_processor_time(seconds: int) -> None:
    """End this process after so many more seconds of processor time, even if nobody is left to kill it."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(usage.ru_utime + usage.ru_stime) + seconds
    resource.setrlimit(
        resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
