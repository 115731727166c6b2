"""What the service has made for it: the models and the reader of documents, which take time to be there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chatbot.loading import Report
from chatbot.reading.reading import Reading
from chatbot.types import Embedder, Generator, ParsedDocument, Passage


class ReadsPassages(Protocol):
    """Finds where in passages a question is answered: `PassageReader`; `note` is for users, or empty."""

    note: str

    def read(self, question: str, passages: Sequence[Passage]) -> Reading:
        """What it made of each passage."""


class Reader(Protocol):
    """Reads and draws documents where a bad one does no harm: `DocumentReader`."""

    def read(self, path: Path) -> ParsedDocument:
        """The document of a file, or a DocumentError."""

    def render_page(
        self, path: Path, page_number: int, *, highlights: Sequence[str] = (), scale: float = 2.0
    ) -> bytes:
        """A page of a PDF as PNG with words highlighted, or a DocumentError."""

    def close(self) -> None:
        """End the child process."""


@dataclass(frozen=True, slots=True)
class Factories:
    """How the parts that take time are made; each may say how far it is.

    `make_passage_reader` gives None where there is to be none. `hash_models` gives the fields of `Setup`
    that hold hashes of weights, and which reading model reads. `opens_index_late` leaves the vector index
    closed until something is written to it; nothing can be searched then.
    """

    make_embedder: Callable[[Report], Embedder]
    make_generator: Callable[[Report], Generator]
    reader: Reader
    make_passage_reader: Callable[[Report], ReadsPassages | None] = lambda _: None
    hash_models: Callable[[], Mapping[str, str]] = dict
    opens_index_late: bool = False
