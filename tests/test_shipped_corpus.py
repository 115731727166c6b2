"""The corpus that is shipped, and its questions, hold what they promise."""

import json
from pathlib import Path

import pytest

from chatbot.corpora import list_corpora, read_corpus, scan_files
from chatbot.documents.reader import DocumentReader
from chatbot.evaluation.datasets import load_questions

CORPORA = Path(__file__).parent.parent / "corpora"
FERRIES = CORPORA / "marrowick-ferries"
RECORDS = [
    json.loads(line) for line in (FERRIES / "questions.jsonl").read_text().splitlines() if line.strip()
]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The text of every document, by path."""
    with DocumentReader() as reader:
        return {file.path: reader.read(file.location).text for file in scan_files(FERRIES / "documents")}


def fold(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").replace("–", "-").split())


def test_every_corpus_describes_itself():
    for corpus in list_corpora(CORPORA):
        assert corpus.title
        assert corpus.description
        assert corpus.starter_questions


def test_the_corpus_says_what_it_is_and_whose():
    text = (FERRIES / "corpus.toml").read_text()

    assert "licence" in text
    assert "origin" in text
    assert 3 <= len(read_corpus(FERRIES).starter_questions) <= 6


def test_every_question_can_be_read():
    questions = load_questions(FERRIES / "questions.jsonl")

    assert len(RECORDS) == len(questions) >= 50
    assert any(not question.answerable for question in questions)
    assert len({question.question for question in questions}) == len(questions)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["question"][:60])
def test_the_first_answer_stands_in_its_source(texts, record):
    if not record["answerable"]:
        assert not record.get("answers")
        return
    assert record["source"] in texts
    assert fold(record["answers"][0]) in fold(texts[record["source"]])


def test_every_document_has_words(texts):
    assert [path for path, text in texts.items() if len(text.split()) < 40] == []


@pytest.mark.parametrize("boilerplate", ["99.99", "deskQueueLength", "<script", "function(", "cookie"])
def test_what_a_browser_does_not_show_is_not_read(texts, boilerplate):
    assert [path for path, text in texts.items() if boilerplate in text] == []
