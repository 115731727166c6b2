"""Writes what the packaged reading model is taught with, and what it is measured on, to two pairs of files.

    python benchmarks/reader_lessons.py OUT

takes from ../shared/data what may be learned from (licences: the model card in chatbot/reading/README.md):
SQuAD's training part, five of the eleven articles of its development part, whose unanswerable questions
people wrote, and the answers of TAT-QA that stand in their passage. The other six articles are for measuring.
"""

from __future__ import annotations

import sys
from pathlib import Path

from question_sets import DATA, LEARNED_ARTICLES, read_rows, write_rows


def main() -> None:
    """Write both pairs of files and say what is in them."""
    if len(sys.argv) != 2 or not DATA.is_dir():
        sys.exit(f"usage: python benchmarks/reader_lessons.py OUT (with the data in {DATA})")
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    passages = {row["id"]: row for row in read_rows(DATA / "squad" / "passages.jsonl")}
    questions = list(read_rows(DATA / "squad" / "questions.jsonl"))
    learned = [
        row
        for row in questions
        if row["split"] == "train" or passages[row["passage_id"]]["title"] in LEARNED_ARTICLES
    ]
    known = {row["id"] for row in learned}
    measured = [row for row in questions if row["id"] not in known]
    for name, chosen in (("learned", learned), ("measured", measured)):
        used = {row["passage_id"] for row in chosen}
        write_rows(out / f"{name}-passages.jsonl", (row for key, row in passages.items() if key in used))
        write_rows(out / f"{name}-questions.jsonl", chosen)
        print(f"{name}: {len(chosen):,} questions on {len(used):,} passages")


if __name__ == "__main__":
    main()
