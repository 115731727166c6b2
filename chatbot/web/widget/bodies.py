"""What the frame may send."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chatbot.web.bodies import LONGEST_TEXT, Body

Secret = Annotated[str, Field(max_length=100)]


class VisitBody(Body):
    """A ticket, and the conversation to go on with."""

    ticket: Secret
    conversation: Secret = ""


class PageBody(Body):
    """The page that shows the widget, where its owner lets it tell."""

    title: Annotated[str, Field(max_length=1000)] = ""
    address: Annotated[str, Field(max_length=4000)] = ""


class QuestionBody(Body):
    """A question, and the page that it is asked on."""

    question: Annotated[str, Field(max_length=LONGEST_TEXT)]
    page: PageBody | None = None


class RatingBody(Body):
    """What a visitor makes of an answer; None takes it back."""

    turn: Secret
    rating: Literal["up", "down"] | None
