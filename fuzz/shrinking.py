"""The least part of an input that still breaks a promise: rows first, then tokens, then bytes, as long as anything can be left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from fuzz.sources import Broken, Input, broken

PATIENCE = 60.0
"""Seconds. What is left then is small enough, or takes too long by itself."""
_CUTS = (re.compile(rb"[^\n]*\n|[^\n]+"), re.compile(rb"\w+|\s+|[^\w\s]"), re.compile(rb".", re.DOTALL))


def shrunk(given: Input, how: Broken, patience: float = PATIENCE) -> Input:
    """The smallest input found that breaks the same promise in the same way."""
    deadline = monotonic() + patience
    kind = _kind(how)

    def breaks(data: bytes) -> bool:
        return any(_kind(each) == kind for each in broken(replace(given, data=data), [how.promise]))

    data = given.data
    for cut in _CUTS:
        data = _least(data, cut, breaks, deadline)
    return replace(given, data=data)


def _kind(how: Broken) -> tuple[str, str]:
    """What stays the same of a complaint while its input shrinks: the rules and exceptions in it."""
    return how.promise, " ".join(sorted(set(re.findall(r"TL\d{3}|\w+(?:Error|Exception|NotWritten)\b", how.how))))


def _least(data: bytes, cut: re.Pattern[bytes], breaks: Callable[[bytes], bool], deadline: float) -> bytes:
    parts = cut.findall(data)
    size = max(len(parts) // 2, 1)
    while size:
        place = 0
        while place < len(parts):
            if monotonic() > deadline:
                return b"".join(parts)
            fewer = parts[:place] + parts[place + size :]
            if breaks(b"".join(fewer)):
                parts = fewer
            else:
                place += size
        size //= 2
    return b"".join(parts)
