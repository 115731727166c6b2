import pytest

from chatbot.conversation.small_talk import recognize_small_talk
from chatbot.types import Message
from tests.test_assistant import PROMPTS, ask, make_assistant


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hello", "greeting"),
        ("Hi there!", "greeting"),
        ("Good morning, chatbot.", "greeting"),
        ("hey, how are you?", "greeting"),
        ("Bonjour", "greeting"),
        ("thanks", "thanks"),
        ("Great, thank you so much! :)", "thanks"),
        ("ok thanks, that helped", "thanks"),
        ("Bye", "goodbye"),
        ("help", "abilities"),
        ("What can you do?", "abilities"),
        ("who are you", "abilities"),
        ("How does this work?", "abilities"),
        ("Are you a bot?", "abilities"),
        ("Hello, when is the first ferry?", None),
        ("thanks to whom was the pier built?", None),
        ("Help desk opening hours", None),
        ("Who are you supposed to call in a fire?", None),
        ("What can you do when a ship is late?", None),
        ("How does the linkspan work?", None),
        ("What is this form for?", None),
        ("Is a goodbye party paid for?", None),
        ("", None),
    ],
)
def test_only_what_asks_nothing_of_the_documents_is_small_talk(text, kind):
    assert recognize_small_talk(text) == kind


def test_small_talk_is_answered_without_search_model_or_citation():
    assistant = make_assistant()
    finished = ask(
        assistant, "Thank you!", [Message("user", "Where is the key?"), Message("assistant", "Here.")]
    )
    answer = finished.finish()

    assert answer.text == PROMPTS.thanks.substitute()
    assert answer.found
    assert (answer.citations, answer.passages, assistant.model.prompts) == ((), (), [])
    assert ask(assistant, "hello").finish().text == PROMPTS.greeting.substitute()
