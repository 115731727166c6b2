from pathlib import Path

import pytest

from chatbot import models
from chatbot.errors import ModelError
from chatbot.model_preparing import Progress


def write_model_folder(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def ignore(progress: Progress) -> None:
    pass


# --- locating


def test_a_hub_id_is_returned_as_it_is(tmp_path):
    located = models.prepare_generator("owner/some-model.v2", data_folder=tmp_path, on_progress=ignore)
    assert located == "owner/some-model.v2"


def test_an_address_is_returned_as_it_is(tmp_path):
    located = models.prepare_generator("http://localhost:8080/v1", data_folder=tmp_path, on_progress=ignore)
    assert located == "http://localhost:8080/v1"


def test_a_folder_with_safetensors_is_accepted(tmp_path):
    folder = write_model_folder(tmp_path / "model", "config.json", "model.safetensors", "training_args.bin")
    assert models.locate_embedder(str(folder)) == folder.resolve()


def test_a_file_that_only_claims_to_be_gguf_is_refused(tmp_path):
    source = tmp_path / "mine.gguf"
    source.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="not a GGUF"):
        models.prepare_generator(str(source), data_folder=tmp_path / "data", on_progress=ignore)


@pytest.mark.parametrize(
    "setting", ["/nowhere/at/all", "./missing.gguf", "owner/missing.gguf", "somename", ""]
)
def test_a_missing_model_is_an_error_that_names_the_setting(setting, tmp_path):
    with pytest.raises(ModelError) as caught:
        models.prepare_generator(setting, data_folder=tmp_path, on_progress=ignore)
    assert "CHATBOT_GENERATOR" in caught.value.next_step


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["config.json", "pytorch_model.bin"], "may run code"),
        (["config.json", "model.pt"], "may run code"),
        (["config.json", "model.pkl", "modeling_mine.py"], "may run code"),
        (["config.json", "model.safetensors", "2_Dense/pytorch_model.bin"], "may run code"),
        (["config.json", "modeling_mine.py"], "no \\*.safetensors"),
        (["model.safetensors"], "no config.json"),
    ],
)
def test_a_folder_without_safe_weights_is_refused(names, complaint, tmp_path):
    folder = write_model_folder(tmp_path / "model", *names)
    with pytest.raises(ModelError, match=complaint):
        models.check_model_folder(folder)


def test_openvino_weights_are_no_pickles(tmp_path):
    names = ["config.json", "model.safetensors", "openvino/openvino_model.bin", "openvino/openvino_model.xml"]
    models.check_model_folder(write_model_folder(tmp_path / "model", *names))


def test_a_folder_that_names_its_own_classes_is_refused(tmp_path):
    folder = write_model_folder(tmp_path / "model", "config.json", "model.safetensors")
    (folder / "modules.json").write_text('[{"type": "os.path.Join"}]')
    with pytest.raises(ModelError, match="code of its own"):
        models.check_model_folder(folder)


def test_a_hash_is_computed_again_only_if_the_file_changed(tmp_path, monkeypatch):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = models.known_sha256(path, tmp_path / "data")
    monkeypatch.setattr(models, "hash_file", lambda _: "computed again")
    assert models.known_sha256(path, tmp_path / "data") == first
    path.write_bytes(b"another")
    assert models.known_sha256(path, tmp_path / "data") == "computed again"


def test_a_packaged_embedder_with_another_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "EMBEDDER_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="missing or damaged"):
        models.locate_embedder(models.DEFAULT_EMBEDDER)


def test_the_packaged_embedder_is_the_official_one(tmp_path):
    folder = models.locate_embedder(models.DEFAULT_EMBEDDER, data_folder=tmp_path)
    assert (Path(folder) / "modules.json").is_file()


def test_describe_models_says_what_is_missing(tmp_path):
    embedder, generator = models.describe_models(tmp_path)
    assert (embedder.role, embedder.present, embedder.hash_ok) == ("embedder", True, True)
    assert (generator.role, generator.present, generator.hash_ok) == ("generator", False, None)
