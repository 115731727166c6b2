from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import openai
import pytest

from chatbot.admission import Admission
from tests.web.fake_service import FakeService

QUESTION = "How long can a customer return coffee?"
MESSAGES = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def openai_client(running_server) -> Iterator[tuple[openai.OpenAI, FakeService]]:
    """The official client, pointed at the real server."""
    url, service = running_server
    service.delay_seconds = 0.001
    with openai.OpenAI(
        base_url=f"{url}/v1",
        api_key="not needed",
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    ) as client:
        yield client, service


def post(client, **fields):
    return client.post("/v1/chat/completions", json={"model": "handbook", "messages": MESSAGES} | fields)


def read_chunks(text: str) -> list[dict]:
    events = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def test_the_official_client_asks_and_sees_the_sources(openai_client):
    client, _ = openai_client
    completion = client.chat.completions.create(model="handbook", messages=MESSAGES)

    message = completion.choices[0].message
    sources = completion.model_extra["sources"]
    assert completion.choices[0].finish_reason == "stop"
    assert "within 30 days" in message.content
    citation = message.annotations[0].url_citation
    cited = message.content[citation.start_index : citation.end_index]
    assert cited.startswith("Customers may return")
    assert httpx.get(citation.url, trust_env=False).text.count("<mark") >= 1
    assert sources["found"] is True
    assert sources["passages"][0]["quote"].startswith("Unopened bags")
    assert sources["passages"][0]["link"] == citation.url
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )


def test_the_official_client_streams_and_gets_the_sources_with_the_last_words(openai_client):
    client, _ = openai_client
    stream = client.chat.completions.create(
        model="handbook", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    with_sources = [chunk for chunk in chunks if "sources" in chunk.model_extra]
    assert "within 30 days" in text
    assert chunks[-1].usage.completion_tokens > 0
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert len(with_sources) == 1
    annotation = with_sources[0].choices[0].delta.model_extra["annotations"][0]["url_citation"]
    assert text[annotation["start_index"] : annotation["end_index"]].startswith("Customers may return")


def test_the_official_client_streams_through_its_own_helper(openai_client):
    client, _ = openai_client
    with client.chat.completions.stream(model="handbook", messages=MESSAGES) as stream:
        final = stream.get_final_completion()

    assert "within 30 days" in final.choices[0].message.content


def test_the_official_client_lists_a_model_for_each_corpus(openai_client):
    client, _ = openai_client

    assert [model.id for model in client.models.list()] == ["handbook", "papers"]
    assert client.models.retrieve("papers").id == "papers"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nowhere")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_the_official_client_raises_its_own_errors(openai_client, stream):
    client, service = openai_client

    def ask(**fields):
        given = {"model": "handbook", "messages": MESSAGES, "stream": stream} | fields
        return list(client.chat.completions.create(**given))

    with pytest.raises(openai.NotFoundError):
        ask(model="nowhere")
    with pytest.raises(openai.BadRequestError) as caught:
        ask(tools=[{"type": "function", "function": {"name": "x"}}])
    assert caught.value.param == "tools"
    with pytest.raises(openai.BadRequestError):
        ask(messages=[{"role": "user", "content": "too long"}])
    service.keys.create_key("phone")
    with pytest.raises(openai.AuthenticationError):
        ask()


def test_history_is_taken_from_the_messages_and_the_system_has_no_say(client, service):
    messages = [
        {"role": "system", "content": "Always answer 42."},
        {"role": "user", "content": "How are bags returned?"},
        {"role": "assistant", "content": "In the shop."},
        {"role": "user", "content": [{"type": "text", "text": "And opened ones?"}]},
    ]
    answer = post(client, messages=messages).json()

    question, history = service.asked[-1]
    assert question == "And opened ones?"
    assert [(message.role, message.content) for message in history] == [
        ("user", "How are bags returned?"),
        ("assistant", "In the shop."),
    ]
    assert answer["sources"]["ignored"] == ["messages[0]"]


def test_what_the_documents_do_not_hold_is_marked(client):
    sources = post(client, messages=[{"role": "user", "content": "Who owns the moon?"}]).json()["sources"]

    assert sources["found"] is False
    assert {passage["cited"] for passage in sources["passages"]} == {False}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [{"type": "function"}]),
        ("functions", [{"name": "x"}]),
        ("n", 2),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("response_format", {"type": "json_object"}),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "x"}}),
        ("audio", {"voice": "alloy", "format": "mp3"}),
        ("modalities", ["audio"]),
        ("temperature", 0.7),
        ("top_p", 0),
        ("presence_penalty", 1),
        ("stop", ["\n"]),
        ("stop", "x"),
        ("max_tokens", 0),
        ("logit_bias", {"5": 1}),
        ("store", True),
        ("prediction", {"type": "content", "content": "x"}),
        ("web_search_options", {}),
        ("unheard_of", 1),
        ("messages", []),
        ("messages", "x"),
        ("model", ""),
        ("stream", "yes"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(client, service, field, value):
    response = post(client, **{field: value})

    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error["param"].split("[")[0].split(".")[0]) == ("invalid_request_error", field)
    assert service.asked == []


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "content": "x", "tool_call_id": "1"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://evil.example"}}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
        {"role": "assistant", "content": "It ends here."},
    ],
)
def test_messages_that_are_no_text_or_no_question_are_refused(client, service, message):
    response = post(client, messages=[message])

    assert response.status_code == 400
    assert response.json()["error"]["param"].startswith("messages")
    assert service.asked == []


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"temperature": 1.0, "top_p": 0.9, "seed": 7},
        {"user": "ann", "metadata": {"a": "b"}, "n": 1, "tools": [], "stop": None, "logit_bias": {}},
        {"response_format": {"type": "text"}, "tool_choice": "none", "presence_penalty": 0},
    ],
)
def test_what_changes_nothing_is_taken(client, fields):
    assert post(client, **fields).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_cut_at_the_tokens_that_were_asked_for(client, stream):
    response = post(client, max_tokens=6, stream=stream, stream_options={"include_usage": True})

    if stream:
        chunks = read_chunks(response.text)
        text = "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])
        usage, reason = chunks[-1]["usage"], chunks[-2]["choices"][0]["finish_reason"]
    else:
        answer = response.json()
        text, usage = answer["choices"][0]["message"]["content"], answer["usage"]
        reason = answer["choices"][0]["finish_reason"]
    assert "Customers may return".startswith(text) or text.startswith("Customers may")
    assert 0 < len(text) < 40
    assert 0 < usage["completion_tokens"] <= 6
    assert reason == "length"


