from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from chatbot.errors import AccessError, ServerError
from chatbot.web.serve import make_server, make_url, open_socket, serve
from tests.web.fake_service import FakeService, FakeSettings

ROOT = Path(__file__).parents[2]
PROGRAM = """
from tests.web.fake_service import FakeService
from chatbot.web.serve import serve
serve(FakeService(delay_seconds=0.05), host="127.0.0.1", port=0, on_ready=lambda url: print(url, flush=True))
print("closed", flush=True)
"""


def test_a_used_port_is_told_in_words():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServerError) as caught:
            open_socket("127.0.0.1", port)
    assert caught.value.message == f"Port {port} is in use by another program."
    assert f"--port {port + 1}" in caught.value.next_step


def test_an_impossible_address_is_told_in_words():
    with pytest.raises(ServerError, match=r"cannot be served"):
        open_socket("192.0.2.1", 0)


@pytest.mark.parametrize(
    "settings", [FakeSettings(host="0.0.0.0"), FakeSettings(public_url="https://chat.example.org")]
)
def test_nothing_is_served_to_others_before_there_is_a_key(settings):
    service = FakeService(settings=settings)
    with pytest.raises(AccessError, match="chatbot keys create"):
        serve(service, host="127.0.0.1", port=0, on_ready=lambda _: None)


def test_addresses_are_clickable():
    assert make_url("127.0.0.1", 7860) == "http://127.0.0.1:7860"
    assert make_url("0.0.0.0", 7860) == "http://127.0.0.1:7860"
    assert make_url("::1", 7860) == "http://[::1]:7860"


def test_a_dropped_connection_stops_the_model_within_a_second(running_server):
    url, service = running_server
    body = {"question": "Tell me everything"}
    for _ in range(3):
        with httpx.stream("POST", f"{url}/api/ask", json=body, trust_env=False) as response:
            next(response.iter_lines())
        deadline = time.monotonic() + 1
        while not service.answers[-1].was_stopped:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert len(service.answers) == 3


def test_ctrl_c_ends_open_streams_soon():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        url = process.stdout.readline().strip()
        body = {"question": "Tell me everything"}
        with httpx.stream("POST", f"{url}/api/ask", json=body, trust_env=False) as response:
            next(response.iter_lines())
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            try:
                output, _ = process.communicate(timeout=8)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert time.monotonic() - started < 5
    assert output == "closed\n"
    assert process.returncode == 0


@pytest.mark.parametrize(("trusted", "address"), [("", "127.0.0.1"), ("127.0.0.1", "192.0.2.7")])
def test_only_a_named_proxy_says_where_a_request_comes_from(trusted, address):
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            seen.append(scope["client"][0])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    with open_socket("127.0.0.1", 0) as listener:
        server = make_server(app, trusted_proxies=trusted)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        url = make_url("127.0.0.1", listener.getsockname()[1])
        httpx.get(url, headers={"X-Forwarded-For": "192.0.2.7"}, trust_env=False)
        server.should_exit = True
        thread.join(timeout=10)
    assert seen == [address]
