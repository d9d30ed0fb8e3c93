"""Edits of statements: inserted, replaced and deleted with their rows, indentation and semicolons.

A statement is named by any node in it. Comments directly above a statement stay above it, comments behind it and those that end
its block stay behind it. An `elif` is no statement of its own: nothing can stand before or after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.edits import Edit
from torchlint.rewrite.resolving import Unfixable, builder
from torchlint.rewrite.rows import indent, next_row, row_end, row_start
from torchlint.rule import Rewrite
from torchlint.syntax.file import SourceFile

_UNIT = "    "
# Template strings came with Python 3.14, and with later versions of LibCST than the oldest that will do.
_STRINGS: tuple[type[cst.CSTNode], ...] = (cst.SimpleString, cst.FormattedString, getattr(cst, "TemplatedString", cst.FormattedString))


@builder
def insert_before(node: cst.CSTNode, text: str) -> Rewrite:
    """A statement ahead of the one that holds the node, above the comments that belong to it.

    Ahead of a loop or a branch it runs once, even where the node is the loop's own condition.
    """

    def edits(file: SourceFile) -> Iterator[Edit]:
        place = _place(file, node)
        if place.is_in_suite or place.index > 0:
            yield Edit(place.start, place.start, f"{_simple(text)}; ")
        else:
            rows = rows_of(file, text, indent_of(file.text, place.start))
            start = _above_comments(file, place)
            yield Edit(start, start, f"{rows}{file.module.default_newline}")

    return edits


@builder
def insert_after(node: cst.CSTNode, text: str) -> Rewrite:
    """A statement behind the one that holds the node, below the comments that end its block."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        place = _place(file, node)
        if place.is_in_suite or not place.is_last:
            yield Edit(place.end, place.end, f"; {_simple(text)}")
        else:
            rows = rows_of(file, text, indent_of(file.text, _line_start(file, place.line)))
            end = _below_comments(file.text, place)
            yield Edit(end, end, f"{file.module.default_newline}{rows}")

    return edits


@builder
def replace_statement(node: cst.CSTNode, text: str) -> Rewrite:
    """Another statement, of one row or several, instead of the one that holds the node; a comment behind it stays."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        place = _place(file, node)
        if place.is_in_suite or not place.is_alone:
            yield Edit(place.start, place.end, _simple(text))
        else:
            blanks = indent_of(file.text, place.start)
            yield Edit(place.start, place.end, rows_of(file, text, blanks).removeprefix(blanks))

    return edits


@builder
def delete_statement(node: cst.CSTNode) -> Rewrite:
    """Without the statement that holds the node: its rows go, or its part of a row; the last one of a block becomes `pass`."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        place = _place(file, node)
        if _is_whole_block(file, place):
            yield Edit(place.start, place.end, "pass")
        elif place.is_alone:
            indent_of(file.text, place.start)
            yield Edit(row_start(file.text, place.start), next_row(file.text, _below_comments(file.text, place)), "")
        elif place.is_last:
            yield Edit(file.span(place.small[-2])[1], place.end, "")
        else:
            yield Edit(place.start, file.span(place.small[place.index + 1])[0], "")

    return edits


