"""Files made to hurt: each is read or refused with a reason in its time, and the next file works."""

from __future__ import annotations

import random
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatbot.documents.formats import SUFFIXES
from chatbot.documents.reader import DocumentReader
from chatbot.errors import DocumentError
from tests.documents.opendocument_files import make_opendocument
from tests.documents.samples import WORDS, repack, write_samples

NESTED = 60_000
LINE_BYTES = 3_000_000
SECRET = "a line of a file that no document may name"


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> dict[str, Path]:
    """A good file of every format, by name."""
    return {path.name: path for path in write_samples(tmp_path_factory.mktemp("samples"))}


@pytest.fixture(scope="module")
def hurried_reader(is_long: bool) -> Iterator[DocumentReader]:
    """A reader for files that may well take all their time, of which the long suite gives more."""
    with DocumentReader(timeout_seconds=20 if is_long else 3) as reader:
        yield reader


@pytest.fixture
def check(reader: DocumentReader, tmp_path: Path) -> Callable[[Path], str]:
    """Reads a file, or sees it refused with its name and what to do; then reads a good one."""
    return make_check(reader, tmp_path)


@pytest.fixture
def check_slow(hurried_reader: DocumentReader, tmp_path: Path) -> Callable[[Path], str]:
    """The same with a file that may be given up for its time."""
    return make_check(hurried_reader, tmp_path)


def make_check(reader: DocumentReader, tmp_path: Path) -> Callable[[Path], str]:
    def check(path: Path) -> str:
        try:
            text = reader.read(path).text
        except DocumentError as error:
            assert path.name in error.message
            assert error.next_step
            text = ""
        good = tmp_path / "good.md"
        good.write_text(WORDS)
        assert reader.read(good).text == WORDS
        return text

    return check


def write_bomb(path: Path, member: str, *, megabytes: int = 1500) -> Path:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(member, "w", force_zip64=True) as bomb,
    ):
        for _ in range(megabytes):
            bomb.write(bytes(2**20))
    return path


@pytest.mark.parametrize(
    ("name", "member"), [("bomb.docx", "word/document.xml"), ("bomb.epub", "META-INF/container.xml")]
)
def test_archives_that_unpack_to_far_too_much_are_refused(name, member, tmp_path, check):
    assert check(write_bomb(tmp_path / name, member)) == ""


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHING = f'<?xml version="1.0"?><!DOCTYPE laughs [<!ENTITY l0 "never">{LAUGHS}]><doc><p>&l9;</p></doc>'
QUADRATIC = f'<!DOCTYPE doc [<!ENTITY a "{"never" * 20_000}">]><doc>{"&a;" * 20_000}</doc>'


@pytest.mark.parametrize("ending", ["xml", "html", "svg", "ipynb", "md", "rst", "tex"])
@pytest.mark.parametrize("content", [LAUGHING, QUADRATIC], ids=["laughs", "quadratic"])
def test_entities_that_multiply_themselves_stay_small(ending, content, tmp_path, check):
    path = tmp_path / f"laughs.{ending}"
    path.write_text(content)

    assert check(path).count("never") < 25_000


@pytest.mark.parametrize("name", ["text.docx", "book.epub", "text.odt", "sheet.xlsx", "slides.pptx"])
def test_names_in_an_archive_lead_nowhere(name, samples, tmp_path, check):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    names = ("../../escaped.txt", str(tmp_path / "absolute.txt"), "..\\..\\back.txt", "a/../../../up.txt", "")
    path = repack(samples[name], inside / name, {evil or "/": b"escaped" for evil in names})
    before = sorted(tmp_path.rglob("*"))

    assert "escaped" not in check(path)
    assert sorted(item for item in tmp_path.rglob("*") if item.name != "good.md") == before


def test_cut_files_of_every_format_are_read_or_refused(samples, tmp_path, check):
    for name, sample in samples.items():
        content = sample.read_bytes()
        for share in (0.1, 0.5, 0.9):
            path = tmp_path / f"cut-{share}-{name}"
            path.write_bytes(content[: int(len(content) * share)])
            check(path)


def test_files_with_the_ending_of_another_format_are_read_or_refused(samples, tmp_path, check):
    rng = random.Random(7)
    for name, sample in samples.items():
        for ending in rng.sample(SUFFIXES, 3):
            path = tmp_path / f"{name}{ending}"
            path.write_bytes(sample.read_bytes())
            check(path)


def test_random_bytes_are_read_or_refused_whatever_the_ending(tmp_path, check):
    content = random.Random(7).randbytes(20_000)
    for ending in SUFFIXES:
        path = tmp_path / f"noise{ending}"
        path.write_bytes(content)
        check(path)


