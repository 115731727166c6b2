"""Puts the product together: settings in, running parts out. The only place that picks classes."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.engines import choose_engine
from chatbot.factories import Factories
from chatbot.index_places import find_active_index
from chatbot.late_embedder import LateEmbedder, note_embedder, recall_embedder
from chatbot.loading import Report
from chatbot.model_preparing import ReportProgress
from chatbot.prompting import load_prompts
from chatbot.service import Service
from chatbot.settings import Settings
from chatbot.types import Embedder, Generator

if TYPE_CHECKING:
    from chatbot.reading.passage_reader import PassageReader

LOADING = threading.Lock()
"""Held while a model loads: transformers cannot be imported by two threads at the same time."""


def build_service(settings: Settings, *, late: bool = False) -> Service:
    """The service that these settings describe; call its `start`.

    :param late: the embedding model is loaded and the vector index opened once something is to be embedded.
    :raises PromptError: for a broken prompt.
    :raises LibraryInUse: when another process owns the data folder.
    """
    from chatbot.documents.reader import DocumentReader
    from chatbot.preparing import READING_THREADS

    prompts = load_prompts(settings.prompts_folder)
    reader = DocumentReader(max_file_bytes=settings.upload_limit_mb * 1024**2, most_children=READING_THREADS)
    factories = Factories(
        make_embedder=lambda report: (make_late_embedder if late else make_embedder)(settings, report),
        make_generator=lambda report: make_generator(settings, report),
        reader=reader,
        make_passage_reader=lambda report: make_passage_reader(settings, report),
        hash_models=lambda: hash_models(settings),
        opens_index_late=late,
    )
    return Service(settings, prompts, factories)


def set_offline_environment(*, offline: bool) -> None:
    """Tell the libraries that may call home not to, before they are imported."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["ANONYMIZED_TELEMETRY"] = "False"
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"


def make_embedder(settings: Settings, report: Report, name: str | None = None) -> Embedder:
    """The embedding model of the index that answers, or another one by its name, loaded.

    :raises ModelError: when it cannot be.
    """
    from chatbot.models import locate_embedder

    name = name or find_active_index(settings.data_folder, settings.embedder).embedder
    location = locate_embedder(name, data_folder=settings.data_folder)
    embedder = load_embedder_of(location, settings, report)
    if isinstance(location, Path):
        note_embedder(embedder, location, settings.data_folder)
    return embedder


def make_late_embedder(settings: Settings, report: Report) -> Embedder:
    """The embedding model of the index that answers, to be loaded when it is first used.

    One that is not known yet is loaded at once.

    :raises ModelError: when it cannot be.
    """
    from chatbot.models import locate_embedder

    name = find_active_index(settings.data_folder, settings.embedder).embedder
    location = locate_embedder(name, data_folder=settings.data_folder)
    note = recall_embedder(location, settings.data_folder) if isinstance(location, Path) else None
    if note is None:
        return make_embedder(settings, report)
    return LateEmbedder(note, lambda: make_embedder(settings, lambda _: None))


def load_embedder_of(location: Path | str, settings: Settings, report: Report) -> Embedder:
    """The embedding model of a folder or a hub id, by the engine that suits it."""
    if isinstance(location, Path) and choose_engine(settings.engine) == "openvino":
        from chatbot.graph_embedding import load_graph_embedder

        report("the embedding model is loading")
        if embedder := load_graph_embedder(location):
            return embedder
    from chatbot.embedding import load_embedder

    with LOADING:
        report("the embedding model is loading")
        return load_embedder(location, offline=settings.offline)


