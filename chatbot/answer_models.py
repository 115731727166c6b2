"""The two models that answer: the one that reads passages, and the one that writes."""

from __future__ import annotations

from collections.abc import Mapping

from chatbot.factories import Factories, ReadsPassages
from chatbot.loading import LoadingParts
from chatbot.memory import give_back_memory
from chatbot.types import Generator

READER, GENERATOR = "reading model", "language model"


class AnswerModels:
    """Loads both, each in a thread of its own, and tells the parts' state.

    `hashes` are those of `Factories.hash_models`, empty until both are there.
    """

    def __init__(self, factories: Factories, parts: LoadingParts) -> None:
        self._factories = factories
        self._parts = parts
        self._has_chosen_reader = False
        self.reader: ReadsPassages | None = None
        self.generator: Generator | None = None
        self.hashes: Mapping[str, str] = {}

    def skip(self) -> None:
        """Load neither; nobody waits for them then."""
        self._parts.drop(READER)
        self._parts.drop(GENERATOR)

    def load_reader(self) -> None:
        """Load the reading model, if there is to be one."""
        with self._parts.loading(READER) as report:
            self.reader = self._factories.make_passage_reader(report)
            self._has_chosen_reader = True
        if self.reader is not None and self.reader.note:
            self._parts.remark(READER, self.reader.note)
        self._hash_models()

    def load_generator(self) -> None:
        """Load the language model."""
        with self._parts.loading(GENERATOR) as report:
            self.generator = self._factories.make_generator(report)
        self._hash_models()
        give_back_memory()

    def get(self) -> tuple[ReadsPassages | None, Generator]:
        """The reading model, or None where there is to be none, and the language model.

        :raises ModelError: while they are loading, or where they cannot be loaded.
        """
        if not self._has_chosen_reader:
            raise self._parts.describe_missing(READER)
        if self.generator is None:
            raise self._parts.describe_missing(GENERATOR)
        return self.reader, self.generator

    def _hash_models(self) -> None:
        """Note the hashes once both are there; which of the two comes last cannot be known."""
        if self._has_chosen_reader and self.generator is not None:
            self.hashes = self._factories.hash_models()
