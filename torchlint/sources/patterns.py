"""One language for every pattern a user writes: that of `.gitignore`, relative to a folder.

pathspec is only imported for patterns that are more than a plain name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_SPECIAL = set("*?[]!/\\# ")


class PatternError(ValueError):
    """A pattern that cannot be understood."""


def relative(path: str | Path, root: Path) -> str:
    """The path as patterns see it: from the root, with slashes; of a file outside of the root only the name."""
    absolute = Path(path).absolute()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.name


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a relative path is meant by the patterns. The path of a folder ends in a slash."""
    names = frozenset(pattern for pattern in patterns if pattern and not _SPECIAL & set(pattern))
    others = [pattern for pattern in patterns if pattern not in names]
    if not others:
        return lambda path: not names.isdisjoint(path.split("/"))
    spec = _spec(others)
    return lambda path: not names.isdisjoint(path.split("/")) or bool(spec.match_file(path))


def _spec(patterns: Sequence[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise PatternError(f"cannot understand the pattern `{pattern}`") from error
    return GitIgnoreSpec.from_lines(patterns)
