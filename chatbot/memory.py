"""Memory that is not needed any more, given back to the system."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path


def give_back_memory() -> None:
    """Let the system have what this process freed; glibc keeps it, for each thread apart, until it is told.

    Elsewhere than with glibc nothing is done. It takes a few milliseconds.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


MADV_DONTNEED = 4
"""Of Linux: the pages may go (madvise, section 2 of its manual)."""
MAPS = Path("/proc/self/maps")


def give_back_file(path: Path) -> None:
    """Let the system have the pages of a file that this process has mapped to share and read.

    They are read again where somebody needs them. Weights of a graph lie in memory twice once it has run: as
    they are in the file, and as they are arranged for the processor. Elsewhere than on Linux nothing is done.
    """
    advise = getattr(ctypes.CDLL(None), "madvise", None) if sys.platform == "linux" else None
    if advise is None:
        return
    for start, end in list_shared_mappings(
        MAPS.read_text(encoding="utf-8", errors="replace"), path.resolve()
    ):
        advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def list_shared_mappings(maps: str, path: Path) -> list[tuple[int, int]]:
    """Where in memory a file is mapped to be read and shared: first address and end, of what Linux tells."""
    places = []
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[1] == "r--s" and fields[5] == str(path):
            start, end = fields[0].split("-")
            places.append((int(start, 16), int(end, 16)))
    return places
