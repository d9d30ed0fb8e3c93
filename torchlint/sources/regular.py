"""Small files that torchlint reads for itself, such as configuration: only real files, and only as much as such a file may hold.

A device or a pipe of that name would never end, or never begin.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

LARGEST = 1 << 20
"""Bytes. Nobody writes that much by hand."""


def read(path: Path, largest: int = LARGEST) -> bytes:
    """The whole content. Raises `OSError` for whatever cannot be read, with a reason as its `strerror`."""
    # A pipe that nobody writes into must not be waited for.
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a NUL in the path
        raise OSError(0, str(error)) from error
    with open(descriptor, "rb") as stream:
        kind = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(kind):
            raise OSError(0, "Is a directory" if stat.S_ISDIR(kind) else "Not a regular file")
        data = stream.read(largest + 1)
    if len(data) > largest:
        raise OSError(0, f"Larger than {largest} bytes")
    return data
