"""Cells of code as one text of Python, and that text, once changed, as cells again, in which all else is as it was.

The cells stand one after the other (`torchlint.syntax.cells` says what lies between them), so that a name of one cell is known in the next.
What IPython alone understands is marked and stays as it is. Where the cells come from, a file or an editor, is nobody's concern here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from torchlint.diagnostic import Diagnostic, Location, Related
from torchlint.edits import Edit, ResolvedFix
from torchlint.sources.gaps import fillings
from torchlint.sources.ipython import Masked
from torchlint.syntax import cells
from torchlint.syntax.parsing import Unreadable


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that is not Python."""

    reason: str
    location: Location
    """In the text."""


class Joined:
    def __init__(self, sources: Iterable[str]) -> None:
        self._masked = Masked()
        self.broken: list[Broken] = []
        self.firsts: list[int] = []
        """The row of the text at which each cell begins."""
        pieces: list[str] = []
        row = 1
        for source in sources:
            self.firsts.append(row)
            piece = f"{self._python(source, row)}\n{cells.END}\n"
            row += breaks(piece)
            pieces.append(piece)
        self.text = "".join(pieces)

    def sources(self, text: str) -> list[str]:
        """The cells in the changed text. Raises `ValueError` for one in which cells or marks are missing."""
        if cells.order(text) != cells.order(self.text):
            raise ValueError("the change would reach beyond a cell")
        return [self.shown(part)[:-1] for part in cells.split(text)]

    def shown(self, text: str) -> str:
        """The text with what the marks in it stand for."""
        pieces: list[str] = []
        place = 0
        for start, end, number in cells.marks(text):
            pieces += (text[place:start], self._masked.pieces[number])
            place = end
        return "".join((*pieces, text[place:]))

    def _python(self, source: str, row: int) -> str:
        try:
            return self._masked.python(source)
        except Unreadable as error:
            # IPython takes away an indentation that all rows have, and what an exercise leaves open is nobody's mistake
            mistake = _mistake(source, error) if not source.lstrip("\r\n")[:1].isspace() else None
            if mistake is not None:
                self.broken.append(Broken(str(mistake), Location(row + mistake.row - 1, mistake.column)))
            return self._masked.foreign(source)

    def location(self, location: Location) -> Location:
        """A place of the text, in the text that is shown."""
        return self._moving.location(location) if self._moving else location

    @cached_property
    def _moving(self) -> _Moving:
        return _Moving(self.text, self._masked.pieces)

    def moved(self, found: Diagnostic, text: str) -> Diagnostic:
        """A finding in a text with marks, in the text that is shown."""
        moving = _Moving(text, self._masked.pieces)
        if not moving:
            return found
        return replace(
            found,
            location=moving.location(found.location),
            end_location=moving.location(found.end_location),
            fix=found.fix and moving.fix(found.fix),
            related=tuple(moving.related(each) for each in found.related),
            alternatives=tuple(map(moving.fix, found.alternatives)),
        )


def _mistake(source: str, error: Unreadable) -> Unreadable | None:
    """What is wrong with the cell beside its gaps: of what is said of the ways to fill them, what comes furthest."""
    said = [error]
    for whole in fillings(source):
        try:
            Masked().python(whole)
        except Unreadable as another:
            said.append(another)
        else:
            return None
    return max(said, key=lambda each: each.row)


class _Moving:
    """From places in a text with marks to those in the text that is shown."""

    def __init__(self, text: str, pieces: list[str]) -> None:
        self._text = text
        self._marks = [(start, end, len(pieces[number]) - (end - start)) for start, end, number in cells.marks(text)]

    def __bool__(self) -> bool:
        return bool(self._marks)

    def offset(self, offset: int) -> int:
        return offset + sum(more for _, end, more in self._marks if end <= offset)

    @cached_property
    def _rows(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self._text))]

    def location(self, location: Location) -> Location:
        start = self._rows[min(location.row, len(self._rows)) - 1]
        return Location(location.row, self.offset(start + location.column - 1) - self.offset(start) + 1)

    def fix(self, fix: ResolvedFix) -> ResolvedFix:
        return replace(fix, edits=tuple(Edit(self.offset(each.start), self.offset(each.end), each.content) for each in fix.edits))

    def related(self, related: Related) -> Related:
        if related.path is not None:
            return related
        return replace(related, location=self.location(related.location), end_location=self.location(related.end_location))


def breaks(text: str) -> int:
    """How many rows end in the text."""
    return len(re.findall(r"\r\n|\r|\n", text))
