"""Text edits and fixes as data: what is replaced, how sure it is, and how several are applied to one text.

Nothing here knows Python; the builders that do are in `torchlint.rewrite`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum

_NEWLINES = ("\n", "\r")


class Applicability(IntEnum):
    """How far a fix may go by itself; ordered, so that a threshold is one comparison."""

    DISPLAY = 0
    """Only shown, never applied."""
    UNSAFE = 1
    """Valid code and the likely intent, but numbers, memory or types may change. Applied with `--unsafe-fixes`."""
    SAFE = 2
    """Established for this very finding. Applied with `--fix`."""

    @property
    def label(self) -> str:
        return self.name.lower()


class Effect(Enum):
    """What a fix does to the program."""

    KEEPS = "keeps"
    """The program computes the same."""
    REPAIRS = "repairs"
    """The program was wrong; the fix changes what it computes, on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters `[start, end)` of the text by `content`; an insertion has `start == end`. Offsets count characters."""

    start: int
    end: int
    content: str


@dataclass(frozen=True, slots=True)
class ResolvedFix:
    """The edits of one finding, sorted and disjoint; applied all together or not at all."""

    edits: tuple[Edit, ...]
    applicability: Applicability
    effect: Effect
    message: str


def apply(text: str, fixes: Iterable[ResolvedFix]) -> tuple[str, list[ResolvedFix]]:
    """Apply the fixes that do not meet, first come by position, and return the new text and the fixes applied.

    A fix with an edit that meets one already taken is left out: the caller lints again and finds it in the next round.
    Two fixes that ask for the very same rows (the same import, say) or the very same replacement share it.
    """
    taken: list[Edit] = []  # sorted and disjoint, so that only neighbours can meet
    applied: list[ResolvedFix] = []
    whole: set[tuple[Edit, ...]] = set()
    for candidate in sorted((fix for fix in fixes if fix.edits), key=lambda fix: fix.edits):
        if candidate.edits not in whole:
            fresh = [edit for edit in candidate.edits if not (_can_be_shared(edit) and _holds(taken, edit))]
            if any(_meets_any(edit, taken) for edit in fresh):
                continue
            for edit in fresh:
                insort(taken, edit)
            whole.add(candidate.edits)
        applied.append(candidate)
    pieces: list[str] = []
    position = 0
    for edit in taken:
        pieces += (text[position : edit.start], edit.content)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces), applied


def meet(a: Edit, b: Edit) -> bool:
    """Whether two edits depend on each other: they overlap, or one inserts at the other's place or edge."""
    if a.start == a.end or b.start == b.end:
        return a.start <= b.end and b.start <= a.end
    return a.start < b.end and b.start < a.end


def is_rows(edit: Edit) -> bool:
    """Whether the edit inserts whole rows; what stands on them depends on nothing beside them."""
    return edit.start == edit.end and (edit.content[:1] in _NEWLINES or edit.content[-1:] in _NEWLINES)


def _can_be_shared(edit: Edit) -> bool:
    """Two equal insertions within a row may be two: the closing parentheses that two nested expressions need at one place."""
    return edit.start < edit.end or is_rows(edit)


def _holds(taken: list[Edit], edit: Edit) -> bool:
    place = bisect_left(taken, edit)
    return place < len(taken) and taken[place] == edit


def _meets_any(edit: Edit, taken: list[Edit]) -> bool:
    place = bisect_left(taken, edit)
    return any(meet(edit, neighbour) for neighbour in taken[max(place - 1, 0) : place + 1])
