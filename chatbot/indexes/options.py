"""What the command `chatbot index` takes; apart, because the rest of it takes time to import."""

from __future__ import annotations

import argparse


def add_index_options(parser: argparse.ArgumentParser) -> None:
    """The commands below `index`."""
    commands = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    build = commands.add_parser(
        "build", help="read all documents with another embedding model; can go on later"
    )
    build.add_argument("embedder", help="packaged name, folder or hub id, as in the setting embedder")
    build.add_argument("--name", help="what to call the index (default: the last part of the model's name)")
    build.add_argument(
        "--switch", action="store_true", help="compare it then, and switch to it if it finds as much"
    )
    compare = commands.add_parser("compare", help="measure an index beside the one that answers")
    compare.add_argument("name")
    compare.add_argument("--json", action="store_true", help="write the result as JSON")
    switch = commands.add_parser("switch", help="have an index answer from the next start on")
    switch.add_argument("name", nargs="?")
    switch.add_argument("--back", action="store_true", help="to the one that answered before")
    switch.add_argument("--anyway", action="store_true", help="though it finds less, or was not compared")
    listing = commands.add_parser("list", help="show every index")
    listing.add_argument("--json", action="store_true", help="write the result as JSON")
    drop = commands.add_parser("drop", help="delete an index that does not answer")
    drop.add_argument("name")
