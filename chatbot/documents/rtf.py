"""Rich Text Format (.rtf): headings, paragraphs, lists, tables, text boxes and footnotes in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from chatbot.documents.files import read_bytes
from chatbot.documents.flow import FlowWriter, ParagraphStyle
from chatbot.documents.metadata import finish_document
from chatbot.documents.rtf_tokens import Token, read_tokens
from chatbot.documents.text import TextBuilder
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

NAME = "RTF"
SUFFIXES = (".rtf",)

# Groups that hold something else than words of the text, beside the optional ones that are not known here.
_SKIPPED = frozenset(
    "fonttbl colortbl filetbl revtbl listtable listoverridetable pict object header headerl headerr headerf "
    "footer footerl footerr footerf fldinst xe tc sp shprslt nonesttables atnid annotation do pn "
    "operator company subject keywords comment doccomm category manager printim buptim ftnsep aftnsep".split()
)
_ASIDES = frozenset({"footnote", "shptxt"})
_DESTINATIONS = frozenset(
    {*_ASIDES, "shpinst", "stylesheet", "info", "title", "author", "revtim", "creatim", "listtext", "pntext"}
)
_MARKERS = frozenset({"listtext", "pntext"})
_MOMENTS = ("revtim", "creatim")
_BREAKS = frozenset({"par", "sect", "page"})
_HEADING_NAME = re.compile(r"heading (\d)", re.IGNORECASE)
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds until the end of a group: what it is for, and how its words are shown."""

    destination: str = ""
    is_skipped: bool = False
    is_hidden: bool = False
    style: int = 0
    heading: int = 0
    list_level: int = 0
    is_in_table: bool = False


def accepts(head: bytes) -> bool:
    """Whether the first bytes are those of Rich Text Format."""
    return head.lstrip().startswith(b"{\\rtf")


def load(path: Path) -> ParsedDocument:
    """Read a document in Rich Text Format. Raises DocumentError."""
    builder = TextBuilder()
    try:
        parser = add_rtf(builder, read_bytes(path))
    except ValueError as error:
        raise CorruptDocument(
            f"“{path.name}” nests its groups too deeply to be read.", "Save it again, or as .docx."
        ) from error
    return finish_document(
        builder,
        path,
        titles=[parser.title],
        dates=map(parser.find_day, _MOMENTS),
        authors=[parser.author],
    )


def add_rtf(builder: TextBuilder, source: bytes) -> RtfParser:
    """Append what a text in Rich Text Format holds; what it says of itself is the parser's.

    Raises ValueError where its groups nest too deeply.
    """
    parser = RtfParser(FlowWriter(builder))
    for token in read_tokens(source.decode("latin-1").lstrip()):
        parser.take(token)
    parser.finish()
    return parser


