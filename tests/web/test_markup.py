from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.web.markup import Mark, Style, render_markup

TAGS = {"p", "ul", "ol", "li", "pre", "h4", "code", "strong", "em", "span", "i"}


class TagCollector(HTMLParser):
    """Notes which tags and attributes a browser would see, and whether they close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "input":  # which has no end
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parse(html: str) -> TagCollector:
    collector = TagCollector()
    collector.feed(html)
    collector.close()
    assert collector.open == []
    return collector


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One.\n\nTwo.", "<p>One.</p><p>Two.</p>"),
        ("a **b *c* d** e", "<p>a <strong>b </strong><strong><em>c</em></strong><strong> d</strong> e</p>"),
        ("*slanted* and `code <b>`", "<p><em>slanted</em> and <code>code &lt;b&gt;</code></p>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("1. one\n2) two", "<ol><li>one</li><li>two</li></ol>"),
        ("```python\na = 1\n\nb\n```\nafter", "<pre><code>a = 1\n\nb</code></pre><p>after</p>"),
        ("```\nunfinished", "<pre><code>unfinished</code></pre>"),
        ("## Title\ntext", "<h4>Title</h4><p>text</p>"),
        ("2 * 3 * 4 = 24", "<p>2 * 3 * 4 = 24</p>"),
        ("[a](javascript:b) ![c](d)", "<p>[a](javascript:b) ![c](d)</p>"),
        ("", ""),
    ],
)
def test_understands_a_little_markdown(text, html):
    assert render_markup(text) == html


def test_places_marks_by_the_offsets_of_the_untouched_text():
    text = "A **fact.** More.\n\n- item"
    marks = [Mark(11, "<i>1</i>"), Mark(17, "<i>2</i>"), Mark(len(text), "<i>3</i>")]
    assert render_markup(text, marks) == (
        "<p>A <strong>fact.</strong><i>1</i> More.<i>2</i></p><ul><li>item<i>3</i></li></ul>"
    )


def test_styles_cross_markdown_without_breaking_tags():
    html = render_markup("so **very bad** it is", styles=[Style(5, 18, "unsupported", 'a "title"')])
    assert html.count('<span class="unsupported" title="a &quot;title&quot;">') == 2
    parse(html)


@given(
    st.text(alphabet="ab *`#-1.\n<>&\"'[]()!", max_size=80),
    st.lists(st.integers(0, 90), max_size=4),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=3),
)
def test_any_text_gives_sound_html_with_every_mark_once(text, positions, spans):
    marks = [Mark(position, "<i>m</i>") for position in positions]
    styles = [Style(min(span), max(span), "unsupported") for span in spans]
    seen = parse(render_markup(text, marks, styles))
    assert seen.tags <= TAGS
    assert seen.attributes <= {"class"}
    assert seen.text.count("m") == len(positions)
