"""What of the source belongs to a finding: its rows, those of the places that prove it, and what a fix would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torchlint.diagnostic import Diagnostic, Location, Related
from torchlint.edits import Edit
from torchlint.output.excerpt import excerpt, visible
from torchlint.output.positions import Positions

if TYPE_CHECKING:
    from torchlint.run.one import FileReport

_Row = tuple[int | None, str | None, str]
"""Its number, its text and the marks beneath; without a text, further marks beneath the row before."""


def blocks(file: FileReport, finding: Diagnostic, positions: Positions) -> Iterator[tuple[str, list[_Row]]]:
    """The rows of the finding and of the places related to it, in order; then those in other cells and files, each under its name."""
    # A failure of ours is not in the source, and a file that cannot be decoded has no text to show.
    if finding.is_internal_error or not file.text:
        return
    place = file.place(finding.location)
    pieces: list[list[_Row]] = [list(excerpt(positions, finding.location, finding.end_location, context=place.row > 1))]
    elsewhere: list[tuple[str, list[_Row]]] = []
    for related in finding.related:
        if related.path is not None:
            where = f"{near(related.path)}:{related.location.row}:{related.location.column}"
            elsewhere.append((visible(where), list(_labelled(Positions(related.text), related))))
            continue
        rows = list(_labelled(positions, related))
        if file.place(related.location).cell != place.cell:
            elsewhere.append((str(file.place(related.location)), list(_numbered(file, rows))))
        elif not _marked(pieces, related, rows):
            pieces.append(rows)
    yield "", list(_numbered(file, _joined(pieces)))
    yield from elsewhere


def _numbered(file: FileReport, rows: Sequence[_Row]) -> Iterator[_Row]:
    """The rows with the numbers that they have in their cell."""
    for number, source, marks in rows:
        yield number and file.place(Location(number, 1)).row, source, marks


def _marked(pieces: list[list[_Row]], related: Related, rows: list[_Row]) -> bool:
    """Whether the place is on one row that is shown already: it is then marked there, beneath the marks that the row has."""
    for piece in pieces:
        for place, (number, source, _) in enumerate(piece, start=1):
            if number == related.location.row and [each[1] for each in rows] == [source]:
                while place < len(piece) and piece[place][1] is None:
                    place += 1
                piece.insert(place, (None, None, rows[0][2]))
                return True
    return False


def _joined(pieces: list[list[_Row]]) -> list[_Row]:
    """In the order of the text, with a sign where rows were left out."""
    rows: list[_Row] = []
    for piece in sorted(pieces, key=lambda piece: piece[0][0] or 0):
        last = max((number for number, _, _ in rows if number), default=None)
        if last is not None and (piece[0][0] or 0) > last + 1:
            rows.append((None, "...", ""))
        rows += piece
    return rows


def _labelled(positions: Positions, related: Related) -> Iterator[_Row]:
    """The rows of a related place, with what happens there behind the last mark."""
    rows = list(excerpt(positions, related.location, related.end_location, context=False))
    for number, source, carets in rows[:-1]:
        yield number, source, carets.replace("^", "-")
    number, source, carets = rows[-1]
    yield number, source, f"{carets.replace('^', '-')} {visible(related.message)}"


def near(path: str) -> Path:
    """As the user would write it: from the current folder, if the file is below it."""
    return Path(path).relative_to(Path.cwd()) if Path(path).is_relative_to(Path.cwd()) else Path(path)


def sketch(positions: Positions, edits: Sequence[Edit]) -> Iterator[str]:
    """What the edits would change, row by row; edits that share a row are shown together."""
    hunks: list[tuple[int, int, list[Edit]]] = []
    for edit in sorted(edits):
        first, last = positions.location(edit.start).row, positions.location(edit.end).row
        if hunks and first <= hunks[-1][1]:
            hunks[-1] = (hunks[-1][0], max(last, hunks[-1][1]), [*hunks[-1][2], edit])
        else:
            hunks.append((first, last, [edit]))
    for first, last, inside in hunks:
        start, end = positions.row_span(first, last)
        old = positions.text[start:end]
        new, place = "", start
        for edit in inside:
            new += positions.text[place : edit.start] + edit.content
            place = edit.end
        new += positions.text[place:end]
        yield from _changed(old.splitlines(), new.splitlines())


def _changed(old: list[str], new: list[str]) -> Iterator[str]:
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    yield from (f"- {line}" for line in old)
    yield from (f"+ {line}" for line in new)
