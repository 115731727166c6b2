import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.conversation.standalone import SHORT_ANSWER_WORDS, is_follow_up, make_standalone
from chatbot.sentences import find_words
from chatbot.types import Message

FERRY = "When does the ferry to Tolsay leave?"
LONG_ANSWER = "An answer of so many words about zebras that nobody would take it for a name."


def history(*questions: str, answer: str = LONG_ANSWER) -> list[Message]:
    return [
        message
        for question in questions
        for message in (Message("user", question), Message("assistant", answer))
    ]


def test_the_first_question_stands_as_it_is():
    assert make_standalone("And what about it?", []) == "And what about it?"


@pytest.mark.parametrize(
    "question",
    [
        "How many days of annual leave do shore staff have?",
        "Which colour is the permit at Harl Quay?",
        "What is a passcode?",
        "How do I reset my password for payroll?",
        "When is the IT desk open on Saturdays?",
        "By how much did wages go up this year?",
        "What does it cost my department if I miss a course?",
        "Who has to see to it that the lamp post is moved?",
        "List all error codes",
        "How hard is it to set up a video call?",
        "What does it mean to be on standby duty?",
        "Does the company let crew see their payslips?",
        "What is a rota and why is it published?",
        "Is it true that the harbour office closes on public holidays?",
        "Does it take long to renew a seaman's discharge book?",
        "What is the most that one person can hold in member shares?",
        "Who should staff ring when they lose their laptops?",
        "How do contractors see those rules that bind the crew?",
        "Are there lockers for foot passengers on the quay?",
        "How  are   blanks kept in a question about lockers and keys?",
        "Tell me about the sickness policy of Harl Quay.",
    ],
)
def test_a_question_that_stands_alone_is_left_word_for_word(question):
    assert not is_follow_up(question, FERRY)
    assert question == make_standalone(question, history(FERRY))


@pytest.mark.parametrize(
    ("question", "standalone"),
    [
        ("How much does it cost?", "How much does the ferry to Tolsay cost?"),
        ("Who owns it and why?", "Who owns the ferry to Tolsay and why?"),
        ("What if it breaks down?", "What if the ferry to Tolsay breaks down?"),
        ("What is its length?", "What is the ferry to Tolsay's length?"),
        ("It is late. Where do I wait?", "The ferry to Tolsay is late. Where do I wait?"),
    ],
)
def test_a_pronoun_gives_way_to_the_only_name_it_can_stand_for(question, standalone):
    assert standalone == make_standalone(question, history(FERRY))


def test_a_pronoun_that_could_mean_several_things_is_searched_with_the_last_question():
    earlier = "Which vessel replaces MV Dunlin when Kittiwake is away?"

    assert make_standalone("How fast is she?", history(earlier)) == f"{earlier} How fast is she?"


@pytest.mark.parametrize(
    ("earlier", "question", "standalone"),
    [
        (FERRY, "And to Little Hask?", "When does the ferry to Little Hask leave?"),
        ("When are the drills at Harl Quay?", "And at Tolsay?", "When are the drills at Tolsay?"),
        ("How much leave do shore staff get?", "What about deck staff?", "How much leave do deck staff get?"),
        ("What does a master earn?", "And a deckhand?", "What does a deckhand earn?"),
        (
            "At what wind is MV Dunlin stopped?",
            "What about the Kittiwake?",
            "At what wind is the Kittiwake stopped?",
        ),
        (
            "Can I see Jupiter from Tolsay?",
            "No, I meant from Harl Quay.",
            "Can I see Jupiter from Harl Quay?",
        ),
    ],
)
def test_a_phrase_takes_the_place_of_its_counterpart_in_the_last_question(earlier, question, standalone):
    assert standalone == make_standalone(question, history(earlier))


@pytest.mark.parametrize(
    "question", ["And on Sundays?", "What about dogs?", "Why?", "Opening hours", "For whom?"]
)
def test_a_phrase_without_a_counterpart_comes_after_the_last_question(question):
    assert make_standalone(question, history(FERRY)) == f"{FERRY} {question}"


