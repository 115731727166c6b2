"""What an ingest has done and still has to do, told to whoever listens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from chatbot.changes import Change
from chatbot.types import FileOutcome, IngestProgress


@dataclass(slots=True)
class IngestAccount:
    """How far the ingest of a corpus is. There is one outcome a change, in their order."""

    corpus: str
    changes: Sequence[Change]
    started: float
    should_stop: Callable[[], bool]
    on_begin: Callable[[str], None]
    on_progress: Callable[[IngestProgress], None]
    on_outcome: Callable[[FileOutcome], None]
    outcomes: list[FileOutcome] = field(default_factory=list)
    _bytes_ready: int = 0

    @property
    def chunks(self) -> int:
        """How many chunks were written."""
        return sum(outcome.chunks for outcome in self.outcomes)

    def until_stopped(self, changes: Sequence[Change]) -> Iterator[Change]:
        """The changes, as far as they are to be made."""
        for change in changes:
            if self.should_stop():
                return
            yield change

    def note(self, outcome: FileOutcome) -> None:
        """Note how the next change ended."""
        self.outcomes.append(outcome)
        self.on_outcome(outcome)
        self.tell_progress()

    def note_ready(self, changes: Sequence[Change]) -> None:
        """Note files that only wait to be written, which takes next to no time."""
        self._bytes_ready += sum(change.size_bytes for change in changes)

    def tell_progress(self) -> None:
        """Tell which file is awaited, unless the next change is of another kind or there is none."""
        done = len(self.outcomes)
        if done == len(self.changes) or self.changes[done].file is None or self.should_stop():
            return
        seconds = time.monotonic() - self.started
        bytes_total = sum(change.size_bytes for change in self.changes if change.kind != "copied")
        bytes_left = max(bytes_total - self._bytes_ready, 0)
        self.on_progress(
            IngestProgress(
                corpus=self.corpus,
                current=self.changes[done].path,
                files_done=sum(change.file is not None for change in self.changes[:done]),
                files_total=sum(change.file is not None for change in self.changes),
                chunks_done=self.chunks,
                seconds=seconds,
                seconds_left=seconds * bytes_left / self._bytes_ready if self._bytes_ready else None,
            )
        )
