"""Memory given back to the system."""

import mmap
import sys

import pytest

from chatbot.memory import MAPS, give_back_file, list_shared_mappings

MAPS_TEXT = """\
7fb1b7000000-7fb1b7002000 r--s 00000000 fe:00 2155641 /models/my reader.bin
7fb1b7002000-7fb1b7003000 r--s 00002000 fe:00 2155641 /models/my reader.bin
7fb1b7004000-7fb1b7005000 rw-p 00000000 fe:00 2155641 /models/my reader.bin
7fb1b8000000-7fb1b8001000 r--s 00000000 fe:00 2155642 /models/other.bin
7fb1b9000000-7fb1b9001000 rw-p 00000000 00:00 0
"""


def test_only_mappings_of_the_file_that_are_shared_and_read_are_found(tmp_path):
    path = tmp_path.__class__("/models/my reader.bin")

    assert list_shared_mappings(MAPS_TEXT, path) == [
        (0x7FB1B7000000, 0x7FB1B7002000),
        (0x7FB1B7002000, 0x7FB1B7003000),
    ]


def count_resident_kb(path):
    """Kilobytes of a file that lie in this process's memory."""
    lines = iter(MAPS.with_name("smaps").read_text().splitlines())
    for line in lines:
        if line.endswith(str(path)):
            return int(next(own for own in lines if own.startswith("Rss:")).split()[1])
    raise AssertionError("the file is not mapped")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells of mappings")
def test_a_file_given_back_leaves_memory_and_is_read_again_where_needed(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(range(256)) * 8192)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[:].count(7) == 8192
        assert count_resident_kb(path) == 2048

        give_back_file(path)

        assert count_resident_kb(path) == 0
        assert mapped[256 * 4096 + 7] == 7
