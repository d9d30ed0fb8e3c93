"""Which fix it was: of many that together change a program, the fewest that do so by themselves, found by running halves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def guilty(fixes: Sequence[T], is_wrong: Callable[[Sequence[T]], bool], has_time: Callable[[], bool]) -> Sequence[T]:
    """All of these are known to be wrong together. What cannot be narrowed down further, for lack of time or because only together they are
    wrong, is the answer."""
    while len(fixes) > 1:
        middle = len(fixes) // 2
        for half in (fixes[:middle], fixes[middle:]):
            if has_time() and is_wrong(half):
                fixes = half
                break
        else:
            return fixes
    return fixes
