"""What readers of data and code share: a smaller limit than that of files that people write."""

from __future__ import annotations

from pathlib import Path

from chatbot.documents.files import decode_text, explain_os_error, read_bytes
from chatbot.errors import DocumentTooLarge

MAX_DATA_BYTES = 10 * 1024**2


def read_data(path: Path) -> bytes:
    """Return the bytes of a data file.

    Raises DocumentTooLarge above `MAX_DATA_BYTES`, of which programs easily write more than anybody wants to
    be quoted, and DocumentError where the file cannot be opened.
    """
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise explain_os_error(path, error) from error
    if size_bytes > MAX_DATA_BYTES:
        raise DocumentTooLarge(
            f"“{path.name}” has {size_bytes / 1024**2:,.0f} MB, more than the {MAX_DATA_BYTES // 1024**2} MB "
            "that are read of data and code.",
            "Add the part of it that questions are asked about.",
        )
    return read_bytes(path)


def read_data_text(path: Path) -> str:
    """Return the text of a data file. Raises DocumentError as `read_data` does."""
    return decode_text(read_data(path))
