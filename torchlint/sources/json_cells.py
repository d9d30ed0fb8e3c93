"""Where the code of a notebook stands in its JSON, and that JSON with other code in those places.

Nothing else is touched: what is not code is not even decoded into text and back. Rows of a changed cell that stay the same keep the
very characters they were written with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_BLANKS = re.compile(r"[ \t\n\r]*")
_ROW = re.compile(r"[^\\]*(?:\\[^n][^\\]*)*(?:\\n|\Z)")
"""A row of text as it stands in a JSON string."""
_VALUE = json.JSONDecoder()
_HTML = "<>&'"
"""What some writers escape although JSON does not ask for it."""


@dataclass(slots=True)
class Cell:
    """One entry of the list `cells`."""

    kind: str = ""
    language: str | None = None
    """Where the cell has another one than its notebook."""
    span: tuple[int, int] = (0, 0)
    """Of the value of `source`."""
    strings: list[tuple[int, int]] = field(default_factory=list)
    """The spans of its strings, with their quotes: one, or those of a list."""
    source: str = ""


@dataclass(slots=True)
class Document:
    """A notebook as far as it matters. Raises `ValueError` or `RecursionError` for text that is not a JSON object."""

    text: str
    cells: list[Cell] | None = None
    version: Any = None
    metadata: Any = None

    def __post_init__(self) -> None:
        start = _after_blanks(self.text, 0)
        if not self.text.startswith("{", start):
            raise json.JSONDecodeError("Expecting an object", self.text, start)
        end = _after_blanks(self.text, self._object(start, self._member))
        if end < len(self.text):
            raise json.JSONDecodeError("Extra data", self.text, end)

    # -- reading --------------------------------------------------------------------------------------------------------

    def _member(self, key: str, start: int) -> int:
        if key == "cells" and self.text.startswith("[", start):
            self.cells = []
            return self._array(start, self._cell)
        value, end = self._value(start)
        if key == "nbformat":
            self.version = value
        elif key == "metadata":
            self.metadata = value
        elif key == "cells":
            self.cells = None
        return end

    def _cell(self, start: int) -> int:
        cell = Cell()
        if self.cells is not None:
            self.cells.append(cell)

        def member(key: str, start: int) -> int:
            value, end = self._value(start)
            if key == "cell_type":
                cell.kind = str(value)
            elif key == "metadata":
                cell.language = _language(value)
            elif key == "source":
                cell.span, cell.strings, cell.source = (start, end), [], ""
                if isinstance(value, list):
                    self._array(start, lambda place: self._string(cell, place))
                elif isinstance(value, str):
                    self._string(cell, start)
            return end

        return self._object(start, member) if self.text.startswith("{", start) else self._value(start)[1]

    def _string(self, cell: Cell, start: int) -> int:
        value, end = self._value(start)
        if not isinstance(value, str):
            raise json.JSONDecodeError("Expecting a string", self.text, start)
        cell.strings.append((start, end))
        cell.source += value
        return end

    def _value(self, start: int) -> tuple[Any, int]:
        return _VALUE.raw_decode(self.text, start)

    def _object(self, start: int, member: Callable[[str, int], int]) -> int:
        def entry(place: int) -> int:
            if not self.text.startswith('"', place):
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, place)
            key, place = self._value(place)
            place = _after_blanks(self.text, place)
            if not self.text.startswith(":", place):
                raise json.JSONDecodeError("Expecting ':' delimiter", self.text, place)
            return member(key, _after_blanks(self.text, place + 1))

        return self._entries(start, "}", entry)

    def _array(self, start: int, entry: Callable[[int], int]) -> int:
        return self._entries(start, "]", entry)

    def _entries(self, start: int, close: str, entry: Callable[[int], int]) -> int:
        place = _after_blanks(self.text, start + 1)
        if self.text.startswith(close, place):
            return place + 1
        while True:
            place = _after_blanks(self.text, entry(place))
            if self.text.startswith(close, place):
                return place + 1
            if not self.text.startswith(",", place):
                raise json.JSONDecodeError("Expecting ',' delimiter", self.text, place)
            place = _after_blanks(self.text, place + 1)

    def rows(self, cell: Cell) -> list[int]:
        """Where in the JSON each row of the cell begins; shorter where that cannot be said."""
        return [start for _, _, start in self._written(cell)]

    # -- writing --------------------------------------------------------------------------------------------------------

    def replaced(self, sources: Sequence[tuple[Cell, str]]) -> str:
        """The JSON with other code in these cells, which come in the order of the text."""
        pieces: list[str] = []
        place = 0
        for cell, source in sources:
            if source != cell.source:
                pieces += (self.text[place : cell.span[0]], self._rewritten(cell, source))
                place = cell.span[1]
        return "".join((*pieces, self.text[place:]))

    def _rewritten(self, cell: Cell, source: str) -> str:
        from difflib import SequenceMatcher  # a run that fixes nothing does without

        old = list(self._written(cell))
        new = _rows(source)
        raws: list[str] = []
        for kind, a, b, c, d in SequenceMatcher(None, [row for row, _, _ in old], new, autojunk=False).get_opcodes():
            raws += [raw for _, raw, _ in old[a:b]] if kind == "equal" else [self._escaped(row) for row in new[c:d]]
        if not self.text.startswith("[", cell.span[0]):
            return f'"{"".join(raws)}"'
        first, last = cell.strings[0], cell.strings[-1]
        lead = self.text[cell.span[0] + 1 : first[0]] or " "
        between = self.text[first[1] : cell.strings[1][0]] if len(cell.strings) > 1 else f",{lead}"
        strings = between.join(f'"{raw}"' for raw in raws)
        return self.text[cell.span[0] : first[0]] + strings + self.text[last[1] : cell.span[1]]

    def _written(self, cell: Cell) -> Iterator[tuple[str, str, int]]:
        """The rows of a cell: the text of each, how it stands in the JSON, and where."""
        found: list[tuple[str, str, int]] = []
        for start, end in cell.strings:
            for match in _ROW.finditer(self.text, start + 1, end - 1):
                if match[0]:
                    row = json.loads(f'"{match[0]}"')
                    if found and not found[-1][0].endswith("\n"):  # a row that is written as several strings
                        found[-1] = found[-1][0] + row, found[-1][1] + match[0], found[-1][2]
                    else:
                        found.append((row, match[0], match.start()))
        if all("\n" not in row[:-1] for row, _, _ in found):  # else a newline is written as something other than `\n`
            yield from found

    def _escaped(self, row: str) -> str:
        written = json.dumps(row, ensure_ascii=self._is_ascii)[1:-1]
        for character in _HTML:
            if character in written and f"\\u{ord(character):04x}" in self.text:
                written = written.replace(character, f"\\u{ord(character):04x}")
        return written

    @property
    def _is_ascii(self) -> bool:
        """Whether the writer of the notebook escapes all other characters."""
        return self.text.isascii() and re.search(r"\\u(?!00[0-7])[0-9a-fA-F]{4}", self.text) is not None


def _rows(source: str) -> list[str]:
    """The rows, each with its line feed."""
    return re.findall(r"[^\n]*\n|[^\n]+", source)


def _after_blanks(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match is not None else place


def _language(metadata: Any) -> str | None:
    editor = metadata.get("vscode") if isinstance(metadata, dict) else None
    language = editor.get("languageId") if isinstance(editor, dict) else None
    return language if isinstance(language, str) else None
