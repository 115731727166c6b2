"""Zip archives that hold office documents: told apart, and limited before anything is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

from chatbot.documents.files import not_what_it_says, read_bytes
from chatbot.errors import CorruptDocument, DocumentTooLarge, PasswordProtected

MAX_UNPACKED_BYTES = 512 * 1024**2

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
)
"""What archives and their XML raise when they are not whole; that the file can be opened was tried before."""

_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def accepts_archive(head: bytes) -> bool:
    """Whether the first bytes are a zip archive, or the shell in which Office encrypts one."""
    return head.startswith((ZIP, OLE))


def check_archive(path: Path, name: str, member: str, *, old_kind: str = "") -> None:
    """Refuse what is no archive with a member whose path begins with `member`, or unpacks to too much.

    `name` is what the format is called; `old_kind` is the old format that may lie under its ending, such as
    "Word document (.doc)". Raises DocumentError.
    """
    head = read_bytes(path, len(OLE))
    if head == OLE:
        raise _explain_old_format(path, name, old_kind)
    if not head.startswith(ZIP):
        raise not_what_it_says(path, name, head)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except DAMAGE as error:
        raise damaged(path, name) from error
    if sum(found.file_size for found in members) > MAX_UNPACKED_BYTES:
        raise DocumentTooLarge(
            f"“{path.name}” unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB.",
            "Split the document, or remove its large pictures.",
        )
    if not any(found.filename.startswith(member) for found in members):
        raise not_what_it_says(path, name, head)


def _explain_old_format(path: Path, name: str, old_kind: str) -> CorruptDocument | PasswordProtected:
    if _ENCRYPTED_STREAM in read_bytes(path):
        return password_protected(path)
    if not old_kind:
        return not_what_it_says(path, name, OLE)
    return CorruptDocument(
        f"“{path.name}” is an old {old_kind} with a new name.",
        f"Open it in {name} and save it as {path.suffix.lower()}.",
    )


def password_protected(path: Path) -> PasswordProtected:
    """Return the error for a file that is encrypted."""
    return PasswordProtected(
        f"“{path.name}” opens only with a password.", "Save a copy without a password and add that."
    )


def damaged(path: Path, program: str) -> CorruptDocument:
    """Return the error for a file that is not whole and that `program` may mend."""
    return CorruptDocument(
        f"“{path.name}” is damaged and could not be opened.",
        f"Open it in {program}, save it again and add that.",
    )


def parse_xml(data: bytes) -> Any:  # noqa: ANN401 - lxml element
    """Return the root of an XML document; entities stay as they are and nothing is fetched.

    Raises what `DAMAGE` holds where it is not XML.
    """
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    return etree.fromstring(data, parser)
