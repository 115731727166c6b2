"""Writes what the packaged reading model is taught with, and what it is measured on, to pairs of files.

    python benchmarks/reader_lessons.py OUT

takes from ../shared/data what may be learned from (licences: the model card in chatbot/reading/README.md):
SQuAD's training part, five of the eleven articles of its development part, whose unanswerable questions
people wrote. The other six articles are for measuring. For the large model's second training (`again`)
there are a third of these, all unanswerable ones among them, and questions of BoolQ, which are answered by
yes or no: the answer is the sentence of its evidence that shares the most (rare) words with the question.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from question_sets import DATA, LEARNED_ARTICLES, Row, read_rows, write_rows
from sklearn.feature_extraction.text import TfidfVectorizer

from chatbot.sentences import split_sentences

AGAIN_EVERY = 5
"""Of the questions without unanswerable ones beside them, every fifth is learned from again."""
YES_NO_MEASURED = 400
"""So many of BoolQ's questions, the last ones of the file, are for measuring."""
LEAST_SHARED = 0.25
"""Where the best sentence is less like the question (cosine of TF-IDF) it may not be the one that answers."""
_JUNK = re.compile(r"^(?:[A-Z0-9 ,'()-]+\) |[^\w\"'(]+)")


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
    again = [row for place, row in enumerate(learned) if row["split"] == "dev" or place % AGAIN_EVERY == 0]
    yes_no = list(read_yes_no(read_rows(DATA / "boolq_evidence" / "questions.jsonl")))
    passages |= {row["id"]: row for row, _ in yes_no}
    asked = [question for _, question in yes_no]
    chosen_sets = {
        "learned": learned,
        "measured": measured,
        "again": [*again, *asked[:-YES_NO_MEASURED]],
        "measured-yes-no": asked[-YES_NO_MEASURED:],
    }
    for name, chosen in chosen_sets.items():
        write_lessons(out, name, passages, chosen)


def write_lessons(out: Path, name: str, passages: dict[str, Row], questions: Sequence[Row]) -> None:
    """Write questions, and the passages that they are asked about."""
    used = {row["passage_id"] for row in questions}
    write_rows(out / f"{name}-passages.jsonl", (row for key, row in passages.items() if key in used))
    write_rows(out / f"{name}-questions.jsonl", questions)
    print(f"{name}: {len(questions):,} questions on {len(used):,} passages")


def read_yes_no(rows: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Passage and question for each row of BoolQ whose evidence has a sentence like the question."""
    kept = [(row, _JUNK.sub("", row["evidence"]).strip()) for row in rows]
    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit(text for _, text in kept)
    for row, text in kept:
        sentences = split_sentences(text)
        words = vectorizer.transform(text[start:end] for start, end in sentences)
        likeness = (words @ vectorizer.transform([row["question"]]).T).toarray()[:, 0]
        best = int(likeness.argmax())
        if likeness[best] < LEAST_SHARED:
            continue
        start, end = sentences[best]
        answer = text[start:end].rstrip(" .")
        passage = {"id": f"passage-{row['id']}", "title": "", "text": text}
        yield (
            passage,
            {
                "id": row["id"],
                "question": row["question"],
                "answers": [answer],
                "answer_start": start,
                "passage_id": passage["id"],
                "answerable": True,
            },
        )


if __name__ == "__main__":
    main()
