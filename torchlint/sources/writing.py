"""How a changed text replaces a file: all of it or nothing, whatever interrupts it, and never over somebody else's change."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from torchlint.sources.reading import Source


class NotWritten(Exception):
    """The file was left as it is; the message says why."""


def write(path: Path, source: Source, text: str, original: bytes) -> None:
    """Replace the file, which held `original` when it was read as `source`, by `text`.

    The new content is written beside the file, given its mode and owner, and renamed over it. A symbolic link stays one:
    the file that it leads to is replaced.
    """
    if source.encode(source.text) != original:
        raise NotWritten(f"its encoding ({source.encoding}) does not give the same bytes back")
    try:
        data = source.encode(text)
    except UnicodeEncodeError as error:
        raise NotWritten(f"its encoding ({source.encoding}) cannot hold {error.object[error.start : error.end]!r}") from error
    try:
        _replace(path.resolve(strict=True), data, original)
    except OSError as error:
        raise NotWritten(error.strerror or str(error)) from error


def _replace(path: Path, data: bytes, original: bytes) -> None:
    if not os.access(path, os.W_OK):
        raise NotWritten("it is read-only")
    status = path.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".torchlint", dir=path.parent)
    beside = Path(name)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(stat.S_IMODE(status.st_mode))
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # only root may give files away
                os.chown(beside, status.st_uid, status.st_gid)
        if path.read_bytes() != original:
            raise NotWritten("it changed while it was checked")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
