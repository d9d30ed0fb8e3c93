"""One line per finding, for people and for `grep`."""

from __future__ import annotations

from collections.abc import Iterator

from torchlint.edits import Applicability
from torchlint.output import Report
from torchlint.output.excerpt import visible
from torchlint.output.summary import summary


def render(report: Report) -> Iterator[str]:
    applicable = Applicability.UNSAFE if report.unsafe else Applicability.SAFE
    for file in report.files:
        for each in file.diagnostics:
            mark = " [*]" if each.fix is not None and each.fix.applicability >= applicable else ""
            yield f"{file.path}:{each.location.row}:{each.location.column}: {each.code}{mark} {visible(each.message)}"
    yield from summary(report)
