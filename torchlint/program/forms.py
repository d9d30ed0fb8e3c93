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

_Words = tuple[str, ...] | None
"""Strings of which each place of the form holds at least one. None: nothing is known."""


def found(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """What `pattern.search(text)` finds."""
    words = _words(pattern)
    if words is not None:
        if not pattern.flags & re.IGNORECASE:
            known = text
        elif text.isascii():  # other letters have more than two cases
            known = text.lower()
        else:
            return pattern.search(text)
        if not any(word in known for word in words):
            return None
    return pattern.search(text)


@lru_cache(maxsize=4096)
def _words(pattern: re.Pattern[str]) -> _Words:
    """In small letters where the pattern makes no difference between them."""
    if pattern.flags & re.VERBOSE:
        return None
    words = _of_sequence(parser.parse(pattern.pattern, pattern.flags))
    return tuple(each.lower() for each in words) if words is not None and pattern.flags & re.IGNORECASE else words


def _of_sequence(parts: Any) -> _Words:
    """The longest words that a part of a sequence needs; letters that follow each other make one word."""
    needed: list[tuple[str, ...]] = []
    letters = ""
    for code, given in parts:
        if code is codes.LITERAL:
            letters += chr(given)
        elif code not in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):  # those take no characters
            needed.append((letters,))
            letters = ""
            words = _of_part(code, given)
            if words is not None:
                needed.append(words)
    needed.append((letters,))
    best = max(needed, key=lambda words: (min(map(len, words)), -len(words)))
    return best if all(best) else None


def _of_part(code: Any, given: Any) -> _Words:
    if code is codes.SUBPATTERN:
        _, added, _, parts = given
        return None if added & re.IGNORECASE else _of_sequence(parts)
    if code is codes.BRANCH:
        arms = [_of_sequence(each) for each in given[1]]
        return None if None in arms else tuple(word for arm in arms if arm is not None for word in arm)
    if code is codes.MAX_REPEAT or code is codes.MIN_REPEAT:
        least, _, parts = given
        return _of_sequence(parts) if least else None
    return None
