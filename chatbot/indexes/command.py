"""The command `chatbot index`: builds a second index with another embedding model, compares and switches."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace

from chatbot.build import make_embedder
from chatbot.documents.reader import DocumentReader
from chatbot.errors import LibraryError
from chatbot.index_places import (
    MAIN,
    IndexPlace,
    choose_index,
    drop_index,
    find_active_index,
    find_index_place,
    list_index_places,
    make_index_place,
    name_index,
    read_index_state,
    read_previous_index,
    write_index_state,
)
from chatbot.indexes.building import build_index
from chatbot.indexes.comparing import IndexFigures, compare_indexes, is_better_or_equal
from chatbot.ownership import find_owner_url
from chatbot.settings import Settings
from chatbot.terminal import Json, Terminal, describe_progress, make_terminal
from chatbot.types import Embedder
from chatbot.web.schemas import progress_to_json


def run_index_command(options: argparse.Namespace, settings: Settings) -> int:
    """Build, compare, switch, list or drop indexes."""
    terminal = make_terminal()
    actions: dict[str, Callable[[argparse.Namespace, Settings, Terminal], None]] = {
        "build": run_build,
        "compare": run_compare,
        "switch": run_switch,
        "list": run_list,
        "drop": run_drop,
    }
    actions[options.action](options, settings, terminal)
    return 0


def run_build(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> None:
    """Build an index, and switch to it where that is wanted and it is no worse."""
    name = options.name or name_index(options.embedder)
    with terminal.noting():
        embedder = load_embedder(settings, options.embedder, terminal)
        place = make_index_place(settings.data_folder, options.embedder, name)
        with DocumentReader(max_file_bytes=settings.upload_limit_mb * 1024**2) as reader:
            reports = build_index(
                place,
                embedder,
                settings.corpora_folder,
                reader.read,
                chunk_tokens=settings.chunk_tokens,
                on_progress=lambda progress: terminal.note(describe_progress(progress_to_json(progress))),
            )
    read = sum(len(report.outcomes) for report in reports)
    terminal.say(f"The index {name} is in step with all documents ({read:,} files read).")
    if not options.switch:
        terminal.say(f"Next: chatbot index compare {name}")
        return
    if not print_comparison(compare_with_active(place, settings, terminal), terminal, as_json=False):
        terminal.say("The present index answers on.")
        return
    switch_to(place, settings, terminal)


def run_compare(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> None:
    """Measure an index beside the one that answers."""
    place = find_index_place(settings.data_folder, settings.embedder, options.name)
    figures = compare_with_active(place, settings, terminal)
    if print_comparison(figures, terminal, as_json=options.json) and not options.json:
        terminal.say(f"To use it: chatbot index switch {place.name}")


def compare_with_active(place: IndexPlace, settings: Settings, terminal: Terminal) -> list[IndexFigures]:
    """The figures of the index that answers and of another, kept with the other.

    :raises LibraryError: when the other is not built, or answers itself.
    """
    active = find_active_index(settings.data_folder, settings.embedder)
    if place.name == active.name:
        raise LibraryError(
            f"The index {place.name} is the one that answers.", "Name another to compare it with."
        )
    require_built(place)
    with terminal.noting():
        figures = compare_indexes(
            [active, place],
            lambda index: load_embedder(settings, index.embedder, terminal),
            settings.corpora_folder,
            on_progress=terminal.note,
        )
    if place.name != MAIN:
        state = read_index_state(place.folder)
        compared = {item.name: asdict(item) for item in figures}
        write_index_state(
            place, replace(state, compared=compared, is_better_or_equal=is_better_or_equal(figures))
        )
    return figures


def print_comparison(figures: list[IndexFigures], terminal: Terminal, *, as_json: bool) -> bool:
    """Print the figures of two indexes; whether the second is no worse."""
    is_good = is_better_or_equal(figures)
    if as_json:
        terminal.say_json({"indexes": [asdict(item) for item in figures], "is_better_or_equal": is_good})
        return is_good
    terminal.say(f"{figures[0].questions} questions    first   among five   mean reciprocal rank   seconds")
    for item in figures:
        terminal.say(
            f"{item.name:16.16} {item.recall_at_1:7.1%} {item.recall_at_5:12.1%} {item.reciprocal_rank:22.3f}"
            f" {item.seconds:9.3f}"
        )
    first, second = figures
    told = "finds at least as much as" if is_good else "finds less than"
    terminal.say(f"{second.name} {told} {first.name}.")
    return is_good


def run_switch(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> None:
    """Switch to an index that was compared, or back.

    :raises LibraryError: when it was not built or compared, or finds less, unless that is wanted.
    """
    name = read_previous_index(settings.data_folder) if options.back else options.name
    if not name:
        raise LibraryError("No index is named.", "Name one, or use --back.")
    place = find_index_place(settings.data_folder, settings.embedder, name)
    require_built(place)
    state = read_index_state(place.folder)
    if place.name != MAIN and not (options.anyway or options.back or state.is_better_or_equal):
        reason = "finds less than the one that answers" if state.compared else "was not compared yet"
        raise LibraryError(
            f"The index {name} {reason}.",
            f"Compare it with: chatbot index compare {name}. To switch all the same, add --anyway.",
        )
    switch_to(place, settings, terminal)


def switch_to(place: IndexPlace, settings: Settings, terminal: Terminal) -> None:
    """Have an index answer from the next start on."""
    before = find_active_index(settings.data_folder, settings.embedder)
    if before.name != place.name:
        choose_index(settings.data_folder, place, before.name)
    terminal.say(f"The index {place.name} ({place.embedder}) answers from the next start on.")
    if find_owner_url(settings.data_folder):
        terminal.say("A chatbot is running: restart it.")
    terminal.say("Back: chatbot index switch --back")


def require_built(place: IndexPlace) -> None:
    """Refuse an index that is not there yet.

    :raises LibraryError: saying how to build it.
    """
    is_built = place.library_path.is_file() and (
        place.name == MAIN or read_index_state(place.folder).built_at
    )
    if not is_built:
        raise LibraryError(
            f"The index {place.name} is not built to its end.",
            f"Go on with: chatbot index build {place.embedder} --name {place.name}",
        )


def run_list(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> None:
    """A line for each index, or all as JSON."""
    lines = [
        describe_index(place, settings)
        for place in list_index_places(settings.data_folder, settings.embedder)
    ]
    if options.json:
        terminal.say_json({"indexes": lines})
        return
    for line in lines:
        mark = "answers" if line["is_active"] else "idle"
        built = f"built {line['built_at']}" if line["built_at"] else "not built to its end"
        state = "follows the setting embedder" if line["name"] == MAIN else built
        terminal.say(f"{line['name']}  {line['embedder']}  {mark}  {state}  {line['megabytes']} MB")


def describe_index(place: IndexPlace, settings: Settings) -> Json:
    """What is known of an index."""
    state = read_index_state(place.folder) if place.name != MAIN else None
    files = [*place.folder.glob("library.sqlite3*"), *place.vectors_folder.rglob("*")]
    return {
        "name": place.name,
        "embedder": place.embedder,
        "is_active": place.name == find_active_index(settings.data_folder, settings.embedder).name,
        "built_at": state.built_at if state else "",
        "compared": state.compared if state else {},
        "megabytes": round(sum(path.stat().st_size for path in files if path.is_file()) / 1e6, 1),
    }


def run_drop(options: argparse.Namespace, settings: Settings, terminal: Terminal) -> None:
    """Delete an index that does not answer.

    :raises LibraryError: for the one that does.
    """
    place = find_index_place(settings.data_folder, settings.embedder, options.name)
    if place.name == find_active_index(settings.data_folder, settings.embedder).name:
        raise LibraryError(f"The index {place.name} answers.", "Switch to another first.")
    drop_index(place)
    terminal.say(f"The index {place.name} is deleted.")


def load_embedder(settings: Settings, name: str, terminal: Terminal) -> Embedder:
    """An embedding model by its name."""
    return make_embedder(settings, terminal.note, name)
