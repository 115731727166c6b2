"""Every format: what its reader must find in a small real file, and what it must leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatbot.documents.formats import FORMATS, SUFFIXES, find_format, load_document
from chatbot.documents.reader import DocumentReader
from chatbot.types import ParsedDocument

MARKDOWN = """---
title: "Travel Policy"
date: 2025-03-04
owner: finance
---
# Travel {#travel}

Book *early* through the [portal](https://example.org/secret-target) ![a train](train.png).
<b>Bold</b> claims<br>need `proof`.

1. First step
2. Second step
   - Nested point

| City | Limit |
|------|-------|
| Oslo | 180   |
| Bern |       |

> Quoted wisdom

```python
def pay(amount):
    return amount
```

<div>Inside <i>HTML</i></div>
<script>alert("never")</script>
"""

PLAIN = """TRAVEL POLICY
=============

Last reviewed: 2025-06-12

1.2 Travel costs

Trains come
before planes.

Rules:
- One rule
  - Sub rule
- Two rules
  that go on

SHOUTED HEADING

2020 was a year. It ended.
"""

HTML = """<!doctype html><html><head><title>Travel Policy</title>
<meta property="article:modified_time" content="2025-06-12T10:00:00Z"><style>p {color: red}</style></head>
<body><nav>Site menu</nav><header>Site banner</header><main>
<h1>Travel</h1><p>Book &amp; go <b>ear</b>ly.<p hidden>secret</p><div style="display: none">invisible</div>
First line<br>second line<br><br>new paragraph
<ul><li>Trains<ul><li>Night trains</li></ul></li><li><p>Buses</p></li></ul>
<ol start="3"><li>Third</li></ol>
<table><caption>Limits</caption><tr><th>City</th><th>Limit</th></tr><tr><td>Oslo</td><td>1<p>80</td></tr></table>
<pre>  code
    deeper</pre>
<form>Your name</form><script>alert("never")</script></main><footer>Imprint</footer></body></html>
"""


@dataclass(frozen=True)
class Sample:
    """A file, and what reading it must give: `blocks` are `kind level text`."""

    name: str
    content: str | bytes
    must_include: tuple[str, ...]
    must_not_include: tuple[str, ...] = ()
    title: str | None = None
    date: str | None = None


SAMPLES = (
    Sample(
        "policy.md",
        MARKDOWN,
        (
            "heading 1 Travel\n",
            "paragraph 0 Book early through the portal a train. Bold claims need proof.",
            "list_item 1 1. First step",
            "list_item 1 2. Second step",
            "list_item 2 Nested point",
            "table_header 0 City | Limit",
            "table_row 0 Oslo | 180",
            "table_row 0 Bern |",
            "paragraph 0 Quoted wisdom",
            "code 0 def pay(amount):\n    return amount",
            "paragraph 0 Inside HTML",
        ),
        ("owner", "secret-target", "never", "<", "{#", "**", "```"),
        title="Travel Policy",
        date="2025-03-04",
    ),
    Sample(
        "policy.txt",
        PLAIN,
        (
            "heading 1 TRAVEL POLICY",
            "heading 3 1.2 Travel costs",
            "paragraph 0 Trains come before planes.",
            "list_item 1 One rule",
            "list_item 2 Sub rule",
            "list_item 1 Two rules that go on",
            "heading 2 SHOUTED HEADING",
            "paragraph 0 2020 was a year. It ended.",
        ),
        ("===",),
        title="TRAVEL POLICY",
        date="2025-06-12",
    ),
    Sample(
        "policy.html",
        HTML,
        (
            "heading 1 Travel",
            "paragraph 0 Book & go early.",
            "paragraph 0 First line second line\n",
            "paragraph 0 new paragraph",
            "list_item 1 Trains",
            "list_item 2 Night trains",
            "list_item 1 Buses",
            "list_item 1 3. Third",
            "paragraph 0 Limits",
            "table_header 0 City | Limit",
            "table_row 0 Oslo | 1 80",
            "code 0 code\n  deeper",
        ),
        ("menu", "banner", "secret", "invisible", "never", "Imprint", "Your name", "color"),
        title="Travel Policy",
        date="2025-06-12",
    ),
    Sample("form.htm", "<form>All of it in a form</form>", ("All of it in a form",), title="Form"),
    Sample(
        "two.html",
        "<p>a<table><tr><td><h2>Laid out</h2>by a table</table>",
        ("heading 2 Laid out", "by a table"),
    ),
    Sample("latin.html", b"<meta charset=iso-8859-1><p>caf\xe9", ("café",)),
    Sample("marked.txt", "grüße".encode("utf-8-sig"), ("paragraph 0 grüße",)),
    Sample("wide.txt", "grüße".encode("utf-16"), ("grüße",)),
    Sample("windows.log", b"caf\xe9 \x93quoted\x94", ("café “quoted”",)),
    Sample(
        "travel-policy_2025.md",
        "words\u200b with\u00ad\U000e0041 nothing hidden",
        ("words with nothing hidden",),
        title="Travel policy 2025",
    ),
)


def describe(document: ParsedDocument) -> str:
    """Return the document's blocks as lines of `kind level text`."""
    return "\n".join(f"{b.kind} {b.level} {document.text[b.start : b.end]}" for b in document.blocks) + "\n"


def check_offsets(document: ParsedDocument) -> None:
    """Check that blocks are in order and hold all that is not white space, and that pages are in order."""
    end = 0
    for block in document.blocks:
        assert not document.text[end : block.start].strip()
        assert document.text[block.start : block.end].strip()
        end = block.end
    assert end == len(document.text)
    assert list(document.page_starts) == sorted(document.page_starts)


def check_sample(sample: Sample, folder: Path, reader: DocumentReader) -> None:
    """Check that a sample reads to what it must and must not include, here and in the child alike."""
    path = folder / sample.name
    path.write_bytes(sample.content if isinstance(sample.content, bytes) else sample.content.encode())

    document = load_document(path)

    described = describe(document)
    for words in sample.must_include:
        assert words in described
    for words in sample.must_not_include:
        assert words not in described
    assert sample.title in (None, document.title)
    assert sample.date == document.date
    check_offsets(document)
    assert reader.read(path) == document


@pytest.fixture(scope="module")
def reader():
    with DocumentReader() as reader:
        yield reader


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_format_finds_the_words_and_leaves_out_the_rest(
    sample: Sample, tmp_path: Path, reader: DocumentReader
):
    """Each sample reads to its blocks, title and date, in this process and in the child alike."""
    check_sample(sample, tmp_path, reader)


def test_word_document_keeps_its_order(policy_docx: Path, reader: DocumentReader):
    """Paragraphs, lists and tables of a Word document stay in order, with their kinds and levels."""
    document = reader.read(policy_docx)

    assert describe(document) == (
        "heading 1 Travel Policy\nparagraph 0 Effective 1 March 2025. Trips are booked early.\n"
        "heading 2 Limits\n"
        "list_item 1 Trains first\nlist_item 2 Night trains too\ntable_header 0 City | Limit\n"
        "table_row 0 Oslo | 180 euros\nparagraph 0 Ask your manager.\n"
    )
    assert (document.title, document.date) == ("Travel Policy", "2025-03-01")
    check_offsets(document)


def test_find_format_goes_by_name_and_content(policy_docx: Path, tmp_path: Path):
    """The ending picks the format, whatever its case."""
    shouted = tmp_path / "NOTES.TXT"
    shouted.write_text("notes")

    assert find_format(policy_docx).NAME == "Word"
    assert find_format(shouted).NAME == "plain text"


def test_every_format_is_complete():
    """Each module names itself and endings of its own that no other claims."""
    assert len(SUFFIXES) == len(set(SUFFIXES))
    for format_ in FORMATS:
        assert format_.NAME
        assert all(re.fullmatch(r"\.[a-z0-9]+", suffix) for suffix in format_.SUFFIXES)
