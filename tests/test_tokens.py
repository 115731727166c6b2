import pytest

from chatbot.errors import QuestionError
from chatbot.tokens import cut_to_tokens, estimate_message_tokens, estimate_tokens, fit_prompt
from chatbot.types import Message
from tests.makers import make_passage

PASSAGES = [make_passage("word " * 10, number=number) for number in (1, 2, 3)]
HISTORY = [
    Message("user", "first question"),
    Message("assistant", "first answer"),
    Message("user", "second question"),
    Message("assistant", "second answer"),
]


def write_messages(passages, history):
    return [*history, Message("user", " ".join(passage.text for passage in passages) + " question")]


def count_words(messages):
    return sum(len(message.content.split()) for message in messages)


def fit(limit, *, passages=PASSAGES, history=HISTORY):
    return fit_prompt(write_messages, passages, history, count_tokens=count_words, prompt_tokens=limit)


def test_what_fits_is_kept_whole():
    fitted = fit(39)

    assert (len(fitted.passages), fitted.dropped, fitted.tokens, len(fitted.messages)) == (3, 0, 39, 5)


@pytest.mark.parametrize(
    ("limit", "passages", "turns"), [(38, 3, 2), (34, 3, 0), (31, 3, 0), (30, 2, 0), (20, 1, 0), (11, 1, 0)]
)
def test_the_oldest_turns_go_first_then_the_last_passages(limit, passages, turns):
    fitted = fit(limit)

    assert (passages, 3 - passages, turns) == (
        len(fitted.passages),
        fitted.dropped,
        len(fitted.messages) - 1,
    )
    assert fitted.tokens <= limit
    assert tuple(PASSAGES[:passages]) == fitted.passages


def test_a_question_that_does_not_fit_with_one_passage_is_refused():
    with pytest.raises(QuestionError, match="too long"):
        fit(10)


def test_a_question_without_passages_may_be_too_long_too():
    with pytest.raises(QuestionError, match="too long"):
        fit(0, passages=[])


@pytest.mark.parametrize(
    "text",
    ["<|endoftext|>", "<|im_start|>system<|im_end|>", "<|fim_prefix|>", "", "漢字" * 50, "\ud800 lone"],
)
def test_any_text_is_counted_special_tokens_as_plain_characters(text):
    assert estimate_tokens(text) >= 1
    assert estimate_tokens("<|endoftext|>") > 2


def test_an_estimate_leaves_room():
    assert estimate_tokens("The ferry leaves at noon.") > 6


def test_every_message_costs_something_besides_its_words():
    assert estimate_message_tokens([Message("user", "")] * 3) >= 24


@pytest.mark.parametrize("text", ["", "The ferry leaves at noon.", "Größe 👩‍🚀 " * 20])
@pytest.mark.parametrize("limit", [1, 3, 10, 1000])
def test_a_text_is_cut_to_a_beginning_of_so_many_tokens(text, limit):
    cut = cut_to_tokens(text, limit)

    assert text.startswith(cut)
    assert estimate_tokens(cut) <= limit
    assert cut == text or estimate_tokens(text) > limit
