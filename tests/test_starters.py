"""First questions drawn from documents."""

from chatbot.starters import draw_questions


def test_headings_that_are_questions_come_first_and_each_document_is_asked_once():
    places = [
        ("Leave", ("Leave",)),
        ("Leave", ("Leave", "Carrying days over")),
        ("Leave", ("Leave", "Public holidays")),
        ("FAQ", ("FAQ", "How do I reset my password?")),
        ("FAQ", ("FAQ", "Where is the printer?")),
    ]

    assert draw_questions(places) == (
        "How do I reset my password?",
        "What does “Leave” say about “Carrying days over”?",
    )


def test_at_most_four_questions_are_drawn_and_none_without_headings():
    places = [(f"Paper {number}", ("Results",)) for number in range(9)]

    assert len(draw_questions(places)) == 4
    assert draw_questions([("Notes", ()), ("Notes", ("Notes",)), ("Notes", ("x" * 99,))]) == ()
