"""Whether something of a form stands in a text: the words that every such place holds are looked for first.

Python's regular expressions try each alternative at each character. A look for a word is a hundred times as fast, and most texts hold none.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Any

if sys.version_info >= (3, 11):
    from re import _constants as codes  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_constants as codes
    import sre_parse as parser

_Ways = tuple[frozenset[str], ...] | None
"""Each place of the form holds all the words of one of these. None: nothing is known."""


def found(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """What `pattern.search(text)` finds."""
    ways = _ways(pattern)
    if ways is not None:
        if not pattern.flags & re.IGNORECASE:
            known = text
        elif text.isascii():  # other letters have more than two cases
            known = text.lower()
        else:
            return pattern.search(text)
        if not any(all(word in known for word in way) for way in ways):
            return None
    return pattern.search(text)


@lru_cache(maxsize=4096)
def _ways(pattern: re.Pattern[str]) -> _Ways:
    """In small letters where the pattern makes no difference between them."""
    if pattern.flags & re.VERBOSE:
        return None
    ways = _of_sequence(parser.parse(pattern.pattern, pattern.flags))
    if ways is None or not pattern.flags & re.IGNORECASE:
        return ways
    return tuple(frozenset(word.lower() for word in way) for way in ways)


def _of_sequence(parts: Any) -> _Ways:
    """All words that a sequence needs, and those of its most telling choice; letters that follow each other make one word."""
    needed: set[str] = set()
    choices: list[tuple[frozenset[str], ...]] = []
    letters = ""
    for code, given in [*parts, (None, None)]:
        if code is codes.LITERAL:
            letters += chr(given)
        elif code not in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):  # those take no characters
            needed |= {letters} if letters else set()
            letters = ""
            ways = _of_part(code, given)
            if ways is not None:
                choices.append(ways)
    best = max(choices, key=_least, default=(frozenset[str](),))
    return tuple(way | needed for way in best) if needed or choices else None


def _least(ways: tuple[frozenset[str], ...]) -> tuple[int, int]:
    """How telling a choice is: by the longest word of the way that says least, and by how few ways there are."""
    return min(max(map(len, way)) for way in ways), -len(ways)


def _of_part(code: Any, given: Any) -> _Ways:
    if code is codes.SUBPATTERN:
        _, added, _, parts = given
        return None if added & re.IGNORECASE else _of_sequence(parts)
    if code is codes.BRANCH:
        arms = [_of_sequence(each) for each in given[1]]
        return None if None in arms else tuple(way for arm in arms if arm is not None for way in arm)
    if code is codes.MAX_REPEAT or code is codes.MIN_REPEAT:
        least, _, parts = given
        return _of_sequence(parts) if least else None
    return None
