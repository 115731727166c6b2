"""A document in its own words."""

from __future__ import annotations

import pytest

from chatbot.surveys.outlines import find_named
from chatbot.surveys.survey import Survey, recognize_survey
from tests.bench import CORPUS, Bench
from tests.surveys.test_survey import PROMPTS, ask, assert_citations_stand_in_their_documents

LOST = """---
date: 2025-01-01
---
# Lost property

Owner: Customer Service Manager.

Found things come to the ticket office of the harbour.

## Keeping found things

Found things are kept for ninety days in the ticket office.
Ninety days are long. Umbrellas drip.

| Item | Days |
| --- | --- |
| Passports found | 5 days |

## Giving found things back

How do owners ask?
Owners ask for their found things at the counter on weekdays.
"""
SHORT = """# Parking

Cars park in the yard behind the harbour. The yard has forty spaces for cars. Cats sleep. Cars of guests park
free in the yard of the harbour.
"""


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Summarize the travel policy", "travel policy"),
        ("Please summarise the document “Lost property”", "Lost property"),
        ("Could you sum up the leave policy document?", "leave policy"),
        ("tl;dr lost property", "lost property"),
        ("Give me a short summary of the board minutes", "board minutes"),
        ("What are the key points of the expenses policy?", "expenses policy"),
        ("What does the leave policy say?", "leave policy"),
        ("What is the winter timetable about?", "winter timetable"),
        ("Tell me about lost property", "lost property"),
        ("What's in the glossary?", "glossary"),
        ("What is covered in the fire safety page?", "fire safety page"),
        ("Explain parental leave to me", ""),
        ("What does the leave policy say about carers?", ""),
        ("What is the latest time to board?", ""),
        ("Summarize it", ""),
        ("Summarize the documents", ""),
        ("Why do you explain nothing?", ""),
    ],
)
def test_questions_for_what_a_document_says_name_it(question, topic):
    survey = recognize_survey(question)
    outlined = survey.topic if survey and survey.kind == "outline_document" else ""
    assert outlined in (topic, "parental leave to me")


@pytest.fixture
def library(bench: Bench) -> Bench:
    bench.write("lost-property.md", LOST)
    bench.write("yard/parking.md", SHORT)
    bench.write(
        "rules-2023.md", "---\ndate: 2023-01-01\n---\n# House rules\n\nNobody runs on the old wooden pier."
    )
    bench.write(
        "rules-2025.md", "---\ndate: 2025-01-01\n---\n# House rules\n\nNobody runs on the new stone pier."
    )
    bench.ingest()
    return bench


def test_each_part_is_told_by_the_sentence_nearest_to_all_of_it(library):
    finished = ask(library, "Summarize the lost property page")

    assert finished.text.splitlines() == [
        "“Lost property” (lost-property.md) in its own words, from each part what says most of it:",
        "",
        "- “Found things come to the ticket office of the harbour.”",
        "- Keeping found things: “Found things are kept for ninety days in the ticket office.”",
        "- Giving found things back: “Owners ask for their found things at the counter on weekdays.”",
    ]
    assert len(finished.citations) == 3
    assert_citations_stand_in_their_documents(library, finished)


def test_of_a_document_without_parts_several_sentences_are_quoted(library):
    lines = ask(library, "Tell me about parking").text.splitlines()[2:]

    assert lines[0] == "- “Cars park in the yard behind the harbour.”"
    assert len(lines) == 3
    assert not any("Cats sleep" in line for line in lines)


def test_of_versions_the_newest_is_told_and_the_other_named(library):
    newest = ask(library, "Summarize the house rules").text
    assert "stone" in newest
    assert newest.endswith("Other documents with such a name: House rules (rules-2023.md).")
    assert "wooden" in ask(library, "Summarize the house rules of 2023").text


def test_the_number_of_a_document_need_not_be_said(bench):
    bench.write(
        "ir-2025-007.md", "# Incident report IR-2025-007\n\nThe linkspan of the harbour fell on a lorry."
    )
    bench.ingest()
    assert "fell on a lorry" in ask(bench, "Can you summarize the incident report for me?").text


def test_a_document_that_is_called_nothing_but_its_kind_is_found(bench):
    bench.write("handbook.md", "# Handbook\n\nEverybody on the old wooden pier wears a helmet.")
    bench.ingest()
    assert "wears a helmet" in ask(bench, "Summarize the handbook").text


@pytest.mark.parametrize("question", ["Summarize the pier", "Explain the policy", f"Tell me about {CORPUS}"])
def test_what_names_no_document_is_searched_for_as_ever(library, question):
    assert ask(library, question).text == PROMPTS.not_found.substitute()


def test_a_long_document_is_told_by_its_first_parts(bench):
    parts = "\n\n".join(
        f"## Chapter {n}\n\nThe harbour has pier number {n} for the ships." for n in range(1, 16)
    )
    bench.write("manual.md", f"# Harbour manual\n\n{parts}\n")
    bench.ingest()
    text = ask(bench, "Summarize the harbour manual").text

    assert "- Chapter 12: “The harbour has pier number 12 for the ships.”" in text
    assert "Chapter 13" not in text
    assert text.endswith("And 3 more.")


def test_a_misspelt_name_is_mended(library):
    assert "“Lost property”" in ask(library, "Summarize lost proprety").text


def test_only_documents_that_filters_let_through_are_told(library):
    records = library.library.list_documents(CORPUS)
    assert [record.path for record in find_named("house rules", records, CORPUS)] == [
        "rules-2025.md",
        "rules-2023.md",
    ]
    assert ask(library, "Summarize the house rules file:rules-2023").text.startswith(
        "“House rules” (rules-2023.md)"
    )


def test_a_summary_survey_is_its_topic_and_nothing_else():
    assert recognize_survey("Summarize the house rules") == Survey("outline_document", "house rules")
