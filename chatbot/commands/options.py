"""Options that several commands share."""

from __future__ import annotations

import argparse

from chatbot.filters import name_format, read_first_day, read_language
from chatbot.types import SearchFilters


def add_corpus_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", metavar="NAME", help="the folder below corpora/ to use")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def add_generator_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--generator", metavar="MODEL", help="the language model: packaged name, hub id, folder, .gguf or URL"
    )


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("filters", "the same as file:, folder: and so on in the question")
    for name, metavar, meaning in (
        ("file", "NAME", "only files of this name, or with this in their name or title"),
        ("folder", "PATH", "only this folder and those below it"),
        ("type", "TYPE", "only documents of this type, such as pdf"),
        ("language", "NAME", "only documents in this language, such as German or de"),
    ):
        group.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=f"{meaning}; may be repeated"
        )
    group.add_argument("--after", metavar="DATE", help="only documents from this day, month or year on")
    group.add_argument("--before", metavar="DATE", help="only documents from before this day, month or year")


def read_filter_options(options: argparse.Namespace) -> SearchFilters:
    """The filters that were given as options.

    :raises QuestionError: for one that cannot be used.
    """
    return SearchFilters(
        files=tuple(options.file),
        folders=tuple(options.folder),
        formats=tuple(name_format(ending) for ending in options.type),
        languages=tuple(read_language(name) for name in options.language),
        after=read_first_day(options.after) if options.after else None,
        before=read_first_day(options.before) if options.before else None,
    )
