"""What is kept of answers: a receipt of each, and what readers thought of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any

from chatbot import __version__
from chatbot.chunking import hash_text
from chatbot.errors import LibraryError
from chatbot.feedback import Feedback, FeedbackStore
from chatbot.prompting import PROMPT_VARIABLES, Prompts
from chatbot.receipts import ReceiptStore, Setup, make_receipt
from chatbot.types import FinishedAnswer, Message, Rating, SearchFilters

logger = logging.getLogger(__name__)

ANSWER_SETTINGS = frozenset(
    {"passage_limit", "answer_tokens", "chunk_tokens", "answer_style", "evidence_floor", "unsupported"}
)
"""The settings that change answers; the models are named apart."""

FindRevisions = Callable[[Collection[str]], Mapping[str, str]]


class Records:
    """The receipts and the feedback of a data folder.

    :param most: how many receipts are kept; none where it is 0.
    :param days: for how long.
    :param find_revisions: the hashes of documents' files, by document id.
    :raises LibraryError: when a file cannot be used.
    """

    def __init__(self, folder: Path, *, most: int, days: int, find_revisions: FindRevisions) -> None:
        self.receipts = ReceiptStore(folder / "receipts.sqlite3", most=most, days=days)
        self.feedback = FeedbackStore(folder / "feedback.sqlite3")
        self._find_revisions = find_revisions

    def close(self) -> None:
        """Close the files."""
        self.receipts.close()
        self.feedback.close()

    def keep(
        self, answer: FinishedAnswer, *, history: Sequence[Message], filters: SearchFilters, setup: Setup
    ) -> FinishedAnswer:
        """Keep a receipt of an answer; the answer with the receipt's id is returned.

        An answer whose receipt cannot be written is given without one.
        """
        if not self.receipts.most:
            return answer
        documents = {passage.chunk.document_id for passage in answer.passages}
        receipt = make_receipt(
            answer, history=history, filters=filters, setup=setup, revisions=self._find_revisions(documents)
        )
        try:
            self.receipts.add(receipt)
        except LibraryError as error:
            logger.warning("no receipt was kept: %s", error)
            return answer
        return replace(answer, receipt=receipt.id)

    def rate(self, answer_id: str, rating: Rating | None, comment: str = "") -> None:
        """Keep what somebody thought of an answer; None takes it back.

        :raises CorpusError: where no receipt of the answer is kept.
        """
        if rating is None:
            self.feedback.take_back(answer_id)
            return
        receipt = self.receipts.get(answer_id)
        self.feedback.give(Feedback(receipt.id, receipt.corpus, receipt.question, rating, comment))


def describe_setup(settings: Mapping[str, Any], prompts: Prompts, **models: str) -> Setup:
    """What answers are made with.

    :param settings: those of `ANSWER_SETTINGS`.
    :param models: the fields of `Setup` that name the models and their hashes.
    """
    texts: dict[str, Template] = {name: getattr(prompts, name) for name in PROMPT_VARIABLES}
    hashes = {name: hash_text(text.template) for name, text in texts.items()}
    return Setup(version=__version__, prompts=hashes, settings=dict(settings), **models)
