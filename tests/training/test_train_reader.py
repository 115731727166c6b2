"""Training on a model of a few thousand weights: the real loop, in a second."""

import json
import re
from dataclasses import replace

import pytest
import torch

from chatbot.errors import ModelError
from chatbot.model_preparing import hash_file
from chatbot.reading.passage_reader import load_base, load_passage_reader
from chatbot.reading.weights import BASE_KEY, read_weights, write_weights
from chatbot.training import train_reader as training
from chatbot.training.adapters import load_adapters, make_adapted_student
from chatbot.training.command import choose_plan
from chatbot.training.lessons import LabelledQuestion, PassageText
from chatbot.training.network import compute_loss, make_batch, make_student
from chatbot.training.train_reader import TrainingPlan, draw_batches, train_reader
from tests.makers import make_passage
from tests.makers_encoders import write_tiny_bert, write_tiny_mpnet

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


WORDS = sorted(
    {
        word
        for item in QUESTIONS
        for text in (item.question, item.gold.whole, item.near_misses[0].text)
        for word in re.findall(r"\w+|[?.]", text)
    }
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with an untrained BERT that knows the words of the questions."""
    folder = tmp_path_factory.mktemp("base")
    write_tiny_bert(folder, WORDS)
    return folder


@pytest.fixture(scope="module")
def large_base(tmp_path_factory):
    """A folder with an untrained MPNet that knows the words of the questions."""
    folder = tmp_path_factory.mktemp("large-base")
    write_tiny_mpnet(folder, WORDS)
    return folder


@pytest.fixture(scope="module")
def adapted(large_base, tmp_path_factory):
    """Weights that a training by adapters wrote."""
    pytest.importorskip("peft")
    target = tmp_path_factory.mktemp("adapted") / "reader.safetensors"
    return train(large_base, target, replace(SHORT, base="large", epochs=30))


@pytest.fixture(params=["small", "large"])
def base_and_plan(request):
    """Either base with a short plan for it."""
    if request.param == "large":
        pytest.importorskip("peft")
        return request.getfixturevalue("large_base"), replace(SHORT, base="large")
    return request.getfixturevalue("base"), SHORT


def train(base, target, plan=SHORT, *, questions=QUESTIONS, start=None, on_progress=lambda _: None):
    train_reader(
        questions,
        plan,
        base=base,
        base_sha256=hash_file(base / "model.safetensors"),
        target=target,
        start=start,
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


def test_an_interrupted_training_ends_as_one_that_was_not(base_and_plan, tmp_path, monkeypatch):
    base, plan = base_and_plan
    whole = train(base, tmp_path / "whole.safetensors", plan)
    seen = []

    def count_and_fail(_lessons, _tokenizer):
        seen.append(1)
        if len(seen) == 8:
            raise KeyboardInterrupt
        return make_batch(_lessons, _tokenizer)

    with monkeypatch.context() as patch:
        patch.setattr(training, "make_batch", count_and_fail)
        with pytest.raises(KeyboardInterrupt):
            train(base, tmp_path / "parts.safetensors", plan)
    parts = train(base, tmp_path / "parts.safetensors", plan)

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


def test_adapters_are_learned_in_the_upper_layers_alone(large_base, adapted):
    curve = [json.loads(line) for line in adapted.with_suffix(".curve.jsonl").read_text().splitlines()]
    assert curve[-1]["loss"] < 0.8 * curve[0]["loss"]
    weights = read_weights(adapted, base_sha256=hash_file(large_base / "model.safetensors")).tensors
    assert {name.split(".")[3] for name in weights if ".layer." in name} == {"4", "5"}
    assert not any("LayerNorm" in name or "embeddings" in name for name in weights)
    assert any(weights[name].abs().max() > 0 for name in weights if name.endswith(".up"))


def test_a_training_goes_on_from_packed_adapters(large_base, adapted, tmp_path):
    still = replace(SHORT, base="large", epochs=1, learning_rate=0.0)

    second = train(large_base, tmp_path / "second.safetensors", still, start=adapted)

    sha256 = hash_file(large_base / "model.safetensors")
    before, after = (read_weights(path, base_sha256=sha256).tensors for path in (adapted, second))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_weights_of_another_kind_are_no_start(large_base, tmp_path):
    pytest.importorskip("peft")
    path = tmp_path / "other.safetensors"
    write_weights(path, {"else": torch.ones(2)}, {BASE_KEY: hash_file(large_base / "model.safetensors")})

    with pytest.raises(ModelError, match="have other adapters"):
        train(large_base, tmp_path / "reader.safetensors", replace(SHORT, base="large"), start=path)


def test_the_student_with_adapters_says_what_its_packed_weights_say(large_base, adapted):
    from chatbot.reading.passage_reader import load_weights

    sha256 = hash_file(large_base / "model.safetensors")
    student = make_adapted_student(large_base)
    load_adapters(student, adapted, base_sha256=sha256)
    model = load_base(large_base)
    load_weights(model, adapted, base_sha256=sha256)
    ids = torch.arange(4, 4 + len(WORDS))[None]

    with torch.inference_mode():
        taught, read = (one.eval()(input_ids=ids).start_logits for one in (student.float(), model))

    assert taught.std() > 0.01
    assert torch.allclose(taught, read, atol=1e-3)


def test_the_recipes_are_those_that_the_model_card_tells():
    assert choose_plan("large", None, None, 1) == TrainingPlan("large", 1.0, 16, 4e-4, 1, 0.35, 0.2)
    assert choose_plan("small", None, None, 1) == TrainingPlan("small", 3.0, 16, 2e-4, 1, 0.6, 0.3)
    assert choose_plan("large", 2.0, 1e-4, 5) == TrainingPlan("large", 2.0, 16, 1e-4, 5, 0.35, 0.2)
