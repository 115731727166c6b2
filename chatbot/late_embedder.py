"""An embedding model that is loaded once something is to be embedded.

An ingest must know the model's fingerprint to tell what has changed, and most often nothing has. So it is
noted when the model is loaded, with size and time of the model's files; while these are the same, the note
stands for the model:

    <data folder>/models/embedders.json
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chatbot.errors import ModelError
from chatbot.types import Embedder, PassageVectors, Span, Vectors


@dataclass(frozen=True, slots=True)
class EmbedderNote:
    """What has to be known of an embedding model before anything is embedded."""

    fingerprint: str
    max_tokens: int


class LateEmbedder:
    """An embedding model of which its note is known, loaded when it is first used.

    Safe to call from several threads.

    :raises ModelError: at its first use, where it cannot be loaded or is another one than was noted.
    """

    def __init__(self, note: EmbedderNote, load: Callable[[], Embedder]) -> None:
        self._note = note
        self._load = load
        self._lock = threading.Lock()
        self._loaded: Embedder | None = None

    @property
    def fingerprint(self) -> str:
        """As it was noted."""
        return self._note.fingerprint

    @property
    def max_tokens(self) -> int:
        """As it was noted."""
        return self._note.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, the special ones included."""
        return self._get().count_tokens(texts)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension)."""
        return self._get().embed_documents(texts)

    def embed_passages(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> PassageVectors:
        """The vectors of texts, and those of stretches of each."""
        return self._get().embed_passages(texts, spans)

    def embed_query(self, text: str) -> Vectors:
        """The vector of a question."""
        return self._get().embed_query(text)

    def knows_word(self, word: str) -> bool:
        """Whether the model's vocabulary holds a word whole."""
        return self._get().knows_word(word)

    def _get(self) -> Embedder:
        with self._lock:
            if self._loaded is None:
                loaded = self._load()
                if describe_embedder(loaded) != self._note:
                    raise ModelError(
                        "The embedding model is another one than at the last start.",
                        "Run this again: every document is read again for it.",
                    )
                self._loaded = loaded
            return self._loaded


def describe_embedder(embedder: Embedder) -> EmbedderNote:
    """What is noted of a model."""
    return EmbedderNote(embedder.fingerprint, embedder.max_tokens)


def note_embedder(embedder: Embedder, location: Path, data_folder: Path) -> None:
    """Note a model that was loaded from a folder."""
    register = _find_register(data_folder)
    known = _read_register(register)
    entry = asdict(describe_embedder(embedder)) | {"files": _list_files(location)}
    if known.get(str(location)) == entry:
        return
    partial = register.with_suffix(".part")
    # A note that cannot be kept only costs the loading at the next start.
    with suppress(OSError):
        register.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(known | {str(location): entry}, indent=1), encoding="utf-8")
        partial.replace(register)


def recall_embedder(location: Path, data_folder: Path) -> EmbedderNote | None:
    """What was noted of the model in a folder, unless a file of it has changed since."""
    entry = _read_register(_find_register(data_folder)).get(str(location))
    try:
        if entry is None or entry["files"] != _list_files(location):
            return None
        return EmbedderNote(str(entry["fingerprint"]), int(entry["max_tokens"]))
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _find_register(data_folder: Path) -> Path:
    return data_folder / "models" / "embedders.json"


def _read_register(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _list_files(folder: Path) -> dict[str, list[int]]:
    """Size and time of every file of a folder, by path."""
    status = {path.relative_to(folder).as_posix(): path.stat() for path in sorted(folder.rglob("*"))}
    return {name: [found.st_size, found.st_mtime_ns] for name, found in status.items()}
