"""The product as tools for other assistants: what `search` and `ask` give, as text and as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from chatbot.errors import ModelError
from chatbot.explanation import name_rows

if TYPE_CHECKING:
    from mcp.server import MCPServer

Json = dict[str, Any]


class Backend(Protocol):
    """What the tools call: the service of a web request, or the connection of a command.

    `request` is the HTTP request that the call came with; None where it came over a pipe.
    """

    async def search(self, question: str, *, corpus: str, limit: int, request: object) -> Json:
        """Passages, as `/api/search` gives them."""

    async def ask(self, question: str, *, corpus: str, request: object) -> Json:
        """An answer, as the event done of `/api/ask` gives it. Cancelling it stops the model."""

    def find_site(self, request: object) -> str:
        """The address that links to documents begin with; empty where none can be opened."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools over a backend."""

    backend: Backend

    async def search(self, question: str, corpus: str, limit: int, request: object) -> tuple[str, Json]:
        """Passages as text and as data."""
        found = await self.backend.search(question, corpus=corpus, limit=limit, request=request)
        site = self.backend.find_site(request)
        passages = [describe_passage(passage, site) for passage in found["passages"]]
        result = {"passages": passages, "searched_for": found["searched_for"], "notes": found["notes"]}
        lines = [f"[{item['number']}] {name_place(item)}\n{item['text']}" for item in passages]
        return "\n\n".join([*lines, *found["notes"]]) or "No passage matches.", result

    async def ask(self, question: str, corpus: str, request: object) -> tuple[str, Json]:
        """An answer as text and as data."""
        answer = await self.backend.ask(question, corpus=corpus, request=request)
        result = describe_answer(answer, self.backend.find_site(request))
        lines = [f"[{item['passage']}] {name_place(item)}: “{item['quote']}”" for item in result["citations"]]
        return "\n".join([result["answer"], "", *lines]).strip(), result


def describe_answer(answer: Json, site: str) -> Json:
    """An answer with its citations: which stretch of it rests on which words of which document."""
    passages = {passage["number"]: passage for passage in answer["passages"]}
    citations = [
        {
            "start": citation["answer_start"],
            "end": citation["answer_end"],
            "quote": citation["quote"],
            "passage": citation["passage_number"],
            **_describe_place(
                passages[citation["passage_number"]],
                (citation["source_start"], citation["source_end"]),
                site,
            ),
            "page": citation["page"],
            "rows": citation["rows"],
        }
        for citation in answer["citations"]
        if citation["passage_number"] in passages
    ]
    return {
        "answer": answer["text"],
        "found": answer["found"],
        "searched_for": answer["searched_for"],
        "citations": citations,
        "receipt": answer["receipt"],
    }


def describe_passage(passage: Json, site: str) -> Json:
    """A passage with its place and its words."""
    place = _describe_place(passage, (passage["start"], passage["end"]), site)
    return {"number": passage["number"], "text": passage["text"], "score": passage["score"], **place}


def name_place(item: Json) -> str:
    """Title, page or rows, and path, as far as they are known."""
    page = f", page {item['page']}" if item["page"] else ""
    rows = f", {name_rows(**item['rows'])}" if item["rows"] else ""
    return f"{item['document']}{page}{rows} ({item['path']})"


def _describe_place(passage: Json, span: tuple[int, int], site: str) -> Json:
    document_id, (start, end) = passage["document_id"], span
    return {
        "document": passage["title"],
        "document_id": document_id,
        "path": passage["path"],
        "heading": passage["heading"],
        "date": passage["date"],
        "page": passage["page"],
        "rows": passage["rows"],
        "source_start": start,
        "source_end": end,
        "link": f"{site}/documents/{document_id}?start={start}&end={end}#quote" if site else None,
    }


def load_server(backend: Backend) -> MCPServer[Any]:
    """A server with the tools over a backend.

    :raises ModelError: where the package mcp is not installed.
    """
    try:
        from chatbot.web.mcp_server import make_server
    except ModuleNotFoundError as error:
        raise ModelError(
            "The Model Context Protocol needs a package that is not installed.",
            "Install it with: pip install 'chatbot[mcp]'.",
        ) from error
    return make_server(Tools(backend))
