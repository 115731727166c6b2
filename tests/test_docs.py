"""The documentation speaks of everything that there is."""

import argparse
import re
from pathlib import Path

import pytest

from chatbot.cli import make_parser
from chatbot.prompting import PROMPT_VARIABLES
from chatbot.settings import Settings

REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"


def read_docs(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def list_commands() -> dict[str, argparse.ArgumentParser]:
    [commands] = [
        action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    return dict(commands.choices)


def list_options(command: argparse.ArgumentParser) -> list[str]:
    """The options of a command, those of the commands below it too."""
    below = [
        choice
        for action in command._actions
        if isinstance(action, argparse._SubParsersAction)
        for choice in action.choices.values()
    ]
    return [
        option
        for action in command._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    ] + [option for choice in below for option in list_options(choice)]


@pytest.mark.parametrize("command", list_commands())
def test_every_command_and_option_is_described(command):
    text = read_docs("commands.md")

    assert re.search(rf"chatbot {command}|^#+ .*\b{command}\b|`{command}`", text, re.MULTILINE), command
    assert [name for name in list_options(list_commands()[command]) if name not in text] == []


def test_no_option_is_described_that_does_not_exist():
    known = {option for command in list_commands().values() for option in list_options(command)}

    described = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", read_docs("commands.md")))
    assert set() == described - known - {"--help", "--version"}


def test_every_exit_code_is_described():
    text = read_docs("commands.md")

    assert [
        code for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130) if not re.search(rf"\b{code}\b", text)
    ] == []


def test_every_setting_is_described():
    text = read_docs("settings.md")

    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []


def test_every_setting_is_described_with_its_default():
    lines = read_docs("settings.md").splitlines()

    missing = []
    for name, field in Settings.model_fields.items():
        if not isinstance(field.default, (str, int, float)):
            continue
        default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        if not any(f"`{name}`" in line and default in line for line in lines):
            missing.append(f"{name} = {default}")
    assert missing == []


def test_every_prompt_and_its_variables_are_described():
    text = read_docs("prompts.md")

    wanted = [f"{name}.md" for name in PROMPT_VARIABLES]
    wanted += sorted({f"${variable}" for variables in PROMPT_VARIABLES.values() for variable in variables})
    assert [name for name in wanted if name not in text] == []


def list_tree_names(text: str) -> list[str]:
    """The paths that the file tree of a document names: lines of an indented or fenced block."""
    blocks = re.findall(r"```(?:text)?\n(.*?)```", text, re.DOTALL) + re.findall(
        r"(?:^ {4}.+\n)+", text, re.M
    )
    trees = [block for block in blocks if "chatbot/" in block and "corpora/" in block]
    return [
        match[1]
        for tree in trees
        for match in re.finditer(r"^[\s│├└─]*([\w.-]+/?)(?:\s{2,}|\s*$)", tree, re.MULTILINE)
    ]


def test_every_name_in_the_file_tree_of_the_readme_exists():
    names = list_tree_names((REPOSITORY / "README.md").read_text(encoding="utf-8"))

    known = {
        path.name
        for folder in (
            REPOSITORY,
            *(REPOSITORY / name for name in ("chatbot", "corpora", "docs", "tests", "prompts")),
        )
        for path in (folder.rglob("*") if folder != REPOSITORY else folder.iterdir())
    }
    assert [name for name in names if name.rstrip("/") not in known | {"data", ".venv"}] == []


@pytest.mark.parametrize(
    "path", [*sorted(DOCS.glob("*.md")), REPOSITORY / "README.md"], ids=lambda path: path.name
)
def test_every_link_to_a_file_leads_somewhere(path):
    if not path.is_file():
        pytest.fail(f"there is no {path.name}")
    links = re.findall(r"\]\((?!https?://|mailto:|#)([^)\s#]+)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []
