"""Keys for other programs and other machines: who may do what in which corpora.

A key is 256 random bits that are shown once. `keys.json` in the data folder holds its hash; every check
looks whether that file has changed, so that a key revoked by another process is refused at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from chatbot.errors import AccessError, LibraryError

Scope = Literal["read", "ingest", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "ingest", "admin")
"""Each may do what those before it may."""
SECRET_PREFIX = "cbk-"  # noqa: S105 - the beginning of every key, so that one is known when it is seen
SECRET_BYTES = 32
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may do: `scope` and all that it includes, in `corpora`, or in all where it is empty."""

    scope: Scope
    corpora: tuple[str, ...] = ()

    def may(self, scope: Scope) -> bool:
        """Whether this reaches as far as `scope`."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def sees(self, corpus: str) -> bool:
        """Whether a corpus is among those that may be used."""
        return not self.corpora or corpus in self.corpora

    @property
    def is_unlimited(self) -> bool:
        """Whether everything is allowed everywhere, as the chat page needs it."""
        return self.scope == "admin" and not self.corpora


EVERYTHING = Access("admin")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept: its name, the SHA-256 of its secret, what it may do, and when it was made.

    The times are ISO times; `revoked_at` is None while the key may be used.
    """

    name: str
    sha256: str
    access: Access
    created_at: str
    revoked_at: str | None = None


class KeyStore:
    """The keys of a data folder. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._keys: tuple[Key, ...] = ()

    def list_keys(self) -> tuple[Key, ...]:
        """All keys, revoked ones too, oldest first.

        :raises LibraryError: when the file cannot be read; nobody is let in then.
        """
        with self._lock:
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._keys = self._read() if stamp else ()
                self._stamp = stamp
            return self._keys

    @property
    def is_in_use(self) -> bool:
        """Whether a key was ever made: from then on one is asked for, even if all were revoked."""
        return bool(self.list_keys())

    def find_access(self, secret: str) -> Access | None:
        """What a secret allows; None for one that is unknown or revoked."""
        return self.find_access_by_hash(hash_secret(secret))

    def find_access_by_hash(self, sha256: str) -> Access | None:
        """What the key of this hash allows; None for one that is unknown or revoked."""
        found = None
        for key in self.list_keys():
            if hmac.compare_digest(key.sha256, sha256) and key.revoked_at is None:
                found = key.access
        return found

    def create_key(self, name: str, scope: Scope = "read", corpora: Sequence[str] = ()) -> str:
        """Make a key and return its secret, which is kept nowhere.

        :raises AccessError: for a name that another key has, or that cannot be one.
        :raises LibraryError: when the data folder cannot be written.
        """
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise AccessError(
                f"A key cannot be called {name[:LONGEST_NAME]!r}.",
                f"Choose 1 to {LONGEST_NAME} characters that tell who uses it.",
            )
        secret = make_secret()
        with self._changing() as keys:
            if any(key.name == name and key.revoked_at is None for key in keys):
                raise AccessError(f"There is a key {name!r} already.", "Choose another name, or revoke it.")
            keys.append(Key(name, hash_secret(secret), Access(scope, tuple(corpora)), _now()))
        return secret

    def revoke_key(self, name: str) -> None:
        """Refuse a key from now on.

        :raises AccessError: when no key of that name may be used.
        :raises LibraryError: when the data folder cannot be written.
        """
        with self._changing() as keys:
            for place, key in enumerate(keys):
                if key.name == name and key.revoked_at is None:
                    keys[place] = replace(key, revoked_at=_now())
                    return
            raise AccessError(f"There is no key {name!r} that could be revoked.", "See: chatbot keys list.")

    @contextmanager
    def _changing(self) -> Iterator[list[Key]]:
        """The keys to change, written whole at the end, one process at a time."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock")):
                keys = list(self.list_keys())
                yield keys
                self._write(keys)
        except OSError as error:
            raise LibraryError(
                f"{self._path} could not be written ({error.strerror}).",
                "Nothing was changed. Free some disk space or mend the folder's permissions.",
            ) from error

    def _write(self, keys: Sequence[Key]) -> None:
        beside = self._path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with open(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump([asdict(key) for key in keys], file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def _read_stamp(self) -> tuple[int, ...] | None:
        """Changes whenever the file does; None without one."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._describe_unreadable() from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> tuple[Key, ...]:
        try:
            return tuple(map(_unpack_key, json.loads(self._path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._describe_unreadable() from error

    def _describe_unreadable(self) -> LibraryError:
        return LibraryError(
            f"{self._path} cannot be read, so that no key can be checked.",
            "Mend its permissions; if it is damaged, move it away and make the keys anew.",
        )


def make_secret() -> str:
    """A new key of 256 random bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """The SHA-256 of a secret; 256 random bits need no slower hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _unpack_key(values: dict[str, Any]) -> Key:
    access = values["access"]
    if access["scope"] not in SCOPES:
        raise ValueError(access["scope"])
    return Key(**(values | {"access": Access(access["scope"], tuple(access["corpora"]))}))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
