from __future__ import annotations

import json
import stat
import subprocess
import sys

import pytest

from chatbot.errors import AccessError, LibraryError
from chatbot.keys import Access, KeyStore

REVOKE = """
import sys
from pathlib import Path
from chatbot.keys import KeyStore
KeyStore(Path(sys.argv[1])).revoke_key("phone")
"""


@pytest.fixture
def keys(tmp_path):
    return KeyStore(tmp_path / "data" / "keys.json")


def test_a_key_opens_what_it_was_made_for(keys):
    secret = keys.create_key("phone", "ingest", ["notes"])

    access = keys.find_access(secret)

    assert access == Access("ingest", ("notes",))
    assert [access.may(scope) for scope in ("read", "ingest", "admin")] == [True, True, False]
    assert (access.sees("notes"), access.sees("payroll"), access.is_unlimited) == (True, False, False)


@pytest.mark.parametrize("secret", ["", "cbk-", "x" * 10_000, "\udcff"])
def test_other_secrets_open_nothing(keys, secret):
    keys.create_key("phone")

    assert keys.find_access(secret) is None


def test_the_secret_is_nowhere_in_the_data_folder(keys, tmp_path):
    secret = keys.create_key("phone")

    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert [path for path in files if secret in path.read_text(encoding="utf-8")] == []
    assert stat.S_IMODE((tmp_path / "data" / "keys.json").stat().st_mode) == 0o600


def test_a_key_revoked_by_another_process_is_refused_at_once(keys, tmp_path):
    secret = keys.create_key("phone")
    assert keys.find_access(secret)

    subprocess.run([sys.executable, "-c", REVOKE, str(tmp_path / "data" / "keys.json")], check=True)

    assert keys.find_access(secret) is None


def test_revoking_the_last_key_does_not_open_the_door(keys):
    assert not keys.is_in_use
    keys.create_key("phone")
    keys.revoke_key("phone")

    assert keys.is_in_use


def test_a_name_is_free_again_once_its_key_is_revoked(keys):
    first = keys.create_key("phone")
    with pytest.raises(AccessError, match="already"):
        keys.create_key("phone")
    keys.revoke_key("phone")
    second = keys.create_key("phone")

    assert (keys.find_access(first), keys.find_access(second)) == (None, Access("read"))


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81])
def test_names_that_cannot_be_listed_are_refused(keys, name):
    with pytest.raises(AccessError, match="cannot be called"):
        keys.create_key(name)


@pytest.mark.parametrize("text", ["", "{", '[{"name": "x"}]', '[{"name":"x","access":{"scope":"all"}}]'])
def test_a_damaged_file_lets_nobody_in(keys, tmp_path, text):
    secret = keys.create_key("phone")
    (tmp_path / "data" / "keys.json").write_text(text)

    with pytest.raises(LibraryError, match="cannot be read"):
        keys.find_access(secret)
    with pytest.raises(LibraryError, match="cannot be read"):
        _ = keys.is_in_use


def test_only_hashes_are_kept(keys, tmp_path):
    keys.create_key("phone")

    [kept] = json.loads((tmp_path / "data" / "keys.json").read_text())
    assert len(kept["sha256"]) == 64
