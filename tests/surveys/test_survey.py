import json
import os
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.assistant import Assistant
from chatbot.prompting import load_prompts
from chatbot.sentences import find_words
from chatbot.surveys.scope import NEIGHBOURS
from chatbot.surveys.survey import SEVERAL, Survey, recognize_survey
from chatbot.surveys.wide_search import MOST_DOCUMENTS, MOST_ITEMS, conduct_survey
from chatbot.types import NO_FILTERS, Message, SearchFilters
from tests.bench import CORPUS, Bench
from tests.fakes import ScriptedGenerator
from tests.test_assistant import make_assistant

REPOSITORY = Path(__file__).parents[2]
PROMPTS = load_prompts(REPOSITORY / "prompts")
SHIPPED_QUESTIONS = REPOSITORY / "corpora" / "marrowick-ferries" / "questions.jsonl"


TODAY = date(2026, 5, 20)


def year(number: int) -> SearchFilters:
    return SearchFilters(after=f"{number}-01-01", before=f"{number + 1}-01-01")


@pytest.mark.parametrize(
    ("question", "survey"),
    [
        ("How many documents are there?", Survey("count_documents")),
        ("Number of documents", Survey("count_documents")),
        ("how many documents are from 2024?", Survey("count_documents", filters=year(2024))),
        (
            "How many PDF files do you have?",
            Survey("count_documents", filters=SearchFilters(formats=("pdf",))),
        ),
        ("How many documents mention overtime?", Survey("count_documents", "overtime")),
        ("List all documents", Survey("list_documents")),
        ("Could you please list all the documents?", Survey("list_documents")),
        (
            "which documents are older than 2023?",
            Survey("list_documents", filters=SearchFilters(before="2023-01-01")),
        ),
        (
            "list all documents in people/",
            Survey("list_documents", filters=SearchFilters(folders=("people",))),
        ),
        (
            "Show documents in the safety folder",
            Survey("list_documents", filters=SearchFilters(folders=("safety",))),
        ),
        ("Which files are PDFs?", Survey("list_documents", filters=SearchFilters(formats=("pdf",)))),
        (
            "Which documents are written in German?",
            Survey("list_documents", filters=SearchFilters(languages=("de",))),
        ),
        ("what files do you have about dogs?", Survey("list_documents", "dogs", about=True)),
        (
            "List all documents about dogs from 2024 in people/",
            Survey(
                "list_documents",
                "dogs",
                about=True,
                filters=SearchFilters(folders=("people",), after="2024-01-01", before="2025-01-01"),
            ),
        ),
        ("Which policies mention parental leave?", Survey("list_documents", "parental leave")),
        ("Where is the works council mentioned?", Survey("list_documents", "works council")),
        ("Is asbestos mentioned anywhere?", Survey("list_documents", "asbestos")),
        ("Do any documents mention solar panels?", Survey("list_documents", "solar panels")),
        ("Find all mentions of the lifeboat", Survey("list_items", "lifeboat")),
        ("list all offices", Survey("list_members", "offices")),
        ("What are all the public holidays?", Survey("list_members", "public holidays")),
        ("Which offices are there?", Survey("list_members", "offices")),
        ("Tell me everything about dogs", Survey("list_items", "dogs")),
        ("Is asbestos mentioned?", Survey("list_documents", "asbestos")),
        ("Which documents don't mention dogs?", Survey("list_documents", "dogs", is_negated=True)),
        (
            "Which documents mention neither dogs nor cats?",
            Survey("list_documents", "dogs or cats", is_negated=True),
        ),
        ("Which documents mention both dogs and cats?", Survey("list_documents", "dogs and cats")),
        ("How many policies are there?", Survey("count_documents", named="policies")),
        ("List all policies", Survey("list_documents", named="policies")),
        (
            "Which policies were updated in 2024?",
            Survey("list_documents", named="policies", filters=year(2024)),
        ),
        ("What is the newest document?", Survey("list_documents", order="newest", most=1)),
        ("Which document is the oldest?", Survey("list_documents", order="oldest", most=1)),
        ("latest policy", Survey("list_documents", named="policy", order="newest", most=1)),
        ("Which document was changed last?", Survey("list_documents", order="newest", most=1)),
        ("What are the three most recent documents?", Survey("list_documents", order="newest", most=3)),
        ("Show me the latest 3 files", Survey("list_documents", order="newest", most=3)),
        ("What are the newest documents?", Survey("list_documents", order="newest", most=SEVERAL)),
        (
            "the two oldest PDFs",
            Survey("list_documents", order="oldest", most=2, filters=SearchFilters(formats=("pdf",))),
        ),
        ("List all documents, oldest first", Survey("list_documents", order="oldest")),
        (
            "What changed since March?",
            Survey("list_documents", order="newest", filters=SearchFilters(after="2026-03-01")),
        ),
        (
            "Which documents were written last year?",
            Survey("list_documents", filters=year(2025)),
        ),
        ("What's new?", Survey("list_documents", order="newest", most=SEVERAL)),
        (
            "Which documents were changed in the last 10 days?",
            Survey("list_documents", filters=SearchFilters(after="2026-05-10")),
        ),
        ("What languages are the documents in?", Survey("list_groups", grouping="language")),
        ("Which folders are there?", Survey("list_groups", grouping="folder")),
        ("List all documents by format", Survey("list_groups", grouping="format")),
        ("How many documents are there in each language?", Survey("list_groups", grouping="language")),
        ("Sort the files by type", Survey("list_groups", grouping="format")),
        ("documents per folder", Survey("list_groups", grouping="folder")),
        ("Summarise the corpus", Survey("list_documents")),
        ("What are these documents about?", Survey("list_documents")),
        ("how many pages has the handbook?", Survey("count_pages", "handbook")),
    ],
)
def test_questions_about_the_whole_corpus_are_recognized(question, survey):
    assert recognize_survey(question, TODAY) == survey


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Who approves expenses?",
        "Which documents do I need for a visa?",
        "Which documents?",
        "How many files can I upload at once?",
        "How many documents must be signed?",
        "Which policies apply to contractors?",
        "What are all dogs susceptible to?",
        "What kinds of leave are there?",
        "Which documents mention it?",
        "How many pages?",
        "List the steps to close the till",
        "Where is the report kept?",
        "Which documents mention dogs? How old are they?",
        "List all offices. Who runs the one in Tolsay?",
        "What is the latest time to board?",
        "What is the oldest ship?",
        "What is the latest version of the leave policy?",
        "What is the latest policy on leave?",
        "How many contracts do we sign a year?",
        "What changed in the leave policy?",
        "Which languages do you speak?",
        "What can I ask for as a parent?",
    ],
)
def test_ordinary_questions_are_left_alone(question):
    assert recognize_survey(question) is None


