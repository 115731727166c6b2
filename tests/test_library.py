import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from chatbot.errors import LibraryError
from chatbot.library import Library
from chatbot.library.schema import SCHEMA_VERSION
from chatbot.types import Block, Chunk, Document, DocumentRecord, PassageVectors

CANARY = "xyzzyplugh-quuxfrobnicate"


def make_document(path="a.md", *, corpus="notes", text="Alpha beta. Gamma delta.") -> Document:
    record = DocumentRecord(
        id=f"{corpus}/{path}",
        corpus=corpus,
        path=path,
        title="A title",
        format="md",
        size_bytes=len(text),
        modified_ns=5,
        sha256="0" * 64,
        date="2025-03-01",
        pages=0,
        chunks=1,
        added_at="2025-01-01T00:00:00+00:00",
    )
    return Document(record, text, (Block("paragraph", 0, len(text)),), ())


def make_chunks(document: Document) -> list[Chunk]:
    return [
        Chunk(
            id=f"{document.record.id}/{number}/{sentence}",
            document_id=document.record.id,
            ordinal=number,
            start=document.text.index(sentence),
            end=document.text.index(sentence) + len(sentence),
            text=sentence,
            headings=("One", "Two"),
            context="A title > One > Two",
            page=None,
        )
        for number, sentence in enumerate(document.text.split(". "))
    ]


def make_vectors(count: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)


def make_passage_vectors(count: int, *, seed: int = 0) -> PassageVectors:
    """Vectors of chunks, and of two sentences of each."""
    whole = make_vectors(count, seed=seed)
    return PassageVectors(whole, tuple(np.stack([vector, -vector]) for vector in whole))


def put(library: Library, document: Document, *, recipe="r", fingerprint="f", seed=0):
    chunks = make_chunks(document)
    vectors = make_passage_vectors(len(chunks), seed=seed)
    return library.replace_document(document, chunks, vectors, recipe=recipe, fingerprint=fingerprint)


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "library.sqlite3")
    yield library
    library.close()


def test_a_document_comes_back_as_it_was_put(library):
    document = make_document()

    put(library, document)

    assert document == library.find_document(document.record.id)
    assert [document.record] == library.list_documents("notes")


def test_chunks_come_back_with_their_document(library):
    document = make_document()
    put(library, document)
    chunks = make_chunks(document)

    found = library.chunks.find_chunks([chunk.id for chunk in chunks] + ["unknown"])

    assert {chunk.id: (chunk, document.record) for chunk in chunks} == found


def test_vectors_come_back_bit_by_bit(library):
    document = make_document()
    put(library, document)

    [(ids, vectors)] = library.chunks.read_vectors("notes", "f")

    assert [chunk.id for chunk in make_chunks(document)] == ids
    assert make_vectors(2).tobytes() == vectors.tobytes()


def test_the_vectors_of_sentences_come_back_by_chunk_and_go_with_it(library):
    document = make_document()
    put(library, document)
    ids = [chunk.id for chunk in make_chunks(document)]

    found = library.chunks.find_sentence_vectors([*ids, "gone"], "f")

    assert sorted(found) == sorted(ids)
    assert found[ids[0]].shape == (2, 4)
    assert found[ids[0]][0] == pytest.approx(make_vectors(2)[0], abs=2e-3)
    assert library.chunks.find_sentence_vectors(ids, "another model") == {}
    library.delete_document(document.record.id)
    assert library.chunks.find_sentence_vectors(ids, "f") == {}


def test_vectors_are_read_in_pages(library):
    for number in range(5):
        put(library, make_document(f"{number}.md"))

    pages = list(library.chunks.read_vectors("notes", "f", page_rows=3))

    assert [len(ids) for ids, _ in pages] == [3, 3, 3, 1]
    assert len({chunk_id for ids, _ in pages for chunk_id in ids}) == 10


def test_replacing_a_document_names_what_is_new_and_what_is_gone(library):
    put(library, make_document(text="Alpha beta. Gamma delta"))

    added, removed = put(library, make_document(text="Alpha beta. Epsilon zeta"))

    assert added == ["notes/a.md/1/Epsilon zeta"]
    assert removed == ["notes/a.md/1/Gamma delta"]


def test_the_same_chunks_with_vectors_of_another_model_are_new_to_its_index(library):
    document = make_document()
    put(library, document, fingerprint="f")

    added, _ = put(library, document, fingerprint="g", seed=1)

    assert sorted(chunk.id for chunk in make_chunks(document)) == added


