"""Source code and settings files: kept word for word, cut where a definition begins at the top level."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from chatbot.documents.data_files import read_data_text
from chatbot.documents.files import looks_like_text
from chatbot.documents.metadata import finish_document
from chatbot.documents.text import TextBuilder, clean_characters
from chatbot.errors import DocumentTooLarge
from chatbot.types import ParsedDocument

NAME = "source code"
SUFFIXES = (
    *(".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".java", ".kt", ".scala", ".groovy"),
    *(".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".go", ".rs", ".swift", ".rb", ".php", ".pl", ".lua", ".r"),
    *(".jl", ".dart", ".sh", ".bash", ".ps1", ".bat", ".sql", ".graphql", ".proto", ".css", ".scss"),
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".tf"),
)

MAX_LINE_CHARACTERS = 50_000

_MAX_HEADING_CHARACTERS = 100
# Two words at most may stand before the word that says what is defined: "export default class".
_DEFINITION = re.compile(
    r"(?:(?:@?[a-z]+(?:\([a-z]+\))?) ){0,3}"
    r"(?:def|class|function\*?|func|fn|fun|sub|struct|enum|interface|trait|impl|module|namespace|message|service"
    r"|type|object|record|protocol|extension|resource|variable|provider)\s+[\w$\"'<(&*].*"
    r"|(?:create|alter)\s+(?:or\s+replace\s+)?[a-z ]*?"
    r"(?:table|view|function|procedure|trigger|index|type)\s.*"
    r"|\[\[?[\w.\"' :-]+\]?\]\s*(?:[#;].*)?"
    r"|[\w.\"'/-]+:\s*(?:#.*)?"
    r"|[\w-]+\s*\(\)\s*\{.*",
    re.IGNORECASE,
)
_LEADS_IN = re.compile(r"(?:@|#(?!include|define|if|pragma)|//|/\*|\*/|--|;|\"\"\"|#\[)")
_CLOSES = re.compile(r"[\])}]|end\b|else\b|elif\b|except\b|finally\b|catch\b")
_HEADING_END = re.compile(r"\s*(?:[{:(]|=>)?\s*(?:(?:#|//).*)?$")

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a file of source code.

    Raises DocumentTooLarge for a line of more than `MAX_LINE_CHARACTERS`, which no person wrote, and
    DocumentError.
    """
    lines = clean_characters(read_data_text(path)).split("\n")
    longest = max(len(line) for line in lines)
    if longest > MAX_LINE_CHARACTERS:
        raise DocumentTooLarge(
            f"“{path.name}” has a line of {longest:,} characters: a program wrote it, not a person.",
            "Add the source that it was made from.",
        )
    builder = TextBuilder()
    for piece in split_code(lines):
        if heading := _find_heading(piece):
            builder.add("heading", heading, 2)
        builder.add("code", "\n".join(piece))
    return finish_document(builder, path, titles=[path.name])


def split_code(lines: list[str]) -> Iterator[list[str]]:
    """Yield the lines in pieces: each begins at the margin, after a blank line or with a definition.

    Comments and decorators right above a definition belong to it.
    """
    piece: list[str] = []
    for line in lines:
        if piece and _begins_piece(piece, line):
            yield piece
            piece = []
        if line.strip() or piece:
            piece.append(line)
    if piece:
        yield piece


def _begins_piece(piece: list[str], line: str) -> bool:
    if not line.strip() or line[0].isspace() or _CLOSES.match(line):
        return False
    if not piece[-1].strip():
        return True
    return bool(_DEFINITION.fullmatch(line)) and not all(map(_LEADS_IN.match, piece))


def _find_heading(piece: list[str]) -> str:
    """Return the line with which a piece defines something, without what opens its body; else nothing."""
    line = next((line for line in piece if not _LEADS_IN.match(line)), "")
    if not _DEFINITION.fullmatch(line):
        return ""
    return _HEADING_END.sub("", line)[:_MAX_HEADING_CHARACTERS].rstrip()
