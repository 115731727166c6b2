"""The official client of the Model Context Protocol asks over both transports."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from chatbot.admission import Admission
from chatbot.ownership import claim_data_folder

REPOSITORY = Path(__file__).resolve().parents[2]
QUESTION = "How long can a customer return coffee?"


@asynccontextmanager
async def connect(url: str, secret: str = ""):
    """The official client over HTTP."""
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        yield client


def run(work):
    return asyncio.run(work())


def test_the_official_client_finds_both_tools_and_what_they_take(running_server):
    url, _ = running_server

    async def list_tools():
        async with connect(url) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in run(list_tools)}
    assert set(tools) == {"search", "ask"}
    assert set(tools["search"].input_schema["properties"]) == {"question", "corpus", "limit"}
    assert tools["ask"].annotations.read_only_hint


def test_the_official_client_asks_and_sees_the_citations(running_server):
    url, service = running_server
    service.delay_seconds = 0

    async def ask():
        async with connect(url) as client:
            return await client.call_tool("ask", {"question": QUESTION, "corpus": "handbook"})

    result = run(ask)
    data = result.structured_content
    citation = data["citations"][0]
    assert data["found"] is True
    assert data["answer"][citation["start"] : citation["end"]].startswith("Customers may return")
    assert citation["quote"].startswith("Unopened bags")
    assert citation["quote"] in result.content[0].text
    assert citation["link"].startswith(f"{url}/documents/")
    assert service.records.receipts.get(data["receipt"]).question == QUESTION


def test_a_search_gives_passages_and_asks_no_model(running_server):
    url, service = running_server

    async def search():
        async with connect(url) as client:
            return await client.call_tool("search", {"question": QUESTION, "limit": 2})

    data = run(search).structured_content
    assert [passage["number"] for passage in data["passages"]] == [1, 2]
    assert data["passages"][0]["text"].startswith("Unopened bags")
    assert service.answers == []


def test_keys_open_the_tools_and_only_their_corpora(running_server):
    url, service = running_server
    service.delay_seconds = 0
    secret = service.keys.create_key("phone", "read", ["papers"])

    async def ask(corpus):
        async with connect(url, secret) as client:
            return await client.call_tool("ask", {"question": QUESTION, "corpus": corpus})

    assert run(lambda: ask("papers")).is_error is not True
    refused = run(lambda: ask("handbook"))
    assert refused.is_error
    assert "opens no corpus" in refused.content[0].text
    assert len(service.asked) == 1
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert httpx.post(f"{url}/mcp", json=body, trust_env=False).status_code == 401
    service.keys.revoke_key("phone")
    with pytest.raises(BaseException, match=r"401|nauthorized|unhandled"):
        run(lambda: ask("papers"))


def test_tools_wait_in_the_same_queue_and_say_when_it_is_full(running_server):
    url, service = running_server
    service.admission = Admission(parallel=1, waiting=0)

    async def ask_twice():
        async with connect(url) as client, connect(url) as other:
            first = asyncio.create_task(client.call_tool("ask", {"question": "Tell me everything"}))
            while not service.answers:
                await asyncio.sleep(0.01)
            second = await other.call_tool("ask", {"question": QUESTION})
            first.cancel()
            return second

    refused = run(ask_twice)
    assert refused.is_error
    assert "busy" in refused.content[0].text


def test_a_client_that_goes_away_frees_the_model(running_server):
    url, service = running_server

    async def ask_and_leave():
        async with connect(url) as client:
            task = asyncio.create_task(client.call_tool("ask", {"question": "Tell me everything"}))
            while not service.answers:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(ask_and_leave)
    deadline = time.monotonic() + 5
    while not (service.answers[-1].was_stopped and service.admission.running == 0):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_of_an_unexpected_error_reaches_the_client(running_server):
    url, _ = running_server

    async def ask():
        async with connect(url) as client:
            return await client.call_tool("ask", {"question": "a bug"})

    result = run(ask)
    assert result.is_error
    assert "secret" not in result.content[0].text


@contextmanager
def own_data_folder(folder: Path, url: str, secret: str) -> Iterator[StdioServerParameters]:
    """How to start the command over a folder that the chatbot at `url` seems to own."""
    ownership = claim_data_folder(folder)
    ownership.announce(url, secret)
    environment = {**os.environ, "CHATBOT_DATA_FOLDER": str(folder), "PYTHONPATH": str(REPOSITORY)}
    yield StdioServerParameters(command=sys.executable, args=["-m", "chatbot", "mcp"], env=environment)
    ownership.release()


def test_over_a_pipe_the_command_answers_as_the_running_chatbot_does(running_server, tmp_path):
    url, service = running_server
    service.delay_seconds = 0
    service.keys.create_key("somebody")

    async def ask(server):
        async with Client(stdio_client(server), read_timeout_seconds=60) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            found = await client.call_tool("search", {"question": QUESTION})
            answer = await client.call_tool("ask", {"question": QUESTION})
            wrong = await client.call_tool("ask", {"question": QUESTION, "corpus": "nowhere"})
            return names, found, answer, wrong

    with own_data_folder(tmp_path / "data", url, service.owner_secret) as server:
        names, found, answer, wrong = run(lambda: ask(server))
    assert names == {"search", "ask"}
    assert found.structured_content["passages"][0]["path"] == "shop/refunds-and-returns.pdf"
    assert "within 30 days" in answer.structured_content["answer"]
    assert answer.structured_content["citations"][0]["quote"].startswith("Unopened bags")
    assert wrong.is_error
    assert "nowhere" in wrong.content[0].text


def test_without_its_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "chatbot.web.mcp_server", None)
    from chatbot.errors import ModelError
    from chatbot.web.mcp_tools import load_server

    with pytest.raises(ModelError, match=r"chatbot\[mcp\]"):
        load_server(object())


def test_tools_answer_under_every_name_that_the_walls_let_through(running_server):
    url, _ = running_server
    port = url.rsplit(":", 1)[1]
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream"}

    for host in (f"127.0.0.1:{port}", "localhost", f"localhost:{port}"):
        answer = httpx.post(f"{url}/mcp", json=body, headers=accept | {"host": host}, trust_env=False)
        assert answer.status_code == 200, (host, answer.text)
    foreign = httpx.post(f"{url}/mcp", json=body, headers=accept | {"host": "evil.example"}, trust_env=False)
    assert foreign.status_code == 400
