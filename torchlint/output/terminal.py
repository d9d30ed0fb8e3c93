"""Whether a stream is a terminal that shows colours, or is to be treated as one."""

from __future__ import annotations

import os
from typing import TextIO


def has_color(stream: TextIO) -> bool:
    """`NO_COLOR` and `FORCE_COLOR` count if they are set to anything but the empty string; the former wins."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
