"""What the parts of the running chatbot are doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PartState = Literal["waiting", "working", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class PartStatus:
    """What one part of the running product (the embedder, the model, a corpus) is doing."""

    name: str
    state: PartState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Whether questions can be answered yet, and if not, what is still awaited."""

    ready: bool
    parts: tuple[PartStatus, ...]

    @property
    def waiting_for(self) -> str:
        """One sentence for the user; empty when ready."""
        problems = [part.detail for part in self.parts if part.state == "failed"]
        if problems:
            return " ".join(problems)
        return ", ".join(part.detail for part in self.parts if part.state == "working")

    @property
    def remarks(self) -> str:
        """What users are to know of parts that are ready; mostly empty."""
        return " ".join(part.detail for part in self.parts if part.state == "ready" and part.detail)
