"""What a version specifier says about minor versions: pip's, Poetry's and conda's ways to write one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Minor = tuple[int, int]
_LAST_OF_MAJOR: dict[int, Minor] = {0: (0, 4), 1: (1, 13)}
"""What stands before 1.0 and before 2.0; history, which no declaration tells."""
_PART = re.compile(r"(===|==|~=|!=|<=|>=|<|>|=|\^|~)?\s*v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?((?:\.\*|\*)?)(?!\d)[\w.+!-]*")
_SEPARATOR = re.compile(r"\s*,\s*|\s+(?=[<>=!~^])")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The minor versions that are asked for, both ends included; None where an end is open."""

    oldest: Minor | None = None
    newest: Minor | None = None

    @property
    def says_anything(self) -> bool:
        return self.oldest is not None or self.newest is not None

    @property
    def is_possible(self) -> bool:
        return self.oldest is None or self.newest is None or self.oldest <= self.newest


NOTHING = Bounds()


def shown(version: Minor | None) -> str | None:
    return ".".join(map(str, version)) if version is not None else None


def all_of(parts: Sequence[Bounds]) -> Bounds:
    """What holds where all of these hold."""
    oldest = max((each.oldest for each in parts if each.oldest is not None), default=None)
    newest = min((each.newest for each in parts if each.newest is not None), default=None)
    both = Bounds(oldest, newest)
    return both if both.is_possible else NOTHING


def any_of(entries: Sequence[Bounds]) -> Bounds:
    """What holds where one of these does. An entry that only sets a limit does not open the other end."""
    oldest = min((each.oldest for each in entries if each.oldest is not None), default=None)
    limits = [each.newest for each in entries if each.says_anything]
    known = [each for each in limits if each is not None]
    return Bounds(oldest, max(known) if known and len(known) == len(limits) else None)


def specified(text: str) -> Bounds:
    """`>=2.1,<2.4`, `^2.1`, `~2.1`, `~=2.0`, `==2.1.*`, conda's `=2.1` and `2.1.*`, Poetry's bare `2.1.0`; alternatives with `|`."""
    entries = [all_of([_part(part) for part in _SEPARATOR.split(each.strip()) if part]) for each in re.split(r"\|+", text)]
    return any_of(entries) if all(each.says_anything for each in entries) else NOTHING


def _part(text: str) -> Bounds:
    found = _PART.fullmatch(text.strip())
    if found is None:
        return NOTHING
    operator, major, minor, patch, star = found[1] or "==", int(found[2]), int(found[3] or 0), found[4], bool(found[5])
    version = (major, minor)
    if operator == "~=":
        return Bounds(version, version if patch is not None else _before((major + 1, 0)))
    if operator in ("==", "===", "="):
        # `==2` is 2.0, while `==2.*` and conda's `=2` are every 2.x.
        whole = found[3] is None and (star or operator == "=")
        return Bounds(version, _before((major + 1, 0)) if whole else version)
    if operator == "^":
        return Bounds(version, _before((major + 1, 0) if major else (major, minor + 1)))
    if operator == "~":
        return Bounds(version, version if found[3] is not None else _before((major + 1, 0)))
    if operator in (">", ">="):
        return Bounds(oldest=version)
    if operator == "<=":
        return Bounds(newest=version)
    if operator == "<":
        return Bounds(newest=version if patch is not None and int(patch) > 0 else _before(version))
    return NOTHING  # a version that is left out


def _before(version: Minor) -> Minor | None:
    """The last minor version before one; None where that is not known yet."""
    major, minor = version
    return (major, minor - 1) if minor else _LAST_OF_MAJOR.get(major - 1)