def test_no_ordinary_question_of_the_shipped_corpus_is_taken_for_a_survey():
    records = [json.loads(line) for line in SHIPPED_QUESTIONS.read_text().splitlines()]
    wrong = [
        record["question"]
        for record in records
        if (recognize_survey(record["question"]) is not None) != (record["category"] == "survey")
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("question", "survey"),
    [
        ("Which documents mention dogs? from 2023?", Survey("list_documents", "dogs", filters=year(2023))),
        ("How many documents are from 2024? from 2023?", Survey("count_documents", filters=year(2023))),
        (
            "Which documents mention dogs? And from 2023?",
            Survey("list_documents", "dogs", filters=year(2023)),
        ),
        (
            "Which documents mention dogs? Only PDF files",
            Survey("list_documents", "dogs", filters=SearchFilters(formats=("pdf",))),
        ),
        ("Which documents mention dogs? cats?", Survey("list_documents", "cats")),
        ("Which documents mention dogs? What about cats?", Survey("list_documents", "cats")),
        ("Which documents mention dogs? about cats?", Survey("list_documents", "cats", about=True)),
        (
            "How long is parental leave? Which documents mention it?",
            Survey("list_documents", "parental leave"),
        ),
        ("I am new here. Which documents mention dogs?", Survey("list_documents", "dogs")),
    ],
)
def test_a_follow_up_joined_to_its_question_is_read_with_it(question, survey):
    assert recognize_survey(question) == survey


