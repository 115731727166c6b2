"""The large reading model's kind of encoder: its graph, its adapters, the same numbers on either engine."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from chatbot.graphs.mpnet import build_mpnet, put_in_buckets, read_mpnet_shape
from chatbot.graphs.weights import read_arrays
from chatbot.model_preparing import hash_file
from chatbot.reading import graph_files
from chatbot.reading.base_model import LARGE_BASE, WEIGHTS
from chatbot.reading.choosing import ReaderFiles
from chatbot.reading.passage_reader import OUTPUTS, load_base, load_passage_reader
from chatbot.reading.weights import BASE_KEY, open_weights, write_weights
from tests.makers import make_passage
from tests.makers_encoders import write_tiny_mpnet

WORDS = "the ferry leaves at noon from quay two when does it leave ? .".split()
TEXT = "the ferry leaves at noon from quay two . "


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mpnet")
    write_tiny_mpnet(folder, WORDS)
    return folder


def test_distances_are_put_in_the_buckets_of_transformers():
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

    distances = torch.arange(-600, 601)

    expected = MPNetEncoder.relative_position_bucket(distances, num_buckets=32).numpy()
    assert (put_in_buckets(distances.numpy(), 32) == expected).all()


@pytest.mark.parametrize("tokens", [3, 40, 320])
def test_the_graph_gives_the_numbers_of_transformers(base, tokens):
    ov = pytest.importorskip("openvino")
    model = load_base(base).eval()
    shape = read_mpnet_shape(json.loads((base / "config.json").read_text()))
    outputs = {name: values.detach().numpy() for name, values in model.qa_outputs.named_parameters(OUTPUTS)}
    weights = {**read_arrays(base / "model.safetensors"), **outputs}
    graph = ov.Core().compile_model(
        build_mpnet(shape, weights, output=OUTPUTS), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    ids = np.random.default_rng(tokens).integers(4, 4 + len(WORDS), (2, tokens))
    mask = np.ones_like(ids)
    mask[1, tokens // 2 :] = 0

    found = graph({"input_ids": ids, "attention_mask": mask})[0]

    with torch.inference_mode():
        output = model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask))
    expected = torch.stack([output.start_logits, output.end_logits], dim=-1).numpy()
    assert np.abs(expected).max() > 0.1
    # The outputs' few weights are kept in 16 bits by the graph.
    assert np.abs((found - expected) * mask[..., None]).max() < 0.02 * np.abs(expected).max()


def make_weights(base, path):
    """Adapters and outputs that change what the base says."""
    chance = torch.Generator().manual_seed(1)
    name = "mpnet.encoder.layer.5.attention.attn.q.weight"
    packed = {
        f"{name}.up": torch.randn(32, 2, generator=chance).half(),
        f"{name}.down": torch.randn(2, 32, generator=chance).half(),
        f"{name}.scale": torch.tensor(0.5),
        f"{OUTPUTS}.weight": torch.randn(2, 32, generator=chance),
        f"{OUTPUTS}.bias": torch.zeros(2),
    }
    facts = {BASE_KEY: hash_file(base / "model.safetensors"), "odds_offset": "1.5", "odds_factor": "2.0"}
    write_weights(path, packed, facts)
    return path


def test_both_engines_read_the_same_off_passages(base, tmp_path):
    pytest.importorskip("openvino")
    from chatbot.reading.graph_reader import load_graph_reader

    weights = make_weights(base, tmp_path / "reader.safetensors")
    sha256 = hash_file(base / "model.safetensors")
    passages = [make_passage(TEXT * 60), make_passage(TEXT * 2 + "<pad> " + TEXT * 2, number=2)]

    first, second = (
        load(base, base_sha256=sha256, weights=weights).read("when does the ferry leave?", passages)
        for load in (load_passage_reader, load_graph_reader)
    )

    for number in (1, 2):
        one, other = first.passages[number], second.passages[number]
        assert one.offsets.tolist() == other.offsets.tolist()
        spread = one.begins.std()
        assert spread > 0
        assert np.abs(one.begins - other.begins).max() < max(0.3 * spread, 0.1)
    assert first.scale == second.scale


def test_the_odds_are_read_on_the_scale_that_the_weights_tell(base, tmp_path):
    weights = make_weights(base, tmp_path / "reader.safetensors")
    reader = load_passage_reader(base, base_sha256=hash_file(base / "model.safetensors"), weights=weights)

    reading = reader.read("when does the ferry leave?", [make_passage(TEXT)])

    span = reading.passages[1].find_best()
    assert reading.measure_odds(span) == pytest.approx(1.5 + 2.0 * (span.score - reading.nothing))


def test_windows_of_like_length_are_read_together():
    from chatbot.reading.graph_reader import BATCH_TOKENS, batch_alike

    assert list(batch_alike([])) == []
    assert list(batch_alike([100, 40, 110, 45, 320])) == [[1, 3], [0, 2], [4]]
    batches = list(batch_alike([300] * 20))
    assert sorted(row for batch in batches for row in batch) == list(range(20))
    assert all(300 * len(batch) <= BATCH_TOKENS for batch in batches)


@pytest.fixture
def large_files(base, tmp_path, monkeypatch):
    """A tiny reading model that passes for the large one."""
    weights = make_weights(base, tmp_path / "reader.safetensors")
    sha256 = hash_file(base / "model.safetensors")
    monkeypatch.setattr(graph_files, "LARGE_BASE", replace(LARGE_BASE, files={WEIGHTS: sha256}))
    return ReaderFiles("large", weights, base, sha256)


def prepare(files, data_folder):
    return graph_files.prepare_reader_graph(files, data_folder=data_folder, on_progress=lambda _: None)


def test_a_graph_that_was_kept_reads_as_one_that_is_put_together(large_files, tmp_path):
    pytest.importorskip("openvino")
    from chatbot.reading.graph_reader import load_graph_reader

    folder = prepare(large_files, tmp_path)
    passages = [make_passage(TEXT * 60), make_passage(TEXT * 3, number=2)]

    kept, made = (
        load_graph_reader(
            large_files.base,
            base_sha256=large_files.base_sha256,
            weights=large_files.weights,
            graph_folder=graph_folder,
        ).read("when does the ferry leave?", passages)
        for graph_folder in (folder, None)
    )

    assert folder == tmp_path / "models" / "reader-large-openvino"
    for number in (1, 2):
        assert np.array_equal(kept.passages[number].begins, made.passages[number].begins)
        assert np.array_equal(kept.passages[number].ends, made.passages[number].ends)
    assert np.ptp(kept.passages[1].begins) > 0


def test_a_kept_graph_is_written_anew_for_other_weights_only(large_files, base, tmp_path):
    pytest.importorskip("openvino")
    folder = prepare(large_files, tmp_path)
    first = (folder / "openvino_model.bin").stat()

    prepare(large_files, tmp_path)
    assert (folder / "openvino_model.bin").stat().st_ino == first.st_ino

    packed = open_weights(large_files.weights)
    changed = {**packed.tensors, f"{OUTPUTS}.bias": torch.ones(2)}
    write_weights(large_files.weights, changed, packed.description)
    prepare(large_files, tmp_path)
    assert (folder / "openvino_model.bin").stat().st_ino != first.st_ino


def test_a_small_model_is_put_together_at_every_start(large_files, tmp_path):
    assert prepare(replace(large_files, base_sha256="other"), tmp_path) is None
    assert not (tmp_path / "models").exists()


def test_where_no_graph_can_be_written_none_is_kept(large_files, tmp_path):
    (tmp_path / "models").write_text("no folder")

    assert prepare(large_files, tmp_path) is None
