"""Who has signed in with a browser: random tokens that stand for a key, kept by their hashes.

A token is worth what its key is worth at that moment: when the key is revoked, so is the token.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatbot.database import Database
from chatbot.keys import Access, KeyStore, hash_secret

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE sessions (token_hash TEXT PRIMARY KEY, key_hash TEXT NOT NULL, expires_at TEXT NOT NULL);
CREATE INDEX sessions_of_key ON sessions (key_hash);
"""
TOKEN_BYTES = 32
SESSION_DAYS = 30
MOST_OF_A_KEY = 100
"""So many browsers may be signed in with one key; the one that came first is signed out."""


class SessionStore:
    """The sessions of a data folder. Safe to use from several threads.

    :raises LibraryError: when the file cannot be used.
    """

    def __init__(self, path: Path, keys: KeyStore) -> None:
        self._keys = keys
        self._database = Database(path, _SCHEMA, SCHEMA_VERSION)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def open(self, key: str) -> str | None:
        """Begin a session with a key; its token is returned and kept nowhere. None for an unknown key.

        :raises LibraryError: when the data folder cannot be written.
        """
        if self._keys.find_access(key) is None:
            return None
        token, key_hash = secrets.token_urlsafe(TOKEN_BYTES), hash_secret(key)
        now = datetime.now(UTC)
        values = (hash_secret(token), key_hash, (now + timedelta(days=SESSION_DAYS)).isoformat())
        with self._database.transaction() as database:
            database.execute("DELETE FROM sessions WHERE expires_at < ?", (now.isoformat(),))
            database.execute("INSERT INTO sessions VALUES (?, ?, ?)", values)
            database.execute(
                "DELETE FROM sessions WHERE key_hash = ? AND rowid NOT IN "
                "(SELECT rowid FROM sessions WHERE key_hash = ? ORDER BY rowid DESC LIMIT ?)",
                (key_hash, key_hash, MOST_OF_A_KEY),
            )
        return token

    def find_access(self, token: str) -> Access | None:
        """What a session may do; None when it is unknown, over, or its key was revoked."""
        rows = self._database.read(
            "SELECT key_hash FROM sessions WHERE token_hash = ? AND expires_at >= ?",
            (hash_secret(token), datetime.now(UTC).isoformat()),
        )
        return self._keys.find_access_by_hash(rows[0][0]) if rows else None

    def end(self, token: str) -> None:
        """Sign out."""
        with self._database.transaction() as database:
            database.execute("DELETE FROM sessions WHERE token_hash = ?", (hash_secret(token),))
