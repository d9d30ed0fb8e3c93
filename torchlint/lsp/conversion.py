"""Places, edits and findings of ours in the terms of the Language Server Protocol.

Rows count from 0 there, and columns in units that client and server agree on: UTF-16 code units unless the client can do better.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from torchlint.diagnostic import Diagnostic, Location, Related, Severity
from torchlint.edits import Edit
from torchlint.output.positions import Positions
from torchlint.rulebook import url
from torchlint.selection import UNUSED_SUPPRESSION, named

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


class Converter:
    """For one text, and the unit of one client."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self.text = text
        self._positions = Positions(text)
        self._codec = codec

    def position(self, location: Location) -> types.Position:
        before = self._positions.row(location.row)[: location.column - 1]
        return types.Position(location.row - 1, len(before) if before.isascii() else self._codec.client_num_units(before))

    def range(self, start: Location, end: Location) -> types.Range:
        return types.Range(self.position(start), self.position(end))

    def edit(self, edit: Edit) -> types.TextEdit:
        start, end = self._positions.location(edit.start), self._positions.location(edit.end)
        return types.TextEdit(self.range(start, end), edit.content)

    def rewrite(self, new: str) -> list[types.TextEdit]:
        """Row by row what makes the new text of this one, so that cursors and folds elsewhere stay where they are."""
        old_rows, new_rows = _rows(self.text), _rows(new)
        starts = [0]
        for row in old_rows:
            starts.append(starts[-1] + len(row))
        changes = difflib.SequenceMatcher(None, old_rows, new_rows, autojunk=False).get_opcodes()
        return [
            self.edit(Edit(starts[first], starts[last], "".join(new_rows[begin:end])))
            for tag, first, last, begin, end in changes
            if tag != "equal"
        ]

    def diagnostic(self, finding: Diagnostic, uri: str, *, with_related: bool) -> types.Diagnostic:
        page = next((url(rule) for rule in named(finding.code)), None)
        return types.Diagnostic(
            range=self.range(finding.location, finding.end_location),
            message=finding.message if finding.help is None else f"{finding.message}\nHelp: {finding.help}",
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=types.CodeDescription(page) if page is not None else None,
            source="torchlint",
            tags=[types.DiagnosticTag.Unnecessary] if finding.code == UNUSED_SUPPRESSION.code else None,
            related_information=list(self._related(finding.related, uri)) if with_related and finding.related else None,
        )

    def _related(self, places: Iterable[Related], uri: str) -> Iterator[types.DiagnosticRelatedInformation]:
        for each in places:
            there = self if each.path is None else Converter(each.text, self._codec)
            where = uri if each.path is None else Path(each.path).absolute().as_uri()
            yield types.DiagnosticRelatedInformation(types.Location(where, there.range(each.location, each.end_location)), each.message)


def overlaps(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges share a place; an empty one shares it with what it touches."""
    return _key(one.start) <= _key(other.end) and _key(other.start) <= _key(one.end)


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _rows(text: str) -> list[str]:
    """With their ends. Only what ends a row in Python and in the protocol does."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
