"""The lines at the end of a report for people: what was fixed, how much is left, and how much of that can be fixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torchlint.edits import Applicability
from torchlint.output import Report, count, nothing_found
from torchlint.output.excerpt import visible


def summary(report: Report) -> Iterator[str]:
    fixed = any(file.fixed for file in report.files)
    if fixed:
        yield from changes(report, "Fixed")
    left = [each for file in report.files for each in file.diagnostics]
    if not left:
        yield nothing_found(report)
        return
    where = sum(bool(file.diagnostics) for file in report.files)
    found = f"{count(len(left), 'finding')}{' left' if fixed else ''} in {where} of {count(report.checked, 'file')}"
    levels = Counter(each.fix.applicability for each in left if each.fix is not None)
    safe, unsafe = levels[Applicability.SAFE], levels[Applicability.UNSAFE]
    if report.unsafe:
        safe, unsafe = safe + unsafe, 0
    if safe and unsafe:
        yield f"{found}; {safe} fixable with --fix, {unsafe} more with --unsafe-fixes."
    elif safe or unsafe:
        yield f"{found}; {safe or unsafe} fixable with {'--fix' if safe else '--fix --unsafe-fixes'}."
    else:
        yield f"{found}."


def changes(report: Report, verb: str) -> Iterator[str]:
    """How much was fixed, or would be, and if it was asked for what, file by file."""
    if report.show_fixes:
        for file in report.files:
            if file.fixed:
                yield f"{visible(str(file.path))}:"
                for (code, name), number in sorted(Counter((each.code, each.name) for each in file.fixed).items()):
                    yield f"    {number} x {code} ({name})"
    fixed = sum(len(file.fixed) for file in report.files)
    yield f"{verb} {count(fixed, 'finding')} in {count(sum(bool(file.fixed) for file in report.files), 'file')}."
