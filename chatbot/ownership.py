"""One process owns a data folder: Chroma is destroyed by two writers and misleads a second reader."""

from __future__ import annotations

import json
import os
from pathlib import Path

from filelock import FileLock, Timeout

from chatbot.errors import LibraryError, LibraryInUse


class Ownership:
    """Holds the data folder for this process until released; a crash releases it too."""

    def __init__(self, lock: FileLock, note: Path) -> None:
        self._lock = lock
        self._note = note

    def announce(self, url: str, secret: str = "") -> None:
        """Tell other processes where this one answers, and, to its user alone, what opens it to them."""
        self._note.unlink(missing_ok=True)
        with open(os.open(self._note, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            json.dump({"pid": os.getpid(), "url": url, "secret": secret}, file)

    def release(self) -> None:
        self._note.unlink(missing_ok=True)
        self._lock.release()


def claim_data_folder(folder: Path) -> Ownership:
    """Become the owner of a data folder, making it if need be.

    :raises LibraryInUse: at once, when another process owns it.
    :raises LibraryError: when the folder cannot be written.
    """
    note = folder / "owner.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "owner.lock")
        lock.acquire(timeout=0)
        note.unlink(missing_ok=True)
    except Timeout:
        raise LibraryInUse(
            f"Another chatbot is already using {folder}.",
            "Use that one, stop it first, or choose another data folder with CHATBOT_DATA_FOLDER.",
        ) from None
    except OSError as error:
        raise LibraryError(
            f"The data folder {folder} cannot be written ({error.strerror}).",
            "Mend its permissions, or choose another with CHATBOT_DATA_FOLDER.",
        ) from error
    return Ownership(lock, note)


def find_owner_url(folder: Path) -> str | None:
    """Where the process that owns the data folder answers, if it serves."""
    return _read_note(folder, "url")


def find_owner_secret(folder: Path) -> str | None:
    """What opens the process that owns the data folder to commands of the same user."""
    return _read_note(folder, "secret")


def _read_note(folder: Path, name: str) -> str | None:
    try:
        note = json.loads((folder / "owner.json").read_text(encoding="utf-8"))
        return str(note[name])
    except (OSError, ValueError, KeyError, TypeError):
        return None
