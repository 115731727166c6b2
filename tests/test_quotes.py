import pytest

from chatbot.evidence import Evidence, rank_evidence
from chatbot.grounding import list_source_spans
from chatbot.quotes import (
    asks_whether,
    choose_quotes,
    choose_short_answer,
    complete_words,
    drop_label,
    find_older_statement,
    include_counted,
    trim_answer,
)
from chatbot.reading.reading import Reading
from chatbot.trust import EVEN_ODDS, SURE_MARGIN, SURE_ODDS, UNSURE_MARGIN
from tests.fakes import HashingEmbedder
from tests.makers import make_passage, make_reading

TEXT = "The office is closed on Sundays. Full-time staff receive 27 days of leave a year."
PASSAGE = make_passage(TEXT, start=100)


def read(*answers: tuple[str, float], passage=PASSAGE, nothing: float = 0.0) -> Reading:
    return make_reading(passage, dict(answers), nothing=nothing)


def rank(question, reading, passage=PASSAGE):
    return rank_evidence(question, list_source_spans([passage]), HashingEmbedder(), reading=reading)


def test_the_words_that_the_reading_model_is_sure_of_are_the_short_answer():
    answer = choose_short_answer(rank("How many days?", read(("27 days", 9.0))), "How many days?")

    assert answer is not None
    assert answer.text == "27 days"
    assert (answer.start, answer.end) == (100 + TEXT.index("27"), 100 + TEXT.index(" of leave"))


def test_a_sentence_that_the_reading_model_likes_goes_first():
    plain = rank("How long is it closed?", None)
    read_too = rank("How long is it closed?", read(("27 days", 9.0)))

    assert plain[0].span.text.startswith("The office")
    assert {item.span.text for item in plain} == {item.span.text for item in read_too}
    gained = {item.span.text: item.score for item in read_too}
    assert all(gained[item.span.text] >= item.score for item in plain)
    assert gained[read_too[0].span.text] > 0
    assert max(
        read_too, key=lambda item: item.score - next(p.score for p in plain if p.span == item.span)
    ).span.text.startswith("Full-time")


@pytest.mark.parametrize("question", ["Is it 27 days?", "Can I take it?", "How do I apply?", "Why so?"])
def test_questions_for_a_yes_or_a_reason_have_no_short_answer(question):
    assert choose_short_answer(rank(question, read(("27 days", 9.0))), question) is None


def test_an_unsure_answer_is_not_shown():
    reading = read(("27 days", 9.0), nothing=9.0 - SURE_ODDS + 0.1)

    assert choose_short_answer(rank("How many days?", reading), "How many days?") is None


def test_a_whole_sentence_is_no_short_answer():
    passage = make_passage("Closed on Sundays.")
    reading = read(("Closed on Sundays", 9.0), passage=passage)

    assert choose_short_answer(rank("When is it closed?", reading, passage), "When is it closed?") is None


def test_without_a_reading_there_is_no_short_answer():
    assert choose_short_answer(rank("How many days?", None), "How many days?") is None
    assert choose_short_answer([], "How many days?") is None


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("It costs £9 a day.", "9", "£9"),
        ("About 5% of it.", "5", "5%"),
        ("In “Tolsay”, they say.", "“Tolsay”,", "Tolsay"),
        ("See (noon).", "(noon).", "noon"),
        ("All of it", "...", ""),
        ("All of it", "...%", ""),
        ("It is E-12 (high).", "E-12 (high)", "E-12 (high)"),
        ("See (E-12 here).", "E-12 here)", "E-12 here"),
        ("By 5 p.m. on Monday", "5 p.m.", "5 p.m."),
        ("Ask Sund Ltd. for it.", "Sund Ltd.", "Sund Ltd."),
        ("It was in Oban. They left.", "Oban.", "Oban"),
    ],
)
def test_answers_lose_marks_at_their_edges_and_keep_their_signs(text, found, expected):
    start = text.find(found)
    text = text if start >= 0 else found

    first, last = trim_answer(text, max(start, 0), max(start, 0) + len(found))

    assert text[first:last] == expected


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("Staff receive 27 days of leave.", "How many days do I get?", "27 days"),
        ("Up to 27 working days a year.", "How many days do I get?", "27 working days"),
        ("It takes 27, say the days.", "How many days does it take?", "27"),
        ("Staff receive 27 hours.", "How many days do I get?", "27"),
        ("Staff receive 27 days.", "What do I get?", "27"),
        ("There are 27 | days |", "How many days?", "27"),
        ("The class has 27 full members.", "How many full members are there?", "27 full members"),
        ("The class has 27", "How many members?", "27"),
    ],
)
def test_a_number_is_given_with_what_was_counted(text, question, expected):
    start = text.index("27")

    assert text[start : include_counted(text, start + 2, len(text), question)] == expected


