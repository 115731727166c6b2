"""LaTeX made simpler before it is parsed: short forms written out, commands without words taken away."""

from __future__ import annotations

import re

MAX_EXPANDED_CHARACTERS = 1_000_000
HIDDEN = "hiddencode"
"""The name of the environment in which the number of a piece of code stands."""

_MAX_ROUNDS = 3
_MAX_BODY_CHARACTERS = 500
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(?:\n(?![ \t]*\n)[ \t]*)?")
_VERBATIM = re.compile(
    r"\\begin\{(?P<name>verbatim\*?|Verbatim|lstlisting|minted|alltt)\}(?P<options>(?:\[[^\[\]]*\]|\{[^{}]*\})*)"
    r"(?P<code>.*?)\\end\{(?P=name)\}",
    re.DOTALL,
)
_DEFINITION = re.compile(
    r"\\(?P<kind>newcommand|renewcommand|providecommand|newenvironment|renewenvironment|DeclareMathOperator"
    r"|newtheorem|def|gdef|edef|let)(?![a-zA-Z])\*?[ \t]*"
)
_NAME = re.compile(r"\{?[ \t]*\\(?P<name>(?:[a-zA-Z]+|.)[^\\{}\[\]#\s]*)[ \t]*\}?|\{[^{}]*\}")
_BETWEEN = re.compile(r"\s*(?:\[[^\[\]]*\]|#\d)")
_SPACE = re.compile(r"\s*")
_SIGN = re.compile(r"\\.|[{}]", re.DOTALL)
_LET = re.compile(r"\\[a-zA-Z]+[ \t]*=?[ \t]*(?:\\[a-zA-Z]+|.)")
_BODIES = {"newenvironment": 2, "renewenvironment": 2}

_SILENT = re.compile(
    r"\\(?:[vh]space|setlength|addtolength|setcounter|addtocounter|documentclass|documentstyle|usepackage|input|include"
    r"|bibliographystyle|bibliography|pagestyle|thispagestyle|pagenumbering|label|color|definecolor|hypersetup|vskip"
    r"|hskip|cline|cmidrule|hline|toprule|midrule|bottomrule|includegraphics|graphicspath|newpage|clearpage"
    r"|noindent|centering|maketitle|tableofcontents|appendix|bigskip|medskip|smallskip|useunder|rule)"
    r"(?![a-zA-Z])\*?(?:\([^()]*\))?(?:\s*\[[^\[\]]*\]|\s*\{[^{}]*\})*"
    r"|\\looseness\s*=?\s*-?\d|\\[a-zA-Z]+\s*=\s*-?[\d.]+\s*(?:pt|em|ex|cm|mm|in)(?![a-zA-Z])"
)
_TABLE = re.compile(
    r"\\begin\{(?:tabular[xy*]?|longtable|supertabular)\}(?:\s*\[[^\[\]]*\]|\s*\{(?:[^{}]|\{[^{}]*\})*\})+"
)
_TABLE_END = re.compile(r"\\end\{(?:tabular[xy*]?|longtable|supertabular)\}")
_FRAME = re.compile(
    r"(\\begin\{(?:wrapfigure|wraptable|minipage|subfigure|subtable|multicols|adjustbox|figure\*?|table\*?|enumerate"
    r"|itemize|thebibliography)\})(?:\[[^\[\]]*\]|\{[^{}]*\})+"
)
_CAPTION_OF = re.compile(r"\\captionof\*?\{[^{}]*\}")
_REPLACED = (
    (re.compile(r"\\xspace(?![a-zA-Z])"), "{}"),
    (re.compile(r"\\thanks(?![a-zA-Z])"), r"\\footnote"),
    (
        re.compile(
            r"\\(?:parbox|[mr]akebox|raisebox|resizebox|scalebox|framebox|colorbox)(?![a-zA-Z])\*?"
            r"(?:\s*\[[^\[\]]*\])*(?:\s*\{[^{}]*\}(?=\s*\{))*"
        ),
        "",
    ),
    (re.compile(r"\\href\s*\{[^{}]*\}"), ""),
    (re.compile(r"\\tabularnewline(?![a-zA-Z])"), r"\\\\"),
)


