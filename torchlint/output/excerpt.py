"""A finding's source with carets beneath it, safe to print on any terminal: control characters are made visible, long rows are cut."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from torchlint.diagnostic import Location
from torchlint.output.positions import Positions

TAB = 4
WIDEST = 160
"""Columns of a row that are shown; of a longer one, those around the finding."""
TALLEST = 6
"""Rows of a finding that are shown."""


def excerpt(positions: Positions, start: Location, end: Location, *, context: bool = True) -> Iterator[tuple[int | None, str, str]]:
    """Rows as (number, text, carets); the number is None where rows were left out. One row of context goes before."""
    last = min(max(end.row, start.row), positions.last_row)
    if last - start.row >= TALLEST:
        shown: list[int | None] = [*range(start.row, start.row + TALLEST - 1), None, last]
    else:
        shown = [*range(start.row, last + 1)]
    if context and start.row > 1 and positions.row(start.row - 1).strip():
        yield start.row - 1, _clipped(*_drawn(positions.row(start.row - 1), 0, 0))[0], ""
    for number in shown:
        if number is None:
            yield None, "...", ""
            continue
        row = positions.row(number)
        first = start.column - 1 if number == start.row else len(row) - len(row.lstrip())
        after = end.column - 1 if number == end.row else len(row.rstrip())
        yield number, *_clipped(*_drawn(row, first, max(after, first + 1)))


def visible(text: str) -> str:
    """The text with whatever would move the cursor, or hide or reorder characters, written out."""
    return "".join(_picture(character) for character in text)


def _drawn(row: str, first: int, after: int) -> tuple[str, int, int]:
    """The row as it will be seen, and the columns of the terminal at which the characters `[first, after)` begin and end."""
    pieces: list[str] = []
    column = begin = end = 0
    for index, character in enumerate(row):
        if index == first:
            begin = column
        if index == after:
            end = column
        piece = " " * (TAB - column % TAB) if character == "\t" else _picture(character)
        pieces.append(piece)
        column += len(piece) if piece.isascii() else sum(_width(each) for each in piece)
    if first >= len(row):
        begin = column + first - len(row)
    if after >= len(row):
        end = max(column, begin + 1) if after > first else begin
    return "".join(pieces), begin, end


def _clipped(row: str, begin: int, end: int) -> tuple[str, str]:
    """The part of the row around the carets, and the carets."""
    if len(row) > WIDEST:
        start = max(0, min(begin - WIDEST // 4, len(row) - WIDEST))
        before, after = "..." if start else "", "..." if start + WIDEST < len(row) else ""
        row = before + row[start : start + WIDEST] + after
        shift = len(before) - start
        begin, end = begin + shift, min(end + shift, len(row) - len(after))
    return row, " " * begin + "^" * max(0, end - begin)


def _picture(character: str) -> str:
    if " " <= character <= "~":
        return character
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
