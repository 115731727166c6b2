"""Corpus folders: `corpora/<name>/` with corpus.toml, documents/ and questions.jsonl."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chatbot.errors import CorpusError
from chatbot.types import Corpus

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,38}[a-z0-9]")
_UNSAFE_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_LONGEST_FILE_NAME_BYTES = 180
_LONGEST_SUFFIX_BYTES = 20
IGNORED_FILES = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file in a documents folder, by its path relative to that folder."""

    path: str
    location: Path
    size_bytes: int
    modified_ns: int


def list_corpora(folder: Path) -> list[Corpus]:
    """The corpora below a folder, by name.

    :raises CorpusError: when there is no such folder.
    """
    if not folder.is_dir():
        raise CorpusError(
            f"There is no corpora folder {folder}.",
            "Create it with a folder for each corpus: corpora/handbook/documents/.",
        )
    names = sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())
    return [_read_corpus_anyway(folder / name) for name in names]


def list_unusable_folders(folder: Path) -> list[str]:
    """Folders that look like a corpus but whose name cannot be one's."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and not _NAME.fullmatch(path.name)
    )


def _read_corpus_anyway(folder: Path) -> Corpus:
    """The corpus; one whose corpus.toml is broken says so in place of its description."""
    try:
        return read_corpus(folder)
    except CorpusError as error:
        return Corpus(folder.name, folder.name, str(error), ())


def read_corpus(folder: Path) -> Corpus:
    """A corpus as its corpus.toml describes it; every key may be missing, and so may the file.

    :raises CorpusError: when corpus.toml is no valid TOML or a key has the wrong type.
    """
    path = folder / "corpus.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}.", "Mend the file or remove it.") from error
    title = values.get("title", folder.name.replace("-", " ").replace("_", " ").capitalize())
    description = values.get("description", "")
    starters = values.get("starter_questions", [])
    if not isinstance(title, str) or not isinstance(description, str):
        raise CorpusError(f"{path}: title and description must be texts.", "Put them between quotes.")
    if not isinstance(starters, list) or not all(isinstance(item, str) for item in starters):
        raise CorpusError(
            f"{path}: starter_questions must be a list of texts.", 'Write ["First?", "Second?"].'
        )
    return Corpus(folder.name, title, description, tuple(starters))


def check_corpus_name(name: str) -> str:
    """The name itself when it can be a folder and a Chroma collection.

    :raises CorpusError: otherwise.
    """
    if not _NAME.fullmatch(name):
        raise CorpusError(
            f"{name!r} cannot be the name of a corpus.",
            "Use 2 to 40 lower-case letters, digits, hyphens or underscores.",
        )
    return name


def find_documents_folder(corpora_folder: Path, corpus: str) -> Path:
    """`corpora/<corpus>/documents/`, made if the corpus has none yet.

    :raises CorpusError: when there is no such corpus or the folder cannot be made.
    """
    folder = corpora_folder / check_corpus_name(corpus)
    if not folder.is_dir():
        known = ", ".join(found.name for found in list_corpora(corpora_folder)) or "none yet"
        raise CorpusError(f"There is no corpus {corpus!r}.", f"The corpora are: {known}.")
    documents = folder / "documents"
    try:
        documents.mkdir(exist_ok=True)
    except OSError as error:
        raise CorpusError(
            f"{documents} cannot be made ({error.strerror}).", "Check the folder's permissions."
        ) from error
    if not os.access(documents, os.R_OK | os.X_OK):
        raise CorpusError(f"{documents} cannot be read.", "Check the folder's permissions.")
    return documents


def scan_files(folder: Path) -> Iterator[SourceFile]:
    """Every file below a folder by path, hidden ones and links that lead outside left out."""
    root = folder.resolve()
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            location = Path(directory) / name
            if name.startswith((".", "~$")) or name.lower() in IGNORED_FILES:
                continue
            try:
                if location.is_symlink() and not location.resolve().is_relative_to(root):
                    continue
                stat = location.stat()
            except (OSError, RuntimeError):  # Python before 3.13 tells of links in a circle by the latter
                continue
            path = make_readable(location.relative_to(folder).as_posix())
            yield SourceFile(path, location, stat.st_size, stat.st_mtime_ns)


def make_readable(text: str) -> str:
    """The text itself, or with � where a name on the disk is no valid UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def resolve_document_file(folder: Path, path: str) -> Path:
    """The file of a document, which must lie inside its documents folder.

    :raises CorpusError: when it leads outside or is gone.
    """
    named = (file.location for file in scan_files(folder) if file.path == path and "\ufffd" in path)
    location = next(named, folder / path).resolve()
    if not location.is_relative_to(folder.resolve()) or not location.is_file():
        raise CorpusError(f"The file {path} is no longer there.", "Look for it in the documents folder.")
    return location


def make_file_name(name: str) -> str:
    """A safe file name made of what a user's browser calls an uploaded file."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode()).replace("\\", "/")
    text = _UNSAFE_IN_FILE_NAMES.sub("-", text.rsplit("/", 1)[-1]).strip(" .-").removeprefix("~$")
    stem, dot, suffix = (text or "document").rpartition(".")
    if not dot or len(suffix.encode()) > _LONGEST_SUFFIX_BYTES:
        stem, suffix = f"{stem}{dot}{suffix}", ""
    while len(f"{stem}.{suffix}".encode()) > _LONGEST_FILE_NAME_BYTES and stem:
        stem = stem[:-1]
    return f"{stem}.{suffix}" if suffix else stem


def store_file(folder: Path, name: str, source: Path) -> str:
    """Copy an uploaded file into a documents folder; its name there is returned.

    A file of the same name is replaced, and is never half written: the copy is renamed into place.

    :raises CorpusError: when the folder cannot be written.
    """
    stored = make_file_name(name)
    partial = folder / f".{stored}.part"
    try:
        shutil.copyfile(source, partial)
        partial.replace(folder / stored)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CorpusError(
            f"{stored} could not be stored ({error.strerror}).",
            f"Check that {folder} can be written and the disk is not full.",
        ) from error
    return stored
