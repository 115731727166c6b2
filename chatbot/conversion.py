"""Unpacks a GGUF to a folder of safetensors that can be loaded, and tells what was converted before.

It is done in a `partial-*` folder beside its result, which appears complete or not at all, by a process of
its own, which is watched: this module, started as `python -m chatbot.conversion GGUF FOLDER`. When to do it
is decided in `chatbot.models`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.model_preparing import (
    ReportProgress,
    Watch,
    explain_failure,
    flush_to_disk,
    hash_file,
    measure_folder,
    partial_folder,
    require_free_bytes,
    run_watched,
)

CONVERSION = 1
"""Raised whenever `convert_gguf` writes something else, so that kept folders are made anew."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A way to convert a model, run as `python -m MODULE SOURCE TARGET MORE` in a process of its own.

    `version` is raised whenever it writes something else; `weights` says which files have their hash noted.
    """

    module: str
    version: int
    weights: str


TO_SAFETENSORS = Conversion("chatbot.conversion", CONVERSION, "*.safetensors")


def convert_to_folder(
    source: Path,
    sha256: str,
    target: Path,
    *,
    origin: dict[str, str],
    on_progress: ReportProgress,
    conversion: Conversion = TO_SAFETENSORS,
    more: tuple[Path, ...] = (),
) -> None:
    """Convert a model, by default a GGUF to safetensors, to `target`, which appears complete or not at all.

    `more` is what it is made from besides `source`. The work is done by a child process, so that its
    memory is gone afterwards.
    Raises ModelError if transformers cannot read the file or the disk is full.
    """
    # Four-bit blocks unpack to sixteen bits a weight.
    require_free_bytes(target.parent, 4 * _measure(source))
    with partial_folder(target.parent) as partial:
        converted = partial / "converted"
        command = [sys.executable, "-P", "-m", conversion.module, *map(str, (source, converted, *more))]
        watch = Watch("Converting the model", partial, None, on_progress)
        output, exit_code = run_watched(command, _converter_environment(), watch)
        if exit_code != 0 or not (converted / "config.json").is_file():
            raise explain_failure(
                f"{source.name} could not be converted",
                output,
                "Use another model, or a safetensors folder of it.",
            )
        write_manifest(converted, sha256, origin, conversion)
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


def write_manifest(folder: Path, source_sha256: str, origin: dict[str, str], conversion: Conversion) -> None:
    """Note what a folder was made from and the hashes of its weights, all of it safe on the disk."""
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
        flush_to_disk(path)


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a converted folder, empty if there is none that can be read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that came to be."""

    def watch_parent() -> None:
        # Unlike sys.stdin, the bare descriptor may still be read while the interpreter shuts down.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch_parent, daemon=True).start()


def _measure(source: Path) -> int:
    return measure_folder(source) if source.is_dir() else source.stat().st_size


if __name__ == "__main__":
    end_with_parent()
    convert_gguf(Path(sys.argv[1]), Path(sys.argv[2]))
