"""A JSON list in the shape of Ruff's, so that tools which read the one read the other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from torchlint.diagnostic import Diagnostic, Location
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
            "cell": None,
            "location": _place(each.location),
            "end_location": _place(each.end_location),
            "noqa_row": _comment_row(each),
            "related": [
                {
                    "message": related.message,
                    "filename": file.filename if related.path is None else os.path.abspath(related.path),
                    "location": _place(related.location),
                    "end_location": _place(related.end_location),
                }
                for related in each.related
            ],
            "fix": None if each.fix is None else _fix(each.fix, positions),
            "alternatives": [_fix(other, positions) for other in each.alternatives],
        }


def _url(code: str) -> str | None:
    return next((url(rule) for rule in named(code)), None)


def _place(location: Location) -> dict[str, int]:
    return {"row": location.row, "column": location.column}


def _comment_row(finding: Diagnostic) -> int:
    """Where a suppression can be written: the end of the statement, as a comment fits neither into a string nor after a backslash."""
    return max(finding.rows, default=finding.location.row)


def _fix(fix: ResolvedFix, positions: Positions) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.label,
        "effect": fix.effect.value,
        "message": fix.message,
        "edits": [_edit(each, positions) for each in fix.edits],
    }


def _edit(edit: Edit, positions: Positions) -> dict[str, Any]:
    return {
        "content": edit.content,
        "location": _place(positions.location(edit.start)),
        "end_location": _place(positions.location(edit.end)),
    }
