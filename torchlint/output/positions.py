"""Rows and columns of a text. A row ends where Python ends it: at a line feed, a carriage return, or both."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from torchlint.diagnostic import Location


class Positions:
    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self.text))]

    @property
    def last_row(self) -> int:
        return len(self._starts)

    def location(self, offset: int) -> Location:
        row = bisect_right(self._starts, offset)
        return Location(row, offset - self._starts[row - 1] + 1)

    def row_span(self, first: int, last: int) -> tuple[int, int]:
        """The offsets of these rows, the last one's line end included."""
        return self._starts[first - 1], self._starts[last] if last < self.last_row else len(self.text)

    def row(self, number: int) -> str:
        """A row without its line end; empty beyond the text."""
        if not 1 <= number <= self.last_row:
            return ""
        start, end = self.row_span(number, number)
        return self.text[start:end].rstrip("\r\n")
