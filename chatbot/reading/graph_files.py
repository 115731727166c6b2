"""Writes the large reading model as an OpenVINO graph, once: its weights are then mapped from the disk.

Put together at every start, its weights would lie in memory three times for a while and twice for good. This
module is run in a process of its own, as `python -m chatbot.reading.graph_files WEIGHTS TARGET BASE`.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
from pathlib import Path

from chatbot.conversion import Conversion, convert_to_folder, end_with_parent
from chatbot.errors import ModelError
from chatbot.graphs.saving import save_graph
from chatbot.model_preparing import ReportProgress, owned_models_folder
from chatbot.models import is_converted, known_sha256
from chatbot.reading.base_model import LARGE_BASE
from chatbot.reading.choosing import ReaderFiles
from chatbot.reading.graph_reader import build_reader
from chatbot.reading.weights import open_weights

logger = logging.getLogger(__name__)

TO_GRAPH = Conversion("chatbot.reading.graph_files", 1, "openvino_*")


def prepare_reader_graph(
    files: ReaderFiles, *, data_folder: Path, on_progress: ReportProgress
) -> Path | None:
    """The folder of the graph of a large reading model, written if that is new.

    None for a small one, which is soon put together, and where the graph could not be written.
    """
    if files.base_sha256 != LARGE_BASE.sha256:
        return None
    hashes = (files.base_sha256, known_sha256(files.weights, data_folder))
    sha256 = hashlib.sha256("\0".join(hashes).encode()).hexdigest()
    models_folder = data_folder / "models"
    target = models_folder / f"reader-{Path(files.name).stem}-openvino"
    try:
        if is_converted(target, sha256, data_folder, TO_GRAPH):
            return target
        with owned_models_folder(models_folder, "reading model"):
            if not is_converted(target, sha256, data_folder, TO_GRAPH):
                convert_to_folder(
                    files.weights,
                    sha256,
                    target,
                    origin={"weights": files.name},
                    on_progress=on_progress,
                    conversion=TO_GRAPH,
                    more=(files.base,),
                )
    except ModelError as error:
        logger.warning("the reading model's graph is not kept: %s", error)
        return None
    return target


def write_reader_graph(weights: Path, target: Path, base: Path) -> None:
    """Write the graph of a base with what training changed in it."""
    graph = build_reader(base, open_weights(weights, framework="np"))
    target.mkdir()
    save_graph(graph, target)
    shutil.copy(base / "config.json", target)


if __name__ == "__main__":
    end_with_parent()
    write_reader_graph(*map(Path, sys.argv[1:4]))
