"""What a client of OpenAI's chat completions may ask for here, and what its messages mean.

A field is taken if it can be honoured, or if it says what happens anyway; every other one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from chatbot.errors import QuestionError
from chatbot.types import Message
from chatbot.web.bodies import LONGEST_TEXT, MAX_HISTORY, Body


def check_temperature(value: float) -> float:
    """Take OpenAI's default, and 0, which is what happens: always the likeliest word.

    :raises ValueError: for any other.
    """
    if value not in (0, 1):
        raise ValueError("answers are always written with temperature 0; send 0, or leave it out")
    return value


def check_nothing(value: float) -> float:
    """Take 0 only.

    :raises ValueError: for any other.
    """
    if value != 0:
        raise ValueError("only 0 can be honoured")
    return value


Nothing = Annotated[list[Any], Field(max_length=0)]
NoPenalty = Annotated[float, AfterValidator(check_nothing)]
Tokens = Annotated[int, Field(ge=1)]


class TextPart(Body):
    """A piece of a message; only text can be read."""

    type: Literal["text"]
    text: Annotated[str, Field(max_length=LONGEST_TEXT)]


class CompletionMessage(Body):
    """A message of the conversation. Those of the system change nothing: documents have the say here."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(max_length=LONGEST_TEXT)] | list[TextPart] | None = None
    tool_calls: Nothing | None = None

    def read_text(self) -> str:
        """The message's words."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(Body):
    """What a stream ends with; obfuscation is never added."""

    include_usage: bool = False
    include_obfuscation: bool = False


class ResponseFormat(Body):
    """Answers are texts."""

    type: Literal["text"]


class CompletionBody(Body):
    """A request for a chat completion; `model` names a corpus."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "handbook",
                    "messages": [{"role": "user", "content": "How many days may I carry over?"}],
                }
            ]
        }
    )

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[CompletionMessage], Field(min_length=1, max_length=2000)]
    # Honoured.
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: Annotated[float, AfterValidator(check_temperature)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    # Labels, which change no answer anywhere.
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    metadata: dict[str, str] | None = None
    # Only as they are by default.
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: Literal[0] | None = None
    presence_penalty: NoPenalty | None = None
    frequency_penalty: NoPenalty | None = None
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = None
    stop: Nothing | None = None
    response_format: ResponseFormat | None = None
    tools: Nothing | None = None
    tool_choice: Literal["none", "auto"] | None = None
    parallel_tool_calls: bool | None = None
    functions: Nothing | None = None
    modalities: Annotated[list[Literal["text"]], Field(max_length=1)] | None = None
    service_tier: Literal["auto", "default"] | None = None
    store: Literal[False] | None = None

    @property
    def limit_tokens(self) -> int | None:
        """The longest answer that is wanted, in tokens."""
        return self.max_completion_tokens or self.max_tokens


@dataclass(frozen=True, slots=True)
class AskedConversation:
    """The question, what was said before it, and what was passed over."""

    question: str
    history: tuple[Message, ...]
    ignored: tuple[str, ...]

    def as_message(self) -> Message:
        """The question as the last message."""
        return Message("user", self.question)


def read_conversation(messages: list[CompletionMessage]) -> AskedConversation:
    """The last message is the question, those of user and assistant before it are the history.

    :raises QuestionError: when the last message is not the user's.
    """
    if messages[-1].role != "user":
        raise QuestionError("The last message is not the user's.", "End the messages with the question.")
    history = [
        Message("user" if message.role == "user" else "assistant", message.read_text())
        for message in messages[:-1]
        if message.role in ("user", "assistant") and message.read_text()
    ]
    ignored = tuple(
        f"messages[{place}]"
        for place, message in enumerate(messages)
        if message.role in ("system", "developer")
    )
    return AskedConversation(messages[-1].read_text(), tuple(history[-MAX_HISTORY:]), ignored)
