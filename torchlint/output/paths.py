"""How a checked file is called for programs that look at the same checkout, elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from torchlint.run.one import FileReport


def inside(file: FileReport) -> str | None:
    """The path from the current folder, with slashes; None for standard input and for what lies elsewhere."""
    try:
        return None if file.filename == "-" else file.path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return None


def uri(file: FileReport) -> str:
    """Relative to the current folder where the file lies in it."""
    return uri_of(inside(file) or file.filename)


def uri_of(path: str) -> str:
    written = quote(os.fsencode(path.replace(os.sep, "/")))
    return f"file://{written}" if os.path.isabs(path) else written
