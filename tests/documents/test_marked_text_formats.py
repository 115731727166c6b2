"""Formats of marked text, transcripts, data and code: what must be found in a small file, what left out."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from chatbot.documents.formats import load_document
from chatbot.documents.reader import DocumentReader
from chatbot.documents.source_code import split_code
from tests.documents.test_formats import Sample, check_sample, describe

RESTRUCTURED_TEXT = """
=============
Travel Policy
=============
:Date: 2025-03-01

.. include:: /etc/hostname
.. raw:: html

   <b>raw markup</b>

See :ref:`the guide <guide-target>`, *emphasis*, ``code`` and |unknown|.

.. note:: Book early.

.. versionadded:: 2.1
   Night trains.

.. toctree::

   secret/path

.. figure:: /etc/hostname
   :alt: A train
   :loading: embed

   Our trains

Limits
------

===== =====
City  Limit
===== =====
Oslo  180
===== =====

.. code-block:: python

   def pay(amount):
       return amount

Per diem
   Money for a day
"""

ORG = """#+TITLE: Travel Policy
#+DATE: <2025-02-03 Mon>
#+INCLUDE: "/etc/hostname"
* TODO [#A] Trains /first/     :travel:rail:
:PROPERTIES:
:ID: secret-id
:END:
Some *bold* words and [[https://example.org/target][a link]].
- First item
  goes on
  - Nested :: defined
| City | Limit |
|------+-------|
| Oslo |   180 |
# a comment
#+begin_src python
  def pay():

      return 1
#+end_src
#+begin_export html
<b>never</b>
#+end_export
: fixed words
"""

LATEX = r"""\documentclass[11pt]{article}
\usepackage{booktabs}
\newcommand{\company}{Marrowick\xspace}
\def\secret#1{never #1}
\title{Travel at \company}
\author{Ann Lee\thanks{Head of travel} \and Bob Ray}
\date{1 March 2025}
\begin{document}
\maketitle
\section{Limits} \label{sec:limits}
\company pays up to 180~euros, see~\cite{act} and \texttt{pay\_out}. % hidden comment
\begin{itemize}[noitemsep]
  \item Trains, 50\% off
  \begin{enumerate} \item Night trains \end{enumerate}
\end{itemize}
\begin{tabular}{@{}l|r@{}}
\toprule City & Limit \\ \midrule Oslo & $180$ \\ \bottomrule
\end{tabular}
\begin{theorem} Nobody walks. \end{theorem}
\begin{equation} e = mc^2 \end{equation}
\begin{lstlisting}[language=C]
x = 7 % 2; // \label{kept}
\end{lstlisting}
One line % never
goes on. % never

Another paragraph.
\input{/etc/hostname}
\end{document}
never after the end
"""

VTT = """WEBVTT - Board meeting

NOTE nobody reads this

STYLE
::cue { color: red }

00:00.500 --> 00:04.000 align:left
<v Ann Lee>We begin <i>now</i> &amp; here.</v>

cue-2
00:04.000 --> 00:06.000
<v Bob Ray>Good.

00:01:10.000 --> 00:01:12.000
<v Bob Ray>A minute later.
"""

SRT = """1
00:59:58,000 --> 00:59:59,000
{\\an8}The first line

2
00:59:59,000 --> 01:00:02,000
The first line
goes on.
"""

RECORDS = [
    {
        "id": 7,
        "name": "Ferry",
        "seats": 1.50,
        "crew": {"captain": "Ann", "mates": ["Bob", "Cid"]},
        "gone": None,
    },
    {"id": 8, "open": True, "legs": [{"to": "Oslo"}, {"to": "Bern"}]},
]

XML = """<?xml version="1.0"?><!-- hidden --><?target never?>
<fleet built="2001"><name>Northern fleet</name><date>Tue, 04 Mar 2025 10:00:00 GMT</date>
<ship flag="NO"><name>Havila</name><seats>640</seats><tag>fast</tag><tag>red</tag>
<story>&lt;p&gt;Built &lt;b&gt;twice&lt;/b&gt;.&lt;/p&gt;&lt;script&gt;never&lt;/script&gt;</story></ship>
<ship name="Eira"><para>Mixed <i>words</i> here</para><empty/><berth no="4" side="port"/></ship></fleet>
"""

PYTHON = '''"""Pays travellers."""

LIMIT = 180
RATE = 2


# How much is left.
@cached
def pay(amount: int) -> int:  # noqa: X
    """Pay."""

    return LIMIT - amount
class Payer(Person):
    pass
'''

NOTEBOOK = {
    "nbformat": 4,
    "metadata": {"title": "Travel costs"},
    "cells": [
        {"cell_type": "markdown", "source": ["# Costs\n", "\n", "Some *prose*."]},
        {
            "cell_type": "code",
            "source": "print(42)",
            "outputs": [
                {"output_type": "stream", "text": ["\x1b[31m42\x1b[0m\n"]},
                {
                    "output_type": "display_data",
                    "data": {"text/plain": ["<Figure size 640x480>"], "image/png": "never"},
                },
                {"output_type": "execute_result", "data": {"text/plain": "x" * 6000}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["never"]},
            ],
        },
    ],
}

SAMPLES = (
    Sample(
        "policy.rst",
        RESTRUCTURED_TEXT,
        (
            "heading 1 Travel Policy",
            "paragraph 0 See the guide, emphasis, code and |unknown|.",
            "paragraph 0 Book early.",
            "paragraph 0 New in 2.1",
            "paragraph 0 Night trains.",
            "paragraph 0 A train",
            "paragraph 0 Our trains",
            "heading 2 Limits",
            "table_header 0 City | Limit",
            "table_row 0 Oslo | 180",
            "code 0 def pay(amount):\n    return amount",
            "list_item 2 Money for a day",
        ),
        ("raw markup", "guide-target", "secret", "::", "data:"),
        title="Travel Policy",
        date="2025-03-01",
    ),
    Sample(
        "policy.org",
        ORG,
        (
            "heading 1 TODO Trains first\n",
            "paragraph 0 Some bold words and a link.",
            "list_item 1 First item goes on",
            "list_item 2 Nested: defined",
            "table_header 0 City | Limit",
            "table_row 0 Oslo | 180",
            "code 0 def pay():\n\n    return 1",
            "code 0 fixed words",
        ),
        ("secret", "comment", "never", "example.org", "#+", "rail", "[#A]"),
        title="Travel Policy",
        date="2025-02-03",
    ),
    Sample(
        "policy.tex",
        LATEX,
        (
            "code 0 \\documentclass[11pt]{article}\n\\usepackage{booktabs}",
            "heading 1 Travel at Marrowick",
            "paragraph 0 Ann Lee (Head of travel)",
            "heading 3 Limits",
            "paragraph 0 Marrowick pays up to 180 euros, see [act] and pay_out.",
            "list_item 1 Trains, 50% off",
            "list_item 2 1. Night trains",
            "table_header 0 City | Limit",
            "table_row 0 Oslo | 180",
            "paragraph 0 Theorem. Nobody walks.",
            "code 0 e = mc^2",
            "code 0 x = 7 % 2; // \\label{kept}\n",
            "paragraph 0 One line goes on.\nparagraph 0 Another paragraph.",
        ),
        ("hidden", "never", "hostname", "sec:limits", "toprule", "noitemsep", "@{}"),
        title="Travel at Marrowick",
        date="2025-03-01",
    ),
    Sample(
        "meeting.vtt",
        VTT,
        (
            "heading 2 00:00\nparagraph 0 Ann Lee: We begin now & here.\nparagraph 0 Bob Ray: Good.\n",
            "heading 2 01:10\nparagraph 0 Bob Ray: A minute later.",
        ),
        ("NOTE", "color", "cue-2", "<", "align"),
        title="Board meeting",
    ),
    Sample(
        "meeting.srt",
        SRT,
        ("heading 2 59:58\nparagraph 0 The first line goes on.\n",),
        ("an8", "-->", "\n2"),
        title="Meeting",
    ),
    Sample(
        "ships.json",
        json.dumps(RECORDS),
        (
            "heading 2 Ferry\nlist_item 1 id: 7\nlist_item 1 seats: 1.5\nlist_item 1 crew.captain: Ann\n",
            "list_item 1 crew.mates: Bob, Cid",
            "heading 2 id: 8\nlist_item 1 open: true\n",
            "list_item 1 legs.1.to: Oslo\nlist_item 1 legs.2.to: Bern",
        ),
        ("gone", "None", "{"),
        title="Ships",
    ),
    Sample(
        "about.json",
        json.dumps(
            {"title": "Our ships", "date": "2025-03-04", "port": {"city": "Oslo"}, "ships": RECORDS[:1]}
        ),
        (
            "list_item 1 title: Our ships",
            "heading 2 port\nlist_item 1 city: Oslo",
            "heading 2 ships\nheading 3 Ferry\n",
        ),
        title="Our ships",
        date="2025-03-04",
    ),
    Sample(
        "ships.jsonl",
        '{"question": "Why?", "answer": "So."}\n\n{"question": "How?"}',
        ("heading 2 Why?", "How?"),
    ),
    Sample("lines.json", '{"name": "One"}\n{"name": "Two"}', ("heading 2 One", "heading 2 Two")),
    Sample("plain.json", '["just", "words", 3.10]', ("list_item 1 just", "list_item 1 3.10")),
    Sample(
        "fleet.xml",
        XML,
        (
            "heading 1 Northern fleet\n",
            "heading 2 Havila\nlist_item 1 flag: NO\nlist_item 1 seats: 640\nlist_item 1 tag: fast, red\n",
            "paragraph 0 Built twice.",
            "heading 2 Eira\nparagraph 0 Mixed words here\n",
            "list_item 1 berth: no: 4, side: port",
        ),
        ("never", "hidden", "empty", "<"),
        title="Northern fleet",
        date="2025-03-04",
    ),
    Sample(
        "latin.xml",
        '<?xml version="1.0" encoding="iso-8859-1"?><p>café</p>'.encode("latin-1"),
        ("paragraph 0 café",),
    ),
    Sample(
        "pay.py",
        PYTHON,
        (
            'code 0 """Pays travellers."""\n',
            "code 0 LIMIT = 180\nRATE = 2\n",
            "heading 2 def pay(amount: int) -> int\ncode 0 # How much is left.\n@cached\ndef pay",
            "    return LIMIT - amount\nheading 2 class Payer(Person)\ncode 0 class Payer(Person):\n    pass",
        ),
        title="pay.py",
    ),
    Sample(
        "settings.toml", '[server]\nport = 1\n[server.log]\nfile = "x"\n', ("heading 2 [server]", "port = 1")
    ),
    Sample(
        "compose.yaml",
        "services:\n  web: 1\nvolumes:\n  data: 2\n",
        ("heading 2 services\ncode 0 services:\n  web",),
    ),
    Sample("tables.sql", "CREATE TABLE ship (\n  id int\n);\n", ("heading 2 CREATE TABLE ship\n",)),
    Sample(
        "costs.ipynb",
        json.dumps(NOTEBOOK),
        (
            "heading 1 Costs\nparagraph 0 Some prose.\ncode 0 print(42)\ncode 0 42\n",
            "xxx …",
            "code 0 ValueError: no",
        ),
        ("Figure", "never", "[31m", "x" * 5001),
        title="Travel costs",
    ),
)


@pytest.fixture(scope="module")
def reader():
    with DocumentReader() as reader:
        yield reader


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_format_finds_the_words_and_leaves_out_the_rest(
    sample: Sample, tmp_path: Path, reader: DocumentReader
):
    """Each sample reads to its blocks, title and date, in this process and in the child alike."""
    check_sample(sample, tmp_path, reader)


def test_code_is_cut_but_not_changed():
    """The pieces of a source file are all of its lines, in order."""
    lines = PYTHON.split("\n")

    pieces = list(split_code(lines))

    assert [line for piece in pieces for line in piece] == lines
    assert len(pieces) == 4


def test_a_minute_ends_with_a_sentence(tmp_path: Path):
    """A section of a transcript goes on over the minute until a sentence ends, and not for ever."""
    path = tmp_path / "talk.srt"
    cues = [(0, "So we"), (59, "go on"), (65, "and end."), (70, "Then"), (131, "more"), (170, "still")]
    path.write_text(
        "\n\n".join(
            f"00:{at // 60:02}:{at % 60:02},000 --> 00:{at // 60:02}:{at % 60:02},900\n{words}"
            for at, words in cues
        )
    )

    assert describe(load_document(path)) == (
        "heading 2 00:00\nparagraph 0 So we go on and end.\n"
        "heading 2 01:10\nparagraph 0 Then more\nheading 2 02:50\nparagraph 0 still\n"
    )


def test_latex_forms_that_use_each_other_end(tmp_path: Path):
    """Short forms that would grow without end are left as they are, and the words around them read."""
    path = tmp_path / "laughs.tex"
    letters = "abcdefghij"
    forms = "".join(
        "\\def\\" + name + "{" + f"\\{before} " * 100 + "}\n" for before, name in pairwise(letters)
    )
    path.write_text(f"\\def\\a{{ha}}\n{forms}Words before \\j and after")

    assert "Words before" in load_document(path).text
