"""What programs may send to `/api`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chatbot.feedback import LONGEST_COMMENT
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


class FeedbackBody(Body):
    """Whether an answer helped; `rating` null takes back what was said before."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"answer_id": "9f2c4b7e1a3d5c6f8e0b2a41", "rating": "up", "comment": "Exactly this."}
            ]
        }
    )

    answer_id: Annotated[str, Field(min_length=1, max_length=100)]
    rating: Literal["up", "down"] | None
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] = ""


class IngestBody(Body):
    """Which corpus to bring up to date; with `only_refused` only what could not be read is tried again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"corpus": "handbook"}]})

    corpus: str = ""
    only_refused: bool = False