class RtfParser:
    """Takes the tokens of a document; its paragraphs and cells go to a writer."""

    def __init__(self, writer: FlowWriter) -> None:
        self.title = ""
        self.author = ""
        self._writer = writer
        self._groups = [_Group()]
        self._words: list[str] = []
        self._words_around: list[str] = []
        self._asides: list[str] = []
        self._headings: dict[int, int] = {}
        self._style_name = ""
        self._marker = ""
        self._is_header_row = False
        self._moments: dict[tuple[str, str], int] = {}

    def take(self, token: Token) -> None:
        """Read one token further."""
        match token.kind:
            case "begin":
                self._groups.append(self._groups[-1])
            case "end":
                self._end_group()
            case "text":
                self._add_text(token.text)
            case "word":
                self._take_word(token)

    def finish(self) -> None:
        """Write what the last paragraph and table hold."""
        self._end_paragraph()
        self._writer.end_table()

    def find_day(self, moment: str) -> str | None:
        """Return the ISO day of the last change (`revtim`) or the first writing (`creatim`)."""
        year, month, day = (self._moments.get((moment, part), 0) for part in ("yr", "mo", "dy"))
        return (
            f"{year:04}-{month:02}-{day:02}"
            if 1980 < year < 10_000 and 0 < month < 13 and 0 < day < 32
            else None
        )

    def _add_text(self, text: str) -> None:
        group = self._groups[-1]
        if group.is_skipped or group.is_hidden:
            return
        if group.destination in ("", *_ASIDES):
            self._words.append(text)
        elif group.destination == "title":
            self.title += text
        elif group.destination == "author":
            self.author += text
        elif group.destination == "stylesheet":
            self._style_name += text
        elif group.destination in _MARKERS:
            self._marker += text

    def _end_group(self) -> None:
        if len(self._groups) == 1:
            return
        ended = self._groups.pop()
        outer = self._groups[-1]
        if ended.destination == outer.destination == "stylesheet":
            self._headings[ended.style] = ended.heading or _read_heading_name(self._style_name)
            self._style_name = ""
        elif ended.destination in _ASIDES and outer.destination != ended.destination:
            self._asides.append("".join(self._words))
            self._words = self._words_around

    def _take_word(self, token: Token) -> None:
        word, group = token.text, self._groups[-1]
        if word in _DESTINATIONS:
            self._begin_destination(word)
        elif word in _SKIPPED or token.is_optional:
            self._groups[-1] = replace(group, is_skipped=True)
        elif group.is_skipped:
            return
        elif word in _BREAKS:
            self._break_line()
        elif word == "cell":
            self._end_cell()
        elif word == "row":
            self._writer.end_row(is_header=self._is_header_row)
        elif group.destination in _MOMENTS:
            self._moments[group.destination, word] = token.number or 0
        else:
            self._set_property(word, token.number)

    def _begin_destination(self, word: str) -> None:
        group = self._groups[-1]
        if word in _ASIDES and not group.is_skipped:
            if group.destination in _ASIDES:
                return  # what is drawn in a footnote belongs to it
            self._words_around, self._words = self._words, []
        self._groups[-1] = replace(group, destination=word)

    def _set_property(self, word: str, number: int | None) -> None:
        group = self._groups[-1]
        match word:
            case "pard":
                group = replace(group, style=0, heading=0, list_level=0, is_in_table=False)
            case "plain":
                group = replace(group, is_hidden=False)
            case "v" | "deleted":
                group = replace(group, is_hidden=number != 0)
            case "s":
                group = replace(group, style=number or 0)
            case "outlinelevel" if number is not None:
                group = replace(group, heading=min(number + 1, 6) if 0 <= number < 9 else 0)
            case "ilvl":
                group = replace(group, list_level=min(max(number or 0, 0), 8) + 1)
            case "ls":
                group = replace(group, list_level=group.list_level or 1 if number else 0)
            case "intbl":
                group = replace(group, is_in_table=True)
            case "trowd" | "trhdr":
                self._is_header_row = word == "trhdr"
        self._groups[-1] = group

    def _break_line(self) -> None:
        group = self._groups[-1]
        if group.is_in_table or group.destination in _ASIDES:
            self._words.append("\n")
        elif not group.destination:
            self._end_paragraph()

    def _end_paragraph(self) -> None:
        group = self._groups[-1]
        heading = group.heading or self._headings.get(group.style, 0)
        list_level = group.list_level or int(bool(self._marker.strip()))
        marker = self._marker.strip()
        number = f"{marker} " if any(map(str.isalnum, marker)) and not heading else ""
        self._writer.add_paragraph(number + self._take_words(), ParagraphStyle(heading, list_level))
        for aside in self._asides:
            for line in aside.split("\n"):
                self._writer.add_paragraph(line)
        self._asides = []

    def _end_cell(self) -> None:
        self._writer.add_cell("\n".join([self._take_words(), *self._asides]))
        self._asides = []

    def _take_words(self) -> str:
        words = "".join(self._words)
        self._words = []
        self._marker = ""
        return _SURROGATES.sub(_join_surrogates, words)


def _read_heading_name(name: str) -> int:
    """Return the level of a style by its name, 0 for what is no heading."""
    if match := _HEADING_NAME.match(name.strip()):
        return min(max(int(match[1]), 1), 6)
    return int(name.strip(" ;").lower() == "title")


def _join_surrogates(match: re.Match[str]) -> str:
    return match[0].encode("utf-16", "surrogatepass").decode("utf-16")
