"""Places, edits and findings of ours in the terms of the Language Server Protocol.

Rows count from 0 there, and columns in units that client and server agree on: UTF-16 code units unless the client can do better.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from torchlint.diagnostic import Location, Severity
from torchlint.lsp.checking import Checked, Found, Span
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

    def offset(self, position: types.Position) -> int:
        """Where in the text a position of the client is; the nearest place there is for one beyond it."""
        if position.line >= self._positions.last_row:
            return len(self.text)
        start, _ = self._positions.row_span(position.line + 1, position.line + 1)
        row = self._positions.row(position.line + 1)
        if row.isascii():
            return start + min(position.character, len(row))
        units = 0
        for index, character in enumerate(row):
            if units >= position.character:
                return start + index
            units += self._codec.client_num_units(character)
        return start + len(row)

    def rewrite(self, new: str) -> list[types.TextEdit]:
        """What makes the new text of this one, so that cursors and folds elsewhere stay where they are."""
        return [types.TextEdit(self._range(start, end), content) for start, end, content in _changes(self.text, new)]

    def _range(self, start: int, end: int) -> types.Range:
        return self.range(self._positions.location(start), self._positions.location(end))


class View:
    """A checked document as one client sees it."""

    def __init__(self, checked: Checked, codec: PositionCodec, *, with_related: bool) -> None:
        self.document = checked.document
        self._codec = codec
        self._with_related = with_related
        self._converters = [Converter(part.text, codec) for part in self.document.parts]
        self.shown = [(found, self.document.parts[found.span.part].uri, self._diagnostic(found)) for found in checked.findings]
        """Each finding, the URI of the text that it is in, and what the client is told of it."""

    def edit(self, programs: Sequence[str]) -> types.WorkspaceEdit | None:
        """What makes these programs of those there are, for this version of the texts and no other: an editor refuses it once somebody
        has typed on. None where there is nothing to change, or it cannot be done."""
        try:
            texts = self.document.texts(programs)
        except ValueError:
            return None
        changes: list[types.TextDocumentEdit] = []
        for part, text, converter in zip(self.document.parts, texts, self._converters, strict=True):
            if text != part.text:
                identifier = types.OptionalVersionedTextDocumentIdentifier(part.uri, part.version)
                changes.append(types.TextDocumentEdit(identifier, list(converter.rewrite(text))))
        return types.WorkspaceEdit(document_changes=list(changes)) if changes else None

    def edit_of(self, program: int, text: str) -> types.WorkspaceEdit | None:
        """The same for one program."""
        programs = list(self.document.programs)
        programs[program] = text
        return self.edit(programs)

    def _diagnostic(self, found: Found) -> types.Diagnostic:
        finding = found.diagnostic
        page = next((url(rule) for rule in named(finding.code)), None)
        return types.Diagnostic(
            range=self._location(found.span).range,
            message=finding.message if finding.help is None else f"{finding.message}\nHelp: {finding.help}",
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=types.CodeDescription(page) if page is not None else None,
            source="torchlint",
            tags=[types.DiagnosticTag.Unnecessary] if finding.code == UNUSED_SUPPRESSION.code else None,
            related_information=list(self._related(found)) if self._with_related and found.related else None,
        )

    def _location(self, span: Span) -> types.Location:
        return types.Location(self.document.parts[span.part].uri, self._converters[span.part].range(span.start, span.end))

    def _related(self, found: Found) -> Iterator[types.DiagnosticRelatedInformation]:
        for each, span in found.related:
            if span is not None:
                yield types.DiagnosticRelatedInformation(self._location(span), each.message)
            elif each.path is not None:
                there = Converter(each.text, self._codec).range(each.location, each.end_location)
                yield types.DiagnosticRelatedInformation(types.Location(Path(each.path).absolute().as_uri(), there), each.message)


def overlaps(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges share a place; an empty one shares it with what it touches."""
    return _key(one.start) <= _key(other.end) and _key(other.start) <= _key(one.end)


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _changes(old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and new content of what differs: within the rows that do, from the first character to the last."""
    old_rows, new_rows = _rows(old), _rows(new)
    same = _same(old_rows, new_rows)
    start = sum(map(len, old_rows[:same]))
    starts = [start]
    for row in old_rows[same:]:
        starts.append(starts[-1] + len(row))
    matcher = difflib.SequenceMatcher(None, old_rows[same:], new_rows[same:], autojunk=False)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag != "equal":
            yield _narrowed(starts[first], old[starts[first] : starts[last]], "".join(new_rows[same + begin : same + end]))


def _narrowed(start: int, old: str, new: str) -> tuple[int, int, str]:
    before = len(old[: _same(old, new)].rstrip("\r"))
    left, right = old[before:], new[before:]
    after = _same(left[::-1], right[::-1])
    if after and left[-after] == "\n" and "\r" in (left[-after - 1 : -after], right[-after - 1 : -after]):
        after -= 1  # a row ends in both characters together
    return start + before, start + len(old) - after, right[: len(right) - after]


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How much of both is the same from the beginning on."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _rows(text: str) -> list[str]:
    """With their ends. Only what ends a row in Python and in the protocol does."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
