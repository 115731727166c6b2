"""Foreign origins, abuse, clients that leave, and two hundred at once; longer with `--long`."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from chatbot.admission import Admission
from chatbot.web.patience import PatientProtocol
from tests.web.test_access import list_requests, wait_until

QUESTION = "How long can a customer return coffee?"
ORIGINS = [
    "http://evil.example",
    "https://evil.example",
    "null",
    "http://127.0.0.1.evil.example",
    "http://evil.example#127.0.0.1:7860",
    "http://127.0.0.1:7861",
    "http://127.0.0.1",
    "https://evil127.0.0.1:7860",
    "http://localhost.evil.example:7860",
    "http://127.0.0.1:7860@evil.example",
    "file://",
    "chrome-extension://abcdefghijklmnop",
]


# S3: origins


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_route_lets_a_foreign_origin_read_or_do_anything(client, service, origin):
    document_id = service.catalogue.list_documents("handbook")[0].id
    described = [
        (method.upper(), path.replace("{document_id}", document_id).replace("{answer_id}", "x"), {})
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
    ]
    requests = described + [(method, path, body) for method, path, body, _ in list_requests(document_id)]
    for method, path, body in [
        *requests,
        ("POST", "/mcp", {}),
        ("POST", "/sign-in", {}),
        ("GET", "/x", None),
    ]:
        answer = client.request(method, path, json=body, headers={"origin": origin})
        preflight = client.options(path, headers={"origin": origin, "access-control-request-method": method})
        for response in (answer, preflight):
            allowed = [name for name in response.headers if name.startswith("access-control-allow-o")]
            assert allowed == [], path
            assert "access-control-allow-credentials" not in response.headers or not allowed, path
        if method not in ("GET", "HEAD"):
            assert answer.status_code == 403, path
    assert service.asked == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7860", ""]
)
def test_another_host_name_gets_nothing(client, host):
    for path in ("/", "/api/corpora", "/v1/models", "/mcp", "/sign-in", "/health/live"):
        assert client.get(path, headers={"host": host}).status_code == 400, path


# S6: abuse


def send_raw(url: str, data: bytes, *, seconds: float = 5) -> bytes:
    """What the server answers to bytes, until it closes the connection or says no more."""
    parts = urlsplit(url)
    with closing(socket.create_connection((parts.hostname, parts.port), timeout=seconds)) as connection:
        received = b""
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                received += part
        except OSError:
            pass
        return received


def test_requests_without_measure_are_refused_before_they_are_read(running_server):
    url, _service = running_server
    host = f"Host: {urlsplit(url).netloc}\r\n"
    heads = [f"X-{number}: {number}\r\n" for number in range(10_000)]
    many_headers = f"GET /api/corpora HTTP/1.1\r\n{host}{''.join(heads)}\r\n"
    huge = f"POST /api/ask HTTP/1.1\r\n{host}Content-Length: {10**9}\r\nConnection: close\r\n\r\n{{"
    chunked = f"POST /api/ask HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"

    answers = [send_raw(url, text.encode()) for text in (many_headers, huge, chunked)]

    statuses = [answer.split(b" ", 2)[1] if answer else b"closed" for answer in answers]
    assert statuses[0] in (b"400", b"431", b"closed")
    assert statuses[1:] == [b"413", b"411"]
    assert httpx.get(f"{url}/health/live", trust_env=False).status_code == 200


def test_odd_bodies_and_ranges_are_answered_without_harm(client, service):
    document_id = service.catalogue.list_documents("handbook")[2].id
    headers = {"content-type": "application/json"}
    deep = b'{"question": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    ranges = "bytes=" + ",".join(f"{number}-{number + 1}" for number in range(5000))

    assert 400 <= client.post("/api/ask", content=deep, headers=headers).status_code < 500
    assert client.post("/api/ask", json={"question": "x" * 1_000_000}).status_code == 422
    assert client.post("/v1/chat/completions", content=deep, headers=headers).status_code == 400
    path = f"/documents/{document_id}/original"
    assert client.get(path, headers={"range": ranges}).status_code in (200, 206, 400, 416)
    assert client.get(path, headers={"range": f"bytes=0-{10**30}"}).status_code < 500
    assert service.asked == []


def test_wrong_keys_by_the_hundred_let_nobody_in_and_keep_nothing(client, service, is_long):
    service.keys.create_key("ann", "admin")
    for number in range(1000 if is_long else 300):
        answer = client.post("/sign-in", data={"key": f"cbk-{number}"})
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


def test_connections_that_send_a_byte_now_and_then_are_dropped(running_server, monkeypatch):
    url, _ = running_server
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.4)
    monkeypatch.setattr(PatientProtocol, "body_seconds", 0.4)
    parts = urlsplit(url)
    beginnings = (
        b"",
        b"GET / HT",
        b"POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n",
    )
    connections = [socket.create_connection((parts.hostname, parts.port), timeout=10) for _ in range(60)]
    for number, connection in enumerate(connections):
        connection.sendall(beginnings[number % 3])
    for _ in range(3):
        time.sleep(0.1)
        for connection in connections[1::3]:
            connection.sendall(b"x")

    for connection in connections:
        with closing(connection), suppress(ConnectionError):  # dropped without a farewell
            assert connection.recv(1) == b""
    assert httpx.get(f"{url}/health/live", trust_env=False).status_code == 200


# R7: clients that leave


def count_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def list_own_threads() -> list[str]:
    """Those of the server's pool aside, which comes and goes as it likes."""
    return sorted(each.name for each in threading.enumerate() if "AnyIO" not in each.name)