@given(st.text(max_size=80))
def test_any_text_can_be_asked(text):
    survey = recognize_survey(text)

    assert survey is None or set(find_words(survey.topic)) <= set(find_words(text))


@pytest.fixture
def library(bench: Bench) -> Bench:
    """Seven documents, one of which cannot be read."""
    bench.write(
        "people/leave.md",
        "---\ndate: 2024-03-01\n---\n# Parental leave\n\nStaff may take parental leave. It is long.",
    )
    bench.write(
        "people/holidays.md",
        "---\ndate: 2023-05-01\n---\n# Holidays\n\nParental leave does not count. Dogs stay at home.",
    )
    bench.write("safety/drills.md", "# Drills\n\nThe leave taker returns. A parental guard stays.")
    bench.write("safety/animals.txt", "Every animal is kept on a lead. The office in Leith has a kennel.")
    bench.write(
        "offices.md", "# Places\n\nOffice | City\n--- | ---\nHead office | Harl\n\n- Port office, Tolsay"
    )
    bench.write(
        "notes.html", "<title>Notes</title><p>The office in Perth was closed. Old offices stay shut.</p>"
    )
    bench.write("broken.pdf", "no pdf")
    bench.ingest()
    return bench


def look_through_bench(bench: Bench):
    """What an assistant conducts surveys over a bench with."""

    def look_through(survey, question, *, corpus, filters, stop=None):
        return conduct_survey(
            survey,
            question,
            corpus=corpus,
            library=bench.library,
            find_nearest=bench.vectors.find_nearest,
            embedder=bench.embedder,
            filters=filters,
        )

    return look_through


def ask(bench: Bench, question: str, history=(), *, filters: SearchFilters = NO_FILTERS):
    """The finished answer and the assistant that gave it."""

    def search(question, *, corpus, limit, filters):
        return bench.search_with_trace(question, limit=limit, filters=filters)

    plain = make_assistant(evidence_floor=2.0)
    assistant = Assistant(
        search, bench.embedder, plain.model, PROMPTS, plain.rules, look_through_bench(bench)
    )
    answer = assistant.answer(question, history, corpus=CORPUS, filters=filters)
    assert "".join(answer) == answer.text
    assert plain.model.prompts == []
    return answer.finish()


def list_paths(finished) -> list[str]:
    return [passage.path for passage in finished.passages]


def assert_citations_stand_in_their_documents(bench: Bench, finished) -> None:
    for citation in finished.citations:
        text = bench.library.find_document(citation.document_id).text
        assert citation.quote == text[citation.source_start : citation.source_end]
        assert citation.quote.strip()
        line = finished.text[citation.answer_start : citation.answer_end]
        assert line.startswith("- ")
        assert "\n" not in line


def test_every_document_that_mentions_a_topic_is_found_with_its_words(library):
    finished = ask(library, "Which policies mention parental leave?")

    assert finished.found
    assert set(list_paths(finished)) == {"people/leave.md", "people/holidays.md"}
    assert "Read 6 of 6 documents." in finished.text
    assert "Files that could not be read: 1." in finished.text
    assert {citation.quote for citation in finished.citations} == {
        "Staff may take parental leave.",
        "Parental leave does not count.",
    }
    assert_citations_stand_in_their_documents(library, finished)


def test_the_search_for_words_is_complete_however_many_hold_them(bench):
    for number in range(MOST_DOCUMENTS + 20):
        bench.write(f"{number}.txt", f"Note {number} speaks of a walrus.")
    bench.ingest()

    finished = ask(bench, "Which documents mention walruses?")

    assert f": {MOST_DOCUMENTS + 20}." in finished.text
    assert len(finished.citations) == MOST_DOCUMENTS
    assert finished.text.endswith("And 20 more.")


def test_nothing_found_is_said_with_what_was_read(library):
    finished = ask(library, "Which documents mention zebras?")

    assert not finished.found
    assert finished.citations == ()
    assert finished.text.startswith("No document mentions “zebras”. Read 6 of 6 documents.")


