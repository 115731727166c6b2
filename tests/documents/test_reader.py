"""The child process: files that hang or swell are given up, and the next one is read."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chatbot.documents import reader as reader_module
from chatbot.documents.protocol import (
    ProtocolError,
    decode_document,
    encode_document,
    read_message,
    write_message,
)
from chatbot.documents.reader import DocumentReader
from chatbot.errors import DocumentTimeout
from chatbot.types import Block, ParsedDocument

SMALL = ParsedDocument("Small", "words", (Block("paragraph", 0, 5),))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.txt"
    path.write_text("words")
    return path


def process_id(reader: DocumentReader) -> int:
    """Return the id of the reader's child."""
    [child] = [seat.child for seat in reader._crews["read"]._seats if seat.child is not None]
    return child._process.pid


def test_slow_file_is_given_up_and_the_next_is_read(small: Path, tmp_path: Path):
    """A file that takes minutes ends with its time, by name, and costs the next one nothing."""
    slow = tmp_path / "slow.md"
    slow.write_text("![" * 2_000_000)

    with DocumentReader(timeout_seconds=3) as reader:
        started = time.monotonic()
        with pytest.raises(DocumentTimeout, match=r"“slow\.md” took longer than 3 seconds"):
            reader.read(slow)
        assert time.monotonic() - started < 8
        assert reader.read(small) == SMALL


def test_file_that_takes_too_much_memory_is_given_up(small: Path, tmp_path: Path):
    """A file that needs more memory than allowed ends by name, and the next one is read."""
    swelling = tmp_path / "swelling.txt"
    swelling.write_text("ab cd\n\n" * 1_500_000)

    with DocumentReader(memory_bytes=320 * 1024**2) as reader:
        with pytest.raises(DocumentTimeout, match=r"“swelling\.txt”.*too much memory"):
            reader.read(swelling)
        assert reader.read(small) == SMALL


def test_child_is_reused_and_renewed(small: Path, monkeypatch: pytest.MonkeyPatch):
    """One child reads file after file, and a new one takes over after its share."""
    monkeypatch.setattr(reader_module, "FILES_PER_CHILD", 2)
    with DocumentReader() as reader:
        ids = []
        for _ in range(3):
            reader.read(small)
            ids.append(process_id(reader))

    assert ids[0] == ids[1] != ids[2]


def test_child_that_died_in_between_is_replaced(small: Path):
    """A child killed from outside is not held against the next file."""
    with DocumentReader() as reader:
        reader.read(small)
        os.kill(process_id(reader), signal.SIGKILL)
        assert reader.read(small) == SMALL


def test_closed_reader_leaves_no_process_and_can_go_on(small: Path):
    """Closing ends the child; reading again starts another."""
    reader = DocumentReader()
    reader.read(small)
    old = process_id(reader)
    reader.close()
    with pytest.raises(ProcessLookupError):
        os.kill(old, 0)
    assert reader.read(small) == SMALL
    reader.close()


def test_threads_share_a_reader(small: Path):
    """Threads that read at once all get their document."""
    found: list[ParsedDocument] = []
    with DocumentReader() as reader:
        threads = [threading.Thread(target=lambda: found.append(reader.read(small))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert found == [SMALL] * 6


def test_child_gets_no_proxies_and_no_keys(monkeypatch: pytest.MonkeyPatch):
    """What the environment holds for others does not reach the child."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("SOME_API_KEY", "secret")

    assert not {"HTTPS_PROXY", "SOME_API_KEY"} & reader_module._make_environment().keys()


def test_worker_starts_without_heavy_packages():
    """The child's imports are few: no models, no vectors, no page, and no parser before it is needed."""
    code = "import sys, chatbot.documents.worker; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    heavy = {"torch", "transformers", "chromadb", "gradio", "bs4", "docx", "pypdfium2", "markdown_it", "PIL"}
    assert not heavy & set(loaded)


def test_deeply_nested_page_is_read(tmp_path: Path):
    """A web page that never closes its tags is still read."""
    path = tmp_path / "deep.html"
    path.write_text("<b>" * 5000 + "depths")

    with DocumentReader() as reader:
        assert reader.read(path).text == "depths"


def test_messages_survive_the_pipe():
    """A message with odd characters, such as those of undecodable file names, comes back the same."""
    pipe = io.BytesIO()
    write_message(pipe, {"path": "a\udc80ü\n", "page": 3})
    pipe.seek(0)

    assert read_message(pipe) == {"path": "a\udc80ü\n", "page": 3}
    assert read_message(pipe) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0",
        struct.pack(">Q", 5) + b"{}",
        struct.pack(">Q", 1 << 60),
        struct.pack(">Q", 2) + b"[]",
        struct.pack(">Q", 1) + b"{",
    ],
)
def test_broken_messages_are_told(data: bytes):
    """What is cut off, too long or no object is an error of the protocol."""
    with pytest.raises(ProtocolError):
        read_message(io.BytesIO(data))


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": [["paragraph", 0, 99, 0, 0]]},
        {"blocks": [["paragraph", 4, 2, 0, 0]]},
        {"blocks": [["script", 0, 5, 0, 0]]},
        {"blocks": [["paragraph", 0]]},
        {"blocks": [["paragraph", 0, 5, 0]]},
        {"sheets": [[99, "Costs"]]},
        {"page_starts": [-1]},
        {"text": ""},
    ],
)
def test_document_that_does_not_fit_its_text_is_refused(change: dict):
    """A child that a file has taken over cannot hand back offsets that do not exist."""
    with pytest.raises(ProtocolError):
        decode_document(encode_document(SMALL) | change)
