"""The findings of each file beneath its name, one line each."""

from __future__ import annotations

from collections.abc import Iterator

from torchlint.edits import Applicability
from torchlint.output import Report
from torchlint.output.excerpt import visible
from torchlint.output.summary import summary


def render(report: Report) -> Iterator[str]:
    applicable = Applicability.UNSAFE if report.unsafe else Applicability.SAFE
    for file in report.files:
        if not file.diagnostics:
            continue
        yield f"{visible(str(file.path))}:"
        places = [str(file.place(each.location)) for each in file.diagnostics]
        width = max(map(len, places))
        for place, each in zip(places, file.diagnostics, strict=True):
            mark = " [*]" if each.fix is not None and each.fix.applicability >= applicable else ""
            yield f"  {place:<{width}}  {each.code}{mark} {visible(each.message)}"
        yield ""
    yield from summary(report)
