"""Which names torch has, in which versions, how else they are spelled, and what is nearest to a name that it never had.

Read off the declarations of every minor version from 2.0 on. Names that a module makes at run time are not in the table, so that a name
without a row is unknown rather than absent; what a row says holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from torchlint.facts.declared import ALWAYS, Presence, Version, presence_of, table, version_of
from torchlint.facts.signatures import bases


@cache
def versions() -> tuple[Version, ...]:
    """The minor versions that the tables were read from."""
    return tuple(version_of(text) for text in table("names.txt").versions)


@dataclass(frozen=True, slots=True)
class Range:
    """The minor versions of torch that may run some code, from the oldest to the newest, both included."""

    oldest: Version
    newest: Version
    is_doubtful: bool = False
    """Whether nothing can be said, and a rule is silent: a check of the version around the code cannot be read, or lets none of the
    supported versions pass. The bounds are then those of the project."""

    def all_have(self, presence: Presence) -> bool:
        """Whether every one of these versions has it; for those before the table begins the oldest there counts."""
        return all(each in presence for each in self._known())

    def any_has(self, presence: Presence) -> bool:
        """Whether some of these versions has it."""
        return any(each in presence for each in self._known())

    def _known(self) -> Iterator[Version]:
        """The versions of the table that are in the range; the nearest one where none is."""
        inside = [each for each in versions() if self.oldest <= each <= self.newest]
        return iter(inside or [versions()[0] if self.newest < versions()[0] else versions()[-1]])


def presence(name: str) -> Presence | None:
    """The versions that have a dotted name of torch; None where nothing is known of it."""
    return _presence(name, frozenset())


def may_exist(name: str) -> bool:
    """Whether some version has a dotted name, be it by an import of a module for itself, or undeclared."""
    owner, _, last = usual(name).rpartition(".")
    return presence(name) is not None or last in _section(owner)[1]


def usual(name: str) -> str:
    """The shortest spelling of a dotted name, `torch.optim.Adam` for `torch.optim.adam.Adam`; the name itself where there is none."""
    return _usual(name) if name.startswith("torch.") else name


def names_in(section: str) -> tuple[str, ...]:
    """The public names of a module or class, in any version, without those that are there by import only."""
    return tuple(_section(section)[0])


def nearest(name: str, version: Version | None = None) -> str | None:
    """The most similar name beside one that torch does not have (or did not have in `version`); None where nothing is similar."""
    import difflib  # slow to import, and needed for a finding only

    owner, _, last = usual(name).rpartition(".")
    beside = _section(owner)[0]
    there = [other for other, row in beside.items() if other != last and (version is None or version in row.presence)]
    found = difflib.get_close_matches(last, there, n=1, cutoff=0.75)
    return f"{owner}.{found[0]}" if found else None


@dataclass(frozen=True)
class _Row:
    presence: Presence
    usual: str | None


@lru_cache(maxsize=256)
def _section(name: str) -> tuple[dict[str, _Row], frozenset[str]]:
    """The rows of a module or class, and the names that are there by import."""
    found = table("names.txt").section(name)
    rows: dict[str, _Row] = {}
    incidental: frozenset[str] = frozenset()
    for line in found[1].splitlines() if found is not None else ():
        if line.startswith("& "):
            incidental = frozenset(line[2:].split())
            continue
        left, _, spelling = line.partition(" = ")
        entry, _, spans = left.partition(" ")
        rows[entry] = _Row(presence_of(spans), spelling or None)
    return rows, incidental


def _presence(name: str, seen: frozenset[str]) -> Presence | None:
    owner, _, last = name.rpartition(".")
    if not owner:
        return ALWAYS if name == "torch" else None
    owner = usual(owner)
    row = _section(owner)[0].get(last)
    if row is not None:
        return row.presence
    if owner in seen:
        return None
    for base in bases(owner) or ():
        found = _presence(f"{base}.{last}", seen | {owner})
        if found is not None:
            return found
    return None


@lru_cache(maxsize=4096)
def _usual(name: str) -> str:
    owner, _, last = name.rpartition(".")
    if not owner:
        return name
    row = _section(owner)[0].get(last)
    if row is not None:
        return row.usual or name
    shorter = _usual(owner)
    return name if shorter == owner else _usual(f"{shorter}.{last}")
