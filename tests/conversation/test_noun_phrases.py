import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.conversation.noun_phrases import find_noun_phrases, find_nouns, is_name


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("When does the ferry to Tolsay leave?", ["the ferry to Tolsay"]),
        ("How many days of annual leave do staff have?", ["days of annual leave", "staff"]),
        ("What is the limit of the old slip?", ["the limit of the old slip"]),
        ("Who approves sick pay for Ada Reed?", ["sick pay for Ada Reed"]),
        ("Is a sailing of MV Dunlin cancelled?", ["sailing of MV Dunlin"]),
        ("What is it?", []),
        ("", []),
    ],
)
def test_the_noun_phrases_of_a_question_are_what_it_speaks_of(text, phrases):
    assert phrases == find_noun_phrases(text)


def test_nouns_are_stemmed_and_leave_function_words_and_verbs_out():
    assert find_nouns("How do the ferries get to the piers?") == ["ferry", "pier"]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("the ferry to Tolsay", "When is the ferry to Tolsay late?", True),
        ("Fares", "Fares and times", False),
        ("Ada Reed", "Ada Reed is away.", True),
        ("the fare", "What is the fare?", False),
    ],
)
def test_a_capital_letter_makes_a_name_unless_it_only_opens_the_text(phrase, text, expected):
    assert is_name(phrase, text) is expected


@given(
    st.lists(
        st.sampled_from(["of", "the", "a", "to", "ferry", "Tolsay", "?", "leave", "who"])
        | st.text(max_size=5)
    )
)
def test_noun_phrases_stand_in_the_text_one_after_the_other(parts):
    text = " ".join(parts)
    end = 0

    for phrase in find_noun_phrases(text):
        end = text.index(phrase, end) + len(phrase)

    assert end <= len(text)