@pytest.mark.parametrize(
    ("question", "paths"),
    [
        ("Which documents are from 2024?", {"people/leave.md"}),
        ("Which documents are older than 2024?", {"people/holidays.md"}),
        ("List all documents in people/", {"people/leave.md", "people/holidays.md"}),
        ("Which HTML files are there?", {"notes.html"}),
        ("Which documents mention parental leave since 2024?", {"people/leave.md"}),
    ],
)
def test_limits_in_the_question_choose_the_documents(library, question, paths):
    finished = ask(library, question)

    assert set(list_paths(finished)) == paths
    assert_citations_stand_in_their_documents(library, finished)


def test_documents_without_a_date_are_counted_where_dates_are_asked_for(library):
    assert "without a date were left out: 4." in ask(library, "Which documents are from 2024?").text
    assert "without a date" not in ask(library, "List all documents in people/").text


def test_filters_limit_a_survey_too(library):
    question = "Which documents mention parental leave?"
    finished = ask(library, question, filters=SearchFilters(files=("holidays.md",)))

    assert list_paths(finished) == ["people/holidays.md"]
    assert "Read 1 of 6 documents." in finished.text
    assert (finished.trace.documents, finished.trace.documents_total) == (1, 6)


def test_a_phrase_in_quotes_is_held_word_for_word(library):
    assert list_paths(ask(library, 'Which documents mention "offices"?')) == ["notes.html"]
    assert "notes.html" not in list_paths(ask(library, "Which documents mention an office? -Perth"))


@pytest.mark.parametrize(
    ("question", "filters", "paths"),
    [
        ("List all documents -leave -lead", NO_FILTERS, {"offices.md", "notes.html"}),
        ("Which documents are in people/ -staff?", NO_FILTERS, {"people/holidays.md"}),
        (
            "List all documents",
            SearchFilters(phrases=("parental leave",)),
            {"people/leave.md", "people/holidays.md"},
        ),
    ],
)
def test_words_limit_a_survey_of_the_register_too(library, question, filters, paths):
    assert set(list_paths(ask(library, question, filters=filters))) == paths


def test_what_is_near_is_looked_for_among_all_that_a_filter_leaves(bench):
    for number in range(NEIGHBOURS + 10):
        bench.write(f"{number}.txt", "kitten whiskers")
    bench.write("few/cats.txt", "A kitten and its whiskers.")
    bench.ingest()

    finished = ask(bench, "Which documents in few/ are about whiskers, kitten tail?")

    assert list_paths(finished) == ["few/cats.txt"]


@pytest.mark.parametrize("asked", ["lifejackets", "lifejacket", "life jackets", "life-jacket"])
def test_a_compound_is_found_however_it_is_written(bench, asked):
    bench.write("one.txt", "Every child wears a lifejacket on deck.")
    bench.write("two.txt", "The life jackets hang beside the stairs.")
    bench.write("three.txt", "A life-jacket has a whistle.")
    bench.write("four.txt", "Her life was short. The jacket is red.")
    bench.ingest()

    finished = ask(bench, f"Which documents mention {asked}?")

    assert set(list_paths(finished)) == {"one.txt", "two.txt", "three.txt"}
    assert_citations_stand_in_their_documents(bench, finished)


def test_a_plural_with_another_ending_is_found(bench):
    bench.write("a.txt", "All ferries leave at noon.")
    bench.write("b.txt", "The ferry is late.")
    bench.ingest()

    assert set(list_paths(ask(bench, "Which documents mention ferries?"))) == {"a.txt", "b.txt"}
    assert set(list_paths(ask(bench, "Which documents mention a ferry?"))) == {"a.txt", "b.txt"}


@pytest.mark.parametrize(
    ("question", "path", "day"),
    [
        ("What is the newest document?", "people/leave.md", "2024-03-01"),
        ("Which document is the oldest?", "people/holidays.md", "2023-05-01"),
    ],
)
def test_the_newest_and_the_oldest_document_are_told_by_the_dates_they_state(library, question, path, day):
    finished = ask(library, question)

    assert list_paths(finished) == [path]
    assert f"({path}), {day}" in finished.text
    assert "by the dates that the documents state. Read 6 of 6 documents." in finished.text
    assert "Documents without a date were left out: 4." in finished.text
    assert_citations_stand_in_their_documents(library, finished)


