"""Simpler ways to answer from the same passages: what the chatbot's own way must be better than."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from chatbot.assistant import Assistant
from chatbot.evaluation.run import AnswerSimply
from chatbot.evidence import cut_text
from chatbot.grounding import list_source_spans
from chatbot.types import Message, Passage


def make_baselines(assistant: Assistant) -> Mapping[str, AnswerSimply]:
    """The baselines by name.

    `best sentence`: of the first passage, the sentence nearest to the question; no model writes.
    `model untaught`: the language model reads the passages and writes freely.
    `no documents`: the language model is asked the question and nothing else.
    """
    return {
        "best sentence": partial(quote_nearest, assistant),
        "model untaught": partial(write_freely, assistant),
        "no documents": lambda question, _: answer_unread(assistant, question),
    }


def quote_nearest(assistant: Assistant, question: str, passages: Sequence[Passage]) -> str | None:
    """The sentence of the first passage that is nearest to the question in meaning."""
    spans = [span for span in list_source_spans(passages[:1]) if span.sentences == 1]
    if not spans:
        return None
    vectors = assistant.embedder.embed_documents([cut_text(span.text, assistant.embedder) for span in spans])
    return spans[int(np.argmax(vectors @ assistant.embedder.embed_query(question)))].text


def write_freely(assistant: Assistant, question: str, passages: Sequence[Passage]) -> str | None:
    """What the language model writes when it is shown the passages, without the reading model."""
    if not passages:
        return None
    rules = replace(assistant.rules, quoting=False, evidence_floor=0.0, withhold_unsupported=False)
    untaught = replace(assistant, rules=rules, read_passages=None)
    answer = untaught.answer_from(question, passages).finish()
    return answer.text if answer.found else None


def answer_unread(assistant: Assistant, question: str) -> str:
    """What the language model writes when it is shown nothing but the question."""
    words = assistant.model.stream([Message("user", question)], max_new_tokens=assistant.rules.answer_tokens)
    return "".join(words)
