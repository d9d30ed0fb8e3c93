"""Memory that LibCST's parser took for a while goes back to the system.

For each character of a text it takes some 300 bytes, until the tree is made. glibc hands out what is freed between blocks that are still in
use again, and never gives it back unasked: a run that keeps trees would hold what its largest files took beside all that it keeps.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache

LONG = 30_000
"""Characters of a text whose parse takes ten megabytes: twenty times as long as it takes to give them back."""


def give_back() -> None:
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """`malloc_trim` of glibc. Others give back what is free by themselves, or cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes

        trim = ctypes.CDLL(None).malloc_trim
        trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    except (ImportError, OSError, AttributeError):
        return None
    found: Callable[[int], int] = trim
    return found
