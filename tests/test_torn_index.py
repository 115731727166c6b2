"""Index files that a crash or a full disk left torn: found out at the start, and made again."""

import os

import pytest

from chatbot.vectors import VectorIndex
from tests.test_vectors import make_vectors

COUNT = 1500  # more than Chroma holds back before it writes its files


@pytest.fixture
def folder(tmp_path):
    """The folder of a sound index that has all its files."""
    index = open_index(tmp_path / "vectors")
    index.update("notes", ids=IDS, vectors=VECTORS, removed=[])
    index.close()
    return tmp_path / "vectors"


IDS = [f"chunk-{number}" for number in range(COUNT)]
VECTORS = make_vectors(COUNT, seed=1)


def open_index(folder) -> VectorIndex:
    return VectorIndex(folder, fingerprint="f1", read_vectors=lambda *_: iter([(IDS, VECTORS)]))


def find_file(folder, name):
    [path] = folder.rglob(name)
    return path


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def scramble(path):
    path.write_bytes(b"\xa5" * path.stat().st_size)


def swell(path):
    os.truncate(path, 64 * 2**30)  # sparse: it takes no space until somebody fills it


@pytest.mark.parametrize(
    ("name", "tear"),
    [
        ("data_level0.bin", cut),
        ("data_level0.bin", empty),
        ("data_level0.bin", scramble),
        ("header.bin", cut),
        ("header.bin", empty),
        ("length.bin", empty),
        ("link_lists.bin", swell),
        ("index_metadata.pickle", cut),
        ("index_metadata.pickle", empty),
        ("index_metadata.pickle", scramble),
        ("chroma.sqlite3", cut),
    ],
)
def test_a_torn_index_heals_itself(folder, name, tear):
    tear(find_file(folder, name))

    index = open_index(folder)
    index.check("notes", COUNT)

    assert {found for found, _ in index.find_nearest("notes", VECTORS[7], limit=1)} == {"chunk-7"}
    assert len(index.find_nearest("notes", VECTORS[0], limit=COUNT)) >= COUNT * 0.9
    index.close()
    again = open_index(folder)
    assert again.check("notes", COUNT) is False
    again.close()
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 50 * 2**20
