"""The page that shows a document: its structure, its marks, and that nothing in it is raw HTML."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from chatbot.documents.page import render_document_html
from chatbot.documents.text import TextBuilder
from chatbot.types import Block


def make_document():
    """Return text, blocks and page starts of two pages with every kind of block."""
    builder = TextBuilder()
    builder.start_page()
    builder.add("heading", "Rules & <tags>", 2)
    builder.add("list_item", "one", 1)
    builder.add("list_item", "deep", 2)
    builder.add("list_item", "two", 1)
    builder.start_page()
    builder.add_row(["City", "Limit"], header=True)
    builder.add_row(["Oslo", ""])
    builder.add_row(["", "180"])
    builder.add("code", "a < b\n  c")
    builder.add("paragraph", "The end.")
    return builder.build()


class Outline(HTMLParser):
    """Checks that tags nest, and gathers the marked words and the ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.marked: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if "mark" in self.open:
            self.marked.append(data)


def test_every_block_has_its_element():
    """Headings, nested lists, tables, code and pages are what they are called in HTML."""
    text, blocks, pages = make_document()

    html = render_document_html("Title", text, blocks, pages)

    assert html.split("\n") == [
        '<article class="document" aria-label="Title">',
        '<p class="page-number" id="page-1">Page 1</p>',
        '<h2 id="heading-1">Rules &amp; &lt;tags&gt;</h2>',
        "<ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul>",
        '<p class="page-number" id="page-2">Page 2</p>',
        '<table><thead><tr><th scope="col">City</th><th scope="col">Limit</th></tr></thead>'
        "<tbody><tr><td>Oslo</td><td></td></tr><tr><td></td><td>180</td></tr></tbody></table>",
        "<pre><code>a &lt; b",
        "  c</code></pre>",
        "<p>The end.</p>",
        "</article>",
    ]


def test_pages_of_a_presentation_are_called_slides():
    """What a page is called is said in its mark."""
    assert '<p class="page-number" id="page-1">Slide 1</p>' in render_document_html(
        "Title", "words", [Block("paragraph", 0, 5)], (0,), page_kind="slide"
    )


def test_mark_spans_blocks_and_cells():
    """A quote from a list to a table is marked piece by piece; only the first piece has the id."""
    text, blocks, pages = make_document()
    start, end = text.index("two"), text.index("Oslo") + 2

    outline = Outline(render_document_html("Title", text, blocks, pages, highlight=(start, end)))

    assert outline.marked == ["two", "City", "Limit", "Os"]
    assert outline.ids.count("quote") == 1


@given(st.integers(0, 120), st.integers(0, 120), st.text(max_size=20))
def test_marks_hold_the_quoted_words_and_tags_nest(start: int, end: int, title: str):
    """Whatever is quoted, the marked words are those, and the page is well formed."""
    text, blocks, pages = make_document()

    outline = Outline(render_document_html(title, text, blocks, pages, highlight=(start, end)))

    quoted = text[start:end].replace("|", "")
    assert "".join("".join(outline.marked).split()) == "".join(quoted.split())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["heading", "paragraph", "list_item", "code"]),
            st.text("<>&\"'/ab \n"),
            st.integers(0, 9),
        )
    )
)
def test_hostile_text_never_becomes_a_tag(pieces: list):
    """Only our own elements are in the page, whatever the document says and whatever its levels."""
    builder = TextBuilder()
    for kind, words, level in pieces:
        builder.add(kind, f"<script>{words}", level)
    text, blocks, pages = builder.build()

    outline = Outline(render_document_html("<script>", text, blocks, pages))

    assert outline.tags <= {
        "article",
        "p",
        "ul",
        "li",
        "pre",
        "code",
        *(f"h{level}" for level in range(1, 7)),
    }
    assert "".join("".join(outline.words).split()) == "".join(text.split())