@builder
def open_block(node: cst.CSTNode, header: str) -> Rewrite:
    """The statement that holds the node becomes the header of a block, and what follows it in its own block is indented into that."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        place = _place(file, node)
        block = file.parent(place.line)
        body = block.body if isinstance(block, (cst.IndentedBlock, cst.Module)) else ()
        rest = body[body.index(place.line) + 1 :] if place.line in body and place.is_alone else ()
        if not rest:
            raise Unfixable("nothing follows that a block could hold")
        blanks = indent_of(file.text, place.start)
        yield Edit(place.start, place.end, header)
        end = _below_comments(file.text, _Place(rest[-1], (rest[-1],), 0, _line_start(file, rest[-1]), file.span(rest[-1])[1]))
        strings = (each for kind in _STRINGS for each in file.nodes(kind) if _may_meet(file, each, place.end, end))
        if any(place.end < file.span(each)[0] < end and _has_rows(file, each) for each in strings):
            raise Unfixable("rows of a string cannot be indented")
        row = next_row(file.text, place.end)
        while row < end:
            code = file.text[row : row_end(file.text, row)]
            if code.strip():
                inside = row + min(len(blanks), len(code) - len(code.lstrip()))  # a comment may stand further out
                yield Edit(inside, inside, file.module.default_indent)
            row = next_row(file.text, row)

    return edits


@builder
def decorate(function: cst.FunctionDef, text: str) -> Rewrite:
    """Another decorator on a function, below those that it has."""

    def edits(file: SourceFile) -> Iterator[Edit]:
        start = file.span(function)[0]
        yield Edit(start, start, f"{text}{file.module.default_newline}{indent_of(file.text, start)}")

    return edits


def _may_meet(file: SourceFile, node: cst.CSTNode, start: int, end: int) -> bool:
    first, last = file.positions.around(node)
    return first < end and start < last


def _has_rows(file: SourceFile, node: cst.CSTNode) -> bool:
    start, end = file.span(node)
    return "\n" in file.text[start:end] or "\r" in file.text[start:end]


def indent_of(text: str, start: int) -> str:
    """What a statement that begins its row is indented by; `Unfixable` if something stands before it, or a backslash above."""
    blanks = indent(text, start)
    if blanks is None or text[: row_start(text, start)].rstrip("\r\n").endswith("\\"):
        raise Unfixable("the statement does not begin its row")
    return blanks


def end_of_row(text: str, end: int) -> int:
    """The end of the row on which a statement ends, behind its comment."""
    stop = row_end(text, end)
    rest = text[end:stop].lstrip("; \t\f")
    if rest and not rest.startswith("#"):
        raise Unfixable("the statement does not end its row")
    return stop


def rows_of(file: SourceFile, text: str, blanks: str) -> str:
    """The rows of a statement, indented as its neighbours are and by the file's own unit inside; without the last newline."""
    if "\n" in text and ('"""' in text or "'''" in text or "\\" in text):
        raise Unfixable("rows of a string cannot be indented")
    _body(text)
    unit = file.module.default_indent
    rows = []
    for row in text.split("\n"):
        depth = (len(row) - len(row.lstrip(" "))) // len(_UNIT)
        rows.append(f"{blanks}{unit * depth}{row[depth * len(_UNIT) :]}" if row.strip() else "")
    return file.module.default_newline.join(rows)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a statement stands: on its row or rows, or as one of several on a row."""

    line: cst.CSTNode
    """The compound statement, or the simple statements of one row."""
    small: tuple[cst.CSTNode, ...]
    """The simple statements of that row; only the statement itself if it takes all of its rows."""
    index: int
    start: int
    """Of the statement; of its first decorator if there is one."""
    end: int

    @property
    def is_in_suite(self) -> bool:
        """Whether it shares its row with the header of its block: `for x in y: a; b`."""
        return isinstance(self.line, cst.SimpleStatementSuite)

    @property
    def is_alone(self) -> bool:
        return len(self.small) == 1

    @property
    def is_last(self) -> bool:
        return self.index == len(self.small) - 1


def _place(file: SourceFile, node: cst.CSTNode) -> _Place:
    current = node
    while True:
        parent = file.parent(current)
        if isinstance(current, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            if isinstance(current, cst.If) and isinstance(parent, cst.If):
                raise Unfixable("an `elif` is part of another statement")
            return _Place(current, (current,), 0, _line_start(file, current), file.span(current)[1])
        if isinstance(parent, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
            small = tuple(parent.body)
            index = next(index for index, each in enumerate(small) if each is current)
            return _Place(parent, small, index, *file.span(current))
        if parent is None:
            raise Unfixable("not part of a statement")
        current = parent


def _line_start(file: SourceFile, line: cst.CSTNode) -> int:
    decorators = line.decorators if isinstance(line, (cst.FunctionDef, cst.ClassDef)) else ()
    return file.span(decorators[0] if decorators else line)[0]


def _is_whole_block(file: SourceFile, place: _Place) -> bool:
    block = file.parent(place.line)
    return place.is_alone and (place.is_in_suite or (isinstance(block, cst.IndentedBlock) and len(block.body) == 1))


def _above_comments(file: SourceFile, place: _Place) -> int:
    """The start of the row of the statement, or of the first comment directly above it that belongs to it.

    A comment on the file's first row does not: it is about the file (its interpreter, its encoding, its licence).
    """
    module = file.module
    is_first = bool(module.body) and module.body[0] is place.line
    above = [*(module.header if is_first else ()), *getattr(place.line, "leading_lines", ())]
    start = row_start(file.text, place.start)
    for line in reversed(above):
        if line.comment is None:
            return start
        start = row_start(file.text, file.span(line.comment, place.line)[0])
    return row_start(file.text, place.start) if start == 0 else start


def _below_comments(text: str, place: _Place) -> int:
    """The end of the statement's last row, or of the last comment below it that is indented into its block."""
    end = end_of_row(text, place.end)
    if not isinstance(place.line, cst.BaseCompoundStatement):
        return end
    depth = _width(indent_of(text, place.start))
    row = next_row(text, end)
    while row < len(text):
        stop = row_end(text, row)
        content = text[row:stop].lstrip()
        if content and not (content.startswith("#") and _width(text[row : stop - len(content)]) > depth):
            break
        end, row = stop if content else end, next_row(text, stop)
    return end


def _width(blanks: str) -> int:
    return len(blanks.rpartition("\f")[2].expandtabs())


def _simple(text: str) -> str:
    """The text of a statement that can share a row with others."""
    body = _body(text)
    fits = len(body) == 1 and isinstance(body[0], cst.SimpleStatementLine) and not body[0].trailing_whitespace.comment
    if not fits or "\n" in text:
        raise Unfixable("it does not fit into the row of another statement")
    return text


def _body(text: str) -> tuple[cst.CSTNode, ...]:
    try:
        return tuple(cst.parse_module(text).body)
    except cst.ParserSyntaxError:
        raise Unfixable(f"not a statement: {text}") from None