def test_deleting_a_document_takes_its_chunks_and_words_along(library):
    put(library, make_document("a.md"))
    put(library, make_document("b.md"))

    ids = library.delete_document("notes/a.md")

    assert sorted(ids) == sorted(chunk.id for chunk in make_chunks(make_document("a.md")))
    assert library.find_document("notes/a.md") is None
    assert {"notes/b.md/0/Alpha beta"} == set(dict(library.words.search_words("notes", "alpha", limit=10)))


def test_a_failing_write_changes_nothing(library):
    document = make_document()
    put(library, document)
    before = list(library.chunks.read_vectors("notes", "f"))

    with pytest.raises(ValueError, match="zip"):
        library.replace_document(
            make_document(text="Other words."),
            make_chunks(document),
            make_passage_vectors(1),
            recipe="",
            fingerprint="",
        )

    assert document == library.find_document(document.record.id)
    assert before[0][0] == next(iter(library.chunks.read_vectors("notes", "f")))[0]


def test_words_are_found_in_any_form_and_without_accents(library):
    put(library, make_document(text="The requested café visits were cancelled"))

    assert [
        len(library.words.search_words("notes", word, limit=5)) for word in ("request", "cafe", "cancelling")
    ] == [1, 1, 1]


def test_a_search_by_words_stays_inside_its_corpus(library):
    put(library, make_document(corpus="notes"))
    put(library, make_document(corpus="other"))

    assert list(dict(library.words.search_words("other", "alpha", limit=5))) == ["other/a.md/0/Alpha beta"]


@pytest.mark.parametrize(
    "question",
    [
        '"',
        '"alpha',
        "alpha*",
        "(alpha",
        "alpha NEAR(beta, 2)",
        "alpha: beta",
        "text : alpha",
        "-alpha",
        "^alpha",
        "alpha AND OR NOT beta",
        "'; DROP TABLE chunks; --",
        "alpha\x00beta",
        "{alpha} + beta",
        "漢字 alpha",
        "🏳️‍🌈 alpha",
        "alpha" * 500 + " alpha",
    ],
)
def test_the_syntax_of_the_word_index_is_only_text_in_a_question(library, question):
    put(library, make_document())

    found = library.words.search_words("notes", question, limit=5)

    assert set(dict(found)) <= {chunk.id for chunk in make_chunks(make_document())}
    assert library.chunks.count_chunks("notes", "f") == 2


def test_a_question_of_stop_words_finds_nothing(library):
    put(library, make_document())

    assert library.words.search_words("notes", "what is it?", limit=5) == []


def test_a_search_finds_the_same_beside_a_corpus_that_fills_the_index(library):
    for number in range(30):
        put(library, make_document(f"{number}.md", corpus="other", text="Alpha alpha. Alpha beta"))
    put(library, make_document("few.md", text="Alpha and other words. Gamma delta"))

    found = library.words.search_words("notes", "alpha", limit=2)

    assert [chunk_id for chunk_id, _ in found] == ["notes/few.md/0/Alpha and other words"]


def test_words_that_very_many_documents_hold_are_left_out_but_for_the_rarest_two(library, monkeypatch):
    monkeypatch.setattr("chatbot.library.words.COMMON_DOCUMENTS", 1)
    for number in range(4):
        text = f"Alpha number{number}. Beta half{number // 2}"
        put(library, make_document(f"{number}.md", text=text))

    def search(question):
        found = library.words.search_words("notes", question, limit=9)
        return sorted({chunk_id.split("/")[1] for chunk_id, _ in found})

    assert search("alpha number1 number3") == ["1.md", "3.md"]
    assert search("alpha beta half0 number3") == ["0.md", "1.md", "3.md"]
    assert search("alpha beta") == ["0.md", "1.md", "2.md", "3.md"]


def test_deleted_words_are_in_no_byte_of_the_file(library, tmp_path):
    put(library, make_document(text=f"The secret is {CANARY}. Alpha"))
    put(library, make_document("b.md"))
    assert holds_canary(tmp_path)

    library.delete_document("notes/a.md")
    library.erase_leftovers()

    assert holds_canary(tmp_path) == []


def holds_canary(folder) -> list[str]:
    words = [CANARY.encode(), *(part.encode() for part in CANARY.split("-"))]
    files = folder.glob("library.sqlite3*")
    return [path.name for path in files if any(word in path.read_bytes().lower() for word in words)]


