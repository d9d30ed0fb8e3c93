"""Workflow commands that GitHub shows as annotations of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from torchlint.output import Report

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report) -> Iterator[str]:
    for file in report.files:
        for each in file.diagnostics:
            start, end = each.location, each.end_location
            properties = {"title": f"torchlint ({each.code})", "file": file.filename, "line": start.row, "endLine": end.row}
            if start.row == end.row:  # columns of a range over several rows are refused
                properties |= {"col": start.column, "endColumn": end.column}
            listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
            message = f"{file.path}:{start.row}:{start.column}: {each.code} {each.message}"
            yield f"::{_COMMANDS[each.severity.label]} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
