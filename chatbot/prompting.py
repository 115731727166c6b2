"""Loads and fills the prompt texts of `prompts/`; no prompt text stands in Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from chatbot.errors import PromptError
from chatbot.types import Message, Passage

PROMPT_VARIABLES: dict[str, frozenset[str]] = {
    "system": frozenset(),
    "passage": frozenset({"number", "title", "heading", "text"}),
    "question": frozenset({"passages", "question"}),
    "short_question": frozenset({"passages", "question"}),
    "short_answer": frozenset({"answer"}),
    "quote": frozenset({"quote"}),
    "table_quote": frozenset({"heading", "columns", "quote"}),
    "older_version": frozenset({"title", "quote"}),
    "not_found": frozenset(),
    "greeting": frozenset(),
    "thanks": frozenset(),
    "goodbye": frozenset(),
    "abilities": frozenset(),
    "outline": frozenset({"path", "title"}),
    "outline_part": frozenset({"part", "quote"}),
    "outline_sentence": frozenset({"quote"}),
    "outline_others": frozenset({"names"}),
    "survey_documents": frozenset({"count"}),
    "survey_mentions": frozenset({"count", "topic"}),
    "survey_nothing": frozenset({"topic"}),
    "survey_near": frozenset({"count", "topic"}),
    "survey_items": frozenset({"count", "documents", "topic"}),
    "survey_coverage": frozenset({"count", "total"}),
    "survey_limits": frozenset({"limits"}),
    "survey_undated": frozenset({"count"}),
    "survey_unread": frozenset({"count"}),
    "survey_document": frozenset({"path", "title"}),
    "survey_dated_document": frozenset({"date", "path", "title"}),
    "survey_pages": frozenset({"pages", "path", "title"}),
    "survey_unpaged": frozenset({"path", "title"}),
    "survey_quote": frozenset({"path", "quote", "title"}),
    "survey_more": frozenset({"count"}),
    "survey_newest": frozenset({"count"}),
    "survey_oldest": frozenset({"count"}),
    "survey_stated_dates": frozenset(),
    "survey_file_dates": frozenset(),
    "survey_filed_document": frozenset({"date", "path", "title"}),
    "survey_named": frozenset({"count", "name"}),
    "survey_unmentioned": frozenset({"count", "topic"}),
    "survey_members": frozenset({"count", "documents", "topic"}),
    "survey_elsewhere": frozenset({"count", "topic"}),
    "survey_group": frozenset({"count", "name"}),
    "survey_ungrouped": frozenset({"count"}),
    "survey_none_left": frozenset({"limits", "total"}),
    "calculation_value": frozenset({"operation", "rows", "value"}),
    "calculation_count": frozenset({"rows", "value"}),
    "calculation_distinct": frozenset({"column", "rows", "value"}),
    "calculation_groups": frozenset({"by", "operation", "rows"}),
    "calculation_group": frozenset({"count", "name", "value"}),
    "calculation_nothing": frozenset({"rows"}),
    "calculation_basis": frozenset({"count", "path", "table", "total"}),
    "calculation_terms": frozenset({"terms", "value"}),
    "calculation_blank": frozenset({"count"}),
    "calculation_total_row": frozenset({"row"}),
    "calculation_columns": frozenset({"columns"}),
    "calculation_row": frozenset({"row"}),
    "calculation_numbered_row": frozenset({"row", "number"}),
    "calculation_more": frozenset({"count"}),
}
"""The prompts and the variables that each must use."""

_CONTROL_TOKEN = re.compile(
    r"<\|[^<>|\s]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>",
    re.IGNORECASE,
)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts of prompts/, checked: every variable is there and none is unknown."""

    system: Template
    passage: Template
    question: Template
    short_question: Template
    short_answer: Template
    quote: Template
    table_quote: Template
    older_version: Template
    not_found: Template
    greeting: Template
    thanks: Template
    goodbye: Template
    abilities: Template
    outline: Template
    outline_part: Template
    outline_sentence: Template
    outline_others: Template
    survey_documents: Template
    survey_mentions: Template
    survey_nothing: Template
    survey_near: Template
    survey_items: Template
    survey_coverage: Template
    survey_limits: Template
    survey_undated: Template
    survey_unread: Template
    survey_document: Template
    survey_dated_document: Template
    survey_pages: Template
    survey_unpaged: Template
    survey_quote: Template
    survey_more: Template
    survey_newest: Template
    survey_oldest: Template
    survey_stated_dates: Template
    survey_file_dates: Template
    survey_filed_document: Template
    survey_named: Template
    survey_unmentioned: Template
    survey_members: Template
    survey_elsewhere: Template
    survey_group: Template
    survey_ungrouped: Template
    survey_none_left: Template
    calculation_value: Template
    calculation_count: Template
    calculation_distinct: Template
    calculation_groups: Template
    calculation_group: Template
    calculation_nothing: Template
    calculation_basis: Template
    calculation_terms: Template
    calculation_blank: Template
    calculation_total_row: Template
    calculation_columns: Template
    calculation_row: Template
    calculation_numbered_row: Template
    calculation_more: Template

    def write_messages(
        self,
        question: str,
        passages: Sequence[Passage],
        history: Sequence[Message] = (),
        *,
        short: bool = False,
    ) -> list[Message]:
        """The conversation that asks a model to answer `question` from `passages`.

        :param short: in the form for small models, which only put a few sentences in other words.
        """
        rendered = "\n\n".join(
            self.passage.substitute(
                number=passage.number,
                title=neutralize_text(passage.title),
                heading=neutralize_text(passage.heading),
                text=neutralize_text(passage.text),
            )
            for passage in passages
        )
        template = self.short_question if short else self.question
        asked = template.substitute(passages=rendered, question=neutralize_text(question))
        past = [Message(message.role, neutralize_text(message.content)) for message in history]
        system = "" if short else self.system.substitute()
        head = [Message("system", system)] if system else []
        return [*head, *past, Message("user", asked)]

    def write_short_answer(self, answer: str) -> str:
        """The few words that answer a question, as an answer begins with them."""
        return self.short_answer.substitute(answer=" ".join(answer.split()))

    def write_quote(self, quote: str, heading: str = "", columns: str = "") -> str:
        """A quote as an answer shows it; a row of a table with its heading and its columns' names."""
        quote = " ".join(quote.split())
        if not columns:
            return self.quote.substitute(quote=quote)
        return self.table_quote.substitute(quote=quote, heading=heading, columns=columns)

    def write_older_version(self, quote: str, title: str) -> str:
        """What an older version says instead, as an answer shows it below the newer one."""
        return self.older_version.substitute(quote=" ".join(quote.split()), title=title)


