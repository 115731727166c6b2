"""LaTeX (.tex): the words and the structure; nothing is typeset and no other file is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chatbot.documents.files import looks_like_text, read_text
from chatbot.documents.latex_source import (
    HIDDEN,
    expand_macros,
    find_group_ends,
    hide_verbatim,
    simplify_source,
    skip_space,
)
from chatbot.documents.metadata import finish_document, read_date
from chatbot.documents.text import TextBuilder, clean_characters, clean_line
from chatbot.errors import CorruptDocument
from chatbot.types import ParsedDocument

NAME = "LaTeX"
SUFFIXES = (".tex", ".ltx")

_LEVELS = {
    "part": 1,
    "chapter": 2,
    "section": 3,
    "subsection": 4,
    "subsubsection": 5,
    "paragraph": 6,
    "subparagraph": 6,
}
_LISTS = frozenset(("itemize", "enumerate", "description", "thebibliography"))
_FORMULAS = frozenset(
    name + star
    for name in ("equation", "align", "eqnarray", "gather", "multline", "displaymath", "flalign", "math")
    for star in ("", "*")
)
_STATEMENTS = frozenset(
    "abstract theorem lemma corollary proposition definition remark example conjecture proof claim fact "
    "problem question axiom".split()
)
_PREAMBLE = re.compile(r"\\(?:documentclass|documentstyle|usepackage)\s*(?:\[[^\[\]]*\]\s*)?\{[^{}]*\}")
_BODY = re.compile(r"\\begin\{document\}(?P<body>.*?)(?:\\end\{document\}|\Z)", re.DOTALL)
# Commands whose words the converter would leave out.
_PLAIN = "texttt verb url path mbox textnormal".split()
_REFERENCES = (
    *("cite", "citep", "citet", "citealp", "citeauthor", "citeyear", "parencite", "textcite"),
    *("ref", "eqref", "autoref", "cref", "Cref", "pageref"),
)
_OPTION = re.compile(r"\s*\[[^\[\]]*\]")
_BREAK = re.compile(r"\n\s*\n|\\par(?![a-zA-Z])")

Nodes = Sequence[Any]
"""Nodes of pylatexenc, which has no types."""

accepts = looks_like_text


def load(path: Path) -> ParsedDocument:
    """Read a LaTeX file. Raises DocumentError."""
    try:
        return _load(path)
    except RecursionError as error:
        raise CorruptDocument(
            f"“{path.name}” nests its groups too deeply to be read.", "Save it as plain text and add that."
        ) from error


def _load(path: Path) -> ParsedDocument:
    source, pieces = hide_verbatim(clean_characters(read_text(path)))
    source = expand_macros(source)
    writer = _Writer(pieces)
    writer.builder.add("code", "\n".join(_PREAMBLE.findall(source)))
    source, title = _take_command(source, "title")
    source, author = _take_command(source, "author")
    source, date = _take_command(source, "date")
    writer.builder.add("heading", writer.read_source(title), 1)
    parts = [re.split(r"\\\\", part) for part in re.split(r"\\and(?![a-zA-Z])", author)]
    for lines in parts:
        for line in lines:
            writer.builder.add("paragraph", writer.read_source(line))
    body = _BODY.search(source)
    writer.write(_parse(body["body"] if body else source))
    return finish_document(
        writer.builder,
        path,
        titles=[writer.read_source(title)],
        dates=[read_date(date)],
        authors=[writer.read_source(lines[0]) for lines in parts],  # below a name stands where it works
    )


def _take_command(source: str, name: str) -> tuple[str, str]:
    """Return the source without a command, and what stands in its braces."""
    command = re.search(rf"\\{name}(?![a-zA-Z])", source)
    if not command:
        return source, ""
    option = _OPTION.match(source, command.end())
    start = skip_space(source, option.end() if option else command.end())
    end = find_group_ends(source).get(start, start)
    return source[: command.start()] + source[end:], source[start + 1 : end - 1]


def _parse(source: str) -> Nodes:
    from pylatexenc.latexwalker import LatexWalker

    nodes: Nodes = LatexWalker(simplify_source(source), tolerant_parsing=True).get_latex_nodes()[0]
    return nodes


class _Writer:
    """Turns nodes into blocks; those within a line gather until something else begins.

    `pieces` are the pieces of code whose numbers stand in their places.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = pieces
        self.builder = TextBuilder()
        self._inline: list[Any] = []
        self._marker: str | None = None
        self._depth = 0
        self._converter = _make_converter()

    def read_source(self, source: str) -> str:
        """Return the words of a piece of source."""
        return clean_line(self._read(_parse(source)))

    def write(self, nodes: Nodes) -> None:
        """Add the blocks of nodes in order."""
        for node in nodes:
            self._write_node(node)
        self._flush()

    def _write_node(self, node: Any) -> None:  # noqa: ANN401 - a node
        name = getattr(node, "macroname", "")
        if environment := getattr(node, "environmentname", ""):
            self._flush()
            self._write_environment(environment, node)
        elif name in _LEVELS or name == "caption":
            self._flush()
            words = self._read(_last_argument(node))
            kind, level = ("paragraph", 0) if name == "caption" else ("heading", _LEVELS[name])
            self.builder.add("heading" if kind == "heading" else "paragraph", words, level)
        elif getattr(node, "displaytype", "") == "display":
            self._flush()
            self.builder.add("code", self._read_verbatim(node.nodelist))
        elif _holds_blocks(node):
            self._flush()
            self.write(_list_inner(node))
        else:
            self._inline.append(node)

    def _write_environment(self, name: str, node: Any) -> None:  # noqa: ANN401 - a node
        if name in _LISTS:
            self._write_list(name, node)
        elif name == "tabular":
            self._write_table(node)
        elif name == HIDDEN:
            number = self._read_verbatim(node.nodelist).strip()
            is_known = number.isdecimal() and int(number) < len(self._pieces)
            self.builder.add("code", self._pieces[int(number)] if is_known else number)
        elif name in _FORMULAS:
            self.builder.add("code", self._read_verbatim(node.nodelist))
        elif name != "comment":
            if name.rstrip("*").lower() in _STATEMENTS:
                self._inline += _parse(f"{name.rstrip('*').capitalize()}. ")
            self.write(_skip_options(node.nodelist))

    def _write_list(self, name: str, node: Any) -> None:  # noqa: ANN401 - a node
        self._depth += 1
        number = 0
        for child in _skip_options(node.nodelist):
            if getattr(child, "macroname", "") not in ("item", "bibitem"):
                self._write_node(child)
                continue
            self._flush()
            number += 1
            label = clean_line(self._read(_last_argument(child)))
            self._marker = f"{label} " if label else f"{number}. " if name == "enumerate" else ""
        self._flush()
        self._marker = None
        self._depth -= 1
        if not self._depth:
            self.builder.end_group()

    def _write_table(self, node: Any) -> None:  # noqa: ANN401 - a node
        rows = [[clean_line(self._read(cell)) for cell in row] for row in _split_rows(node.nodelist)]
        rows = [row for row in rows if any(row)]
        self.builder.end_group()
        for number, row in enumerate(rows):
            is_header = number == 0 and len(rows) > 1 and len(row) > 1 and all(row[1:])
            self.builder.add_row(row, header=is_header)
        self.builder.end_group()

    def _flush(self) -> None:
        """Add the words gathered so far: as the list item that is open, else as paragraphs."""
        text = self._read(self._inline)
        self._inline = []
        for paragraph in _BREAK.split(text):
            if self._marker is not None and paragraph.strip():
                self.builder.add("list_item", self._marker + paragraph, min(self._depth, 6))
                self._marker = None
            else:
                self.builder.add("paragraph", paragraph)

    def _read(self, nodes: Nodes) -> str:
        try:
            return str(self._converter.nodelist_to_text(list(nodes)))
        except (LookupError, TypeError, ValueError, AttributeError):  # commands without what belongs to them
            return self._read_verbatim(nodes)

    def _read_verbatim(self, nodes: Nodes) -> str:
        return "".join(node.latex_verbatim() for node in nodes)


