"""A trial on real files of others; skipped where they are not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatbot.documents.formats import SUFFIXES
from chatbot.documents.reader import DocumentReader
from chatbot.documents.text import CELL_SEPARATOR

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not on this machine")


def test_facts_of_mixed_documents_are_found():
    """Every string that an extractor must find is in the text, white space aside.

    What stands between the cells of a table is ours: a fact that quotes a line of a .csv is looked for so.
    """
    rows = [json.loads(line) for line in (DATA / "mixed_documents_facts.jsonl").read_text().splitlines()]
    missing = []
    with DocumentReader() as reader:
        for row in rows:
            path = DATA / "mixed_documents" / row["file"]
            if path.suffix in SUFFIXES:
                text = " ".join(reader.read(path).text.split())
                facts = row["facts"]
                if path.suffix == ".csv":
                    facts = [fact.replace(",", CELL_SEPARATOR) for fact in facts]
                missing += [(path.name, fact) for fact in facts if " ".join(fact.split()) not in text]

    assert not missing


@pytest.mark.parametrize("folder", ["handbook_sourcegraph", "docs_govuk"])
def test_pages_of_real_handbooks_are_read(folder: str):
    """Every tenth page of a handbook reads to text, headings and a title."""
    with DocumentReader() as reader:
        for path in sorted((DATA / folder).rglob("*.md"))[::10]:
            document = reader.read(path)
            assert document.title
            assert document.blocks
