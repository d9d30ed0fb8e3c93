"""A Code Quality report, which GitLab compares with that of the branch a merge request goes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from torchlint.diagnostic import Location
from torchlint.fingerprint import fingerprints
from torchlint.output import Report
from torchlint.output.paths import inside
from torchlint.run.one import FileReport

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(report: Report) -> Iterator[str]:
    yield json.dumps([each for file in report.files for each in _entries(file)], indent=2)


def _entries(file: FileReport) -> Iterator[dict[str, Any]]:
    path = inside(file) or file.filename
    for each, fingerprint in zip(file.diagnostics, fingerprints(path, file.text, file.diagnostics), strict=True):
        start, end = each.location, each.end_location
        yield {
            "check_name": each.code,
            "description": f"{each.code} ({each.name}): {each.message}",
            "severity": _SEVERITIES[each.severity.label],
            "fingerprint": fingerprint,
            "location": {
                "path": path,
                **_span(file, start, end),
            },
        }


def _span(file: FileReport, start: Location, end: Location) -> dict[str, Any]:
    """Of a notebook, the rows that its code is written on: columns there mean nothing."""
    if file.cells is not None:
        return {"lines": {"begin": file.row(start), "end": file.row(end)}}
    return {"positions": {"begin": {"line": start.row, "column": start.column}, "end": {"line": end.row, "column": end.column}}}
