"""Jupyter notebooks (.ipynb): the prose, the code, and what running it printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.json_values import parse_json
from chatbot.documents.markdown import add_markdown
from chatbot.documents.metadata import finish_document
from chatbot.documents.text import TextBuilder, clean_characters
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

NAME = "Jupyter notebooks"
SUFFIXES = (".ipynb",)

MAX_OUTPUT_CHARACTERS = 5000

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# What a program prints of a thing that has no text, such as <Figure size 640x480 with 1 Axes>.
_NO_TEXT = re.compile(r"\s*<[\w.]+(?: [^\n]*)?>\s*")

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a notebook. Raises DocumentError."""
    notebook = parse_json(path, read_text(path))
    metadata = _get(notebook, "metadata", dict)
    builder = TextBuilder()
    for cell in _find_cells(path, notebook):
        builder.start_page()  # so that a source tells the number of its cell
        _add_cell(builder, cell)
    title = metadata.get("title")
    authors = [author.get("name") for author in _get(metadata, "authors", list) if isinstance(author, dict)]
    return finish_document(
        builder,
        path,
        titles=[title if isinstance(title, str) else None],
        authors=[name for name in authors if isinstance(name, str)],
    )


def _find_cells(path: Path, notebook: Any) -> list[Any]:  # noqa: ANN401 - what JSON holds
    """Return the cells; those of old notebooks lie in worksheets."""
    if isinstance(notebook, dict) and isinstance(notebook.get("cells"), list):
        return list(notebook["cells"])
    sheets = _get(notebook, "worksheets", list)
    if not sheets:
        raise CorruptDocument(f"“{path.name}” is no notebook: it has no cells.", "Save it again in Jupyter.")
    return [cell for sheet in sheets for cell in _get(sheet, "cells", list)]


def _add_cell(builder: TextBuilder, cell: Any) -> None:  # noqa: ANN401 - what JSON holds
    kind = _get(cell, "cell_type", str)
    source = _join_lines(_get(cell, "source", object) or _get(cell, "input", object))
    if kind == "markdown":
        add_markdown(builder, clean_characters(source))
    elif kind == "heading":
        builder.add("heading", source, 2)
    else:
        builder.add("code", source)
        for output in _get(cell, "outputs", list):
            _add_output(builder, output)


def _add_output(builder: TextBuilder, output: Any) -> None:  # noqa: ANN401 - what JSON holds
    """Add what a cell printed, gave back or failed with; pictures are left out."""
    if _get(output, "output_type", str) == "error":
        text = f"{_get(output, 'ename', str)}: {_get(output, 'evalue', str)}"
    else:
        data = _get(output, "data", dict)
        text = _join_lines(data.get("text/plain") or _get(output, "text", object))
    text = _COLOUR.sub("", text)
    if _NO_TEXT.fullmatch(text):
        return
    cut = text[:MAX_OUTPUT_CHARACTERS]
    builder.add("code", cut if cut == text else cut + " …")


def _get(value: Any, name: str, kind: type[Any]) -> Any:  # noqa: ANN401 - what JSON holds
    """Return a member of an object where it is of the kind that it should be, else an empty one."""
    member = value.get(name) if isinstance(value, dict) else None
    if isinstance(member, kind) and member is not None:
        return member
    return "" if kind is object else kind()


def _join_lines(value: Any) -> str:  # noqa: ANN401 - what JSON holds
    """Return a text that is written whole or as a list of lines."""
    return "".join(str(line) for line in value) if isinstance(value, list) else str(value)
