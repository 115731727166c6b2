"""A document as a page to look at: its canonical text in HTML, with the quoted words marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from chatbot.documents.text import split_cells
from chatbot.types import Block


def render_document_html(
    title: str,
    text: str,
    blocks: Sequence[Block],
    page_starts: Sequence[int] = (),
    *,
    page_kind: str = "page",
    highlight: tuple[int, int] | None = None,
) -> str:
    """Return the document as an HTML fragment, one `article`.

    Headings have the ids `heading-1`, `heading-2`..., pages `page-1`..., and the characters of `highlight`
    are inside `mark` elements of class `quote`, the first of which has the id `quote`. `page_kind` is what a
    page is called, such as "slide". Rows of a sheet begin with their number. All text is escaped.
    """
    return _Page(text, page_kind, highlight).render(title, blocks, page_starts)


class _Page:
    """Writes one page; remembers which ids it has given."""

    def __init__(self, text: str, page_kind: str, highlight: tuple[int, int] | None) -> None:
        self._text = text
        self._page_kind = page_kind.capitalize()
        self._highlight = highlight or (0, 0)
        self._has_mark = False
        self._headings = 0
        self._pages = 0

    def render(self, title: str, blocks: Sequence[Block], page_starts: Sequence[int]) -> str:
        parts = [f'<article class="document" aria-label="{escape(title)}">']
        for group in _group_blocks(self._text, blocks):
            parts += self._write_page_marks(page_starts, group[0].start)
            parts.append(self._write_group(group))
        parts += self._write_page_marks(page_starts, len(self._text))
        return "\n".join([*parts, "</article>"])

    def _write_page_marks(self, page_starts: Sequence[int], offset: int) -> Iterator[str]:
        """Yield a mark for each page that begins at or before an offset and has none yet."""
        while self._pages < len(page_starts) and page_starts[self._pages] <= offset:
            self._pages += 1
            label = f"{self._page_kind} {self._pages}"
            yield f'<p class="page-number" id="page-{self._pages}">{label}</p>'

    def _write_group(self, group: Sequence[Block]) -> str:
        block = group[0]
        match block.kind:
            case "list_item":
                return self._write_list(group)
            case "table_header" | "table_row":
                return self._write_table(group)
            case "heading":
                self._headings += 1
                tag = f"h{min(max(block.level, 1), 6)}"
                return f'<{tag} id="heading-{self._headings}">{self._write_block(block)}</{tag}>'
            case "code":
                return f"<pre><code>{self._write_block(block)}</code></pre>"
            case _:
                return f"<p>{self._write_block(block)}</p>"

    def _write_list(self, items: Sequence[Block]) -> str:
        parts: list[str] = []
        depths: list[int] = []
        for item in items:
            while depths and depths[-1] > item.level:
                depths.pop()
                parts.append("</li></ul>")
            if depths and depths[-1] == item.level:
                parts.append("</li>")
            else:
                depths.append(item.level)
                parts.append("<ul>")
            parts.append(f"<li>{self._write_block(item)}")
        return "".join([*parts, *("</li></ul>" for _ in depths)])

    def _write_table(self, rows: Sequence[Block]) -> str:
        parts = ["<table>"]
        for kind, part in groupby(rows, key=lambda row: row.kind):
            outer, cell = ("thead", 'th scope="col"') if kind == "table_header" else ("tbody", "td")
            parts.append(f"<{outer}>{''.join(self._write_row(row, cell) for row in part)}</{outer}>")
        return "".join([*parts, "</table>"])

    def _write_row(self, row: Block, tag: str) -> str:
        spans = split_cells(self._text[row.start : row.end])
        cells = (self._write_words(row.start + start, row.start + end) for start, end in spans)
        number = f'<td class="row-number">{row.row}</td>' if row.row else ""
        return f"<tr>{number}{''.join(f'<{tag}>{cell}</{tag[:2]}>' for cell in cells)}</tr>"

    def _write_block(self, block: Block) -> str:
        return self._write_words(block.start, block.end)

    def _write_words(self, start: int, end: int) -> str:
        """Return the escaped characters, those to highlight inside a mark."""
        first, last = max(start, self._highlight[0]), min(end, self._highlight[1])
        if first >= last or not self._text[first:last].strip():
            return escape(self._text[start:end])
        identity = "" if self._has_mark else ' id="quote"'
        self._has_mark = True
        before, marked, after = self._text[start:first], self._text[first:last], self._text[last:end]
        return f'{escape(before)}<mark class="quote"{identity}>{escape(marked)}</mark>{escape(after)}'


def _group_blocks(text: str, blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Yield the items of each list and the rows of each table together, other blocks alone."""
    group: list[Block] = []
    for block in blocks:
        # Only items of one list and rows of one table are a single line apart.
        if group and text[group[-1].end : block.start] != "\n":
            yield group
            group = []
        group.append(block)
    if group:
        yield group
