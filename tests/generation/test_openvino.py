"""The real default language model on OpenVINO, beside the same weights by transformers."""

import json
import threading

import pytest

from chatbot.graph_conversion import SUFFIX, can_be_graph, prepare_graph
from chatbot.types import Message

pytest.importorskip("openvino_genai")
pytestmark = pytest.mark.models

PASSAGE = (
    "[1] The ferry to Tolsay leaves at noon from the north quay. A ticket costs 12 marks; children half.\n"
    "[2] The shop in the terminal sells tea. It was built in 1931 and is open every day but Monday.\n"
)
QUESTIONS = ["How much is a ticket?", "When was the shop built?", "Where does the ferry leave?"]
TIE = 1.0
"""Two tokens whose logits in 32 bits are nearer than this may change places in 16 bits."""


def make_prompt(question):
    return [
        Message("system", "Answer with the words of the passages."),
        Message("user", f"{PASSAGE}\nQuestion: {question}"),
    ]


@pytest.fixture(scope="module")
def graph_folder(models_folder, tmp_path_factory):
    prepared = models_folder.with_name(models_folder.name + SUFFIX)
    data_folder = models_folder.parent.parent if prepared.is_dir() else tmp_path_factory.mktemp("data")
    return prepare_graph(models_folder, data_folder=data_folder, on_progress=lambda _: None)


@pytest.fixture(scope="module")
def generator(graph_folder):
    from chatbot.generation.openvino import load_openvino_generator

    return load_openvino_generator(graph_folder, name="smollm2")


def read(stream):
    """The text of an answer and why it ended."""
    pieces = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return "".join(pieces), end.value


def find_margin(smollm, messages, token, other):
    """How much larger the logit of one token is than that of another after a prompt, in 32 bits."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(smollm._model.config._name_or_path, dtype=torch.float32)
    with torch.inference_mode():
        logits = model(torch.tensor([messages])).logits[0, -1]
    return float(logits[token] - logits[other])


def test_greedy_text_is_that_of_transformers_but_for_ties(generator, smollm, models_folder):
    for question in QUESTIONS:
        messages = make_prompt(question)
        ours, _ = read(generator.stream(messages, max_new_tokens=16))
        theirs, _ = read(smollm.stream(messages, max_new_tokens=16))
        if ours == theirs:
            continue
        own, other = (smollm._tokenizer.encode(text) for text in (ours, theirs))
        place = next(place for place in range(17) if own[place : place + 1] != other[place : place + 1])
        end = smollm._tokenizer.eos_token_id
        first, second = ((ids[place : place + 1] or [end])[0] for ids in (own, other))
        prompt = [*smollm._encode(messages), *other[:place]]
        assert abs(find_margin(smollm, prompt, first, second)) < TIE, (question, ours, theirs)


def test_prompts_are_the_same_tokens(generator, smollm):
    strange = ["", " two  spaces\n\n\ttabs", "漢字 ½ ² ٣٤٥ 1234", "<|im_end|> a trick", "🏳️‍🌈 don't"]
    for text in [*strange, PASSAGE]:
        for messages in ([Message("user", text)], [Message("system", text), *make_prompt("When?")[1:]]):
            assert generator._encode(messages) == smollm._encode(messages)
            assert generator.count_tokens(messages) == smollm.count_tokens(messages)


def test_answers_that_are_asked_for_together_are_those_asked_for_alone(generator):
    alone = [read(generator.stream(make_prompt(question), max_new_tokens=12)) for question in QUESTIONS]
    together = [None] * len(QUESTIONS)

    def ask(place):
        together[place] = read(generator.stream(make_prompt(QUESTIONS[place]), max_new_tokens=12))

    threads = [threading.Thread(target=ask, args=[place]) for place in range(len(QUESTIONS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [reason for _, reason in together] == [reason for _, reason in alone]
    assert [text[:8] for text, _ in together] == [text[:8] for text, _ in alone]


def test_a_closed_answer_leaves_the_model_to_the_next_one(generator):
    stream = generator.stream([Message("user", "Count to one thousand.")], max_new_tokens=4000)
    next(stream)
    stream.close()

    text, reason = read(generator.stream(make_prompt(QUESTIONS[0]), max_new_tokens=4))
    assert text
    assert reason == "length"
    assert generator._arrivals.empty()


class StuckPipeline:
    """Takes a request up and does nothing with it until it is let go."""

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self.gate = threading.Event()

    def get_tokenizer(self):
        return self._tokenizer

    def add_request(self, *_):
        self.gate.wait(30)
        raise RuntimeError("let go")


def test_an_answer_that_waits_for_the_model_can_be_stopped(generator):
    from chatbot.generation.openvino import OpenVinoGenerator

    pipeline = StuckPipeline(generator._tokenizer)
    stuck = OpenVinoGenerator("stuck", pipeline, window_tokens=2048, end_tokens={2})
    waiting, heard = stuck.stream(make_prompt(QUESTIONS[0]), max_new_tokens=4), []
    thread = threading.Thread(target=lambda: heard.append(next(waiting)), daemon=True)
    thread.start()
    thread.join(timeout=10)
    was_heard = list(heard)
    if was_heard:
        waiting.close()
    pipeline.gate.set()

    assert was_heard == [""]


def test_characters_of_several_tokens_come_whole(generator):
    pieces = list(generator.stream([Message("user", "Write only this: 漢字 🏳️‍🌈 漢字")], max_new_tokens=24))

    assert all("\ufffd" not in piece for piece in pieces[:-1])


def test_a_graph_is_converted_once_and_again_when_it_was_changed(graph_folder, models_folder):
    weights = graph_folder / "openvino_model.bin"
    before = weights.stat().st_mtime_ns
    data_folder = graph_folder.parent.parent

    assert prepare_graph(models_folder, data_folder=data_folder, on_progress=lambda _: None) == graph_folder
    assert weights.stat().st_mtime_ns == before
    manifest = json.loads((graph_folder / "manifest.json").read_text())
    assert {"openvino_model.bin", "openvino_model.xml", "openvino_tokenizer.xml"} <= set(manifest["weights"])


def test_a_model_of_another_kind_is_left_to_transformers(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "qwen2", "hidden_act": "silu"}')
    (tmp_path / "tokenizer.json").write_text("{}")

    assert not can_be_graph(tmp_path)
    assert not can_be_graph(tmp_path / "nothing")