def test_a_library_survives_being_closed(tmp_path):
    first = Library(tmp_path / "library.sqlite3")
    put(first, make_document())
    first.close()

    second = Library(tmp_path / "library.sqlite3")

    assert make_document() == second.find_document("notes/a.md")
    second.close()


def test_the_library_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "library.sqlite3"
    Library(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()
    before = path.read_bytes()

    with pytest.raises(LibraryError, match="newer version"):
        Library(path)

    assert before == path.read_bytes()


def test_a_library_from_before_languages_is_kept_and_its_documents_are_read_again(tmp_path):
    path = tmp_path / "library.sqlite3"
    older = Library(path)
    put(older, make_document())
    older.close()
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE documents DROP COLUMN language")
        database.execute("DROP TABLE vocabulary")
        database.execute("DROP TABLE sentence_vectors")
        for column in ("authors", "unread_pages", "recognized_pages"):
            database.execute(f"ALTER TABLE documents DROP COLUMN {column}")
        database.execute("DROP TABLE leftovers")
        database.execute("ALTER TABLE documents DROP COLUMN sheets")
        for column in ("sheet", "starts"):
            database.execute(f"ALTER TABLE chunks DROP COLUMN {column}")
        database.execute("DROP INDEX documents_of_corpus")
        database.execute("DROP INDEX documents_by_content")
        database.execute("PRAGMA user_version = 1")
    database.close()

    upgraded = Library(path)

    assert upgraded.find_document("notes/a.md") == make_document()
    assert upgraded.list_recipes("notes") == {"a.md": ""}
    assert upgraded.chunks.count_chunks("notes", "f") == len(make_chunks(make_document()))
    upgraded.close()


def test_after_an_update_only_what_has_sheets_or_pages_is_read_again(tmp_path):
    """Rows and pages of quotes are told since version 5; the words, and so the vectors, stay as they are."""
    path = tmp_path / "library.sqlite3"
    older = Library(path)
    for name in ("a.md", "b.pdf", "c.xlsx", "d.csv"):
        document = make_document(name)
        record = replace(document.record, format=name[2:], pages=2 if name == "b.pdf" else 0)
        put(older, replace(document, record=record))
    before = older.list_recipes("notes")
    older.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE leftovers")
        database.execute("ALTER TABLE documents DROP COLUMN sheets")
        for column in ("sheet", "starts"):
            database.execute(f"ALTER TABLE chunks DROP COLUMN {column}")
        database.execute("PRAGMA user_version = 4")
    database.close()

    upgraded = Library(path)

    changed = {name for name, recipe in upgraded.list_recipes("notes").items() if recipe != before[name]}
    assert changed == {"b.pdf", "c.xlsx", "d.csv"}
    upgraded.close()


def test_words_are_searched_within_documents_and_beside_phrases(library):
    for name in ("a", "b", "c"):
        put(library, make_document(f"{name}.md", text=f"Alpha beta {name}. Alpha gamma"))

    def search(**limits):
        found = library.words.search_words("notes", "alpha", limit=10, **limits)
        return [chunk_id.removeprefix("notes/") for chunk_id, _ in found]

    assert len(search()) == 6
    assert sorted(search(documents=["notes/b.md"])) == ["b.md/0/Alpha beta b", "b.md/1/Alpha gamma"]
    assert search(documents=["notes/b.md"], phrases=["beta b"]) == ["b.md/0/Alpha beta b"]
    assert search(documents=[]) == search(phrases=["gamma alpha"]) == []


@pytest.mark.parametrize("content", [b"this is no database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_library_is_refused_with_a_way_out(tmp_path, content):
    (tmp_path / "library.sqlite3").write_bytes(content)

    with pytest.raises(LibraryError) as caught:
        Library(tmp_path / "library.sqlite3")

    assert "library.sqlite3" in caught.value.message
    assert "move it away" in caught.value.next_step


def test_a_folder_in_place_of_the_library_is_refused(tmp_path):
    (tmp_path / "library.sqlite3").mkdir()

    with pytest.raises(LibraryError, match=r"library\.sqlite3"):
        Library(tmp_path / "library.sqlite3")


def test_a_document_of_very_many_chunks_finds_its_known_vectors(library):
    ids = [f"id-{number}" for number in range(260_000)]

    assert library.chunks.find_vectors(ids, "f") == {}
