"""The tools by the Model Context Protocol. The only importer of mcp; import it where it is needed first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field
from starlette.types import ASGIApp

from chatbot import __version__
from chatbot.errors import ChatbotError
from chatbot.web.mcp_tools import Json, Tools

INSTRUCTIONS = (
    "Answers questions from the user's own documents, with the exact words that each sentence rests on. "
    "Quote those words and name their document. Where found is false, the documents do not hold the answer."
)
MOST_PASSAGES = 20
READS_ONLY = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

Call = Context[Any, Any]
Question = Annotated[str, Field(description="A question, or words to search for.", max_length=100_000)]
CorpusName = Annotated[str, Field(description="A corpus; the default one if empty.")]
Count = Annotated[int, Field(description="How many passages.", ge=1, le=MOST_PASSAGES)]


def make_server(tools: Tools) -> MCPServer[Any]:
    """A server with the tools `search` and `ask`."""
    server: MCPServer[Any] = MCPServer(
        "chatbot", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING", subscriptions=False
    )

    @server.tool(annotations=READS_ONLY)
    async def search(
        call: Call, question: Question, corpus: CorpusName = "", limit: Count = 5
    ) -> CallToolResult:
        """Find the passages of the user's documents that match a question best. No model writes anything.

        In the question these narrow it: file:NAME, folder:PATH, type:pdf, after:2024, "exact words", -word.
        """
        return await write_result(tools.search(question, corpus, limit, call.request_context.request))

    @server.tool(annotations=READS_ONLY)
    async def ask(call: Call, question: Question, corpus: CorpusName = "") -> CallToolResult:
        """Answer a question from the user's documents, citing the exact words that each sentence rests on.

        The question must stand alone. The filters of search may stand in it too.
        """
        return await write_result(tools.ask(question, corpus, call.request_context.request))

    return server


async def write_result(result: Awaitable[tuple[str, Json]]) -> CallToolResult:
    """What a tool answers: for a model to read, and as data.

    :raises ToolError: with the words of an error that a user can act on.
    """
    try:
        text, data = await result
    except ChatbotError as error:
        raise ToolError(str(error)) from None
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=data)


@asynccontextmanager
async def open_http_app(server: MCPServer[Any]) -> AsyncIterator[ASGIApp]:
    """What answers `POST /mcp`: every request stands for itself, with its own key."""
    # Hosts and origins are checked by the walls around every route.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server.streamable_http_app(stateless_http=True, transport_security=security)
    manager = server.session_manager
    async with manager.run():
        yield manager.handle_request