LONG_LINES = {
    "line.txt": b"word " * (LINE_BYTES // 5),
    "letters.txt": b"a" * LINE_BYTES,
    "line.md": b"word *and* " * (LINE_BYTES // 11),
    "stars.md": b"*" * LINE_BYTES,
    "brackets.md": b"[" * 100_000,
    "ticks.md": b"`a" * 100_000,
    "line.csv": b"cell," * (LINE_BYTES // 5),
    "quote.csv": b'"' + b"cell\n" * (LINE_BYTES // 5),
    "line.html": b"<p>" + b"word " * (LINE_BYTES // 5),
    "line.json": b'["' + b"word " * (LINE_BYTES // 5) + b'"]',
    "line.rtf": b"{\\rtf1 " + b"word " * (LINE_BYTES // 5) + b"}",
    "line.rst": b"word " * (LINE_BYTES // 5),
    "line.tex": b"word " * (LINE_BYTES // 5),
    "line.py": b"x = '" + b"word " * (LINE_BYTES // 5) + b"'",
    "line.srt": b"1\n00:00:01,000 --> 00:00:02,000\n" + b"word " * (LINE_BYTES // 5),
    "line.eml": b"Subject: " + b"word " * (LINE_BYTES // 5) + b"\n\nwords",
}


@pytest.mark.parametrize("name", LONG_LINES)
def test_a_line_of_three_megabytes_is_read_or_refused(name, tmp_path, check_slow):
    path = tmp_path / name
    path.write_bytes(LONG_LINES[name])
    check_slow(path)


NESTS = {
    "nest.html": "<div>" * NESTED + WORDS,
    "list.html": "<ul><li>" * NESTED + WORDS,
    "table.html": "<table><tr><td>" * NESTED + WORDS,
    "nest.xml": "<a>" * NESTED + WORDS + "</a>" * NESTED,
    "nest.json": "[" * NESTED + "]" * NESTED,
    "nest.md": ">" * NESTED + WORDS,
    "list.md": "".join(f"{' ' * depth}- {WORDS}\n" for depth in range(0, 4000, 2)),
    "nest.rtf": "{\\rtf1" + "{" * NESTED + WORDS,
    "nest.tex": "{" * NESTED + WORDS,
    "items.tex": "\\begin{itemize}\\item " * NESTED + WORDS,
    "nest.rst": "".join(f"{' ' * depth}{WORDS}\n\n" for depth in range(0, 2000, 2)),
    "nest.org": "".join(f"{'*' * depth} {WORDS}\n" for depth in range(1, 2000)),
    "nest.ipynb": '{"cells": ' + "[" * NESTED,
    "nest.py": "(" * NESTED,
    "parts.eml": "".join(
        f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n' for depth in range(2000)
    ),
}


@pytest.mark.parametrize("name", NESTS)
def test_what_nests_sixty_thousand_deep_is_read_or_refused(name, tmp_path, check_slow):
    path = tmp_path / name
    path.write_text(NESTS[name])
    check_slow(path)


def test_a_sheet_that_claims_a_billion_cells_is_read_or_refused(samples, tmp_path, check_slow):
    cells = '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>City</t></is></c></row>'
    cells += '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>Last</t></is></c></row></sheetData>'
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{namespace}"><dimension ref="A1:XFD1048576"/>{cells}</worksheet>'
    check_slow(
        repack(samples["sheet.xlsx"], tmp_path / "wide.xlsx", {"xl/worksheets/sheet1.xml": sheet.encode()})
    )
    cell = '<table:table-cell table:number-columns-repeated="1000000" office:value-type="string">'
    cell += "<text:p>City</text:p></table:table-cell>"
    row = f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'
    check_slow(make_opendocument(tmp_path / "wide.ods", "spreadsheet", f"<table:table>{row}</table:table>"))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1", "utf-7"]
)
@pytest.mark.parametrize("ending", ["txt", "md", "csv", "html"])
def test_any_encoding_is_read_or_refused(encoding, ending, tmp_path, check):
    path = tmp_path / f"words.{ending}"
    path.write_bytes(f"The café by the quay, à côté, opens at noon. {WORDS}.\n".encode(encoding))
    text = check(path)

    if encoding.startswith(("utf-8", "cp1252", "latin")) or encoding in ("utf-16", "utf-32"):
        assert "café" in text
    else:
        assert "\0" not in text


@pytest.mark.parametrize(
    "words",
    [
        "תחנת המעבורת נפתחת בצהריים",
        "تغادر العبّارة عند الظهر",
        "フェリーは正午に出発します",
        "渡輪中午出發",
        "여객선은 정오에 출발합니다",
        "🚢 at noon 👩",
    ],
)
def test_every_script_is_kept(words, tmp_path, check):
    for ending in ("md", "txt", "html", "csv", "json"):
        path = tmp_path / f"words.{ending}"
        path.write_text(f'"{words}"' if ending == "json" else words, encoding="utf-8")
        assert words in check(path)


@pytest.mark.parametrize(
    "name", ["line\nbreak.md", "tab\tname.md", "quote\"'.md", "-rf.md", "ü\u202e.md", "🚢.md"]
)
def test_any_file_name_is_read(name, tmp_path, check):
    path = tmp_path / name
    path.write_text(WORDS)

    assert check(path) == WORDS


def test_text_with_zero_bytes_and_half_characters_is_read_or_refused(tmp_path, check):
    for number, content in enumerate(
        (
            b"a\0b words",
            b"\xff\xfe\xff words",
            b"\xed\xa0\x80 words",
            b"\xf8\x88\x80\x80\x80 words",
            b"\x1b[2J words",
        )
    ):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(content)
        text = check(path)
        assert "\0" not in text
        assert text.encode("utf-8").decode("utf-8") == text


@pytest.fixture
def sink() -> Iterator[tuple[str, list[str]]]:
    """A server of which the address stands in documents; what asked it for anything."""
    asked: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                asked.append("somebody")

    thread = threading.Thread(target=listen)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    done.set()
    thread.join()
    server.close()


def name_everywhere(url: str, secret: Path) -> dict[str, str]:
    """Documents of every marked-up format that name an address and a file wherever one can be named."""
    file = secret.as_uri()
    entity = f'<!DOCTYPE d SYSTEM "{url}/d.dtd" [<!ENTITY e SYSTEM "{url}/e"><!ENTITY f SYSTEM "{file}">]>'
    page = f"""<html><head><base href="{url}/"><link rel="stylesheet" href="{url}/a.css">
<script src="{url}/a.js"></script><meta http-equiv="refresh" content="0; url={url}">
<style>@import "{url}/b.css";</style></head><body>
<img src="{url}/a.png" srcset="{url}/b.png 2x"><iframe src="{file}"></iframe><object data="{url}/o"></object>
<embed src="{url}/e"><video src="{url}/v" poster="{url}/p"></video><a href="{url}">Words</a></body></html>"""
    return {
        "page.html": page,
        "page.md": f"Words ![a]({url}/a.png) <img src='{url}/b.png'>\n\n[b]: {url}/b\n\n{page}",
        "tree.xml": f'{entity}<d xmlns:xi="http://www.w3.org/2001/XInclude"><p>Words &e;&f;</p>'
        f'<xi:include href="{url}/i"/><xi:include href="{file}" parse="text"/></d>',
        "style.xml": f'<?xml-stylesheet type="text/xsl" href="{url}/s.xsl"?><d>Words</d>',
        "text.rst": f"Words\n\n.. include:: {secret}\n\n.. image:: {url}/a.png\n\n"
        f".. raw:: html\n   :url: {url}/r\n\n.. csv-table:: t\n   :url: {url}/c\n\n"
        f".. raw:: html\n   :file: {secret}\n\n.. literalinclude:: {secret}\n",
        "text.org": f"Words\n#+INCLUDE: {secret}\n[[{url}/a.png]]\n#+SETUPFILE: {url}/s\n",
        "text.tex": f"\\input{{{secret}}}\\include{{{secret}}}\\includegraphics{{{url}/a}} Words",
        "text.rtf": f'{{\\rtf1 Words {{\\field{{\\*\\fldinst INCLUDETEXT "{secret}"}}}}'
        f'{{\\field{{\\*\\fldinst INCLUDEPICTURE "{url}/a.png"}}}}}}',
        "book.ipynb": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"metadata": {}, '
        f'"cell_type": "markdown", "source": ["Words ![a]({url}/a.png)"]}}]}}',
        "mail.eml": f'Subject: Words\nContent-Type: message/external-body; access-type=URL; URL="{url}/m"\n\n'
        f"Content-Type: text/html\n\n{page}",
        "data.json": f'{{"$ref": "{url}/schema.json", "words": "Words"}}',
    }


def test_nothing_that_a_document_names_is_fetched_or_opened(sink, samples, tmp_path, check):
    url, asked = sink
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    for name, content in name_everywhere(url, secret).items():
        path = tmp_path / name
        path.write_text(content)
        assert SECRET not in check(path), name
    schemas = "http://schemas.openxmlformats.org"
    relation = (
        f'<Relationships xmlns="{schemas}/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{schemas}/officeDocument/2006/relationships/attachedTemplate" '
        f'Target="{url}/t.dotm" TargetMode="External"/></Relationships>'
    ).encode()
    check(repack(samples["text.docx"], tmp_path / "t.docx", {"word/_rels/settings.xml.rels": relation}))
    space = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
    image = f'<draw:frame><draw:image {space} xlink:href="{url}/a.png"/></draw:frame>'
    check(make_opendocument(tmp_path / "i.odt", "text", f"<text:p>Words {image}</text:p>"))

    assert asked == []
