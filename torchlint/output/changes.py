"""What a newer torch means for a project: each change with the number of its places, those that break first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from torchlint.diagnostic import Severity
from torchlint.edits import Applicability
from torchlint.output import Report, count
from torchlint.output.excerpt import visible
from torchlint.output.summary import summary
from torchlint.selection import OWN_RULES

_OWN = frozenset(rule.code for rule in OWN_RULES)


def render(report: Report, version: str) -> Iterator[str]:
    """A row per change: how often, in how many files, whether at least one can be fixed as things stand, by which rule."""
    applicable = Applicability.UNSAFE if report.unsafe else Applicability.SAFE
    counts: dict[bool, Counter[tuple[str, str, str]]] = {True: Counter(), False: Counter()}
    places: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    fixable: set[tuple[str, str, str]] = set()
    for file in report.files:
        for each in file.diagnostics:
            if each.code not in _OWN:
                change = each.code, each.name, each.message
                counts[each.severity is Severity.ERROR][change] += 1
                places[change].add(file.filename)
                if each.fix is not None and each.fix.applicability >= applicable:
                    fixable.add(change)
    for breaks, found in counts.items():
        if found:
            yield f"What torch {version} breaks:" if breaks else f"What else torch {version} says or does:"
            for change, number in sorted(found.items(), key=lambda each: (-each[1], each[0])):
                code, name, message = change
                mark, where = "*" if change in fixable else " ", count(len(places[change]), "file")
                yield f"  {number:>4} in {where}  [{mark}]  {code} {name}: {visible(message)}"
            yield ""
    yield from summary(report)