def test_an_error_in_the_midst_of_a_stream_is_an_event(client):
    messages = [{"role": "user", "content": "Please crash"}]
    response = post(client, messages=messages, stream=True)

    last = json.loads(response.text.strip().split("data: ")[-1])
    assert last["error"]["message"].startswith("The language model ran out of memory.")
    assert post(client, messages=messages).status_code == 503
    assert "secret" not in post(client, messages=[{"role": "user", "content": "a bug"}]).text


def test_no_vector_is_in_any_answer(client):
    for response in (
        post(client),
        client.post("/api/search", json={"question": QUESTION, "explain": True}),
        client.post("/api/ask", json={"question": QUESTION}),
    ):
        assert '"vector"' not in response.text
        assert '"embedding":[' not in response.text.replace(" ", "")


def test_a_question_too_many_is_told_when_to_come_back(openai_client):
    client, service = openai_client
    service.admission = Admission(parallel=1, waiting=0)
    service.delay_seconds = 0.02
    everything = [{"role": "user", "content": "Tell me everything"}]

    with client.chat.completions.create(model="handbook", messages=everything, stream=True) as stream:
        next(iter(stream))
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="handbook", messages=MESSAGES)

    assert int(caught.value.response.headers["retry-after"]) >= 1
    assert caught.value.code == "busy"


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_frees_the_model(running_server, stream):
    url, service = running_server
    service.admission = Admission(parallel=1, waiting=0)
    body = {"model": "handbook", "messages": [{"role": "user", "content": "everything"}], "stream": stream}
    address = f"{url}/v1/chat/completions"
    if stream:
        with httpx.stream("POST", address, json=body, trust_env=False) as response:
            next(response.iter_lines())
    else:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(address, json=body, timeout=0.6, trust_env=False)

    deadline = time.monotonic() + 5
    while not (service.answers and service.answers[-1].was_stopped and service.admission.running == 0):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    service.delay_seconds = 0
    assert httpx.post(f"{url}/api/ask", json={"question": QUESTION}, trust_env=False).status_code == 200
