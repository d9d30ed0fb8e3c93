"""The files as they are now. What a file holds is told by its size and times where these are known, and only else by reading it."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from torchlint.program.grounds import Answer, Question, digest
from torchlint.program.neighbours import Neighbours, around, together
from torchlint.program.searching import ImportSearch

SETTLED = 2_000_000_000
"""Nanoseconds after which a change shows in a file's times on every file system: some count in steps of two seconds."""


class Look(NamedTuple):
    """What is known of a file's bytes."""

    digest: str
    size: int
    concerns: bool
    """Whether the file is worth parsing."""


class World:
    """What one run sees; nothing is looked at twice."""

    def __init__(self, concerns: Callable[[bytes], bool], known: dict[str, tuple[str, str, bool]]) -> None:
        """`known`: the digest and the verdict of `concerns` by path, with the signature that the file had then."""
        self._concerns = concerns
        self._known = known
        self._looks: dict[str, Look] = {}
        self.fresh: dict[str, tuple[str, str, bool]] = {}
        """What is to be known the next time."""
        self._worlds: dict[tuple[str, ...], _Around] = {}

    def look(self, path: str) -> Look:
        """Raises `OSError`."""
        found = self._looks.get(path)
        if found is None:
            found = self._looks[path] = self._look(path)
        return found

    def _look(self, path: str) -> Look:
        state = os.stat(path)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        signature = f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"
        known = self._known.get(path)
        if known is not None and known[0] == signature:
            return Look(known[1], state.st_size, known[2])
        data = Path(path).read_bytes()
        look = Look(digest(data), len(data), self._concerns(data))
        # A file that has only just changed may change again with the same times.
        if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > SETTLED:
            self.fresh[path] = signature, look.digest, look.concerns
        return look

    def text(self, path: str) -> str:
        """The digest of a file; empty where it cannot be read."""
        try:
            return self.look(path).digest
        except OSError:
            return ""

    def around(self, roots: tuple[str, ...]) -> _Around:
        if roots not in self._worlds:
            self._worlds[roots] = _Around(roots, self)
        return self._worlds[roots]


class _Around:
    """What a run with these roots is told of the other files."""

    def __init__(self, roots: tuple[str, ...], world: World) -> None:
        self._roots = tuple(map(os.path.abspath, roots))
        self._world = world
        self._search = ImportSearch(self._roots)
        self._neighbours: Neighbours | None = None
        self._digest: str | None = None

    @property
    def digest(self) -> str:
        if self._digest is None:
            self._digest = together(around(dict.fromkeys(self._roots), lambda path: self._world.look(path)[:2]))
        return self._digest

    def imported(self, folder: str, module: str) -> str | None:
        return self._search.file(folder, module)

    def answer(self, path: str, question: Question) -> Answer:
        if self._neighbours is None:
            self._neighbours = Neighbours(self._roots)
        return self._neighbours.answer(question, path)


def vanished(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not os.path.exists(path)]
