import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.corpora import (
    check_corpus_name,
    find_documents_folder,
    list_corpora,
    make_file_name,
    read_corpus,
    resolve_document_file,
    scan_files,
    store_file,
)
from chatbot.errors import CorpusError


@pytest.fixture
def corpora(tmp_path):
    """A corpora folder with two corpora and things that are none."""
    for name in ("zoo", "handbook", "Upper Case", ".hidden", "x"):
        (tmp_path / name).mkdir()
    (tmp_path / "README.md").write_text("no corpus")
    (tmp_path / "handbook" / "corpus.toml").write_text(
        'title = "The Handbook"\ndescription = "How we work."\nstarter_questions = ["When?", "Where?"]\n'
    )
    return tmp_path


@pytest.fixture
def documents(corpora):
    return find_documents_folder(corpora, "handbook")


def test_folders_with_proper_names_are_corpora_in_order_of_name(corpora):
    assert [corpus.name for corpus in list_corpora(corpora)] == ["handbook", "zoo"]


def test_a_corpus_describes_itself(corpora):
    corpus = read_corpus(corpora / "handbook")

    assert (
        corpus.title,
        corpus.description,
        corpus.starter_questions,
    ) == ("The Handbook", "How we work.", ("When?", "Where?"))


def test_a_corpus_without_a_description_is_called_as_its_folder(tmp_path):
    (tmp_path / "staff-hand_book").mkdir()

    assert read_corpus(tmp_path / "staff-hand_book").title == "Staff hand book"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", "cannot be read"),
        ("title = 5", "must be texts"),
        ('starter_questions = "one"', "list of texts"),
        ("starter_questions = [1]", "list of texts"),
    ],
)
def test_a_broken_description_is_named_with_its_file(tmp_path, text, complaint):
    (tmp_path / "corpus.toml").write_text(text)

    with pytest.raises(CorpusError, match=complaint) as caught:
        read_corpus(tmp_path)

    assert "corpus.toml" in caught.value.message


def test_a_description_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "corpus.toml").write_bytes('title = "Büro"'.encode("latin-1"))

    with pytest.raises(CorpusError, match="cannot be read"):
        read_corpus(tmp_path)


def test_a_missing_corpora_folder_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no corpora folder"):
        list_corpora(tmp_path / "missing")


@pytest.mark.parametrize("name", ["ab", "a1", "hand_book-2", "a" * 40])
def test_good_names_of_corpora_are_taken(name):
    assert name == check_corpus_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "A1",
        "a" * 41,
        "-ab",
        "ab-",
        "a b",
        "..",
        "../etc",
        "a/b",
        "a\\b",
        "ab\n",
        "a\0b",
        "ä1",
        "a.b",
        "１２",
    ],
)
def test_bad_names_of_corpora_are_refused(name):
    with pytest.raises(CorpusError, match="cannot be the name"):
        check_corpus_name(name)


def test_an_unknown_corpus_is_answered_with_the_known_ones(corpora):
    with pytest.raises(CorpusError) as caught:
        find_documents_folder(corpora, "missing")

    assert "handbook, zoo" in caught.value.next_step


def test_the_documents_folder_is_made_when_it_is_missing(corpora):
    assert find_documents_folder(corpora, "zoo").is_dir()


def test_a_file_in_place_of_the_documents_folder_is_refused(corpora):
    (corpora / "zoo" / "documents").write_text("a file")

    with pytest.raises(CorpusError, match="cannot be made"):
        find_documents_folder(corpora, "zoo")


def test_files_are_found_by_path_and_hidden_ones_are_not(documents):
    for path in ("b.md", "a/z.md", ".secret", ".git/config", "~$lock.docx", "Thumbs.db", "ü.md"):
        (documents / path).parent.mkdir(exist_ok=True)
        (documents / path).write_text("text")

    files = list(scan_files(documents))

    assert sorted(file.path for file in files) == ["a/z.md", "b.md", "ü.md"]
    assert all(file.size_bytes == 4 and file.location.is_file() for file in files)


