"""A maker of OpenDocument files."""

from __future__ import annotations

import zipfile
from pathlib import Path

_NAMES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "presentation": "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "svg": "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
}
_SPACES = " ".join(f'xmlns:{name}="{address}"' for name, address in _NAMES.items())


def make_opendocument(
    path: Path,
    kind: str,
    body: str,
    *,
    styles: str = "",
    meta: str = "",
    manifest: str = "",
    before: str = "",
) -> Path:
    """A file whose body is of the kind `text`, `presentation` or `spreadsheet`."""
    content = (
        f'<?xml version="1.0"?>{before}<office:document-content {_SPACES}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body>"
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", content)
        archive.writestr("meta.xml", f"<office:meta {_SPACES}>{meta}</office:meta>")
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
    return path
