"""Where a finding or a mistake is, and where it is after the pin has moved to another commit."""

from __future__ import annotations

from typing import NamedTuple

from ecosystem.linting import Result, mark


class Place(NamedTuple):
    repository: str
    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.rule} {self.repository} {self.path}:{self.line}"


def found(result: Result) -> dict[Place, str]:
    """The places of a result's findings, with the marks of their lines."""
    return {Place(result.pin.repository, each.path, each.line, each.rule): each.mark for each in result.findings}


def moved(place: Place, commit: str, line_mark: str, result: Result) -> Place | None:
    """The place in the commit that was linted: the nearest line of the same text in the same file, None if there is none."""
    if commit == result.pin.commit:
        return place
    lines = result.tree.lines(place.path) if result.tree is not None else []
    same = [number for number in range(1, len(lines) + 1) if mark(lines, number) == line_mark]
    return place._replace(line=min(same, key=lambda number: (abs(number - place.line), number))) if same else None
