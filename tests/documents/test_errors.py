"""Bad files: each is refused with its own error, which names the file and says what to do."""

from __future__ import annotations

import contextlib
import os
import zipfile
from pathlib import Path

import pytest

from chatbot.documents import archives
from chatbot.documents.formats import load_document
from chatbot.documents.reader import DocumentReader
from chatbot.errors import (
    CorruptDocument,
    DocumentError,
    DocumentTooLarge,
    EmptyDocument,
    PasswordProtected,
    UnsupportedFormat,
)
from tests.documents.old_office_files import Stored, make_doc, make_ppt
from tests.documents.opendocument_files import make_opendocument

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)

BAD_FILES = (
    ("photo.pdf", PNG, CorruptDocument, "it looks like a PNG image"),
    ("report.txt", b"%PDF-1.7 ...", CorruptDocument, "it looks like a PDF"),
    ("program.txt", bytes(range(256)) * 4, CorruptDocument, "is not what its name says (plain text)"),
    ("page.html", PNG, CorruptDocument, "it looks like a PNG image"),
    ("cut.pdf", b"%PDF-1.4\n1 0 obj\n<< /Type", CorruptDocument, "is damaged"),
    ("cut.docx", b"PK\x03\x04 and no more", CorruptDocument, "is damaged"),
    ("old.docx", OLE, CorruptDocument, "is an old Word document"),
    ("locked.docx", OLE + "EncryptedPackage".encode("utf-16-le"), PasswordProtected, "only with a password"),
    ("cut.xlsx", b"PK\x03\x04 and no more", CorruptDocument, "is damaged"),
    ("old.xlsx", OLE, CorruptDocument, "is an old Excel workbook"),
    ("locked.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), PasswordProtected, "only with a password"),
    ("cut.pptx", b"PK\x03\x04 and no more", CorruptDocument, "is damaged"),
    ("old.pptx", OLE, CorruptDocument, "is an old PowerPoint presentation"),
    ("cut.odt", b"PK\x03\x04 and no more", CorruptDocument, "is damaged"),
    ("old.ods", OLE, CorruptDocument, "is not what its name says (OpenDocument spreadsheet)"),
    ("cut.doc", OLE, CorruptDocument, "is damaged"),
    ("cut.xls", OLE, CorruptDocument, "is damaged"),
    ("cut.ppt", OLE, CorruptDocument, "is damaged"),
    ("page.xls", b"<html><table><tr><td>1", CorruptDocument, "is not what its name says (old Excel)"),
    ("page.doc", b"<html>words", CorruptDocument, "is not what its name says (old Word)"),
    ("report.rtf", b"%PDF-1.7 ...", CorruptDocument, "it looks like a PDF"),
    ("deep.rtf", b"{\\rtf1" + b"{" * 20_000, CorruptDocument, "nests its groups too deeply"),
    ("old95.doc", make_doc([Stored([("words", b"")])], version=104), CorruptDocument, "by Word 95"),
    ("locked.doc", make_doc([Stored([("words", b"")])], flags=0x0300), PasswordProtected, "a password"),
    ("locked.ppt", make_ppt([("words", [], "")], mark=0xF3D1C4DF), PasswordProtected, "a password"),
    ("cut2.doc", make_doc([Stored([("words", b"")])])[:3000], CorruptDocument, "is damaged"),
    ("sheet.csv", PNG, CorruptDocument, "it looks like a PNG image"),
    ("blank.csv", b",,\n,,\n", EmptyDocument, "holds no text"),
    ("blank.rtf", b"{\\rtf1\\par}", EmptyDocument, "holds no text"),
    ("nothing.docx", b"", EmptyDocument, "is empty"),
    ("nothing.pdf", b"", EmptyDocument, "is empty"),
    ("blank.md", b" \n\t\n", EmptyDocument, "holds no text"),
    ("blank.txt", "\ufeff \u200b\n".encode(), EmptyDocument, "holds no text"),
    ("blank.html", b"<script>x()</script>", EmptyDocument, "holds no text"),
    ("song.mp3", b"ID3", UnsupportedFormat, "“.mp3” files are not supported"),
    ("Makefile", b"all:", UnsupportedFormat, "files without an ending are not supported"),
)


def check_refusal(path: Path, reader: DocumentReader, kind: type[DocumentError], words: str) -> None:
    """Check that a file is refused for the right reason, with its name and advice, here and in the child."""
    with pytest.raises(DocumentError) as here:
        load_document(path)
    with pytest.raises(DocumentError) as there:
        reader.read(path)

    assert type(here.value) is kind
    assert words in here.value.message
    assert path.name in here.value.message
    assert here.value.next_step
    assert (type(there.value), str(there.value)) == (kind, str(here.value))


@pytest.fixture(scope="module")
def reader():
    with DocumentReader() as reader:
        yield reader


@pytest.mark.parametrize(("name", "content", "kind", "words"), BAD_FILES, ids=[bad[0] for bad in BAD_FILES])
def test_bad_file_is_refused(
    name: str, content: bytes, kind: type[DocumentError], words: str, tmp_path: Path, reader
):
    """The error is of its kind, names the file and says what to do, in this process and from the child."""
    path = tmp_path / name
    path.write_bytes(content)
    check_refusal(path, reader, kind, words)


def test_unsupported_format_names_the_supported_ones(tmp_path: Path):
    """The next step lists an ending of each format that can be read."""
    with pytest.raises(UnsupportedFormat, match=r"\.md, .*\.pdf, \.docx"):
        load_document(tmp_path / "song.mp3")


def test_scanned_pdf_is_told_from_a_damaged_one(make_pdf):
    """A PDF whose pages hold no text is called a scan."""
    with pytest.raises(EmptyDocument, match="probably a scan"):
        load_document(make_pdf([[], []]))


def test_truncated_pdf_is_damaged(make_pdf, tmp_path: Path):
    """A PDF that ends in its middle is refused or read, never anything else."""
    whole = make_pdf([[("Helvetica", 11, 700, "words")]]).read_bytes()
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(whole[: len(whole) // 3])

    with pytest.raises(CorruptDocument, match="is damaged"):
        load_document(cut)


def test_pdf_with_a_password_says_so(make_pdf):
    """An encrypted PDF asks for a copy without a password."""
    path = make_pdf([[("Helvetica", 11, 700, "secret")]], password="open sesame")

    with pytest.raises(PasswordProtected, match="opens only with a password"):
        load_document(path)


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("bomb.docx", "word/document.xml"),
        ("bomb.xlsx", "xl/workbook.xml"),
        ("bomb.pptx", "ppt/presentation.xml"),
        ("bomb.odt", "content.xml"),
    ],
)
def test_zip_bomb_is_refused_before_it_unpacks(
    name: str, member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A small office document that would unpack to more than the limit is too large."""
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1024**2)
    path = tmp_path / name
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(member, "w") as bomb,
    ):
        bomb.write(bytes(1024**2 + 1))

    with pytest.raises(DocumentTooLarge, match="unpacks to more than 1 MB"):
        load_document(path)


@pytest.mark.parametrize("name", ["other.docx", "other.xlsx", "other.pptx", "other.odp"])
def test_archive_of_another_kind_is_refused(name: str, tmp_path: Path):
    """Another archive with the name of an office document is not what its name says."""
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("elsewhere/part.xml", "<part/>")

    with pytest.raises(CorruptDocument, match="not what its name says"):
        load_document(path)


def test_entities_are_not_expanded(tmp_path: Path):
    """Entities that multiply themselves, or name a file, put nothing into an OpenDocument text."""
    secret = tmp_path / "secret.txt"
    secret.write_text("never")
    entities = f'<!ENTITY a "never never"><!ENTITY b "{"&a;" * 50}"><!ENTITY c SYSTEM "{secret.as_uri()}">'
    body = "<text:p>Words &b;&c; stay.</text:p>"
    path = make_opendocument(tmp_path / "laughs.odt", "text", body, before=f"<!DOCTYPE laughs [{entities}]>")

    assert load_document(path).text == "Words stay."


@pytest.mark.parametrize("ending", ["xlsx", "pptx", "docx"])
def test_entities_in_an_office_document_are_refused_or_left_out(
    ending: str, tmp_path: Path, policy_docx: Path
):
    """A part with entities that multiply themselves ends in an error or in a text without them."""
    path = make_laughing(ending, tmp_path, policy_docx)

    with contextlib.suppress(CorruptDocument, EmptyDocument):
        assert "never" not in load_document(path).text


def make_laughing(ending: str, folder: Path, policy_docx: Path) -> Path:
    """An office document with entities in its main part."""
    from openpyxl import Workbook
    from pptx import Presentation

    whole = folder / f"whole.{ending}"
    if ending == "docx":
        whole = policy_docx
    elif ending == "pptx":
        presentation = Presentation()
        presentation.slides.add_slide(presentation.slide_layouts[0]).shapes.title.text = "City"
        presentation.save(str(whole))
    else:
        workbook = Workbook()
        workbook.active.append(["City"])
        workbook.save(whole)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    declared = f'<!DOCTYPE laughs [<!ENTITY l0 "never">{laughs}]>'.encode()
    path = folder / f"laughs.{ending}"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if b"City" in data and name.endswith(".xml"):
                start = data.index(b"?>") + 2 if data.startswith(b"<?xml") else 0
                data = data[:start] + declared + data[start:].replace(b"City", b"&l9;")
            target.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["locked.odt", "locked.ods", "locked.odp"])
def test_encrypted_opendocument_file_says_so(name: str, tmp_path: Path):
    """An encrypted OpenDocument file asks for a copy without a password."""
    path = make_opendocument(tmp_path / name, "text", "", manifest="<encryption-data/>")

    with pytest.raises(PasswordProtected, match="opens only with a password"):
        load_document(path)


def test_word_document_without_its_parts_is_damaged(policy_docx: Path, tmp_path: Path):
    """A Word document whose main part is gone or is no XML is damaged."""
    broken = tmp_path / "broken.docx"
    with zipfile.ZipFile(policy_docx) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"<not xml" if name == "word/document.xml" else source.read(name))

    with pytest.raises(CorruptDocument, match="is damaged"):
        load_document(broken)


def test_missing_folder_like_and_large_files_are_refused(tmp_path: Path, reader: DocumentReader):
    """A file that is gone, a folder, a pipe and a file over the limit never reach a parser."""
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "big.txt").write_bytes(b"x" * 2000)

    with pytest.raises(DocumentError, match="no longer there"):
        reader.read(tmp_path / "gone.txt")
    for name in ("pipe.txt", "folder.md"):
        with pytest.raises(DocumentError, match="is not an ordinary file"):
            reader.read(tmp_path / name)
    with DocumentReader(max_file_bytes=1000) as small, pytest.raises(DocumentTooLarge, match="2,000 bytes"):
        small.read(tmp_path / "big.txt")
