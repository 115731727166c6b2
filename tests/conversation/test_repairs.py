import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.conversation.repairs import resolve_self_correction


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("When no what time does the ferry leave?", "What time does the ferry leave?"),
        ("Who runs, sorry, when does the ferry to Tolsay leave?", "When does the ferry to Tolsay leave?"),
        ("How much leave or rather how much pay is carried over?", "How much pay is carried over?"),
        ("Is the ferry late, no wait, is the slip at Tolsay closed?", "Is the slip at Tolsay closed?"),
        ("Which port no scratch that tell me which pier is closed?", "Which pier is closed?"),
    ],
)
def test_a_question_that_is_asked_anew_replaces_the_one_begun(said, meant):
    assert meant == resolve_self_correction(said)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("What is the fare from Harl Quay er Tolsay?", "What is the fare from Tolsay?"),
        ("What were the fares in 2023, no, 2025?", "What were the fares in 2025?"),
        ("Who mends the engine I mean radar of MV Dunlin?", "Who mends the radar of MV Dunlin?"),
        ("When does the ferry no wait the bus leave?", "When does the bus leave?"),
        ("Who pays on Sundays sorry on holidays?", "Who pays on holidays?"),
        ("How long is the straight slip oops curved slip?", "How long is the curved slip?"),
        ("What do staff agree to I mean object to?", "What do staff object to?"),
        ("The leave starts when or rather where?", "The leave starts where?"),
        ("When does the Tolsay no the Hask ferry leave?", "When does the Hask ferry leave?"),
        ("Does Dunlin no Kittiwake sail today?", "Does Kittiwake sail today?"),
    ],
)
def test_only_the_words_that_were_taken_back_are_replaced(said, meant):
    assert meant == resolve_self_correction(said)


def test_what_was_named_and_denied_is_replaced_where_it_stood():
    said = "In what port is Dunlin berthed no wait Kittiwake not Dunlin?"

    assert resolve_self_correction(said) == "In what port is Kittiwake berthed"


def test_a_new_question_too_short_to_stand_alone_keeps_the_first_one_s_words():
    said = "How many islanders hold member shares, I mean who does?"

    assert resolve_self_correction(said) == "How many islanders hold member shares, who does?"


def test_a_hesitation_takes_nothing_back():
    assert resolve_self_correction("What is the um annual uh leave?") == "What is the annual leave?"


def test_several_corrections_of_one_question_are_all_resolved():
    said = "What is the fare no wait the limit er uh sorry the weight for dogs?"

    assert resolve_self_correction(said) == "What is the weight for dogs?"


@pytest.mark.parametrize(
    "question",
    [
        "What do I mean by scope?",
        "Who can say sorry for a delay?",
        "Who sang Sorry in 2015?",
        "What does it mean when there is no answer?",
        "Is it actually closed on Sundays?",
        "Who may work from home instead of the office?",
        "Is it paid monthly or weekly?",
        "What happens when a commission reached no decision, or none at all?",
        "How many weeks do I have to wait to apply?",
        "Who pays for people with cats or no pets?",
        "What is Piano Concerto No. 2?",
        "What did the strike that ended in May cost?",
        "Which form says yes or no?",
        "Who is on duty in the ER at night?",
        "Wann kommt er um neun Uhr an?",
        "Quem é um bom capitão?",
        "No, that is wrong.",
        "Sorry, where is the pier?",
        "How  are   blanks kept?",
    ],
)
def test_a_question_that_only_holds_such_words_is_left_word_for_word(question):
    assert question == resolve_self_correction(question)


def test_a_text_too_long_to_be_spoken_is_left_alone_at_once():
    text = "x or like y " * 8000
    assert resolve_self_correction(text) == text


TERMS = [
    "no",
    "wait",
    "sorry",
    "I mean",
    "or",
    "rather",
    "er",
    "um",
    "what",
    "not",
    "the",
    "ferry",
    "Tolsay",
    "7",
]


@given(st.lists(st.sampled_from([*TERMS, ",", "...", "?", "—", "\n"]) | st.text(max_size=5), max_size=30))
def test_no_words_but_the_speaker_s_own_are_ever_put_in(parts):
    said = " ".join(parts)

    kept = re.findall(r"\w+", resolve_self_correction(said).casefold())

    assert set(kept) <= set(re.findall(r"\w+", said.casefold()))
