"""Training on a model of a few thousand weights: the real loop, in a second."""

import json
import re

import pytest
import torch

from chatbot.errors import ModelError
from chatbot.preparing import hash_file
from chatbot.reading.passage_reader import load_passage_reader
from chatbot.reading.weights import read_weights
from chatbot.training import train_reader as training
from chatbot.training.lessons import LabelledQuestion, PassageText
from chatbot.training.network import compute_loss, make_batch, make_student
from chatbot.training.train_reader import TrainingPlan, draw_batches, train_reader
from tests.makers import make_passage

NAMES = ["marta", "greta", "berta", "anna", "erika", "helga", "paula", "clara"]
HOURS = ["noon", "dusk", "dawn", "midnight", "seven", "eight", "nine", "ten"]
QUESTIONS = [
    LabelledQuestion(
        f"when does the {name} leave?",
        PassageText("ferries", f"the {name} leaves at {hour}."),
        (len(f"the {name} leaves at "), len(f"the {name} leaves at {hour}")),
        near_misses=(PassageText("ferries", f"dogs love the {name}."),),
    )
    for name, hour in zip(NAMES, HOURS, strict=True)
]
PLAN = TrainingPlan(epochs=60, batch_lessons=4, learning_rate=5e-3, seed=3)
SHORT = TrainingPlan(epochs=10, batch_lessons=4, learning_rate=5e-3, seed=3)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with an untrained BERT that knows the words of the questions."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    texts = [f"{item.question} {item.gold.whole} {item.near_misses[0].text}" for item in QUESTIONS]
    words = sorted({word for text in texts for word in re.findall(r"\w+|[?.]", text)})
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder = tmp_path_factory.mktemp("base")
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def train(base, target, plan=SHORT, *, questions=QUESTIONS, on_progress=lambda _: None):
    train_reader(
        questions,
        plan,
        base=base,
        base_sha256=hash_file(base / "model.safetensors"),
        target=target,
        description={"questions": str(len(questions))},
        on_progress=on_progress,
    )
    return target


def test_what_was_taught_is_read_off_a_passage(base, tmp_path):
    target = train(base, tmp_path / "reader.safetensors", PLAN)
    reader = load_passage_reader(base, base_sha256=hash_file(base / "model.safetensors"), weights=target)

    right = 0
    for number, item in enumerate(QUESTIONS, 1):
        passage = make_passage(item.gold.text, number=number, title="ferries")
        best = reader.read(item.question, [passage]).passages[number].find_best()
        right += passage.text[best.start : best.end] == HOURS[number - 1]

    assert right >= 6
    curve = [json.loads(line) for line in (tmp_path / "reader.curve.jsonl").read_text().splitlines()]
    assert curve[-1]["step"] == PLAN.count_steps(len(QUESTIONS))
    assert curve[-1]["loss"] < curve[0]["loss"] / 2


def test_an_interrupted_training_ends_as_one_that_was_not(base, tmp_path, monkeypatch):
    whole = train(base, tmp_path / "whole.safetensors")
    seen = []

    def count_and_fail(_lessons, _tokenizer):
        seen.append(1)
        if len(seen) == 8:
            raise KeyboardInterrupt
        return make_batch(_lessons, _tokenizer)

    with monkeypatch.context() as patch:
        patch.setattr(training, "make_batch", count_and_fail)
        with pytest.raises(KeyboardInterrupt):
            train(base, tmp_path / "parts.safetensors")
    parts = train(base, tmp_path / "parts.safetensors")

    sha256 = hash_file(base / "model.safetensors")
    first, second = (read_weights(path, base_sha256=sha256).tensors for path in (whole, parts))
    assert first.keys() == second.keys()
    for name, weights in first.items():
        assert torch.equal(weights, second[name]), name
    assert not (tmp_path / "parts.checkpoint").exists()


def test_a_checkpoint_of_another_training_is_refused(base, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(training, "pack_differences", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(base, tmp_path / "reader.safetensors")

    with pytest.raises(ModelError, match="other options or other questions"):
        train(base, tmp_path / "reader.safetensors", PLAN)


def test_batches_are_the_same_wherever_they_begin():
    whole = draw_batches(QUESTIONS, SHORT)
    first = [next(whole) for _ in range(40)]

    for start in (0, 1, 15, 16, 17, 33):
        later = draw_batches(QUESTIONS, SHORT, first_step=start)
        assert [next(later) for _ in range(5)] == first[start : start + 5]


def test_the_lowest_layers_stay_as_they_are(base, tmp_path):
    target = train(base, tmp_path / "reader.safetensors")
    names = read_weights(target, base_sha256=hash_file(base / "model.safetensors")).tensors.keys()

    assert any("layer.3." in name for name in names)
    assert not any("embeddings" in name or "layer.0." in name or "layer.1." in name for name in names)


def test_the_loss_falls_when_an_answer_becomes_likelier(base):
    from tokenizers import Tokenizer

    model = make_student(base).eval()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    lessons = [lesson for lesson in next(draw_batches(QUESTIONS, SHORT)) if lesson.answer][:1]
    batch = make_batch(lessons, tokenizer)
    loss = compute_loss(model, batch, device="cpu")
    loss.backward()
    with torch.no_grad():
        for weights in model.qa_outputs.parameters():
            weights -= 0.1 * weights.grad

    assert compute_loss(model, batch, device="cpu") < loss
