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
from typing import BinaryIO

from chatbot.documents.formats import load_document
from chatbot.documents.protocol import Message, encode_document, encode_error, read_message, write_message
from chatbot.errors import CorruptDocument, DocumentError, DocumentTimeout

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
        if not _answer(request, answers):
            return


def _answer(request: Message, answers: BinaryIO) -> bool:
    """Answer a request; False where the process should end because memory ran out."""
    path = Path(request["path"])
    try:
        answer = _handle(request, path)
    except DocumentError as error:
        answer = encode_error(error)
    except MemoryError:
        write_message(answers, encode_error(out_of_memory(path)))
        return False
    except Exception:  # noqa: BLE001 - parsers raise anything on hostile files; logged, and the next file works
        traceback.print_exc()
        answer = encode_error(
            CorruptDocument(
                f"“{path.name}” could not be read: it seems to be damaged.", "Save it again and add that."
            )
        )
    write_message(answers, answer)
    return True


def _handle(request: Message, path: Path) -> Message:
    if request["task"] == "read":
        return encode_document(load_document(path))
    from chatbot.documents.pdf_page import render_page

    image = render_page(path, request["page"], highlights=request["highlights"], scale=request["scale"])
    return {"image": base64.b64encode(image).decode("ascii")}


def out_of_memory(path: Path) -> DocumentTimeout:
    """Return the error for a file that takes too much memory."""
    return DocumentTimeout(
        f"“{path.name}” needs too much memory to be read.", "Split it into smaller documents and add those."
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
