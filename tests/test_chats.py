import pytest

from chatbot.chats import NEW_CHAT_TITLE, ChatStore, list_messages, shorten_title
from chatbot.errors import ChatbotError, CorpusError
from chatbot.types import Citation, Message, Timings
from tests.makers import make_answer, make_passage

PASSAGE = make_passage("The ferry leaves at noon.", headings=("One", "Two"), page=3, date="2025-03-01")
CITATION = Citation(1, 0, 8, "id of handbook.md", 4, 29, "ferry leaves at noon.", 3, 0.9)
FULL_ANSWER = make_answer(
    passages=(PASSAGE,),
    citations=(CITATION,),
    unsupported=((9, 12),),
    dropped=2,
    stop_reason="length",
    timings=Timings(0.1, 0.2, 0.3),
    model="scripted",
)


@pytest.fixture
def store(tmp_path):
    store = ChatStore(tmp_path / "chats.sqlite3")
    yield store
    store.close()


@pytest.fixture
def chat(store):
    return store.create_chat("notes")


def test_a_chat_survives_a_restart_with_everything_of_its_answers(tmp_path):
    first = ChatStore(tmp_path / "own.sqlite3")
    chat = first.create_chat("notes")
    turn = first.append_turn(chat.id, "When?", FULL_ANSWER)
    first.close()

    second = ChatStore(tmp_path / "own.sqlite3")

    assert (turn,) == second.get_chat(chat.id).turns
    assert second.get_chat(chat.id).turns[0].answer == FULL_ANSWER
    second.close()


def test_the_first_question_becomes_the_title(store, chat):
    store.append_turn(chat.id, "When does  the\nferry leave?", make_answer())
    store.append_turn(chat.id, "And on Sundays?", make_answer())

    assert store.get_chat(chat.id).title == "When does the ferry leave?"


def test_a_title_that_was_given_stays(store, chat):
    store.rename_chat(chat.id, "Ferries")
    store.append_turn(chat.id, "When?", make_answer())

    assert store.get_chat(chat.id).title == "Ferries"


def test_chats_without_a_question_are_not_listed(store, chat):
    assert store.list_chats() == []


def test_the_chat_that_was_used_last_comes_first(store):
    chats = [store.create_chat("notes") for _ in range(3)]
    for number in (0, 1, 2, 1):
        store.append_turn(chats[number].id, "When?", make_answer())

    assert [chats[number].id for number in (1, 2, 0)] == [chat.id for chat in store.list_chats()]


def test_a_turn_and_all_later_ones_are_dropped_to_ask_again(store, chat):
    turns = [store.append_turn(chat.id, f"Question {number}?", make_answer()) for number in range(4)]

    store.replace_turns_from(chat.id, turns[1].id)
    store.append_turn(chat.id, "Better?", make_answer())

    assert [turn.question for turn in store.get_chat(chat.id).turns] == ["Question 0?", "Better?"]


def test_dropping_a_turn_of_another_chat_changes_nothing(store, chat):
    other = store.create_chat("notes")
    first = store.append_turn(other.id, "Other?", make_answer())
    store.append_turn(chat.id, "When?", make_answer())

    store.replace_turns_from(chat.id, "unknown")

    assert len(store.get_chat(chat.id).turns) == 1
    assert (first,) == store.get_chat(other.id).turns


@pytest.mark.parametrize("rating", ["up", "down", None])
def test_a_rating_is_kept_with_its_turn(store, chat, rating):
    turn = store.append_turn(chat.id, "When?", make_answer())

    store.rate_turn(turn.id, "up")
    store.rate_turn(turn.id, rating)

    assert rating == store.get_chat(chat.id).turns[0].rating


def test_a_deleted_chat_is_gone_with_its_turns(store, chat):
    store.append_turn(chat.id, "When?", make_answer())

    store.delete_chat(chat.id)

    assert store.list_chats() == []
    assert store._database.read("SELECT id FROM turns") == []
    with pytest.raises(CorpusError, match="no longer there"):
        store.get_chat(chat.id)


def test_the_words_of_a_deleted_chat_are_in_no_byte(store, chat, tmp_path):
    store.append_turn(chat.id, "When?", make_answer("Zanzibarquokka."))
    assert any(b"Zanzibarquokka" in path.read_bytes() for path in tmp_path.glob("chats*"))

    store.delete_chat(chat.id)

    assert not any(b"Zanzibarquokka" in path.read_bytes() for path in tmp_path.glob("chats*"))


def test_the_receipts_of_a_chat_are_those_of_its_answers(store, chat):
    for receipt in ("a", "", "b"):
        store.append_turn(chat.id, "When?", make_answer(receipt=receipt))

    assert store.list_receipts(chat.id) == ["a", "b"]
    assert store.list_receipts("another") == []


def test_an_answer_to_a_chat_that_was_deleted_meanwhile_is_refused_in_words(store, chat):
    store.delete_chat(chat.id)

    with pytest.raises(ChatbotError):
        store.append_turn(chat.id, "When?", make_answer())


def test_messages_are_the_questions_and_answers_in_turn(store, chat):
    store.append_turn(chat.id, "When?", make_answer("At noon."))

    assert [Message("user", "When?"), Message("assistant", "At noon.")] == list_messages(
        store.get_chat(chat.id)
    )


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Short?", "Short?"),
        ("", NEW_CHAT_TITLE),
        (" \n ", NEW_CHAT_TITLE),
        ("two\n\nlines", "two lines"),
        ("word " * 30, "word " * 10 + "word…"),
        ("x" * 100, "x" * 59 + "…"),
    ],
)
def test_titles_are_one_short_line(text, title):
    assert title == shorten_title(text)


def test_a_question_of_any_unicode_is_kept(store, chat):
    store.append_turn(chat.id, "Wann? 漢字 🏳️‍🌈 \u202e '; DROP TABLE chats; --", make_answer())

    assert store.get_chat(chat.id).turns[0].question == "Wann? 漢字 🏳️‍🌈 \u202e '; DROP TABLE chats; --"
