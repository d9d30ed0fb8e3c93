"""The format for reading: where and which rule, the reason, the source with carets, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import click

from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability
from torchlint.output import Report
from torchlint.output.evidence import blocks, sketch
from torchlint.output.excerpt import visible
from torchlint.output.positions import Positions
from torchlint.output.summary import summary

if TYPE_CHECKING:
    from torchlint.run.one import FileReport

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


class Style(Protocol):
    def __call__(self, text: str, *, fg: str | None = None, bold: bool | None = None) -> str: ...


def render(report: Report) -> Iterator[str]:
    style: Style = click.style if report.color else _plain
    for file in report.files:
        positions = Positions(file.text)
        for each in file.diagnostics:
            yield from _finding(file, each, positions, report, style)
            yield ""
    yield from summary(report)


def _plain(text: str, *, fg: str | None = None, bold: bool | None = None) -> str:
    return text


def _finding(file: FileReport, finding: Diagnostic, positions: Positions, report: Report, style: Style) -> Iterator[str]:
    color = _COLORS[finding.severity.label]
    applicable = Applicability.UNSAFE if report.unsafe else Applicability.SAFE
    mark = " [*]" if finding.fix is not None and finding.fix.applicability >= applicable else ""
    where = f"{visible(str(file.path))}:{file.place(finding.location)}"
    severity, code = style(finding.severity.label, fg=color, bold=True), style(finding.code, bold=True)
    yield f"{style(where, bold=True)}: {severity} {code} {finding.name}{mark}"
    yield f"  {visible(finding.message)}"
    shown = list(blocks(file, finding, positions))
    width = max((len(str(number)) for _, rows in shown for number, _, _ in rows if number), default=1)
    for place, rows in shown:
        if place:
            yield f"{style(' ' * width + '-->', fg='blue')} {place}"
        for number, source, marks in rows:
            if source is not None:
                gutter = str(number or "").rjust(width)
                yield f"{style(f'{gutter} |', fg='blue')} {source}".rstrip()
            if marks:
                yield f"{style(' ' * width + ' |', fg='blue')} {style(marks, fg=color if '^' in marks else 'blue', bold=True)}"
    margin = style(f"{'':>{width}} =", fg="blue")
    advice = finding.help or (finding.fix.message if finding.fix is not None else None)
    if advice is not None:
        yield f"{margin} {style('help', bold=True)}: {visible(advice)}{_how(finding)}"
    if finding.fix is not None and finding.fix.applicability == Applicability.DISPLAY:
        for line in sketch(positions, finding.fix.edits):
            yield style(f"{'':>{width}}   {visible(line)}", fg="green" if line.startswith("+") else "red")


def _how(finding: Diagnostic) -> str:
    """What applies the fix."""
    if finding.fix is None:
        return ""
    options = {
        Applicability.SAFE: "--fix",
        Applicability.UNSAFE: "--fix --unsafe-fixes",
        Applicability.DISPLAY: "shown below, never applied",
    }
    return f" ({options[finding.fix.applicability]})"
