"""What programs may send to `/api`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chatbot.types import Message
from chatbot.web.schemas import FiltersBody

MAX_HISTORY = 100
LONGEST_TEXT = 100_000


class Body(BaseModel):
    """A JSON object without any field but those listed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class HistoryMessage(Body):
    """An earlier message of the conversation."""

    role: Annotated[str, Field(pattern="^(user|assistant)$")]
    content: Annotated[str, Field(max_length=LONGEST_TEXT)]


class AskBody(Body):
    """A question; the default corpus when none is named."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "question": "And by when must they be used?",
                    "corpus": "handbook",
                    "history": [
                        {"role": "user", "content": "How many days may I carry over?"},
                        {"role": "assistant", "content": "Up to five days."},
                    ],
                    "filters": {"folders": ["people"], "after": "2024-01-01"},
                }
            ]
        }
    )

    question: Annotated[str, Field(max_length=LONGEST_TEXT)]
    corpus: str = ""
    history: Annotated[list[HistoryMessage], Field(max_length=MAX_HISTORY)] = []
    filters: FiltersBody = FiltersBody()

    def list_history(self) -> list[Message]:
        """The earlier messages as the assistant takes them."""
        return [
            Message("user" if message.role == "user" else "assistant", message.content)
            for message in self.history
        ]


class SearchBody(Body):
    """A search without an answer; with `explain` it tells how the passages were found."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "carry leave over", "corpus": "handbook", "limit": 3}]}
    )

    question: Annotated[str, Field(max_length=LONGEST_TEXT)]
    corpus: str = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    filters: FiltersBody = FiltersBody()
    explain: bool = False


class IngestBody(Body):
    """Which corpus to bring up to date; with `only_refused` only what could not be read is tried again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"corpus": "handbook"}]})

    corpus: str = ""
    only_refused: bool = False