def neutralize_text(text: str) -> str:
    """Text that no model takes for its own control tokens, without invisible characters."""
    plain = _INVISIBLE.sub("", text)
    # What is left of one token may close the gap in another, as in <|im_<|start|>|>.
    while _CONTROL_TOKEN.search(plain):
        plain = _CONTROL_TOKEN.sub(lambda match: " ".join(match[0].strip("<>[]/|").split("|")), plain)
    return plain


def load_prompts(folder: Path) -> Prompts:
    """Read and check every prompt.

    :raises PromptError: naming the file, and the variable that is missing or unknown.
    """
    return Prompts(**{name: _load_prompt(folder / f"{name}.md", name) for name in PROMPT_VARIABLES})


def _load_prompt(path: Path, name: str) -> Template:
    required = PROMPT_VARIABLES[name]
    try:
        template = Template(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(
            f"The prompt {path} could not be read ({type(error).__name__}).",
            "Restore the file; docs/prompts.md shows what belongs in it.",
        ) from error
    if not template.is_valid():
        raise PromptError(
            f"The prompt {path} has a $ that starts no variable.", "Write $$ for a dollar sign."
        )
    used = frozenset(template.get_identifiers())
    if missing := sorted(required - used):
        raise PromptError(
            f"The prompt {path} lacks ${missing[0]}.", f"It must use: {_list_variables(required)}."
        )
    if unknown := sorted(used - required):
        raise PromptError(
            f"The prompt {path} uses ${unknown[0]}, which does not exist.",
            f"It may use: {_list_variables(required)}. Write $$ for a dollar sign.",
        )
    return template


def _list_variables(names: frozenset[str]) -> str:
    return ", ".join(f"${name}" for name in sorted(names)) or "no variables"
