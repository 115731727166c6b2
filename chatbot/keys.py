"""Keys for other programs and other machines: who may do what in which corpora.

A key is 256 random bits that are shown once. `keys.json` in the data folder holds its hash; every check
looks whether that file has changed, so that a key revoked by another process is refused at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from chatbot.errors import AccessError
from chatbot.record_file import RecordFile, write_now

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
        self._file = RecordFile(path, _unpack_key, "key")

    def list_keys(self) -> tuple[Key, ...]:
        """All keys, revoked ones too, oldest first.

        :raises LibraryError: when the file cannot be read; nobody is let in then.
        """
        return self._file.list_records()

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
        with self._file.changing() as keys:
            if any(key.name == name and key.revoked_at is None for key in keys):
                raise AccessError(f"There is a key {name!r} already.", "Choose another name, or revoke it.")
            keys.append(Key(name, hash_secret(secret), Access(scope, tuple(corpora)), write_now()))
        return secret

    def revoke_key(self, name: str) -> None:
        """Refuse a key from now on.

        :raises AccessError: when no key of that name may be used.
        :raises LibraryError: when the data folder cannot be written.
        """
        with self._file.changing() as keys:
            for place, key in enumerate(keys):
                if key.name == name and key.revoked_at is None:
                    keys[place] = replace(key, revoked_at=write_now())
                    return
            raise AccessError(f"There is no key {name!r} that could be revoked.", "See: chatbot keys list.")


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