def test_links_that_lead_outside_are_left_out(documents, tmp_path):
    (tmp_path / "outside.md").write_text("secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside.md").write_text("secret")
    (documents / "file.md").symlink_to(tmp_path / "outside.md")
    (documents / "folder").symlink_to(tmp_path / "folder", target_is_directory=True)
    (documents / "broken.md").symlink_to(tmp_path / "missing.md")
    (documents / "own.md").write_text("text")
    (documents / "link.md").symlink_to(documents / "own.md")

    assert [file.path for file in scan_files(documents)] == ["link.md", "own.md"]


def test_links_that_lead_in_a_circle_are_left_out(documents):
    (documents / "a.md").symlink_to(documents / "b.md")
    (documents / "b.md").symlink_to(documents / "a.md")
    (documents / "c.md").write_text("text")

    assert [file.path for file in scan_files(documents)] == ["c.md"]


@pytest.mark.skipif(os.name == "nt", reason="file names are bytes on POSIX only")
def test_a_file_name_that_is_no_valid_text_has_a_path_that_can_be_written_down(documents):
    (documents / os.fsdecode(b"caf\xe9.md")).write_text("text")

    [file] = scan_files(documents)

    assert file.path == "caf�.md"
    assert resolve_document_file(documents, file.path).read_text() == "text"


@pytest.mark.parametrize(
    "path", ["../corpus.toml", "/etc/passwd", "..", "missing.md", "link.md", "sub", "sub/../../corpus.toml"]
)
def test_a_document_s_file_must_lie_in_its_folder(documents, path):
    (documents / "link.md").symlink_to("/etc/passwd")
    (documents / "sub").mkdir()

    with pytest.raises(CorpusError, match="no longer there"):
        resolve_document_file(documents, path)


def test_a_document_s_file_is_found(documents):
    (documents / "a.md").write_text("text")

    assert (documents / "a.md").resolve() == resolve_document_file(documents, "a.md")


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ("a\0b.md", "a-b.md"),
        ("a:b*c?.md", "a-b-c-.md"),
        (".hidden", "hidden"),
        ("  spaced name .md", "spaced name .md"),
        ("Müller – Übersicht.docx", "Müller – Übersicht.docx"),
        ("cafe\u0301.md", "caf\u00e9.md"),
        ("", "document"),
        ("...", "document"),
        ("/", "document"),
        ("name", "name"),
        ("two\nlines.md", "two-lines.md"),
    ],
)
def test_an_uploaded_file_gets_a_safe_name(given_name, expected):
    assert expected == make_file_name(given_name)


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_can_be_stored_and_scanned(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    (folder.parent / "source").write_text("text")

    stored = store_file(folder, name, folder.parent / "source")

    assert [stored] == [file.path for file in scan_files(folder)]
    assert stored == make_file_name(stored)
    assert len(stored.encode()) <= 190


@pytest.mark.parametrize("name", ["x" * 500 + ".md", "漢" * 200 + ".pdf", "a." + "y" * 500, "~$a.docx"])
def test_awkward_names_are_stored_so_that_they_are_read(documents, tmp_path, name):
    (tmp_path / "source").write_text("text")

    stored = store_file(documents, name, tmp_path / "source")

    assert [stored] == [file.path for file in scan_files(documents)]


def test_a_long_name_keeps_its_ending():
    assert make_file_name("x" * 500 + ".pdf").endswith("x.pdf")


def test_a_file_of_the_same_name_is_replaced(documents, tmp_path):
    for text in ("old", "new"):
        (tmp_path / "source").write_text(text)
        store_file(documents, "a.md", tmp_path / "source")

    assert (documents / "a.md").read_text() == "new"
    assert [path.name for path in documents.iterdir()] == ["a.md"]


def test_a_copy_that_fails_leaves_nothing_behind(documents, tmp_path):
    with pytest.raises(CorpusError, match="could not be stored"):
        store_file(documents, "a.md", tmp_path / "missing")

    assert list(documents.iterdir()) == []
