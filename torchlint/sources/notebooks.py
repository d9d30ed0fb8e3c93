"""A Jupyter notebook as one text of Python, and that text, once changed, as the notebook again, in which all else is as it was.

The cells with code stand one after the other (`torchlint.syntax.cells` says what lies between them), so that a name of one cell is known in
the next. What IPython alone understands is marked and stays as it is.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from torchlint.diagnostic import Cells, Diagnostic, Location, Related
from torchlint.edits import Edit, ResolvedFix
from torchlint.sources.ipython import Masked
from torchlint.sources.json_cells import Document
from torchlint.sources.reading import Undecodable
from torchlint.syntax import cells
from torchlint.syntax.parsing import Unreadable

_OLDEST = 4
"""The version of the format that brought the list `cells`."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that is not Python."""

    reason: str
    location: Location
    """In the text."""


class Notebook:
    """Raises `Undecodable` for bytes that are no notebook."""

    encoding = "utf-8"

    def __init__(self, data: bytes) -> None:
        self._bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        self._document = _document(data[len(self._bom) :])
        self._masked = Masked()
        self.broken: list[Broken] = []
        language = _language(self._document.metadata)
        self._cells = [
            (number, cell)
            for number, cell in enumerate(self._document.cells or (), start=1)
            if cell.kind == "code" and "python" in (language or "python") and cell.language in (None, "python")
        ]
        pieces: list[str] = []
        row = 1
        for _, cell in self._cells:
            piece = f"{self._python(cell.source, row)}\n{cells.END}\n"
            row += _breaks(piece)
            pieces.append(piece)
        self.text = "".join(pieces)

    @property
    def raw(self) -> str:
        """The notebook's own text."""
        return self._document.text

    def encode(self, text: str) -> bytes:
        """The notebook with the changed text in it. Raises `ValueError` for one in which cells or marks are missing."""
        if cells.order(text) != cells.order(self.text):
            raise ValueError("the change would reach beyond a cell")
        sources = [self.shown(part)[:-1] for part in cells.split(text)]
        changed = [(cell, source) for (_, cell), source in zip(self._cells, sources, strict=True)]
        return self._bom + self._document.replaced(changed).encode()

    def shown(self, text: str) -> str:
        """The text with what the marks in it stand for."""
        pieces: list[str] = []
        place = 0
        for start, end, number in cells.marks(text):
            pieces += (text[place:start], self._masked.pieces[number])
            place = end
        return "".join((*pieces, text[place:]))

    @cached_property
    def cells(self) -> Cells:
        """What row of the text is where. Holds for the text that was read."""
        ends = [match.end() for match in re.finditer("\n", self._document.text)]
        numbers: list[int] = []
        firsts: list[int] = []
        rows: list[int] = []
        for number, cell in self._cells:
            numbers.append(number)
            firsts.append(len(rows) + 1)
            written = [bisect_right(ends, start) + 1 for start in self._document.rows(cell)]
            fallback = written[-1] if written else bisect_right(ends, cell.span[0]) + 1
            count = _breaks(f"{cell.source}\n") + 1
            rows += [*written, *[fallback] * count][:count]
        return Cells(tuple(numbers), tuple(firsts), tuple(rows))

    def _python(self, source: str, row: int) -> str:
        try:
            return self._masked.python(source)
        except Unreadable as error:
            if not source.lstrip("\r\n")[:1].isspace():  # IPython takes away an indentation that all rows have
                self.broken.append(Broken(str(error), Location(row + error.row - 1, error.column)))
            return self._masked.foreign(source)

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


def _document(data: bytes) -> Document:
    try:
        document = Document(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Undecodable(f"the notebook is not valid utf-8: {error.reason}", data.count(b"\n", 0, error.start) + 1) from error
    except RecursionError as error:
        raise Undecodable("the notebook is nested too deeply to be read", 1) from error
    except ValueError as error:
        raise Undecodable(f"the notebook is not valid JSON: {getattr(error, 'msg', error)}", getattr(error, "lineno", 1)) from error
    if isinstance(document.version, int) and document.version < _OLDEST:
        raise Undecodable(f"the notebook has format {document.version}, and only {_OLDEST} and later ones are read", 1)
    if document.cells is None:
        raise Undecodable("the notebook has no list of cells", 1)
    return document


def _language(metadata: Any) -> str | None:
    """What the kernel runs, as far as the notebook says it."""
    for part, key in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        section = metadata.get(part) if isinstance(metadata, dict) else None
        value = section.get(key) if isinstance(section, dict) else None
        if isinstance(value, str) and value:
            return value.lower()
    return None


def _breaks(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text))
