"""The format for reading: where and which rule, the reason, the source with carets, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import click

from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability, Edit
from torchlint.output import Report
from torchlint.output.excerpt import excerpt, visible
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
    where = f"{visible(str(file.path))}:{finding.location.row}:{finding.location.column}"
    severity, code = style(finding.severity.label, fg=color, bold=True), style(finding.code, bold=True)
    yield f"{style(where, bold=True)}: {severity} {code} {finding.name}{mark}"
    yield f"  {visible(finding.message)}"
    # A failure of ours is not in the source, and a file that cannot be decoded has no text to show.
    rows = [] if finding.is_internal_error or not file.text else list(excerpt(positions, finding.location, finding.end_location))
    width = max((len(str(number)) for number, _, _ in rows if number), default=1)
    for number, source, carets in rows:
        gutter = str(number or "").rjust(width)
        yield f"{style(f'{gutter} |', fg='blue')} {source}".rstrip()
        if carets:
            yield f"{style(' ' * width + ' |', fg='blue')} {style(carets, fg=color, bold=True)}"
    margin = style(f"{'':>{width}} =", fg="blue")
    for related in finding.related:
        yield f"{margin} {file.path}:{related.location.row}:{related.location.column}: {visible(related.message)}"
    advice = finding.help or (finding.fix.message if finding.fix is not None else None)
    if advice is not None:
        yield f"{margin} {style('help', bold=True)}: {visible(advice)}{_how(finding)}"
    if finding.fix is not None and finding.fix.applicability == Applicability.DISPLAY:
        for line in _sketch(positions, finding.fix.edits):
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


def _sketch(positions: Positions, edits: Sequence[Edit]) -> Iterator[str]:
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
