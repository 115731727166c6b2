"""Where the indexes of a data folder lie, and which of them answers.

The first one is called main and lies in the data folder itself; it follows the setting `embedder`. Others
were built beside it with another embedding model, each in a folder of its own with a library and vectors.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chatbot.errors import LibraryError, LibraryInUse
from chatbot.library import Library
from chatbot.ownership import claim_data_folder
from chatbot.types import DocumentRecord

MAIN = "main"

_CHOICE_FILE, _STATE_FILE, _FOLDER = "index.json", "index-state.json", "indexes"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexPlace:
    """An index: its name, its folder, and the embedding model that it is made with."""

    name: str
    folder: Path
    embedder: str

    @property
    def library_path(self) -> Path:
        return self.folder / "library.sqlite3"

    @property
    def vectors_folder(self) -> Path:
        return self.folder / "vectors"


@dataclass(frozen=True, slots=True)
class IndexState:
    """What is known of an index that was built beside another.

    `built_at` is when all documents had been read, empty before. `compared` holds the figures of both indexes
    by name, and `is_better_or_equal` tells whether it found at least as much as the one that it was compared
    with.
    """

    embedder: str
    built_at: str = ""
    compared: dict[str, Any] = field(default_factory=dict)
    is_better_or_equal: bool = False


def name_index(embedder: str) -> str:
    """The name of the index of an embedding model: the last part of its own, without odd signs."""
    name = re.sub(r"[^a-z0-9]+", "-", embedder.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1].lower())
    return name.strip("-") or "other"


def list_index_places(data_folder: Path, main_embedder: str) -> list[IndexPlace]:
    """Every index, main first."""
    found = [IndexPlace(MAIN, data_folder, main_embedder)]
    folder = data_folder / _FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (path / _STATE_FILE).is_file():
            found.append(IndexPlace(path.name, path, read_index_state(path).embedder))
    return found


def find_index_place(data_folder: Path, main_embedder: str, name: str) -> IndexPlace:
    """The index of a name.

    :raises LibraryError: when there is none.
    """
    places = list_index_places(data_folder, main_embedder)
    for place in places:
        if place.name == name:
            return place
    known = ", ".join(place.name for place in places)
    raise LibraryError(f"There is no index {name!r}.", f"The indexes are: {known}.")


def find_active_index(data_folder: Path, main_embedder: str) -> IndexPlace:
    """The index that answers questions.

    :raises LibraryError: when the chosen one is gone.
    """
    name = str(_read_json(data_folder / _CHOICE_FILE).get("active", MAIN))
    return find_index_place(data_folder, main_embedder, name)


def read_previous_index(data_folder: Path) -> str:
    """The name of the index that answered before the last switch."""
    return str(_read_json(data_folder / _CHOICE_FILE).get("previous", MAIN))


def choose_index(data_folder: Path, place: IndexPlace, previous: str) -> None:
    """Have an index answer from the next start on."""
    _write_json(data_folder / _CHOICE_FILE, {"active": place.name, "previous": previous})


def make_index_place(data_folder: Path, embedder: str, name: str) -> IndexPlace:
    """The folder of an index that is to be built, or of one that was begun.

    :raises LibraryError: when the name is taken by an index of another embedding model.
    """
    if name == MAIN or name_index(name) != name:
        raise LibraryError(
            f"An index cannot be called {name!r}.", "Use small letters, digits and hyphens, but not main."
        )
    place = IndexPlace(name, data_folder / _FOLDER / name, embedder)
    if (place.folder / _STATE_FILE).is_file() and read_index_state(place.folder).embedder != embedder:
        raise LibraryError(
            f"The index {name!r} is made with another embedding model.",
            "Name another with --name, or drop it.",
        )
    place.folder.mkdir(parents=True, exist_ok=True)
    if not (place.folder / _STATE_FILE).is_file():
        write_index_state(place, IndexState(embedder))
    return place


def drop_index(place: IndexPlace) -> None:
    """Delete an index with everything in it; of main only the index, not the rest of the data folder.

    :raises LibraryInUse: while another process uses it.
    """
    ownership = claim_data_folder(place.folder)
    try:
        for path in place.folder.glob("library.sqlite3*"):
            path.unlink()
        shutil.rmtree(place.vectors_folder, ignore_errors=True)
    finally:
        ownership.release()
    if place.name != MAIN:
        shutil.rmtree(place.folder)


def read_index_state(folder: Path) -> IndexState:
    """What is known of the index in a folder."""
    values = _read_json(folder / _STATE_FILE)
    known = {name: values[name] for name in ("built_at", "compared", "is_better_or_equal") if name in values}
    return IndexState(str(values.get("embedder", "")), **known)


def write_index_state(place: IndexPlace, state: IndexState) -> None:
    """Note what is known of an index."""
    _write_json(place.folder / _STATE_FILE, asdict(state))


def forget_in_idle_indexes(
    data_folder: Path, main_embedder: str, is_gone: Callable[[DocumentRecord], bool], *, active: str
) -> None:
    """Take documents that are gone out of the indexes that do not answer, and erase their words.

    One that is being built is left alone: its build looks at the folders itself. The caller owns the data
    folder.
    """
    for place in list_index_places(data_folder, main_embedder):
        if place.name == active or not place.library_path.is_file():
            continue
        try:
            _forget_in(place, is_gone)
        except LibraryInUse:
            logger.info("the index %s is being built and looks at the folders itself", place.name)
        except LibraryError as error:
            logger.warning("the index %s may still hold deleted documents: %s", place.name, error)


def _forget_in(place: IndexPlace, is_gone: Callable[[DocumentRecord], bool]) -> None:
    ownership = None if place.name == MAIN else claim_data_folder(place.folder)
    try:
        with closing(Library(place.library_path)) as library:
            for corpus in library.list_corpora():
                for record in library.list_documents(corpus):
                    if is_gone(record):
                        library.delete_document(record.id)
            library.erase_leftovers()  # also those of a run that was killed before it came to this
    finally:
        if ownership is not None:
            ownership.release()


def find_gone_documents(library: Library, corpus: str) -> Callable[[DocumentRecord], bool]:
    """Tells of a document of another index whether a corpus's library cannot show it any longer.

    That is where it was deleted, has changed since, or can no longer be read.
    """
    revisions = {
        record.id: record.sha256 for record in library.list_documents(corpus) if record.problem is None
    }
    return lambda record: record.corpus == corpus and revisions.get(record.id) != record.sha256


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LibraryError(
            f"{path} cannot be read ({type(error).__name__}).", "Delete it: the index main answers then."
        ) from error
    return values if isinstance(values, dict) else {}


def _write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a file that is never seen half written."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(values, indent=1), encoding="utf-8")
    beside.replace(path)