def _make_converter() -> Any:  # noqa: ANN401 - pylatexenc has no types
    """Return what turns nodes into words; citations and references keep their keys."""
    from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db

    known = get_default_latex_context_db()
    known.add_context_category(
        "own",
        prepend=True,
        macros=[
            *(MacroTextSpec(name, simplify_repl=_show_key) for name in _REFERENCES),
            *(MacroTextSpec(name, simplify_repl=_show_words) for name in _PLAIN),
            MacroTextSpec("bmod", simplify_repl=" mod "),
            MacroTextSpec("footnote", simplify_repl=_show_footnote),
            MacroTextSpec("\\", simplify_repl="\n"),
        ],
    )
    return LatexNodes2Text(latex_context=known, math_mode="text", strict_latex_spaces=False)


def _show_key(node: Any) -> str:  # noqa: ANN401 - a node
    return f"[{''.join(part.latex_verbatim() for part in _last_argument(node))}]"


def _show_words(node: Any, l2tobj: Any) -> str:  # noqa: ANN401 - a node, and what converts it
    return str(l2tobj.nodelist_to_text(list(_last_argument(node))))


def _show_footnote(node: Any, l2tobj: Any) -> str:  # noqa: ANN401 - a node, and what converts it
    words = _show_words(node, l2tobj).strip()
    return f" ({words})" if words else ""


def _last_argument(node: Any) -> Nodes:  # noqa: ANN401 - a node
    """Return the nodes of a command's last argument; none without one."""
    arguments = getattr(node.nodeargd, "argnlist", None) or []
    last = next((argument for argument in reversed(arguments) if argument is not None), None)
    return [] if last is None else getattr(last, "nodelist", [last])


def _skip_options(nodes: Nodes) -> Nodes:
    """Return an environment's nodes without the options in brackets that stand before its words."""
    first = nodes[0] if nodes else None
    chars = getattr(first, "chars", "")
    option = _OPTION.match(chars)
    if not option or first is None:
        return nodes
    return [*_parse(chars[option.end() :]), *nodes[1:]]


def _list_inner(node: Any) -> Nodes:  # noqa: ANN401 - a node
    """Return the nodes inside a group, or in the last argument of a command."""
    if hasattr(node, "macroname"):
        return _last_argument(node)
    return getattr(node, "nodelist", None) or []


def _holds_blocks(node: Any) -> bool:  # noqa: ANN401 - a node
    """Whether an environment or a heading lies somewhere inside a group or an argument."""
    if hasattr(node, "displaytype"):
        return False
    return any(
        hasattr(inner, "environmentname")
        or getattr(inner, "macroname", "") in _LEVELS
        or getattr(inner, "macroname", "") == "caption"
        or _holds_blocks(inner)
        for inner in _list_inner(node)
    )


def _split_rows(nodes: Nodes) -> Iterator[list[list[Any]]]:
    """Yield the rows of a table, each a list of the nodes of its cells."""
    row: list[list[Any]] = [[]]
    for node in nodes:
        if getattr(node, "macroname", "") in ("\\", "tabularnewline"):
            yield row
            row = [[]]
        elif getattr(node, "specials_chars", "") == "&":
            row.append([])
        else:
            row[-1].append(node)
    yield row