def test_where_no_document_states_a_date_the_days_of_the_files_are_told(bench):
    for day, name in enumerate(("a.txt", "b.txt", "c.txt"), 1):
        os.utime(bench.write(name, f"Note {name}."), (day * 10**8, day * 10**8))
    bench.ingest()

    finished = ask(bench, "What are the two newest documents?")

    assert list_paths(finished) == ["c.txt", "b.txt"]
    assert "None of them states a date" in finished.text
    assert f"(c.txt), file of {date.fromtimestamp(3 * 10**8)}" in finished.text
    assert "left out" not in finished.text


def test_of_documents_of_one_day_none_is_left_out(bench):
    for name in ("a.md", "b.md", "c.md"):
        bench.write(name, f"---\ndate: 2024-0{2 if name == 'c.md' else 3}-01\n---\n# {name}\n\nA note.")
    bench.ingest()

    assert list_paths(ask(bench, "What is the newest document?")) == ["a.md", "b.md"]


def test_the_newest_of_a_kind_is_chosen_among_those_that_are_called_so(library):
    library.write("people/leave-policy-2022.md", "---\ndate: 2022-01-01\n---\n# Old\n\nTwenty days.")
    library.write("people/leave-policy-2025.md", "---\ndate: 2025-01-01\n---\n# New\n\nThirty days.")
    library.ingest()

    finished = ask(library, "What is the latest policy?")

    assert list_paths(finished) == ["people/leave-policy-2025.md"]
    assert finished.text.startswith("Documents with “policy” in their title or path: 2.")


def test_a_kind_of_document_that_none_is_called_is_searched_for_as_ever(library):
    assert ask(library, "What is the latest memo?").text == PROMPTS.not_found.substitute()


def test_documents_that_do_not_mention_a_topic_are_those_left_over(library):
    finished = ask(library, "Which documents do not mention an office?")

    assert finished.text.startswith("Documents that do not mention “office”: 3.")
    assert set(list_paths(finished)) == {"people/leave.md", "people/holidays.md", "safety/drills.md"}


def test_what_is_asked_for_together_may_stand_in_different_sentences(bench):
    bench.write("both.txt", "Dogs are welcome.\n\nCats are not.")
    bench.write("one.txt", "Dogs bark.")
    bench.ingest()

    assert list_paths(ask(bench, "Which documents mention dogs and cats?")) == ["both.txt"]


def test_languages_folders_and_formats_are_counted(library):
    text = ask(library, "Which folders are there?").text

    assert text.splitlines()[2:] == [
        "- people, documents: 2",
        "- safety, documents: 2",
        "- none, or not known, documents: 2",
    ]
    assert "- md, documents: 4" in ask(library, "List all file types").text


def test_limits_that_leave_nothing_are_named(library):
    finished = ask(library, "Which documents are from 1999?")

    assert not finished.found
    assert finished.text == (
        "None of the 6 documents is within these limits: from 1999-01-01 on; before 2000-01-01. "
        "Documents without a date were left out: 4."
    )


def test_the_trace_names_the_limits_of_the_question_too(library):
    finished = ask(library, "List all documents in people/ type:md")

    assert finished.trace.filters == SearchFilters(folders=("people",), formats=("md",))


CODES = """# Gate: error codes at the desk

## Everyday codes

Code | Meaning
--- | ---
GX-10 | Offline
GX-11 | Paper jam

## The count

### GX-20: the count is open

Close it. See form F-1.

## Refunds

- GX-30: too large
- Ask first
"""


def test_codes_below_a_title_that_names_them_are_listed_with_their_sources(bench):
    bench.write("codes.md", CODES)
    bench.write("other.md", "# Other\n\nAn error code is shown on the screen.\n\n- AB-1 is a berth")
    bench.ingest()

    finished = ask(bench, "List all error codes")

    quotes = [citation.quote for citation in finished.citations]
    assert quotes[:4] == [
        "GX-10 | Offline",
        "GX-11 | Paper jam",
        "GX-20: the count is open",
        "GX-30: too large",
    ]
    assert finished.text.startswith("Listed under the name “error codes”: 4. Documents with such lists: 1.")
    assert "Other places that name “error codes”: 1." in finished.text
    assert quotes[4:] == ["An error code is shown on the screen."]
    assert_citations_stand_in_their_documents(bench, finished)


