"""One line per finding, for people and for `grep`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability
from torchlint.output import Report
from torchlint.output.excerpt import visible
from torchlint.output.summary import summary
from torchlint.selection import INTERNAL_ERROR, SYNTAX_ERROR

if TYPE_CHECKING:
    from torchlint.run.one import FileReport


def render(report: Report) -> Iterator[str]:
    applicable = Applicability.UNSAFE if report.unsafe else Applicability.SAFE
    for file in report.files:
        for each in file.diagnostics:
            yield _line(file, each, marked=each.fix is not None and each.fix.applicability >= applicable)
    yield from summary(report)


def failures(report: Report) -> Iterator[str]:
    """Only what kept a file from being checked: worth a line even where findings are not wanted."""
    for file in report.files:
        yield from (_line(file, each) for each in file.diagnostics if each.code in (INTERNAL_ERROR.code, SYNTAX_ERROR.code))


def _line(file: FileReport, finding: Diagnostic, *, marked: bool = False) -> str:
    return f"{visible(str(file.path))}:{file.place(finding.location)}: {finding.code}{' [*]' if marked else ''} {visible(finding.message)}"