def make_versions(new: str, old: str):
    return [
        make_passage(new, number=1, path="remote-2025.md", date="2025-04-01", title="Remote work 2025"),
        make_passage(old, number=2, path="remote-2023.md", date="2023-05-01", title="Remote work 2023"),
    ]


@pytest.mark.parametrize(
    ("question", "old", "expected"),
    [
        ("How large is the desk allowance?", "The desk allowance is £120.", "The desk allowance is £120."),
        ("How large is the desk allowance?", "The desk allowance is £180.", None),
        ("How large is the desk allowance?", "The desk allowance is generous.", None),
        ("How large was the desk allowance in 2023?", "The desk allowance is £120.", None),
        ("How do I get the desk allowance?", "The desk allowance is £120.", None),
    ],
)
def test_what_an_older_version_says_instead_is_found(question, old, expected):
    spans = list_source_spans(make_versions("The desk allowance is £180.", old))
    evidence = rank_evidence(question, spans, HashingEmbedder())

    found = find_older_statement(evidence, choose_quotes(evidence, question), question)

    assert (found and found.text) == expected


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("The cost was £18,400, of which half.", "18", "18,400"),
        ("The cost was £18,400, of which half.", "400", "18,400"),
        ("It opens at 08:30.", "08", "08:30"),
        ("Wages rose by 3.4 per cent.", "4 per", "3.4 per"),
        ("Ask Kellan.", "Kell", "Kellan"),
        ("Ask Kellan.", "ellan", "Kellan"),
        ("Rooms 12, 14 and 16.", "12", "12"),
        ("It is 27.", "27", "27"),
    ],
)
def test_a_short_answer_is_made_of_whole_words_and_numbers(text, found, expected):
    start = text.index(found)

    first, last = complete_words(text, start, start + len(found))

    assert text[first:last] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: You may take two days.", "You may take two days."),
        ("A dog may come.", "A dog may come."),
        ("A:", "A:"),
    ],
)
def test_the_label_of_an_answer_is_not_quoted(text, expected):
    [span] = [span for span in list_source_spans([make_passage(text)]) if span.text == text]

    assert drop_label(span).text == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Is parking free?", True),
        ("I am expecting a child, is that covered?", True),
        ("If both work here, can they share it?", True),
        ("What is covered?", False),
        ("When I am ill, whom do I call?", False),
    ],
)
def test_questions_for_yes_or_no_are_told(question, expected):
    assert asks_whether(question) == expected


def test_a_second_sentence_is_quoted_sooner_where_the_reading_model_is_unsure():
    spans = list_source_spans([PASSAGE])
    first, second = (span for span in spans if span.sentences == 1)

    def count(odds: float, behind: float) -> int:
        evidence = [Evidence(second, 1.0, odds=odds), Evidence(first, 1.0 - behind, odds=-20.0)]
        return len(choose_quotes(evidence, "How long?", margin=None)[0].text.split(". "))

    between = (SURE_MARGIN + UNSURE_MARGIN) / 2
    assert count(EVEN_ODDS + 50, between) == 1
    assert count(EVEN_ODDS - 50, between) == 2
    assert count(EVEN_ODDS + 50, SURE_MARGIN - 0.01) == 2
    assert count(EVEN_ODDS - 50, UNSURE_MARGIN + 0.01) == 1


def test_the_mark_of_a_note_is_not_quoted():
    text = "[!NOTE] Spending more needs a yes."
    span = list_source_spans([make_passage(text)])[0]

    assert drop_label(span).text == "Spending more needs a yes."