@pytest.mark.parametrize(
    "text",
    [
        "# Places\n\n## Our offices\n\n- Harl\n- Leith\n\n## Else\n\n- Perth",
        "# Places\n\nThese are the offices:\n\n- Harl\n- Leith\n\nElse:\n\n- Perth",
        "# Places\n\nOffice | Staff\n--- | ---\nHarl | 3\nLeith | 4",
        "# Places\n\n## Port offices (2024)\n\nNumber | Town\n--- | ---\n1 | Harl\n2 | Leith",
    ],
)
def test_rows_and_items_under_a_name_are_its_members(bench, text):
    bench.write("places.md", text)
    bench.ingest()

    finished = ask(bench, "List all offices")

    quotes = [citation.quote for citation in finished.citations if "ffice" not in citation.quote]
    assert len(quotes) == 2
    assert all(town in quote for town, quote in zip(("Harl", "Leith"), quotes, strict=True))
    assert_citations_stand_in_their_documents(bench, finished)


@pytest.mark.parametrize(
    "text",
    [
        "# Places\n\n## Offices and ships\n\n- Harl\n- Kittiwake",
        "# Places\n\n## Office hours\n\n- nine to five",
        "# Parts\n\nPart | Office\n--- | ---\nSeal | Harl",
    ],
)
def test_what_stands_under_another_name_is_no_member(bench, text):
    bench.write("places.md", text)
    bench.ingest()

    assert "Listed under" not in ask(bench, "List all offices").text


def test_counting_all_documents_lists_none(library):
    finished = ask(library, "How many documents are there?")

    assert finished.text.startswith("Documents: 6.")
    assert finished.passages == ()


def test_items_are_listed_once_each_with_rows_and_list_items(library):
    finished = ask(library, "List all offices")

    quotes = [citation.quote for citation in finished.citations]
    assert "Head office | Harl" in quotes
    assert any("Port office, Tolsay" in quote for quote in quotes)
    assert "The office in Leith has a kennel." in quotes
    assert not any(quote.startswith("Office | City") for quote in quotes)
    assert len(quotes) == len(set(quotes))
    assert_citations_stand_in_their_documents(library, finished)


def test_more_items_than_are_shown_are_counted(bench):
    bench.write("list.md", "# Berths\n\n" + "\n".join(f"- Berth {number} is free" for number in range(40)))
    bench.ingest()

    finished = ask(bench, "Find all mentions of a berth")

    assert "Places that name “berth”: 40." in finished.text
    assert len(finished.citations) == MOST_ITEMS
    assert f"And {40 - MOST_ITEMS} more." in finished.text


def test_items_that_nothing_names_are_searched_for_as_ever(library):
    finished = ask(library, "List all submarines")

    assert finished.text == PROMPTS.not_found.substitute()


def test_pages_are_counted_in_documents_of_that_name(library):
    assert (
        "Parental leave (people/leave.md), a format without pages"
        in ask(library, "How many pages has the parental leave document?").text
    )


def test_a_survey_may_be_asked_again_for_another_year(library):
    history = [Message("user", "Which documents mention parental leave?"), Message("assistant", "Two.")]
    finished = ask(library, "And from 2023?", history)

    assert list_paths(finished) == ["people/holidays.md"]


def test_a_stopped_survey_keeps_what_was_written(library):
    survey = recognize_survey("List all documents")
    findings = conduct_survey(
        survey,
        "List all documents",
        corpus=CORPUS,
        library=library.library,
        find_nearest=library.vectors.find_nearest,
        embedder=library.embedder,
        filters=NO_FILTERS,
    )
    assistant = make_assistant()
    assistant = Assistant(
        assistant.search,
        library.embedder,
        ScriptedGenerator(),
        PROMPTS,
        assistant.rules,
        lambda *_, **__: findings,
    )
    answer = assistant.answer("List all documents", corpus=CORPUS)

    next(iter(answer))
    answer.stop()
    finished = answer.finish()

    assert finished.stop_reason == "stopped"
    assert finished.text.startswith("Documents: 6.")
    assert finished.citations == ()


