"""reStructuredText (.rst): written as HTML by docutils, which may open no other file, and read as that."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.html import add_html
from chatbot.documents.metadata import finish_document
from chatbot.documents.text import TextBuilder, clean_characters
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

if TYPE_CHECKING:
    from docutils import nodes

NAME = "reStructuredText"
SUFFIXES = (".rst", ".rest")

MAX_LINE_CHARACTERS = 10_000_000

# No file that a document names is opened, no address fetched and no other markup let through.
_SAFE_SETTINGS: dict[str, Any] = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "math_output": "LaTeX",
    "syntax_highlight": "none",
    "line_length_limit": MAX_LINE_CHARACTERS,
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": False,
    "output_encoding": "unicode",
    "docinfo_xform": False,
    "smart_quotes": False,
}
_MAX_NESTING = 8
# Roles of other programs, such as Sphinx's :ref:`words <target>`; docutils knows those that are excepted.
_FOREIGN_ROLE = re.compile(
    r":(?!(?:math|code|raw|sub|sup|subscript|superscript|emphasis|strong|literal|title-reference):)"
    r"[a-zA-Z][\w.+:-]*:`~?!?([^`<>]+?)(?:\s*<[^`<>]*>)?`"
)
_DIRECTIVE = re.compile(r"\.\. (?:\|[^|]*\| )?(?P<name>[\w:.+-]+?)::(?P<argument>.*)")
_OPTION = re.compile(r"\s*:[\w-]+:")
# Directives that hold paths and names for a program, and no words for a reader.
_WORDLESS = re.compile(
    r"(?:\w+:)?(?:toctree|index|include|literalinclude|raw|auto\w+|currentmodule|module|highlight|only|image|figure"
    r"|csv-table|tags?|meta|inheritance-diagram|graphviz|plot|tabularcolumns|cssclass|rst-class)"
)
_SHOWN_AS = {
    "versionadded": "New in",
    "versionchanged": "Changed in",
    "versionremoved": "Removed in",
    "deprecated": "Deprecated since",
}
"""What Sphinx writes before the argument of its directives."""

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a reStructuredText file. Raises DocumentError."""
    source = clean_characters(read_text(path))
    builder = TextBuilder()
    try:
        add_html(builder, _write_html(source))
    except RecursionError as error:
        raise CorruptDocument(
            f"“{path.name}” nests its parts too deeply to be read.", "Save it as plain text and add that."
        ) from error
    return finish_document(builder, path)


def _write_html(source: str) -> str:
    from docutils.core import publish_from_doctree

    tree = _parse(source, 1)
    page: str = publish_from_doctree(tree, writer="html5", settings_overrides=_SAFE_SETTINGS)
    return page


def _parse(source: str, depth: int) -> nodes.document:
    """Return the tree of a text, with the words of unknown directives in it and pictures as words."""
    from docutils import nodes
    from docutils.core import publish_doctree

    tree = publish_doctree(_FOREIGN_ROLE.sub(r"\1", source), settings_overrides=_SAFE_SETTINGS)
    for message in list(tree.findall(nodes.system_message)):
        literals = list(message.findall(nodes.literal_block))
        words = _read_directive(literals[0].astext(), depth) if literals else []
        if message.parent is not None:
            message.parent.replace(message, words)
    for image in list(tree.findall(nodes.image)):
        image.parent.replace(image, nodes.inline("", image.get("alt", "")))
    return tree


def _read_directive(source: str, depth: int) -> list[nodes.Node]:
    """Return the words of a directive that docutils does not know: its argument and what stands below it."""
    from docutils import nodes

    first, _, rest = source.partition("\n")
    directive = _DIRECTIVE.match(first)
    if not directive or depth > _MAX_NESTING or _WORDLESS.fullmatch(directive["name"]):
        return []
    lines = rest.split("\n")
    while lines and _OPTION.match(lines[0]):
        lines.pop(0)
    content = textwrap.dedent("\n".join(lines)).strip()
    argument = f"{_SHOWN_AS.get(directive['name'], '')} {directive['argument'].strip()}".strip()
    found: list[nodes.Node] = [nodes.paragraph(argument, argument)] if argument else []
    return [*found, *_parse(content, depth + 1).children] if content else found