def make_passage_reader(settings: Settings, report: Report) -> PassageReader | None:
    """The reading model of the settings, fetched where that has to be done, loaded; None where it is off.

    :raises ModelError: when it cannot be.
    """
    from chatbot.reading.choosing import prepare_reader

    on_progress = make_progress(report)
    files = prepare_reader(settings.reader, data_folder=settings.data_folder, on_progress=on_progress)
    if files is None:
        return None
    if choose_engine(settings.engine) == "openvino":
        from chatbot.reading.graph_files import prepare_reader_graph
        from chatbot.reading.graph_reader import load_graph_reader

        graph = prepare_reader_graph(files, data_folder=settings.data_folder, on_progress=on_progress)
        report("the reading model is loading")
        reader = load_graph_reader(
            files.base, base_sha256=files.base_sha256, weights=files.weights, graph_folder=graph
        )
    else:
        from chatbot.reading.passage_reader import load_passage_reader

        with LOADING:
            report("the reading model is loading")
            reader = load_passage_reader(files.base, base_sha256=files.base_sha256, weights=files.weights)
    reader.note = files.note
    return reader


def make_generator(settings: Settings, report: Report) -> Generator:
    """The language model of the settings, fetched and converted where that has to be done, loaded.

    :raises ModelError: when it cannot be.
    """
    if is_url(settings.generator):
        from chatbot.generation.remote import RemoteGenerator

        report(f"the model server at {settings.generator} is asked")
        key = settings.generator_key.get_secret_value() if settings.generator_key else None
        return RemoteGenerator(
            settings.generator,
            model=settings.generator_model,
            key=key,
            window_tokens=settings.generator_window_tokens,
        )
    from chatbot.graph_conversion import can_be_graph, prepare_graph
    from chatbot.models import prepare_generator

    on_progress = make_progress(report)
    location = prepare_generator(
        settings.generator, data_folder=settings.data_folder, on_progress=on_progress
    )
    name = name_generator(settings.generator, location)
    if isinstance(location, Path) and choose_engine(settings.engine) == "openvino" and can_be_graph(location):
        from chatbot.generation.openvino import load_openvino_generator

        graph = prepare_graph(location, data_folder=settings.data_folder, on_progress=on_progress)
        report("the language model is loading")
        return load_openvino_generator(graph, name=f"{name} on OpenVINO")
    from chatbot.generation.local import load_transformers_generator

    with LOADING:
        report("the language model is loading")
        return load_transformers_generator(location, name=name, offline=settings.offline)


def hash_models(settings: Settings) -> dict[str, str]:
    """Hashes of the weights of the language model and the reading model, and which one reads.

    A hash is empty where the weights lie elsewhere.
    """
    from chatbot.models import find_weights, hash_weights
    from chatbot.reading.choosing import find_reader_in_use

    model = find_weights(settings.generator, settings.data_folder)
    reader, weights = find_reader_in_use(settings.reader, settings.data_folder)
    return {
        "model_hash": hash_weights(model, settings.data_folder),
        "reader": reader,
        "reader_hash": hash_weights(weights, settings.data_folder),
    }


def is_url(text: str) -> bool:
    """Whether a generator setting names a server."""
    return text.startswith(("http://", "https://"))


def name_generator(setting: str, location: Path | str) -> str:
    """What to call a model: the name given, without the folders before it."""
    return Path(setting).stem if isinstance(location, Path) and os.sep in setting else setting


def make_progress(report: Report) -> ReportProgress:
    """What tells in words how far a preparation is."""
    return lambda progress: report(
        describe_bytes(progress.what, progress.done_bytes, progress.total_bytes, progress.seconds)
    )


def describe_bytes(what: str, done_bytes: int, total_bytes: int | None, seconds: float) -> str:
    """For instance "the language model is fetched: 12 of 93 MB, 3 s"."""
    if not total_bytes:
        return f"{what}: {seconds:.0f} s"
    done, total = done_bytes / 1e6, total_bytes / 1e6
    left = f", about {seconds * (total - done) / done:.0f} s left" if 0 < done < total and seconds > 2 else ""
    return f"{what}: {done:.0f} of {total:.0f} MB, {seconds:.0f} s{left}"
