"""From the lazy rewrites of a fix to edits that stand together, and what holds for every edit whoever built it.

Which edits a rewrite makes is decided in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from itertools import chain, pairwise
from typing import ParamSpec

import libcst as cst

from torchlint.edits import Edit, is_rows, meet
from torchlint.rule import Fix, Rewrite
from torchlint.syntax.file import SourceFile

P = ParamSpec("P")
# Template strings came with Python 3.14, and with later versions of LibCST than the oldest that will do.
_STRINGS: tuple[type[cst.FormattedString], ...] = (cst.FormattedString, getattr(cst, "TemplatedString", cst.FormattedString))
_PARTS: tuple[type[cst.FormattedStringExpression], ...] = (
    cst.FormattedStringExpression,
    getattr(cst, "TemplatedStringExpression", cst.FormattedStringExpression),
)


class Unfixable(Exception):
    """The change cannot be made at this place without a risk; the message says why."""


def builder(rewrite: Callable[P, Rewrite]) -> Callable[P, Fix]:
    """Make a function that returns a rewrite into one that returns a `Fix` of that rewrite."""

    @wraps(rewrite)
    def build(*args: P.args, **kwargs: P.kwargs) -> Fix:
        return Fix((rewrite(*args, **kwargs),))

    return build


def resolve(file: SourceFile, fix: Fix) -> tuple[Edit, ...]:
    """The edits of a fix: sorted, disjoint, each changing something; empty when nothing is left to do.

    Rows that several rewrites insert at one place stand in the order of the rewrites. Anything else that meets is `Unfixable`.
    """
    text = file.text
    edits: list[Edit] = []
    for rewrite in fix.rewrites:
        for edit in rewrite(file):
            if edit not in edits and text[edit.start : edit.end] != edit.content:
                _join(edits, edit)
    edits.sort()
    for first, second in pairwise(edits):
        if meet(first, second) and not (_stands_beside_deletion(first, second) or _is_row_below(first, second)):
            raise Unfixable("two parts of the fix change the same place")
    for edit in edits:
        _check_strings(file, edit)
    return tuple(edits)


def deletes_comment(file: SourceFile, edits: Iterable[Edit]) -> bool:
    """Whether a comment of the file would be gone, wholly or in part."""
    removals = [edit for edit in edits if edit.start < edit.end and "#" in file.text[edit.start : edit.end]]
    return any(
        start < edit.end and edit.start < end and file.text[start:end] not in edit.content
        for edit in removals
        for start, end in file.positions.comments
    )


def _join(edits: list[Edit], edit: Edit) -> None:
    """Add an edit; rows go behind the rows that are already inserted at the same place."""
    if is_rows(edit):
        for place, other in enumerate(edits):
            if other.start == edit.start and is_rows(other):
                edits[place] = Edit(edit.start, edit.end, other.content + edit.content)
                return
    edits.append(edit)


def _stands_beside_deletion(first: Edit, second: Edit) -> bool:
    """Whether one edit only deletes, and the other inserts at its edge: together they mean what each means."""
    insertions = [edit for edit in (first, second) if edit.start == edit.end]
    deletions = [edit for edit in (first, second) if edit.start < edit.end and not edit.content]
    return len(insertions) == len(deletions) == 1 and insertions[0].start in (deletions[0].start, deletions[0].end)


def _is_row_below(first: Edit, second: Edit) -> bool:
    """Whether the second edit inserts rows right behind what the first changes: the rows stand apart from it."""
    return first.start < first.end == second.start and is_rows(second)


def _check_strings(file: SourceFile, edit: Edit) -> None:
    """Refuse what an f-string around the edit would not bear, before Python 3.12 or at all."""
    for string in chain.from_iterable(map(file.nodes, _STRINGS)):
        if not (_is_inside(edit, file.positions.around(string)) and _is_inside(edit, file.span(string))):
            continue
        if any(mark in edit.content for mark in (string.end[0], "\\", "#", "\n", "\r")):
            raise Unfixable("the f-string around it cannot hold the new text before Python 3.12")
        if edit.content.startswith("{") and file.text[edit.start - 1] == "{":
            raise Unfixable("two braces are one character in an f-string")
    for part in chain.from_iterable(map(file.nodes, _PARTS)):
        if part.equal is not None and _is_inside(edit, file.positions.around(part)) and _is_inside(edit, file.span(part)):
            raise Unfixable("`{...=}` shows the source itself, which would change")


def _is_inside(edit: Edit, span: tuple[int, int]) -> bool:
    return span[0] < edit.start and edit.end < span[1]
