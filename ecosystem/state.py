"""What was found when the state was last written, and what has appeared and disappeared since.

One row per place in `practice.tsv` or `fresh.tsv`, and the commit of each repository in `repositories.tsv`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ecosystem import tables
from ecosystem.linting import Result
from ecosystem.pins import SETS, Pin
from ecosystem.places import Place, found, moved

COLUMNS = ("repository", "path", "line", "rule", "mark")
COMMIT_COLUMNS = ("repository", "commit")


@dataclass(frozen=True, slots=True)
class State:
    commits: dict[str, str]
    """Of the repositories that were linted, with findings or without."""
    marks: dict[Place, str]


@dataclass(slots=True)
class Changes:
    appeared: list[Place] = field(default_factory=list)
    disappeared: list[Place] = field(default_factory=list)
    """Their code is still there."""
    gone: int = 0
    """How many went with their code, when the pin moved."""
    new: list[str] = field(default_factory=list)
    """Repositories of which no state is kept: none of their findings has appeared."""


def read(folder: Path) -> State:
    marks = {}
    for name in SETS:
        for _, (repository, path, line, rule, mark) in tables.read(folder / f"{name}.tsv", COLUMNS):
            marks[Place(repository, path, int(line), rule)] = mark
    commits = {repository: commit for _, (repository, commit) in tables.read(folder / "repositories.tsv", COMMIT_COLUMNS)}
    return State(commits, marks)


def changes(state: State, results: Iterable[Result]) -> Changes:
    said = Changes()
    old: dict[str, dict[Place, str]] = {}
    for place, mark in state.marks.items():
        old.setdefault(place.repository, {})[place] = mark
    for result in results:
        repository = result.pin.repository
        if not result.is_done:
            continue
        if repository not in state.commits:
            said.new.append(repository)
            continue
        before = [moved(place, state.commits[repository], mark, result) for place, mark in old.get(repository, {}).items()]
        known, now = {place for place in before if place is not None}, found(result).keys()
        said.gone += before.count(None)
        said.appeared += sorted(now - known)
        said.disappeared += sorted(known - now)
    return said


def updated(state: State, results: Iterable[Result], pins: Iterable[Pin]) -> State:
    """With what was linted now; all else stays, but for repositories that are no longer pinned."""
    done = {result.pin.repository: result for result in results if result.is_done}
    left = {pin.repository for pin in pins} - done.keys()
    commits = {name: commit for name, commit in state.commits.items() if name in left}
    marks = {place: mark for place, mark in state.marks.items() if place.repository in left}
    for name, result in done.items():
        commits[name] = result.pin.commit
        marks |= found(result)
    return State(commits, marks)


def write(folder: Path, state: State, pins: Iterable[Pin]) -> None:
    sets = {pin.repository: pin.set for pin in pins}
    for name in SETS:
        rows = sorted(place for place in state.marks if sets.get(place.repository) == name)
        tables.write(folder / f"{name}.tsv", COLUMNS, ((*place, state.marks[place]) for place in rows))
    tables.write(folder / "repositories.tsv", COMMIT_COLUMNS, sorted(state.commits.items()))
