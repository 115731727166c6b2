"""The commands `backup` and `restore`."""

from __future__ import annotations

import argparse
from pathlib import Path

from chatbot.settings import Settings
from chatbot.terminal import make_terminal


def add_backup_options(parser: argparse.ArgumentParser) -> None:
    """The options of `backup`."""
    parser.add_argument("file", type=Path, help="where to write it, for instance chatbot-backup.tar")


def run_backup(options: argparse.Namespace, settings: Settings) -> int:
    """Write a backup, whether a chatbot runs or not."""
    from chatbot.backup import write_backup

    terminal = make_terminal()
    backup = write_backup(
        options.file,
        data_folder=settings.data_folder,
        corpora_folder=settings.corpora_folder,
        report=terminal.note,
    )
    size = f"{backup.size_bytes / 1e6:,.1f} MB"
    terminal.say(f"{backup.path}: library, chats, keys and {backup.corpus_files:,} files of corpora, {size}.")
    return 0


def add_restore_options(parser: argparse.ArgumentParser) -> None:
    """The options of `restore`."""
    parser.add_argument("file", type=Path, help="a file that chatbot backup wrote")


def run_restore(options: argparse.Namespace, settings: Settings) -> int:
    """Put a backup into empty folders."""
    from chatbot.backup import restore_backup

    terminal = make_terminal()
    count = restore_backup(
        options.file,
        data_folder=settings.data_folder,
        corpora_folder=settings.corpora_folder,
        report=terminal.note,
    )
    terminal.say(f"{count:,} files were restored into {settings.data_folder} and {settings.corpora_folder}.")
    return 0
