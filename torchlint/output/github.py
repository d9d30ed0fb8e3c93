"""Workflow commands that GitHub shows as annotations of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torchlint.output import Report
from torchlint.output.excerpt import visible
from torchlint.run.one import FileReport

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}


def render(report: Report) -> Iterator[str]:
    for file in report.files:
        for each in file.diagnostics:
            start, end = each.location, each.end_location
            properties = {"title": f"torchlint ({each.code})", "file": file.filename, "line": file.row(start), "endLine": file.row(end)}
            if start.row == end.row and file.cells is None:  # columns of a range over several rows are refused
                properties |= {"col": start.column, "endColumn": end.column}
            listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
            message = f"{file.path}:{file.place(start)}: {each.code} {each.message}"
            for related in each.related:
                home = file if related.path is None else FileReport(Path(related.path))
                message += f"\n{home.path}:{home.place(related.location)}: {related.message}"
            yield f"::{_COMMANDS[each.severity.label]} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """What would end a command is escaped as GitHub wants it; whatever else would harm those who read the log is written out."""
    return "".join(_ESCAPES.get(character) or visible(character) for character in text)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