def hide_verbatim(source: str) -> tuple[str, list[str]]:
    """Return the source with a number in place of each piece of code, and the pieces.

    What is a comment or a command anywhere else is only a sign in code.
    """
    pieces: list[str] = []

    def hide(match: re.Match[str]) -> str:
        pieces.append(match["code"])
        return f"\\begin{{{HIDDEN}}}{len(pieces) - 1}\\end{{{HIDDEN}}}"

    return _VERBATIM.sub(hide, source), pieces


def simplify_source(source: str) -> str:
    """Return the source without commands that set, draw or place things, and without how tables are ruled."""
    source = _CAPTION_OF.sub(r"\\caption", _SILENT.sub("", source))
    for command, plain in _REPLACED:
        source = command.sub(plain, source)
    source = _TABLE_END.sub(r"\\end{tabular}", _TABLE.sub(r"\\begin{tabular}{l}", source))
    return _FRAME.sub(r"\1", source)


def expand_macros(source: str) -> str:
    """Return the source with short forms without arguments written out, and without what defines things.

    Comments go too. Forms that use each other are followed a few times, and no further than the text grows
    to `MAX_EXPANDED_CHARACTERS`.
    """
    pieces: list[str] = []
    bodies: dict[str, str] = {}
    at = 0
    source = _COMMENT.sub(r"\1", source)
    ends = find_group_ends(source)
    while definition := _DEFINITION.search(source, at):
        pieces.append(source[at : definition.start()])
        at, name, body = _read_definition(source, definition, ends)
        if name and body is not None and len(body) <= _MAX_BODY_CHARACTERS:
            bodies[name] = body
    pieces.append(source[at:])
    return _replace_macros("".join(pieces), bodies)


def _read_definition(
    source: str, definition: re.Match[str], ends: dict[int, int]
) -> tuple[int, str, str | None]:
    """Return where a definition ends, what it defines and what that stands for: None for more than words."""
    kind, at = definition["kind"], definition.end()
    if kind == "let":
        let = _LET.match(source, at)
        return (let.end() if let else at), "", None
    if not (name := _NAME.match(source, at)):
        return at, "", None
    at = name.end()
    takes_arguments = False
    while between := _BETWEEN.match(source, at):
        takes_arguments, at = True, between.end()
    found: list[str] = []
    for _ in range(_BODIES.get(kind, 1)):
        start = skip_space(source, at)
        at = ends.get(start, at)
        found.append(source[start + 1 : at - 1])
    while kind == "newtheorem" and (between := _BETWEEN.match(source, at)):
        at = between.end()
    is_plain = not takes_arguments and kind.endswith(("command", "def"))
    return at, name["name"] or "", found[0] if is_plain else None


def find_group_ends(source: str) -> dict[int, int]:
    """Return where each group in braces ends, by where it begins; braces without a partner are left out."""
    begun: list[int] = []
    ends: dict[int, int] = {}
    for sign in _SIGN.finditer(source):
        if sign[0] == "{":
            begun.append(sign.start())
        elif sign[0] == "}" and begun:
            ends[begun.pop()] = sign.end()
    return ends


def skip_space(source: str, start: int) -> int:
    """Return where the first sign stands at or after `start` that is no white space."""
    space = _SPACE.match(source, start)
    return space.end() if space else start


def _replace_macros(source: str, bodies: dict[str, str]) -> str:
    if not bodies:
        return source
    names = (re.escape(name) for name in sorted(bodies, key=len, reverse=True))
    pattern = re.compile(rf"\\({'|'.join(names)})(?:(?<![a-zA-Z])|(?![a-zA-Z]))")
    for _ in range(_MAX_ROUNDS):
        growth = sum(len(bodies[use[1]]) for use in pattern.finditer(source))
        if not growth or len(source) + growth > MAX_EXPANDED_CHARACTERS:
            break
        source = pattern.sub(lambda use: bodies[use[1]], source)
    return source
