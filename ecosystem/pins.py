"""Which repositories are judged by, at which commit, of what kind, and whether anybody may look at them while mending."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ecosystem import tables

PRACTICE, FRESH = SETS = ("practice", "fresh")
COLUMNS = ("repository", "commit", "set", "kinds")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Pin(NamedTuple):
    repository: str
    """`owner/name`"""
    commit: str
    set: str
    kinds: tuple[str, ...]
    """What the code is about: `gan`, `rl`, `tutorial` ..."""

    @property
    def folder(self) -> str:
        """The repository as the name of one file or folder."""
        return self.repository.replace("/", "+")

    def url(self, path: str, line: int) -> str:
        plain = "?plain=1" if path.endswith(".ipynb") else ""  # a notebook is shown as its cells, without rows
        return f"https://github.com/{self.repository}/blob/{self.commit}/{path}{plain}#L{line}"


def read(file: Path) -> list[Pin]:
    pins = []
    for place, (repository, commit, set_, kinds) in tables.read(file, COLUMNS):
        pins.append(pin(repository, commit, set_, kinds.split(","), place))
    twice = {each.repository for each in pins if sum(each.repository == other.repository for other in pins) > 1}
    if twice:
        raise tables.TableError(f"{file}: pinned twice: {', '.join(sorted(twice))}")
    return pins


def pin(repository: str, commit: str, set_: str, kinds: Iterable[str], place: str) -> Pin:
    """A pin whose fields are what they should be; `place` is where they were read."""
    if not _NAME.fullmatch(repository):
        raise tables.TableError(f"{place}: `{repository}` is not owner/name")
    if not _COMMIT.fullmatch(commit):
        raise tables.TableError(f"{place}: `{commit}` is not a whole commit")
    if set_ not in SETS:
        raise tables.TableError(f"{place}: `{set_}` is neither practice nor fresh")
    return Pin(repository, commit, set_, tuple(sorted({kind.strip() for kind in kinds if kind.strip()})))


def write(file: Path, pins: Iterable[Pin]) -> None:
    rows = sorted(pins, key=lambda each: each.repository.lower())
    tables.write(file, COLUMNS, ((each.repository, each.commit, each.set, ",".join(each.kinds)) for each in rows))


def listed(file: Path, fresh_share: float) -> list[Pin]:
    """Pins out of a list without a header whose lines begin with repository, commit and kinds; what follows is passed over."""
    pins = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            repository, commit, kinds = (*line.split("\t"), "", "")[:3]
            pins.append(pin(repository, commit, set_of(repository, fresh_share), kinds.split(","), f"{file}:{number}"))
    return pins


def merged(old: Iterable[Pin], new: Iterable[Pin], *, move: bool) -> list[Pin]:
    """The old pins and those of new repositories. With `move`, repositories that were pinned take the new commit and keep all else."""
    pins = {each.repository: each for each in old}
    for each in new:
        known = pins.get(each.repository)
        if known is None:
            pins[each.repository] = each
        elif move:
            pins[each.repository] = known._replace(commit=each.commit)
    return list(pins.values())


def set_of(repository: str, fresh_share: float) -> str:
    """Drawn by the repository's name: nobody chooses which are kept fresh, and adding others changes nothing."""
    drawn = int.from_bytes(hashlib.sha256(repository.lower().encode()).digest()[:4], "big") / 2**32
    return FRESH if drawn < fresh_share else PRACTICE


def chosen(pins: Iterable[Pin], *, set_: str | None = None, kinds: Sequence[str] = (), repositories: Sequence[str] = ()) -> list[Pin]:
    return [
        each
        for each in pins
        if set_ in (None, each.set)
        and (not kinds or not set(kinds).isdisjoint(each.kinds))
        and (not repositories or each.repository in repositories)
    ]
