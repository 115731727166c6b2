import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import PromptError
from chatbot.prompting import _CONTROL_TOKEN, PROMPT_VARIABLES, load_prompts, neutralize_text
from chatbot.types import Message
from tests.makers import make_passage

SHIPPED = Path(__file__).parent.parent / "prompts"
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "<|",
            "|>",
            "im_start",
            "im_end",
            "<",
            ">",
            "s",
            "/",
            "[",
            "]",
            "INST",
            "start_of_turn",
            "\u200b",
            "<|im_start|>",
            "</s>",
            "<s>",
            "[/INST]",
            "<<SYS>>",
            "<bos>",
            " ",
            "a",
        ]
    ),
    max_size=12,
).map("".join)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "prompts")
    return tmp_path / "prompts"


def test_the_shipped_prompts_are_sound():
    assert load_prompts(SHIPPED).write_quote("At noon.") == "“At noon.”"


def test_every_shipped_prompt_is_known():
    assert set(PROMPT_VARIABLES) == {path.stem for path in SHIPPED.glob("*.md") if path.stem != "README"}


@pytest.mark.parametrize("name", PROMPT_VARIABLES)
def test_a_missing_prompt_is_named(folder, name):
    (folder / f"{name}.md").unlink()

    with pytest.raises(PromptError, match=rf"{name}\.md"):
        load_prompts(folder)


@pytest.mark.parametrize("name", PROMPT_VARIABLES)
def test_a_prompt_with_an_unknown_variable_is_named_with_it(folder, name):
    text = "".join(f"${variable} " for variable in PROMPT_VARIABLES[name])
    (folder / f"{name}.md").write_text(f"{text} $weather")

    with pytest.raises(PromptError, match=rf"{name}\.md uses \$weather"):
        load_prompts(folder)


@pytest.mark.parametrize(
    ("name", "variable"),
    [(name, variable) for name, variables in PROMPT_VARIABLES.items() for variable in sorted(variables)],
)
def test_a_prompt_without_one_of_its_variables_is_named_with_it(folder, name, variable):
    others = " ".join(f"${other}" for other in PROMPT_VARIABLES[name] - {variable})
    (folder / f"{name}.md").write_text(others)

    with pytest.raises(PromptError) as caught:
        load_prompts(folder)

    assert f"{name}.md lacks ${variable}" in caught.value.message
    assert f"${variable}" in caught.value.next_step


@pytest.mark.parametrize("name", PROMPT_VARIABLES)
def test_a_dollar_sign_that_starts_no_variable_is_named(folder, name):
    (folder / f"{name}.md").write_text("It costs 5 $ or so.")

    with pytest.raises(PromptError, match=rf"{name}\.md"):
        load_prompts(folder)


def test_a_prompt_in_another_encoding_is_named(folder):
    (folder / "system.md").write_bytes("Grüße".encode("latin-1"))

    with pytest.raises(PromptError, match=r"system\.md"):
        load_prompts(folder)


def test_a_doubled_dollar_sign_is_a_dollar_sign(folder):
    (folder / "system.md").write_text("It costs 5 $$.")

    assert load_prompts(folder).write_messages("q", [])[0].content == "It costs 5 $."


def test_passages_and_question_stand_in_the_last_message():
    messages = load_prompts(SHIPPED).write_messages(
        "When does it leave?",
        [make_passage("The ferry leaves at noon."), make_passage("Dogs pay.", number=2)],
    )

    assert messages[-1].role == "user"
    for words in ("When does it leave?", "The ferry leaves at noon.", "Dogs pay."):
        assert words in messages[-1].content


def test_history_stands_between_the_rules_and_the_question():
    history = [Message("user", "Earlier?"), Message("assistant", "Yes.")]

    messages = load_prompts(SHIPPED).write_messages("Now?", [], history)

    assert history == messages[-3:-1]


def test_an_empty_system_prompt_is_left_out(folder):
    (folder / "system.md").write_text("\n")

    assert [message.role for message in load_prompts(folder).write_messages("Now?", [])] == ["user"]


def test_dollar_signs_in_documents_and_questions_are_only_text():
    messages = load_prompts(SHIPPED).write_messages("What is $question?", [make_passage("It is $passages.")])

    assert "What is $question?" in messages[-1].content
    assert "It is $passages." in messages[-1].content


@pytest.mark.parametrize(
    "token",
    [
        "<|im_start|>",
        "<|im_end|>",
        "<|endoftext|>",
        "<|IM_START|>",
        "</s>",
        "<s>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<start_of_turn>",
        "<end_of_turn>",
        "<bos>",
        "<|im_\u200bstart|>",
        "<|im_<|start|>|>",
        "<<s>tart_of_turn>",
    ],
)
def test_control_tokens_never_reach_a_prompt(token):
    passage = make_passage(f"before {token} after", title=token, headings=(token,))

    messages = load_prompts(SHIPPED).write_messages(token, [passage], [Message("user", token)])

    content = "\n".join(message.content for message in messages)
    assert token not in content
    assert _CONTROL_TOKEN.findall(content) == []


@given(FRAGMENTS)
def test_nothing_that_is_left_of_a_token_makes_another(text):
    plain = neutralize_text(text)

    assert _CONTROL_TOKEN.findall(plain) == []
    assert plain == neutralize_text(plain)


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "x|y", "[1]", "<p>text</p>", "5 <| 6", "a [link](url)", "漢字 é"]
)
def test_ordinary_text_is_left_alone(text):
    assert text == neutralize_text(text)


def test_invisible_characters_are_taken_out():
    assert neutralize_text("a\u200b\u202e\U000e0041b") == "ab"


def test_no_prompt_text_stands_in_python():
    package = Path(__file__).parent.parent / "chatbot"
    sources = "\n".join(path.read_text() for path in package.rglob("*.py"))
    lines = [
        line.strip()
        for path in (SHIPPED / f"{name}.md" for name in PROMPT_VARIABLES)
        for line in re.split(r"\$\w+|\n", path.read_text())
        if len(line.split()) > 5
    ]

    assert [line for line in lines if line in sources] == []
