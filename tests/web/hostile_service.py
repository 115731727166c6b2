"""A service whose documents, names, titles, chats, answers and errors are all made of hostile texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from chatbot.errors import ModelError
from chatbot.types import Corpus, SearchResult
from tests.web.fake_library import make_document
from tests.web.fake_service import FakeService, FakeSettings, Sentence

FAIL = "Please fail"
"""A question that is answered by an error."""
NO_LIMIT = 1_000_000


@dataclass
class HostileService(FakeService):
    """Everything that it tells holds the payloads."""

    payloads: Sequence[str] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.settings = FakeSettings(question_limit_characters=NO_LIMIT)
        self.joined = join(self.payloads)
        self.body = "\n\n".join(f"x {join([payload])}" for payload in self.payloads)
        text = f"# {self.joined}\n\n{self.body}\n\n# {self.joined}\n\n{self.body}"
        found = [(f"{number} {self.joined}", self.joined, text) for number in range(3)]
        listed = [(payload, payload, payload) for payload in self.payloads]
        documents = [
            make_document("handbook", f"{join([name])}.md", title, "markdown", None, text or "x")
            for name, title, text in [*found, *listed]
        ]
        self._documents = {document.record.id: document for document in documents}
        failed = documents[0].record
        self._failed = [replace(failed, id="f" * 16, path=self.payloads[0], problem=self.joined)]
        for payload in self.payloads:
            self.chats.rename_chat(self.chats.create_chat("handbook").id, payload)

    def write_answer(self) -> tuple[Sentence, ...]:
        """The payloads, a paragraph each; the last sentence quotes all of a passage."""
        return (
            *(Sentence(f"{payload}\n\n") for payload in self.payloads),
            Sentence("So it is.", 1, self.body),
        )

    def list_corpora(self) -> list[Corpus]:
        first, *others = super().list_corpora()
        told = replace(
            first, title=self.joined, description=self.joined, starter_questions=tuple(self.payloads)
        )
        return [told, *others]

    def ask(self, question: str, **options: Any) -> Any:
        if question == FAIL:
            raise ModelError(self.joined, self.joined)
        return super().ask(question, **options)

    def search(self, question: str, **options: Any) -> SearchResult:
        """The same passages for every question, whatever filters its words would be."""
        result = super().search("x", **options)
        trace = replace(
            result.trace, question=question, searched_for=f"{question} ?", notes=tuple(self.payloads)
        )
        return replace(result, trace=trace)


def join(payloads: Sequence[str]) -> str:
    """Several in one line."""
    return " ".join(" ".join(payload.split("\n")) for payload in payloads)
