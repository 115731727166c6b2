import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chatbot.errors import ModelError
from chatbot.generation.remote import RemoteGenerator
from chatbot.types import Message

MESSAGES = [Message("system", "Be short."), Message("user", "When?")]
Respond = Callable[[BaseHTTPRequestHandler], None]


class ModelServer(ThreadingHTTPServer):
    """A model server on loopback whose answers a test scripts; keeps what it was asked."""

    daemon_threads = True

    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.respond = respond
        self.requests: list[tuple[str, dict, dict]] = []
        self.connection_lost = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body: dict) -> None:
        self.server.requests.append((self.path, dict(self.headers), body))
        try:
            self.server.respond(self)
        except OSError:
            self.server.connection_lost.set()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(respond: Respond) -> Iterator[ModelServer]:
    server = ModelServer(respond)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str = "application/json") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def make_event(text: str | None = None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    event = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return f"data: {json.dumps(event)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def stream_events(*events: bytes) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        send(handler, 200, b"".join(events), "text/event-stream")

    return respond


def start_chunked(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def send_chunk(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()


def connect(
    server: ModelServer | str, *, model: str | None = "small", key: str | None = None
) -> RemoteGenerator:
    url = server if isinstance(server, str) else server.url
    return RemoteGenerator(url, model=model, key=key, window_tokens=1000)


def read(generator: RemoteGenerator) -> tuple[list[str], str]:
    """The words of an answer and why it ended; empty pieces, which only let one stop, are left out."""
    stream, pieces = generator.stream(MESSAGES, max_new_tokens=50), []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return [piece for piece in pieces if piece], end.value


def test_an_answer_streams_piece_by_piece():
    with serve(
        stream_events(make_event("At "), make_event("noon."), make_event(finish="stop"), DONE)
    ) as server:
        assert read(connect(server, key="sk-1")) == (["At ", "noon."], "end")

    [(path, headers, body)] = server.requests
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer sk-1")
    assert body == {
        "model": "small",
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "When?"}],
        "max_tokens": 50,
        "temperature": 0,
        "stream": True,
    }


def test_an_answer_cut_by_its_limit_says_so():
    with serve(stream_events(make_event("At"), make_event(finish="length"), DONE)) as server:
        assert read(connect(server)) == (["At"], "length")


def test_comments_usage_and_empty_pieces_are_passed_over():
    events = [b": ping\n\n", b'data: {"choices": []}\n\n', make_event(""), make_event("Yes."), DONE]
    with serve(stream_events(*events)) as server:
        assert read(connect(server))[0] == ["Yes."]


def test_without_a_key_none_is_sent():
    with serve(stream_events(make_event("Yes."), DONE)) as server:
        read(connect(server))

    assert "Authorization" not in server.requests[0][1]


@pytest.mark.parametrize(
    ("status", "next_step"), [(401, "generator_key"), (403, "generator_key"), (404, "/v1"), (500, "log")]
)
def test_a_refusal_says_what_to_change(status, next_step):
    with (
        serve(lambda handler: send(handler, status, b"{}")) as server,
        pytest.raises(ModelError, match=str(status)) as caught,
    ):
        read(connect(server))

    assert next_step in caught.value.next_step


@pytest.mark.parametrize(
    "events",
    [b"data: not json\n\n", b"data: [1]\n\n", b'data: {"error": "x"}\n\n', b'data: {"choices": [1]}\n\n'],
)
def test_what_is_no_answer_is_refused(events):
    with serve(stream_events(events)) as server, pytest.raises(ModelError, match="not OpenAI-compatible"):
        read(connect(server))


def test_a_connection_that_drops_midway_is_an_error_and_not_an_end():
    def respond(handler):
        start_chunked(handler)
        send_chunk(handler, make_event("At "))
        handler.close_connection = True

    with serve(respond) as server:
        stream = connect(server).stream(MESSAGES, max_new_tokens=50)
        assert next(piece for piece in stream if piece) == "At "
        with pytest.raises(ModelError, match="cannot be reached"):
            list(stream)


def test_a_stream_that_ends_without_saying_so_is_an_error_and_not_an_end():
    with serve(stream_events(make_event("At "))) as server, pytest.raises(ModelError, match="broke off"):
        read(connect(server))


def test_closing_the_answer_closes_the_connection():
    def respond(handler):
        start_chunked(handler)
        for _ in range(2000):
            send_chunk(handler, make_event("word "))
            threading.Event().wait(0.005)

    with serve(respond) as server:
        stream = connect(server).stream(MESSAGES, max_new_tokens=50)
        next(stream)
        stream.close()

        assert server.connection_lost.wait(5)


def test_a_server_that_is_not_there_is_named():
    generator = connect("http://127.0.0.1:9/v1")

    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9"):
        read(generator)


def test_the_first_model_of_the_list_is_taken_when_none_is_named():
    body = json.dumps({"data": [{"id": "first"}, {"id": "second"}]}).encode()
    with serve(lambda handler: send(handler, 200, body)) as server:
        generator = connect(server.url + "/", model=None)

    assert generator.name == "first"
    assert server.requests[0][0] == "/v1/models"


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": []}', b'{"data": [{}]}', b"[]"])
def test_a_server_without_a_list_of_models_needs_a_name(body):
    with serve(lambda handler: send(handler, 200, body)) as server, pytest.raises(ModelError) as caught:
        connect(server, model=None)

    assert "generator_model" in caught.value.next_step


def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serve(stream_events(make_event("Yes."), DONE)) as server:
        assert read(connect(server))[0] == ["Yes."]


def test_tokens_are_counted_with_room_to_spare():
    generator = connect("http://127.0.0.1:9")

    assert generator.count_tokens(MESSAGES) > 16
    assert generator.window_tokens == 1000


@pytest.mark.parametrize("before_headers", [True, False])
def test_a_server_that_is_silent_can_be_left_at_once(before_headers):
    asked, over = threading.Event(), threading.Event()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        if not before_headers:
            start_chunked(handler)
        asked.set()
        # What reads as the end here is that the client has closed the connection.
        handler.connection.settimeout(10)
        assert handler.rfile.read(1) == b""
        over.set()

    with serve(respond) as server:
        stream = connect(server).stream(MESSAGES, max_new_tokens=50)
        assert next(stream) == ""
        assert asked.wait(5)
        stream.close()
        assert over.wait(5)


def test_lines_end_where_those_of_events_do_and_nowhere_else():
    odd = "one\u2028two\x85three\x0c"
    event = json.dumps({"choices": [{"index": 0, "delta": {"content": odd}}]}, ensure_ascii=False)
    lines = f"data: {event}\r\n\r\ndata: {event}\r\rdata: [DONE]\n\n".encode()
    with serve(stream_events(*(lines[place : place + 1] for place in range(len(lines))))) as server:
        assert read(connect(server)) == ([odd, odd], "end")
