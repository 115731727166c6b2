"""What the product is for, with the real default models."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatbot.documents.reader import DocumentReader
from chatbot.factories import Factories
from chatbot.prompting import load_prompts
from chatbot.service import Service
from chatbot.settings import load_settings

pytestmark = pytest.mark.models

REPOSITORY = Path(__file__).parent.parent
DOCUMENTS = {
    "visiting.md": "# Lighthouse\n\n## Visiting hours\n\n"
    "The lighthouse is open to visitors from 10:15 to 16:45.\nIt is closed on Mondays.\n",
    "fees.txt": "Entrance fees\n\nAdults pay 7 marks. Children under twelve pay nothing.\n",
    "staff.html": "<html><body><h1>Staff</h1>"
    "<p>Maria Kellan has kept the lighthouse since 2019.</p></body></html>",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory, minilm, smollm):
    """A service with the real models that has read three documents."""
    folder = tmp_path_factory.mktemp("first")
    documents = folder / "corpora" / "lighthouse" / "documents"
    documents.mkdir(parents=True)
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text)
    settings = load_settings(
        corpora_folder=folder / "corpora", data_folder=folder / "data", corpus="lighthouse", watch_seconds=0
    )
    factories = Factories(lambda _: minilm, lambda _: smollm, DocumentReader())
    with Service(settings, load_prompts(REPOSITORY / "prompts"), factories) as service:
        service.start(ingest=False)
        service.wait_until_ready()
        report = service.upkeep.ingest_now("lighthouse", lambda _: None, lambda _: None)
        assert {"added"} == {outcome.result for outcome in report.outcomes}
        yield service


@pytest.mark.parametrize(
    ("question", "path", "words"),
    [
        ("From when to when is the lighthouse open to visitors?", "visiting.md", "10:15"),
        ("How much do adults pay?", "fees.txt", "7 marks"),
        ("Who keeps the lighthouse?", "staff.html", "Maria Kellan"),
    ],
)
def test_a_question_is_answered_with_the_very_words_of_its_source(service, question, path, words):
    answer = service.ask(question, corpus="lighthouse").finish()

    assert answer.found
    assert words in answer.text
    quotes = [citation.quote for citation in answer.citations]
    assert any(words in quote for quote in quotes)
    for citation in answer.citations:
        document = service.catalogue.get_document(citation.document_id)
        assert citation.quote == document.text[citation.source_start : citation.source_end]
    cited = {
        service.catalogue.get_document(citation.document_id).record.path for citation in answer.citations
    }
    assert path in cited


@pytest.mark.parametrize(
    "question", ["Who won the football world cup in 1998?", "How do I bake sourdough bread with rye flour?"]
)
def test_a_question_off_the_topic_is_declined(service, question):
    answer = service.ask(question, corpus="lighthouse").finish()

    assert not answer.found
    assert answer.citations == ()


def test_nothing_leaves_the_machine(models_folder, tmp_path):
    environment = {
        **os.environ,
        "CHATBOT_DATA_FOLDER": str(tmp_path / "data"),
        "CHATBOT_GENERATOR": str(models_folder),
        "PYTHONPATH": str(REPOSITORY),
    }
    command = [sys.executable, "-m", "chatbot", "doctor", "--offline", "--json"]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert checks["attempts to connect"]["finding"] == "none"
    assert [name for name, check in checks.items() if not check["ok"]] == []
    assert result.returncode == 0
