"""What is read: corpora, documents and their chunks.

`text[start:end]` always speaks of characters of `Document.text`, the plain text that a file was read to,
counted from zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Span = tuple[int, int]
"""Start and end of a stretch of characters."""
NumberedStart = tuple[int, int]
"""Where a page or a row of a sheet begins in the text, and its number from 1."""
SheetStart = tuple[int, str]
"""Where a sheet of a workbook begins in the text, and its name; a text file's table has none."""
BlockKind = Literal["heading", "paragraph", "list_item", "table_header", "table_row", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a document: the characters `text[start:end]`.

    Blocks are in reading order and do not overlap; the text between two blocks is white space.
    `level` is 1 to 6 for headings and the nesting depth (from 1) for list items, else 0. `row` is the row of
    its sheet as a spreadsheet program numbers it, from 1; 0 for what stands in no sheet.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a file format's reader makes of one file.

    `page_starts[i]` is the offset at which page i + 1 begins; empty for formats without pages.
    `date` is the ISO day (YYYY-MM-DD) that the document states for itself, if any. `authors` are those that
    its file names, parted by "; ". Of a PDF, `unread_pages` are those without words (no text layer, and
    nothing was read off their picture) and `recognized_pages` those whose words were read off their picture,
    as ranges from 1: "2-4, 7". `sheets` are those of a spreadsheet. Cells of a table row are joined with
    ` | `.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    page_starts: tuple[int, ...] = ()
    date: str | None = None
    authors: str = ""
    unread_pages: str = ""
    recognized_pages: str = ""
    sheets: tuple[SheetStart, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """The register's line about one file: what it is, and how reading it ended.

    `path` is relative to the corpus's documents folder, with forward slashes.
    `problem` is None for a document that can be searched, else why the file was refused. `language`
    is the ISO 639-1 code of the language that most of the text is in, where it could be told. The last three
    are those of `ParsedDocument`.
    """

    id: str
    corpus: str
    path: str
    title: str
    format: str
    size_bytes: int
    modified_ns: int
    sha256: str
    date: str | None
    pages: int
    chunks: int
    added_at: str
    problem: str | None = None
    language: str | None = None
    authors: str = ""
    unread_pages: str = ""
    recognized_pages: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document in the library: its register line and its parsed content."""

    record: DocumentRecord
    text: str
    blocks: tuple[Block, ...]
    page_starts: tuple[int, ...]
    sheets: tuple[SheetStart, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document small enough for the embedder: `document.text[start:end] == text`.

    `context` is what the piece needs to make sense alone (document title, headings, the header of
    its table). It is embedded and indexed in front of `text`, but is no part of it. `page` is the one that
    it begins on. `sheet` is the name of the spreadsheet's sheet that it stands in, None elsewhere.
    `starts` are those of the sheet's rows in it, else of the further pages that it reaches.
    """

    id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    context: str
    page: int | None
    sheet: str | None = None
    starts: tuple[NumberedStart, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetRows:
    """Rows of a sheet, as a spreadsheet program numbers them; `sheet` is empty for a text file's table."""

    sheet: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of documents that one can chat with: `corpora/<name>/`."""

    name: str
    title: str
    description: str
    starter_questions: tuple[str, ...]
    documents: int = 0
    chunks: int = 0
