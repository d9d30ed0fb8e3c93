"""What a check reports to its user: small, frozen, picklable, free of syntax nodes.

Rows and columns count from 1, columns in characters, as in Ruff's JSON.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from torchlint.edits import ResolvedFix


class Severity(IntEnum):
    """What the mistake does; ordered, so that `--severity` is one comparison."""

    INFO = 0
    """A hint that is right only for some projects."""
    WARNING = 1
    """Costs time or memory, or will break on another device or version."""
    ERROR = 2
    """Wrong results, nothing learnt, or a crash."""

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Location:
    row: int
    column: int


class Place(NamedTuple):
    """A location as people count: in a notebook, within the cell."""

    cell: int | None
    row: int
    column: int

    def __str__(self) -> str:
        return f"{self.row}:{self.column}" if self.cell is None else f"cell {self.cell}:{self.row}:{self.column}"


@dataclass(frozen=True, slots=True)
class Cells:
    """Which cell of a notebook each row of its code is in."""

    numbers: tuple[int, ...]
    """Of the cells that hold code, counted from 1 among all cells."""
    firsts: tuple[int, ...]
    """The row at which each of them begins."""
    rows: tuple[int, ...]
    """The row of the notebook's own file that each row of the code is written on."""

    def place(self, location: Location) -> Place:
        index = max(bisect_right(self.firsts, location.row) - 1, 0)
        return Place(self.numbers[index], location.row - self.firsts[index] + 1, location.column)

    def written(self, row: int) -> int:
        """The row of the file."""
        return self.rows[min(row, len(self.rows)) - 1] if self.rows else 1

    def written_in(self, number: int, row: int) -> int:
        """The row of the file on which a row of this cell is written."""
        return self.written(self.firsts[self.numbers.index(number)] + row - 1)


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that belongs to a finding, such as the step that uses gradients nobody cleared."""

    message: str
    location: Location
    end_location: Location
    path: str | None = None
    """The file that it is in, if that is another one."""
    text: str = ""
    """The text of that other file."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, located."""

    code: str
    """`TL102`."""
    name: str
    """The rule's stem, `graph-kept-in-total`."""
    message: str
    """One sentence: what is wrong and what it costs."""
    help: str | None
    """One line: what to do."""
    severity: Severity
    location: Location
    end_location: Location
    """One past the last character."""
    rows: tuple[int, ...]
    """The physical rows on which a suppression comment counts (those of the statement and of the finding)."""
    fix: ResolvedFix | None = None
    related: tuple[Related, ...] = ()
    alternatives: tuple[ResolvedFix, ...] = ()
    """Other good ways to mend it: offered by editors and in JSON, never applied by a run."""
    is_told: bool = True
    """False for what weighs too little to be told unasked: a suppression of it is of use all the same."""

    @property
    def is_internal_error(self) -> bool:
        return self.code == "TL000"
