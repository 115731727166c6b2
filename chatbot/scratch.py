"""A throw-away library: for measuring and for trials that must not touch the real one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatbot.settings import Settings


@contextmanager
def make_scratch_settings(
    settings: Settings, corpus: str, *, documents: Path | None = None
) -> Iterator[Settings]:
    """Settings with a data folder and a corpora folder that vanish afterwards.

    The prepared models of the real data folder are shared with it.

    :param documents: a folder that the corpus's documents folder stands for; an empty one when None.
    """
    with tempfile.TemporaryDirectory(prefix="chatbot-") as folder:
        corpora, data = Path(folder) / "corpora", Path(folder) / "data"
        (corpora / corpus).mkdir(parents=True)
        if documents is None:
            (corpora / corpus / "documents").mkdir()
        else:
            (corpora / corpus / "documents").symlink_to(documents.resolve(), target_is_directory=True)
        (settings.data_folder / "models").mkdir(parents=True, exist_ok=True)
        data.mkdir()
        (data / "models").symlink_to((settings.data_folder / "models").resolve(), target_is_directory=True)
        yield settings.model_copy(update={"data_folder": data, "corpora_folder": corpora, "corpus": corpus})
