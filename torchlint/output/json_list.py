"""A JSON list in the shape of Ruff's, so that tools which read the one read the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torchlint.diagnostic import Diagnostic, Location, Related
from torchlint.edits import Edit, ResolvedFix
from torchlint.output import Report
from torchlint.output.positions import Positions
from torchlint.rulebook import url
from torchlint.run.one import FileReport
from torchlint.selection import named


def render(report: Report) -> Iterator[str]:
    # Escaped to ASCII: file names need not be valid Unicode, and the reader may expect any encoding.
    yield json.dumps([each for file in report.files for each in entries(file)], indent=2)


def entries(file: FileReport) -> Iterator[dict[str, Any]]:
    positions = Positions(file.text)
    for each in file.diagnostics:
        yield {
            "code": each.code,
            "name": each.name,
            "message": each.message,
            "severity": each.severity.label,
            "url": _url(each.code),
            "filename": file.filename,
            "cell": file.place(each.location).cell,
            **_span(file, each.location, each.end_location),
            "noqa_row": file.place(Location(_comment_row(each), 1)).row,
            "related": [_related(file, related) for related in each.related],
            "fix": None if each.fix is None else _fix(file, each.fix, positions),
            "alternatives": [_fix(file, other, positions) for other in each.alternatives],
        }


def _url(code: str) -> str | None:
    return next((url(rule) for rule in named(code)), None)


def _span(file: FileReport, start: Location, end: Location) -> dict[str, Any]:
    places = {"location": file.place(start), "end_location": file.place(end)}
    return {name: {"row": place.row, "column": place.column} for name, place in places.items()}


def _cell(file: FileReport, location: Location) -> dict[str, Any]:
    """A fix may change other cells than that of its finding, and evidence may be in one."""
    return {} if file.cells is None else {"cell": file.place(location).cell}


def _related(file: FileReport, related: Related) -> dict[str, Any]:
    if related.path is not None:
        other = FileReport(Path(related.path))
        return {"message": related.message, "filename": other.filename, **_span(other, related.location, related.end_location)}
    where = {"filename": file.filename, **_cell(file, related.location)}
    return {"message": related.message, **where, **_span(file, related.location, related.end_location)}


def _comment_row(finding: Diagnostic) -> int:
    """Where a suppression can be written: the end of the statement, as a comment fits neither into a string nor after a backslash."""
    return max(finding.rows, default=finding.location.row)


def _fix(file: FileReport, fix: ResolvedFix, positions: Positions) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.label,
        "effect": fix.effect.value,
        "message": fix.message,
        "edits": [_edit(file, each, positions) for each in fix.edits],
    }


def _edit(file: FileReport, edit: Edit, positions: Positions) -> dict[str, Any]:
    start, end = positions.location(edit.start), positions.location(edit.end)
    return {"content": edit.content, **_cell(file, start), **_span(file, start, end)}
