import numpy as np
import pytest

from chatbot.errors import LibraryError
from chatbot.types import Vectors
from chatbot.vectors import VectorIndex


def make_vectors(count: int, *, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Shelf:
    """Vectors as a library would give them, and an index over them that can be opened anew."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.vectors = make_vectors(30)
        self.ids = [f"chunk-{number}" for number in range(30)]
        self.index: VectorIndex | None = None

    def open(self, fingerprint: str = "f1") -> VectorIndex:
        if self.index is not None:
            self.index.close()
        self.index = VectorIndex(self.folder, fingerprint=fingerprint, read_vectors=self.read)
        return self.index

    def read(self, corpus, fingerprint):
        if corpus == "notes" and fingerprint == "f1":
            yield self.ids, self.vectors


@pytest.fixture
def shelf(tmp_path):
    shelf = Shelf(tmp_path / "vectors")
    shelf.open().update("notes", ids=shelf.ids, vectors=shelf.vectors, removed=[])
    yield shelf
    assert shelf.index is not None
    shelf.index.close()


def find_all(index: VectorIndex, shelf: Shelf) -> list[str]:
    """The nearest chunk to each vector."""
    return [index.find_nearest("notes", vector, limit=1)[0][0] for vector in shelf.vectors]


def test_the_nearest_chunk_to_a_vector_is_itself_with_similarity_one(shelf):
    [(chunk_id, similarity)] = shelf.index.find_nearest("notes", shelf.vectors[7], limit=1)

    assert chunk_id == "chunk-7"
    assert similarity == pytest.approx(1.0, abs=1e-5)


def test_similarities_are_cosines_in_descending_order(shelf):
    found = shelf.index.find_nearest("notes", shelf.vectors[0], limit=30)

    expected = sorted((float(vector @ shelf.vectors[0]) for vector in shelf.vectors), reverse=True)
    assert expected == pytest.approx([similarity for _, similarity in found], abs=1e-5)


def test_an_empty_corpus_has_no_nearest_chunk(shelf):
    assert shelf.index.find_nearest("other", shelf.vectors[0], limit=5) == []


def test_more_than_there_is_may_be_asked_for(shelf):
    assert len(shelf.index.find_nearest("notes", shelf.vectors[0], limit=1000)) == 30


def test_corpora_are_apart(shelf):
    shelf.index.update("other", ids=["x"], vectors=shelf.vectors[:1], removed=[])

    assert [chunk_id for chunk_id, _ in shelf.index.find_nearest("other", shelf.vectors[5], limit=9)] == ["x"]


def test_removed_chunks_are_found_no_more(shelf):
    shelf.index.update("notes", ids=[], vectors=shelf.vectors[:0], removed=["chunk-3"])

    assert "chunk-3" not in dict(shelf.index.find_nearest("notes", shelf.vectors[3], limit=30))


def test_removing_what_is_not_there_is_no_error(shelf):
    shelf.index.update("notes", ids=[], vectors=shelf.vectors[:0], removed=["never-there"])

    assert len(shelf.index.find_nearest("notes", shelf.vectors[0], limit=99)) == 30


def test_more_rows_than_chroma_takes_at_once_are_written_and_removed(tmp_path):
    index = VectorIndex(tmp_path, fingerprint="f", read_vectors=lambda *_: [])
    ids, vectors = [str(number) for number in range(6000)], make_vectors(6000)

    index.update("big", ids=ids, vectors=vectors, removed=[])
    [(nearest, _)] = index.find_nearest("big", vectors[5999], limit=1)
    index.update("big", ids=[], vectors=vectors[:0], removed=ids[1:])

    assert nearest == "5999"
    assert [chunk_id for chunk_id, _ in index.find_nearest("big", vectors[0], limit=5)] == ["0"]
    index.close()


def test_a_sound_index_is_not_made_again(shelf):
    index = shelf.open()

    assert index.check("notes", 30) is False
    assert shelf.ids == find_all(index, shelf)


def test_an_index_that_was_left_while_being_written_is_made_again(shelf):
    (shelf.folder / "being-written").touch()

    index = shelf.open()

    assert index.check("notes", 30) is True
    assert shelf.ids == find_all(index, shelf)
    assert not (shelf.folder / "being-written").exists()


def test_an_index_with_chunks_missing_is_made_again(shelf):
    shelf.index.update("notes", ids=[], vectors=shelf.vectors[:0], removed=["chunk-3"])

    index = shelf.open()

    assert index.check("notes", 30) is True
    assert shelf.ids == find_all(index, shelf)


def test_an_index_with_other_vectors_is_made_again(shelf):
    shelf.index.update("notes", ids=shelf.ids, vectors=make_vectors(30, seed=9), removed=[])

    index = shelf.open()

    assert index.check("notes", 30) is True
    assert shelf.ids == find_all(index, shelf)


@pytest.mark.parametrize("damage", ["cut in half", "cut to a page", "emptied", "garbage", "removed"])
@pytest.mark.parametrize("what", ["chroma.sqlite3", "*.bin", "*"])
def test_a_damaged_index_is_made_again_whatever_is_damaged(shelf, what, damage):
    shelf.index.close()
    for path in [path for path in shelf.folder.rglob(what) if path.is_file()]:
        content = path.read_bytes()
        if damage == "removed":
            path.unlink()
        else:
            path.write_bytes(
                {
                    "cut in half": content[: len(content) // 2],
                    "cut to a page": content[:4096],
                    "emptied": b"",
                    "garbage": b"\xa5\x5a" * (len(content) // 2),
                }[damage]
            )
    shelf.index = None

    index = shelf.open()
    index.check("notes", 30)

    assert shelf.ids == find_all(index, shelf)
    assert shelf.ids == find_all(shelf.open(), shelf)


def test_another_embedding_model_has_a_collection_of_its_own(shelf):
    index = shelf.open("f2")

    assert index.check("notes", 0) is False
    assert index.find_nearest("notes", shelf.vectors[0], limit=5) == []
    assert shelf.ids == find_all(shelf.open("f1"), shelf)


def test_old_generations_do_not_pile_up(shelf):
    for _ in range(3):
        (shelf.folder / "being-written").touch()
        shelf.open().check("notes", 30)
    shelf.open().check("notes", 30)

    assert len([path for path in shelf.folder.iterdir() if path.is_dir()]) == 1


def test_an_error_while_writing_leaves_the_marker(shelf):
    with pytest.raises(LibraryError, match="could not be written"):
        shelf.index.update("notes", ids=["bad"], vectors=np.ones((1, 3), np.float32), removed=[])

    assert (shelf.folder / "being-written").exists()
    assert shelf.open().check("notes", 30) is True
    assert shelf.ids == find_all(shelf.index, shelf)
