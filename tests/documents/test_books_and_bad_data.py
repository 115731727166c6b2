"""Books, and data that is damaged, hostile or far too much: each is refused with what is wrong."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path

import pytest

from chatbot.documents.data_files import MAX_DATA_BYTES
from chatbot.documents.formats import load_document
from chatbot.documents.json_values import MAX_DEPTH, measure_depth
from chatbot.documents.reader import DocumentReader
from chatbot.errors import CorruptDocument, DocumentError, DocumentTooLarge, PasswordProtected
from tests.documents.test_errors import check_refusal
from tests.documents.test_formats import check_offsets, describe

CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>Travels</dc:title><dc:date>2025-03-04</dc:date><meta property="dcterms:modified">2026-01-01</meta>
</metadata><manifest>
<item id="two" href="chapters/two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="one.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>
<item id="out" href="../../../etc/hostname" media-type="text/html"/>
<item id="web" href="http://example.org/page" media-type="text/html"/>
<item id="art" href="cover.svg" media-type="image/svg+xml"/></manifest>
<spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/><itemref idref="gone"/>
<itemref idref="out"/><itemref idref="web"/><itemref idref="art"/></spine></package>"""
MEMBERS = {
    "META-INF/container.xml": CONTAINER,
    "OPS/book.opf": PACKAGE,
    "OPS/nav.xhtml": "<h1>Contents</h1>",
    "OPS/chapters/two b.xhtml": "<html><body><h1>Second</h1><p>By rail.</p></body></html>",
    "OPS/one.xhtml": "<head><title>x</title></head><h1>First</h1><p>By sea.<script>never</script></p>",
}


def make_book(path: Path, **changes: str) -> Path:
    """The path itself, with a book in it; keys of `changes` are the ends of members' names."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, changes.get(Path(name).stem, content))
        if "encryption" in changes:
            archive.writestr("META-INF/encryption.xml", changes["encryption"])
    return path


def test_book_is_read_in_its_order(tmp_path: Path):
    """Chapters follow the spine; nothing outside of the book is opened, and its contents page left out."""
    document = load_document(make_book(tmp_path / "book.epub"))

    assert describe(document) == (
        "heading 1 First\nparagraph 0 By sea.\nheading 1 Second\nparagraph 0 By rail.\n"
    )
    assert (document.title, document.date) == ("Travels", "2025-03-04")
    check_offsets(document)


def test_protected_book_says_so(tmp_path: Path):
    """A book whose pages are encrypted is refused; one with encrypted fonts is read."""
    entry = '<encryption><CipherData><CipherReference URI="{}"/></CipherData></encryption>'

    with pytest.raises(PasswordProtected, match="protected against copying"):
        load_document(make_book(tmp_path / "locked.epub", encryption=entry.format("OPS/one.xhtml")))
    assert load_document(make_book(tmp_path / "fonts.epub", encryption=entry.format("OPS/font.otf"))).text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"container": "<container/>"}, "is damaged"),
        ({"book": "<package"}, "is damaged"),
        ({"container": CONTAINER.replace("OPS/", "../")}, "is damaged"),
    ],
)
def test_broken_book_is_damaged(changes: dict[str, str], words: str, tmp_path: Path):
    """A book without its list of chapters, or whose list is broken or lies elsewhere, is damaged."""
    with pytest.raises(CorruptDocument, match=words):
        load_document(make_book(tmp_path / "book.epub", **changes))


LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'>{}]><l>&j;</l>".format(
    "".join(
        f"<!ENTITY {name} '{f'&{before};' * 10}'>"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
)
BAD_DATA = (
    ("deep.json", "[" * 100_000 + "]" * 100_000, CorruptDocument, "nests its values too deeply"),
    ("cut.json", '{"a": [1, 2', CorruptDocument, "is not JSON from line 1 on"),
    ("words.json", "no JSON at all", CorruptDocument, "is not JSON from line 1 on"),
    ("cut.jsonl", '{"a": 1}\n\n{"b":\n', CorruptDocument, "is not JSON from line 3 on"),
    ("photo.json", b"\x89PNG\r\n\x1a\n", CorruptDocument, "it looks like a PNG image"),
    ("big.json", b"[1," * MAX_DATA_BYTES, DocumentTooLarge, "more than the 10 MB"),
    ("cut.ipynb", '{"cells": [{', CorruptDocument, "is not JSON"),
    ("list.ipynb", "[]", CorruptDocument, "is no notebook"),
    ("cut.xml", "<a><b>words", CorruptDocument, "is not well-formed XML"),
    ("deep.xml", "<a>" * 100_000, CorruptDocument, "is not well-formed XML"),
    ("laughs.xml", LAUGHS, CorruptDocument, "is not well-formed XML"),
    ("bundle.js", "x" * 3_000_000, DocumentTooLarge, "a line of 3,000,000 characters"),
    ("video.ts", bytes(range(256)) * 50, CorruptDocument, "is not what its name says (source code)"),
    ("notes.vtt", "WEBVTT\n\nwords", CorruptDocument, "is no transcript"),
    ("words.eml", "nothing that a mail begins with", CorruptDocument, "is not what its name says (mail)"),
    ("words.epub", "words", CorruptDocument, "is not what its name says (EPUB)"),
    ("words.msg", "words", CorruptDocument, "is not what its name says (Outlook messages)"),
    ("words.png", "words", CorruptDocument, "is not what its name says (pictures)"),
)


@pytest.fixture(scope="module")
def reader():
    with DocumentReader() as reader:
        yield reader


@pytest.mark.parametrize(("name", "content", "kind", "words"), BAD_DATA, ids=[bad[0] for bad in BAD_DATA])
def test_bad_data_is_refused(
    name: str, content: str | bytes, kind: type[DocumentError], words: str, tmp_path: Path, reader
):
    """The error is of its kind, names the file and says what to do, in this process and from the child."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    check_refusal(path, reader, kind, words)


def test_entities_that_name_files_are_not_opened(tmp_path: Path):
    """What an XML file would take from another file stays the name that it is written with."""
    (tmp_path / "secret.txt").write_text("never")
    path = tmp_path / "outside.xml"
    secret = (tmp_path / "secret.txt").as_uri()
    path.write_text(f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret}">]><a><p>before &x; after</p></a>')

    assert load_document(path).text == "before &x; after"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("braces.tex", "{" * 200_000),
        ("forms.tex", "\\def\\x{" * 20_000 + " words"),
        ("begins.tex", "\\begin{a}" * 20_000),
        ("tags.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<v " * 300_000),
        ("links.org", "[[" * 200_000),
        ("quotes.json", '"a' * 500_000),
    ],
)
def test_hostile_text_is_read_or_refused(name: str, content: str, tmp_path: Path, reader):
    """Signs that never close end in a document or an error, long before the time is up."""
    path = tmp_path / name
    path.write_text(content)

    with contextlib.suppress(CorruptDocument):
        assert reader.read(path).text


def test_long_line_of_data_is_read(tmp_path: Path):
    """Three megabytes on one line are no more trouble than on many."""
    path = tmp_path / "line.json"
    path.write_text(json.dumps({"words": "word " * 600_000}))

    assert load_document(path).text.startswith("words: word word")


def test_depth_is_that_of_open_brackets():
    """Brackets in strings do not count, nor those beside each other."""
    assert measure_depth('[{"a": "[[[\\"[[["}, [], []]') == 2
    assert measure_depth("[" * MAX_DEPTH + "]" * MAX_DEPTH) == MAX_DEPTH
