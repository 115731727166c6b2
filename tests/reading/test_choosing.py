"""Which reading model a setting gives, and what stands in for one that cannot be had."""

import pytest
import torch

from chatbot.errors import ModelError
from chatbot.models import EMBEDDER_SHA256
from chatbot.reading import choosing
from chatbot.reading.base_model import LARGE_BASE
from chatbot.reading.choosing import (
    PACKAGED_WEIGHTS,
    find_reader_in_use,
    locate_reader,
    prepare_reader,
    read_base_sha256,
)
from chatbot.reading.weights import BASE_KEY, write_weights


@pytest.fixture
def no_network(monkeypatch):
    """The large model's encoder cannot be fetched."""

    def fail(*_, **__):
        raise ModelError("The reading model could not be fetched.", "Connect to the network.")

    monkeypatch.setattr(choosing, "prepare_base", fail)


def prepare(setting, folder):
    return prepare_reader(setting, data_folder=folder, on_progress=lambda _: None)


@pytest.mark.parametrize("setting", ["nowhere", "packaged", "", "notes.txt"])
def test_a_reading_model_that_is_not_there_is_named_with_what_there_is(setting):
    with pytest.raises(ModelError, match=f"There is no reading model “{setting}”") as caught:
        locate_reader(setting)
    assert "large, small, off" in caught.value.next_step


def test_off_is_no_model(tmp_path):
    assert prepare("off", tmp_path) is None
    assert find_reader_in_use("off", tmp_path) == ("off", None)


def test_both_packaged_weights_name_their_encoders():
    assert {name: read_base_sha256(path) for name, path in PACKAGED_WEIGHTS.items()} == {
        "large": LARGE_BASE.sha256,
        "small": EMBEDDER_SHA256,
    }


def test_the_small_model_needs_nothing_fetched(no_network, tmp_path):
    files = prepare("small", tmp_path)

    assert (files.name, files.base_sha256, files.note) == ("small", EMBEDDER_SHA256, "")


def test_the_small_model_stands_in_where_the_large_one_cannot_be_fetched(no_network, tmp_path):
    files = prepare("large", tmp_path)

    assert (files.name, files.weights) == ("small", PACKAGED_WEIGHTS["small"])
    assert "could not be fetched" in files.note
    assert "next start" in files.note
    assert find_reader_in_use("large", tmp_path) == ("small", PACKAGED_WEIGHTS["small"])


def test_nothing_stands_in_for_weights_of_one_s_own(no_network, tmp_path):
    own = tmp_path / "own.safetensors"
    write_weights(own, {"outputs": torch.ones(2)}, {BASE_KEY: LARGE_BASE.sha256})

    with pytest.raises(ModelError, match="could not be fetched"):
        prepare(str(own), tmp_path)


def test_weights_of_one_s_own_are_called_by_their_file(tmp_path):
    own = tmp_path / "own.safetensors"
    write_weights(own, {"outputs": torch.ones(2)}, {BASE_KEY: EMBEDDER_SHA256})

    assert prepare(str(own), tmp_path).name == "own.safetensors"
    assert find_reader_in_use(str(own), tmp_path) == ("own.safetensors", own)