@pytest.mark.parametrize(
    ("earlier", "question", "standalone"),
    [
        ("Who approves annual leave?", "How do I apply?", "Annual leave: How do I apply?"),
        ("Who approves annual leave?", "And how do I apply?", "Annual leave: how do I apply?"),
        ("How many rest days are there?", "I am new. What do I get?", "Rest days: I am new. What do I get?"),
        ("Is the small slip at Tolsay closed?", "Who has the key?", "Small slip at Tolsay: Who has the key?"),
    ],
)
def test_a_question_that_names_no_topic_gets_that_of_the_last(earlier, question, standalone):
    assert standalone == make_standalone(question, history(earlier))


def test_a_short_answer_is_carried_on_as_what_the_next_question_is_about():
    messages = history("Who is the harbour master of Tolsay?", answer="Ada Reed.")

    standalone = make_standalone("When did she join?", messages)

    assert standalone == "Who is the harbour master of Tolsay? Ada Reed. When did she join?"


@pytest.mark.parametrize(
    "answer", [LONG_ANSWER, "Yes, zebras.", "I found no zebras.", "Sorry, no zebras.", "—", "", "   "]
)
def test_an_answer_that_names_nothing_is_never_searched_for(answer):
    standalone = make_standalone("Who approves that?", history(FERRY, answer=answer))

    assert standalone == f"{FERRY} Who approves that?"
    assert len(LONG_ANSWER.split()) > SHORT_ANSWER_WORDS


@pytest.mark.parametrize(
    "question",
    [
        "Who pays for travel?",
        "How many documents are there?",
        "Which policies are there?",
        "thanks!",
        "Hello",
    ],
)
def test_a_question_with_a_noun_of_its_own_and_small_talk_are_left_alone(question):
    assert make_standalone(question, history("How do I install the booking software?")) == question


def test_the_sign_at_the_end_of_a_folder_is_not_doubled():
    history = [Message("user", "List all documents in people/"), Message("assistant", "Nine.")]

    assert make_standalone("And in safety/?", history) == "List all documents in safety/"


def test_a_topic_lasts_over_several_follow_ups():
    standalone = make_standalone(
        "And on Mondays?", history(FERRY, "And on Sundays?", "How much does it cost?")
    )

    assert "ferry to Tolsay" in standalone
    assert "Mondays" in standalone


def test_a_question_that_stands_alone_ends_the_topic_before_it():
    earlier = "How many days of annual leave do shore staff have?"

    standalone = make_standalone("And deck staff?", history(FERRY, earlier))

    assert standalone == "How many days of annual leave do deck staff have?"


def test_what_a_conversation_carries_on_does_not_grow_with_it():
    questions = ["Why is that so, and who says it?"] * 40

    assert len(make_standalone("And why?", history(FERRY, *questions))) < 300


def test_a_turn_without_words_leaves_the_topic_standing():
    messages = [Message("user", FERRY), Message("user", " "), Message("system", "Be brief.")]

    assert make_standalone("And to Little Hask?", messages) == "When does the ferry to Little Hask leave?"


def test_what_the_speaker_took_back_is_taken_out_with_and_without_a_history():
    said = "When does the ferry, no wait, the bus to Harl Quay leave?"

    assert make_standalone(said, []) == "When does the bus to Harl Quay leave?"
    assert make_standalone(said, history(FERRY)) == "When does the bus to Harl Quay leave?"
    assert make_standalone("And to Little Hask?", history(said)) == "When does the bus to Little Hask leave?"


def test_a_counterpart_is_a_whole_word():
    said = "What is the care plan for the car?"
    assert make_standalone("And the red car?", history(said)) == "What is the care plan for the red car?"


WORDS = st.sampled_from(
    [
        "and",
        "what about",
        "it",
        "this",
        "she",
        "the",
        "ferry",
        "Tolsay",
        "to",
        "a",
        "why",
        "is",
        "no",
        "(",
        "?",
        ".",
        "\\1",
    ]
)
TEXT = st.lists(WORDS | st.text(max_size=6), max_size=14).map(" ".join)


@given(TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=3))
def test_only_words_that_were_said_are_searched_for(question, turns):
    messages = [
        message for asked, told in turns for message in (Message("user", asked), Message("assistant", told))
    ]
    said = " ".join([question, *(message.content for message in messages)]).casefold()

    standalone = make_standalone(question, messages)

    assert standalone.strip() or not question.strip()
    assert {word.removesuffix("'s") for word in find_words(standalone.casefold())} <= {
        word.removesuffix("'s") for word in find_words(said)
    }
