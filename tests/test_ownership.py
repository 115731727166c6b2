import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chatbot.errors import LibraryError, LibraryInUse
from chatbot.ownership import claim_data_folder, find_owner_url

SCRIPT = Path(__file__).parent / "crashing.py"


@pytest.fixture
def owner(tmp_path):
    """Another process that owns `tmp_path / "data"`."""
    command = [sys.executable, str(SCRIPT), "own", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_at_once_and_told_what_to_do(owner, tmp_path):
    started = time.monotonic()

    with pytest.raises(LibraryInUse) as caught:
        claim_data_folder(tmp_path / "data")

    assert time.monotonic() - started < 1
    assert str(tmp_path / "data") in caught.value.message
    assert "CHATBOT_DATA_FOLDER" in caught.value.next_step
    assert find_owner_url(tmp_path / "data") == "http://127.0.0.1:1"


def test_the_lock_of_a_killed_process_does_not_block(owner, tmp_path):
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()

    claim_data_folder(tmp_path / "data").release()

    assert find_owner_url(tmp_path / "data") is None


def test_the_same_process_cannot_own_a_folder_twice(tmp_path):
    first = claim_data_folder(tmp_path)

    with pytest.raises(LibraryInUse):
        claim_data_folder(tmp_path)

    first.release()
    claim_data_folder(tmp_path).release()


def test_a_new_owner_forgets_where_the_last_one_answered(tmp_path):
    (tmp_path / "owner.json").write_text('{"pid": 1, "url": "http://127.0.0.1:9"}')

    owner = claim_data_folder(tmp_path)

    assert find_owner_url(tmp_path) is None
    owner.release()


@pytest.mark.parametrize("note", ["", "no json", "[]", "{}", '"text"', "\xff"])
def test_a_note_that_says_nothing_names_no_owner(tmp_path, note):
    (tmp_path / "owner.json").write_text(note, encoding="latin-1")

    assert find_owner_url(tmp_path) is None


def test_a_file_in_place_of_the_data_folder_is_refused(tmp_path):
    (tmp_path / "data").write_text("a file")

    with pytest.raises(LibraryError, match="cannot be written"):
        claim_data_folder(tmp_path / "data")
