"""A Jupyter notebook as one text of Python, and that text, once changed, as the notebook again, in which all else is as it was.

What its cells make together is `joined.py`'s, where they stand in the JSON `json_cells.py`'s.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from functools import cached_property
from typing import Any

from torchlint.diagnostic import Cells
from torchlint.sources.joined import Joined, breaks
from torchlint.sources.json_cells import Document
from torchlint.sources.reading import Undecodable

_OLDEST = 4
"""The version of the format that brought the list `cells`."""


class Notebook(Joined):
    """Raises `Undecodable` for bytes that are no notebook."""

    encoding = "utf-8"

    def __init__(self, data: bytes) -> None:
        self._bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        self._document = _document(data[len(self._bom) :])
        language = _language(self._document.metadata)
        self._cells = [
            (number, cell)
            for number, cell in enumerate(self._document.cells or (), start=1)
            if cell.kind == "code" and "python" in (language or "python") and cell.language in (None, "python")
        ]
        super().__init__(cell.source for _, cell in self._cells)

    @property
    def raw(self) -> str:
        """The notebook's own text."""
        return self._document.text

    def encode(self, text: str) -> bytes:
        """The notebook with the changed text in it. Raises `ValueError` for one in which cells or marks are missing."""
        changed = [(cell, source) for (_, cell), source in zip(self._cells, self.sources(text), strict=True)]
        return self._bom + self._document.replaced(changed).encode()

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
            count = breaks(f"{cell.source}\n") + 1
            rows += [*written, *[fallback] * count][:count]
        return Cells(tuple(numbers), tuple(firsts), tuple(rows))


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
