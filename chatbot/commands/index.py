"""The command `chatbot index`: another embedding model beside the present one."""

from __future__ import annotations

import argparse

from chatbot.indexes.options import add_index_options
from chatbot.settings import Settings

__all__ = ["add_index_options", "run_index"]


def run_index(options: argparse.Namespace, settings: Settings) -> int:
    """Build, compare, switch, list or drop indexes."""
    from chatbot.indexes.command import run_index_command

    return run_index_command(options, settings)