def leave(url: str, after_seconds: float, *, way: str, reads: bool) -> None:
    """Ask, and be gone a moment later: with a farewell, without one, or only half."""
    parts = urlsplit(url)
    body = b'{"question": "Tell me everything"}'
    head = f"POST /api/ask HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    connection = socket.create_connection((parts.hostname, parts.port), timeout=5)
    if way == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    time.sleep(after_seconds)
    if reads:
        connection.settimeout(0.05)
        with suppress(OSError):
            connection.recv(1000)
    if way == "half":
        connection.shutdown(socket.SHUT_WR)
        time.sleep(after_seconds)
    connection.close()


def test_whoever_leaves_at_whatever_moment_leaves_nothing_behind(running_server, is_long, seed):
    url, service = running_server
    service.admission = Admission(parallel=2, waiting=4)
    chance = random.Random(seed)
    leave(url, 0.1, way="close", reads=True)  # what the first question opens stays open
    wait_until(lambda: service.admission.running == 0 and service.answers)
    threads, files = list_own_threads(), count_open_files()
    for round_number in range(500 if is_long else 30):
        leavers = [
            threading.Thread(
                target=leave,
                args=(url, chance.uniform(0, 0.25)),
                kwargs={"way": chance.choice(["close", "reset", "half"]), "reads": chance.random() < 0.5},
            )
            for _ in range(1 + round_number % 3)
        ]
        for leaver in leavers:
            leaver.start()
        for leaver in leavers:
            leaver.join()

    wait_until(lambda: service.admission.running == service.admission.waiting == 0)
    assert all(answer.was_stopped for answer in service.answers)
    assert max(len(answer.text.split()) for answer in service.answers) < 200
    wait_until(lambda: list_own_threads() == threads)
    wait_until(lambda: count_open_files() <= files)


def test_a_reader_who_takes_nothing_holds_no_place_in_the_queue(running_server):
    url, service = running_server
    service.delay_seconds = 0.0
    service.admission = Admission(parallel=1, waiting=0)
    parts = urlsplit(url)
    body = b'{"question": "Tell me everything"}'
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.connect((parts.hostname, parts.port))
        head = f"POST /api/ask HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        wait_until(lambda: service.answers and service.answers[-1].finished)
        wait_until(lambda: service.admission.running == 0)

        answer = httpx.post(f"{url}/api/ask", json={"question": QUESTION}, trust_env=False)
        assert answer.status_code == 200


# R10: many at once


def test_two_hundred_at_once_each_get_their_own_answer_or_are_told_when_to_come_back(running_server, is_long):
    url, service = running_server
    service.delay_seconds = 0.0
    service.admission = Admission(parallel=8, waiting=50)
    sessions, turns = 200, 5 if is_long else 1
    statuses: list[int] = []

    async def chat(client: httpx.AsyncClient, number: int) -> None:
        for turn in range(turns):
            question = f"How long can customer {number} return coffee, asked {turn}?"
            while True:
                response = await client.post("/api/ask", json={"question": question})
                statuses.append(response.status_code)
                if response.status_code != 429:
                    break
                assert int(response.headers["retry-after"]) >= 1
                await asyncio.sleep(0.3)
            assert f'"question": "{question}"' in response.text
            assert "within 30 days" in response.text

    async def watch(client: httpx.AsyncClient, over: asyncio.Event) -> list[int]:
        seen = []
        while not over.is_set():
            seen.append((await client.get("/health/live")).status_code)
            await asyncio.sleep(0.1)
        return seen

    async def run() -> list[int]:
        limits = httpx.Limits(max_connections=300)
        over = asyncio.Event()
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=120, limits=limits) as client:
            watching = asyncio.create_task(watch(client, over))
            await asyncio.gather(*(chat(client, number) for number in range(sessions)))
            over.set()
            return await watching

    health = asyncio.run(run())
    assert set(statuses) <= {200, 429}
    assert 429 in statuses
    assert statuses.count(200) == sessions * turns
    assert set(health) == {200}