def test_a_search_of_the_whole_corpus_ends_when_it_is_stopped(library):
    stop = threading.Event()
    stop.set()
    survey = recognize_survey("Which documents mention parental leave?")
    findings = conduct_survey(
        survey,
        "Which documents mention parental leave?",
        corpus=CORPUS,
        library=library.library,
        find_nearest=library.vectors.find_nearest,
        embedder=library.embedder,
        filters=NO_FILTERS,
        stop=stop,
    )
    plain = make_assistant()
    assistant = replace(plain, prompts=PROMPTS, look_through=lambda *_, **__: findings)

    finished = assistant.answer("Which documents mention parental leave?", corpus=CORPUS).finish()

    assert findings.is_stopped
    assert (finished.stop_reason, finished.text, finished.passages) == ("stopped", "", ())


def test_an_answer_hands_its_stop_to_the_search_of_the_whole_corpus(library):
    stop = threading.Event()
    handed = []

    def look_through(survey, question, *, stop, **options):
        handed.append(stop)
        return conduct_survey(
            survey,
            question,
            library=library.library,
            find_nearest=library.vectors.find_nearest,
            embedder=library.embedder,
            stop=stop,
            **options,
        )

    assistant = replace(make_assistant(), prompts=PROMPTS, look_through=look_through)

    assistant.answer("Which documents mention parental leave?", corpus=CORPUS, stop=stop).finish()

    assert handed == [stop]


def test_without_a_way_to_look_through_the_corpus_a_survey_is_an_ordinary_question():
    assistant = make_assistant("The ferry leaves at noon.")

    assert "ferry leaves" in assistant.answer("List all documents", corpus="notes").finish().text


def test_titles_and_quotes_cannot_fill_variables(bench):
    bench.write("a.md", "# Costs $quote\n\nThe walrus costs $title and $ 5.")
    bench.ingest()

    assert (
        "- Costs $quote (a.md): “The walrus costs $title and $ 5.”"
        in ask(bench, "Which documents mention a walrus?").text
    )


COPIED = "# Leave\n\nParental leave lasts twelve months. Ask the manager in writing.\n"


@pytest.fixture
def copied(make_bench) -> Bench:
    """A corpus in which one text lies in three files, of two folders."""
    bench = make_bench()
    for path in ("a/leave.md", "b/leave.md", "b/old/leave-2.md"):
        bench.write(path, COPIED)
    bench.write("b/other.md", "# Bikes\n\nBikes may be rented for a day.\n")
    bench.ingest()
    return bench


def ask_copied(bench: Bench, question: str, filters: SearchFilters = NO_FILTERS):
    """The answer to a survey over a bench, from no model."""
    assistant = replace(make_assistant(), look_through=look_through_bench(bench))
    told = assistant.answer_without_model(question, question, corpus=CORPUS, filters=filters, started=0.0)
    return told.finish()


def test_every_file_with_the_same_content_is_named(copied):
    """And the one quote they share is cited with all of its places."""
    answer = ask_copied(copied, "Which documents mention parental leave?")

    assert "“parental leave”: 3" in answer.text
    paths = ("a/leave.md", "b/leave.md", "b/old/leave-2.md")
    assert all(f"({path})" in answer.text for path in paths)
    [passage] = answer.passages
    assert {passage.path, *(place.path for place in passage.also_in)} == set(paths)
    assert len(answer.citations) == 3


def test_copies_are_found_where_only_they_are_let_through(copied):
    answer = ask_copied(copied, "Which documents in b/ mention parental leave?")

    assert "“parental leave”: 2" in answer.text
    assert "a/leave.md" not in answer.text
    assert answer.passages[0].path == "b/leave.md"


def test_copies_of_what_mentions_a_topic_are_not_said_to_be_without_it(copied):
    answer = ask_copied(copied, "Which documents do not mention parental leave?")

    assert "b/other.md" in answer.text
    assert "leave.md" not in answer.text


def test_a_sentence_of_several_copies_is_listed_once_with_all_its_places(copied):
    answer = ask_copied(copied, "Find all mentions of parental leave")

    assert answer.text.count("twelve months") == 1
    assert len(answer.passages[0].also_in) == 2
