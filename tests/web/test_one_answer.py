"""Every door leads to one answer: OpenAI's client, curl, the Model Context Protocol's client, the widget.

Another door: a function from address and question to an `AnswerSeen`, and a line in `DOORS`.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import openai
import pytest

from tests.web.test_mcp import connect

QUESTION = "How long can a customer return coffee?"


@dataclass(frozen=True)
class CitationSeen:
    """Which characters of the answer rest on which characters of which document."""

    start: int
    end: int
    document_id: str
    source_start: int
    source_end: int
    quote: str


@dataclass(frozen=True)
class AnswerSeen:
    text: str
    found: bool
    citations: tuple[CitationSeen, ...]


def ask_with_openai(url: str, question: str) -> AnswerSeen:
    with openai.OpenAI(
        base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=httpx.Client(trust_env=False)
    ) as client:
        completion = client.chat.completions.create(
            model="handbook", messages=[{"role": "user", "content": question}]
        )
    message, sources = completion.choices[0].message, completion.model_extra["sources"]
    quotes = {passage["link"]: passage["quote"] for passage in sources["passages"]}
    citations = []
    for annotation in message.annotations or ():
        cited = annotation.url_citation
        parts = urlsplit(cited.url)
        place = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
        citations.append(
            CitationSeen(
                cited.start_index,
                cited.end_index,
                parts.path.rsplit("/", 1)[-1],
                place["start"],
                place["end"],
                quotes[cited.url],
            )
        )
    return AnswerSeen(message.content, sources["found"], tuple(citations))


def ask_with_curl(url: str, question: str) -> AnswerSeen:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    body = json.dumps({"question": question, "corpus": "handbook"})
    headers = ["-H", "Content-Type: application/json", "-H", "Accept: text/event-stream"]
    command = ["curl", "-sSN", "--noproxy", "*", f"{url}/api/ask", *headers, "-d", body]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    done = next(event for event in output.split("\n\n") if event.startswith("event: done\n"))
    answer = json.loads(done.split("data: ", 1)[1])["answer"]
    citations = tuple(
        CitationSeen(
            item["answer_start"],
            item["answer_end"],
            item["document_id"],
            item["source_start"],
            item["source_end"],
            item["quote"],
        )
        for item in answer["citations"]
    )
    return AnswerSeen(answer["text"], answer["found"], citations)


def ask_with_mcp(url: str, question: str) -> AnswerSeen:
    async def ask() -> dict:
        async with connect(url) as client:
            result = await client.call_tool("ask", {"question": question, "corpus": "handbook"})
            return result.structured_content

    answer = asyncio.run(ask())
    citations = tuple(
        CitationSeen(
            item["start"],
            item["end"],
            item["document_id"],
            item["source_start"],
            item["source_end"],
            item["quote"],
        )
        for item in answer["citations"]
    )
    return AnswerSeen(answer["answer"], answer["found"], citations)


DOORS = [ask_with_openai, ask_with_curl, ask_with_mcp]


@pytest.mark.parametrize("question", [QUESTION, "Who owns the moon?"])
def test_every_door_gives_the_same_answer_with_the_same_citations(running_server, question):
    url, service = running_server
    service.delay_seconds = 0.001

    seen = [door(url, question) for door in DOORS]

    assert seen == [seen[0]] * len(DOORS)
    assert bool(seen[0].citations) == seen[0].found


ORIGIN = "https://www.example.org"


def ask_in_widget(url: str, question: str) -> dict:
    """The turn as the widget's frame is told it."""
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        ticket = client.post("/widget/sites/handbook/ticket", headers={"origin": ORIGIN}).json()["ticket"]
        token = client.post("/widget/visit", json={"ticket": ticket, "conversation": ""}).json()["token"]
        events = client.post(
            "/widget/ask", json={"question": question}, headers={"authorization": f"Bearer {token}"}
        ).text
    lines = [json.loads(line[6:]) for line in events.splitlines() if line.startswith("data: ")]
    return next(line for line in lines if line["type"] == "done")["turn"]


@pytest.mark.parametrize("question", [QUESTION, "Who owns the moon?"])
def test_the_widget_shows_the_same_words_and_the_same_quotes(running_server, question):
    url, service = running_server
    service.sites.add_site("handbook", "handbook", [ORIGIN])
    service.delay_seconds = 0.001

    turn, seen = ask_in_widget(url, question), ask_with_curl(url, question)

    pieces = [piece for block in turn["blocks"] for piece in block["pieces"]]
    words = " ".join(piece["text"] for piece in pieces if "text" in piece)
    assert turn["found"] == seen.found
    assert words.split() == re.sub(r"[*_`#]|^- ", "", seen.text, flags=re.MULTILINE).split()
    if seen.found:
        quoted = {part["text"] for source in turn["sources"] for part in source["words"] if part["is_quoted"]}
        assert quoted == {citation.quote for citation in seen.citations}
        assert sum("citation" in piece for piece in pieces) >= 1
