import pytest
import torch

from chatbot.errors import ModelError
from chatbot.reading.weights import BASE_KEY, apply_differences, pack_differences, read_weights, write_weights

BASE = {"same": torch.ones(3, 4), "layer": torch.ones(3, 4), "bias": torch.zeros(4)}
TRAINED = {
    "same": torch.ones(3, 4),
    "layer": torch.ones(3, 4) + torch.tensor([[0.01], [-0.5], [0.0]]) * torch.arange(4.0),
    "bias": torch.arange(4.0),
    "outputs": torch.full((2, 4), 0.3),
}


def test_weights_come_back_as_they_were_within_a_step_of_each_row():
    restored = apply_differences(pack_differences(TRAINED, BASE), BASE)

    assert set(restored) == set(TRAINED)
    for name, weights in TRAINED.items():
        step = (weights - BASE.get(name, weights)).abs().max() / 127
        assert torch.allclose(restored[name], weights, atol=float(step) + 1e-6), name


def test_what_did_not_change_is_not_kept():
    packed = pack_differences(TRAINED, BASE)

    assert "same" not in packed
    assert packed["layer"].dtype == torch.int8


def test_a_file_gives_back_what_was_written(tmp_path):
    path = tmp_path / "reader.safetensors"
    packed = pack_differences(TRAINED, BASE)
    write_weights(path, packed, {BASE_KEY: "abc", "seed": "1"})

    read = read_weights(path, base_sha256="abc")

    assert read.description["seed"] == "1"
    assert {name: tensor.tolist() for name, tensor in read.tensors.items()} == {
        name: tensor.tolist() for name, tensor in packed.items()
    }
    assert list(tmp_path.iterdir()) == [path]


def test_weights_of_another_base_are_refused(tmp_path):
    path = tmp_path / "reader.safetensors"
    write_weights(path, pack_differences(TRAINED, BASE), {BASE_KEY: "abc"})

    with pytest.raises(ModelError, match="belong to another embedding model"):
        read_weights(path, base_sha256="def")


@pytest.mark.parametrize("content", [None, b"", b"not weights at all"])
def test_missing_and_damaged_weights_are_refused(tmp_path, content):
    path = tmp_path / "reader.safetensors"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelError, match="cannot be read"):
        read_weights(path, base_sha256="abc")
