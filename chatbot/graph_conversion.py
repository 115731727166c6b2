"""Converts a language model of safetensors to an OpenVINO graph that openvino-genai runs.

openvino-genai's own reader of GGUF files rounds the offsets of 4-bit blocks, which changes the logits by
up to 20; optimum-intel does not fit the version of transformers that is used here. So the graph is put
together from the converted weights, in their own 16 bits. This module is run in a process of its own, as
`python -m chatbot.graph_conversion FOLDER TARGET`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

from chatbot.conversion import Conversion, convert_to_folder, end_with_parent
from chatbot.graphs.llama import build_llama, read_llama_shape
from chatbot.graphs.operations import Weights
from chatbot.graphs.saving import save_graph
from chatbot.model_preparing import ReportProgress, owned_models_folder
from chatbot.models import is_converted, known_sha256

TO_GRAPH = Conversion("chatbot.graph_conversion", 2, "openvino_*")
KEPT_FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")
SUFFIX = "-openvino"


def can_be_graph(folder: Path) -> bool:
    """Whether the model of a folder is one that a graph can be made of."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return read_llama_shape(config) is not None and (folder / "tokenizer.json").is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def prepare_graph(folder: Path, *, data_folder: Path, on_progress: ReportProgress) -> Path:
    """The folder of the graph of a model that `can_be_graph`; it is converted if that is new.

    :raises ModelError: when the disk is full or the weights cannot be read.
    """
    hashes = [known_sha256(path, data_folder) for path in sorted(folder.glob("*.safetensors"))]
    sha256 = hashlib.sha256("\0".join(hashes).encode()).hexdigest()
    models_folder = data_folder / "models"
    is_ours = folder.parent.resolve() == models_folder.resolve()
    target = models_folder / ((folder.name if is_ours else sha256[:12]) + SUFFIX)
    if is_converted(target, sha256, data_folder, TO_GRAPH):
        return target
    with owned_models_folder(models_folder, folder.name):
        if not is_converted(target, sha256, data_folder, TO_GRAPH):
            origin = {"folder": folder.name}
            convert_to_folder(
                folder, sha256, target, origin=origin, on_progress=on_progress, conversion=TO_GRAPH
            )
    return target


def convert_to_graph(source: Path, target: Path) -> None:
    """Write graph and tokenizers of a model folder."""
    import openvino as ov
    from openvino_tokenizers import convert_tokenizer
    from safetensors import safe_open
    from transformers import AutoTokenizer

    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    shape = read_llama_shape(config)
    if shape is None:
        raise ValueError("no graph is known for this kind of model")
    weights: dict[str, Weights] = {}
    for path in sorted(source.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:  # NumPy has no bfloat16
            weights |= {name: file.get_tensor(name).float().numpy() for name in file.keys()}  # noqa: SIM118
    target.mkdir()
    save_graph(build_llama(shape, weights), target)
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True, trust_remote_code=False)
    encoder, decoder = convert_tokenizer(tokenizer, with_detokenizer=True)
    ov.save_model(encoder, target / "openvino_tokenizer.xml")
    ov.save_model(decoder, target / "openvino_detokenizer.xml")
    for path in source.iterdir():
        if path.name in KEPT_FILES or path.suffix == ".jinja":
            shutil.copy(path, target)


if __name__ == "__main__":
    end_with_parent()
    convert_to_graph(Path(sys.argv[1]), Path(sys.argv[2]))
