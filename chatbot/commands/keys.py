"""The command `chatbot keys`: makes, lists and revokes the keys of other programs and people."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from chatbot.corpora import list_corpora
from chatbot.errors import CorpusError
from chatbot.keys import SCOPES, Key, KeyStore
from chatbot.settings import Settings
from chatbot.terminal import Terminal, make_terminal


def add_keys_options(parser: argparse.ArgumentParser) -> None:
    """The commands below `keys`."""
    commands = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    create = commands.add_parser("create", help="make a key and show it once")
    create.add_argument("name", help="what tells who uses it")
    create.add_argument(
        "--scope",
        choices=SCOPES,
        default="read",
        help="read: ask and search; ingest: read new documents too; admin: everything (default read)",
    )
    create.add_argument(
        "--corpus",
        metavar="NAME",
        dest="corpora",
        action="append",
        default=[],
        help="only this corpus; may be repeated (default all)",
    )
    listing = commands.add_parser("list", help="show all keys, but not their secrets")
    listing.add_argument("--json", action="store_true", help="write the result as JSON")
    revoke = commands.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("name", help="the name that it was made with")


def run_keys(options: argparse.Namespace, settings: Settings) -> int:
    """Make, list or revoke keys; a chatbot that runs follows at once."""
    terminal = make_terminal()
    keys = KeyStore(settings.data_folder / "keys.json")
    if options.action == "create":
        check_corpora(options.corpora, settings)
        terminal.say(keys.create_key(options.name, options.scope, options.corpora))
    elif options.action == "revoke":
        keys.revoke_key(options.name)
        terminal.say(f"The key {options.name} is refused from now on.")
    else:
        print_keys(keys.list_keys(), terminal, as_json=options.json)
    return 0


def check_corpora(names: list[str], settings: Settings) -> None:
    """Refuse a key for a corpus that does not exist.

    :raises CorpusError: naming those that do.
    """
    known = [corpus.name for corpus in list_corpora(settings.corpora_folder)]
    for name in names:
        if name not in known:
            raise CorpusError(f"There is no corpus {name!r}.", f"The corpora are: {', '.join(known)}.")


def print_keys(keys: tuple[Key, ...], terminal: Terminal, *, as_json: bool) -> None:
    """A line for each key, or all as JSON, without their hashes."""
    if as_json:
        terminal.say_json([describe_key(key) for key in keys])
        return
    for key in keys:
        where = ", ".join(key.access.corpora) or "all corpora"
        state = f"revoked {key.revoked_at}" if key.revoked_at else f"made {key.created_at}"
        terminal.say(f"{key.name}  {key.access.scope}  {where}  {state}")
    if not keys:
        terminal.say("There are no keys: everybody on this machine may use the chatbot.")


def describe_key(key: Key) -> dict[str, object]:
    """A key as JSON."""
    values = asdict(key)
    del values["sha256"], values["access"]
    return values | {"scope": key.access.scope, "corpora": list(key.access.corpora)}
