"""What IPython understands in a cell beyond Python: magics, shell commands, help. Marks take their place, and the rest can be parsed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from torchlint.syntax import cells
from torchlint.syntax.lines import line_end
from torchlint.syntax.parsing import Unreadable, parse

_CELL_MAGIC = re.compile(r"(?:[ \t]*\r?\n)*%%(\w+)")
_OF_PYTHON = frozenset("time timeit capture prun debug memit mprun lprun scalene snakeviz pyinstrument wandb".split())
"""The cell magics whose cell is Python, run where the others are."""
_HELP = re.compile(r"\?{1,2}[ \t]*%{0,2}[\w.*]+|%{0,2}[A-Za-z_*][\w*]*(?:\.[\w*]+|\[\d+\])*\?{1,2}")
_ASSIGNED = re.compile(r"([\w.\[\], \t]+?=[ \t]*)[!%]")
_TIMED = re.compile(r"%time[ \t]+(?=[^\s-])")
_AUTOMAGIC = re.compile(r"(?:pip3?|conda|mamba|cd|ls|ll|mkdir|rmdir|rm|cp|mv|cat|less|man|pwd|load_ext|matplotlib)\b(?![ \t]*[=.,:(\[])")
"""Commands that need no `%`. Only looked for where a cell is not Python without them."""
_ROW = re.compile(r"(?P<blanks>[ \t\f]*)(?P<content>[^\r\n]*)(?P<newline>\r\n|\r|\n|\Z)")


class Masked:
    """Cells as Python; `pieces` are what the marks stand for."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def python(self, source: str) -> str:
        """The cell, row for row, with marks for what is not Python. Raises `Unreadable` if it is not Python even so."""
        magic = _CELL_MAGIC.match(source)
        if magic is not None and magic[1] not in _OF_PYTHON or cells.may_be_in(source):
            return self.foreign(source)
        known = len(self.pieces)
        try:
            return _checked("".join(self._lines(source, automagic=False)))
        except Unreadable:
            del self.pieces[known:]
        try:
            return _checked("".join(self._lines(source, automagic=True)))
        except Unreadable:
            del self.pieces[known:]
            raise

    def foreign(self, source: str) -> str:
        """The cell with marks alone."""
        return "".join(self._row(row[0]) for row in _ROW.finditer(source))

    def _lines(self, source: str, *, automagic: bool) -> Iterator[str]:
        place = 0
        while place < len(source):
            row = _row_at(source, place)
            content, place = row["content"], row.end()
            masked = self._masked(content, automagic) if content and not content.startswith("#") else content
            if masked is None:
                place = line_end(source, row.start())
                yield source[row.start() : place]
                continue
            yield row["blanks"] + masked + row["newline"]
            while masked != content and content.endswith("\\") and place < len(source):
                row = _row_at(source, place)
                content, place = row["content"], row.end()
                yield self._row(row[0])

    def _masked(self, content: str, automagic: bool) -> str | None:
        """The row, from its first character on, where it is IPython's; None where it is Python's."""
        if content[0] in "%!":
            timed = _TIMED.match(content)
            if timed is not None and _is_simple(content[timed.end() :]):
                return cells.statement_mark(self._piece(timed[0])) + ";" + content[timed.end() :]
            return cells.statement_mark(self._piece(content))
        if _HELP.fullmatch(content.rstrip("; \t")) or automagic and _AUTOMAGIC.match(content):
            return cells.statement_mark(self._piece(content))
        assigned = _ASSIGNED.match(content)
        if assigned is not None:
            return assigned[1] + cells.value_mark(self._piece(content[assigned.end(1) :]))
        return None

    def _row(self, row: str) -> str:
        """A row outside of any block as one mark."""
        content = row.rstrip("\r\n")
        return cells.row_mark(self._piece(content)) + row[len(content) :] if content.strip() else row

    def _piece(self, text: str) -> int:
        self.pieces.append(text)
        return len(self.pieces) - 1


def _row_at(source: str, place: int) -> re.Match[str]:
    match = _ROW.match(source, place)
    assert match is not None  # it matches anything
    return match


def _checked(text: str) -> str:
    """The text, if it is Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        parse(text)  # a Python of another version, perhaps
    return text


def _is_simple(text: str) -> bool:
    """Whether these are statements that can stand behind a semicolon."""
    try:
        _checked(f"0;{text}")
    except Unreadable:
        return False
    return True
