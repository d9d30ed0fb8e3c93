"""How often each rule found something, and where the time went."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torchlint.edits import Applicability
from torchlint.output import Report


def render(report: Report, output_format: str) -> Iterator[str]:
    applicable = Applicability.UNSAFE if report.unsafe else Applicability.SAFE
    found = [each for file in report.files for each in file.diagnostics]
    counts = Counter((each.code, each.name) for each in found)
    fixable = Counter(each.code for each in found if each.fix is not None and each.fix.applicability >= applicable)
    yield from shown(ranked(counts, fixable), output_format)


def ranked(counts: Mapping[tuple[str, str], int], fixable: Mapping[str, int]) -> list[dict[str, Any]]:
    """Rules, by code and name, with the number of findings and of those that can be fixed as things stand, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [{"code": code, "name": name, "count": number, "fixable_count": fixable.get(code, 0)} for (code, name), number in ordered]


def shown(entries: Sequence[Mapping[str, Any]], output_format: str) -> Iterator[str]:
    """The rules as `ranked` has them. `[*]` marks those of which at least one can be fixed as things stand."""
    if output_format == "json":
        yield json.dumps(entries, indent=2)
        return
    width = max((len(str(each["count"])) for each in entries), default=0)
    for each in entries:
        yield f"{each['count']:>{width}}  {each['code']}  [{'*' if each['fixable_count'] else ' '}]  {each['name']}"


def times(report: Report, wall: Mapping[str, float]) -> Iterator[str]:
    """Wall time of the run's own phases, then what the checking consists of, added up over all processes."""
    inside: Counter[str] = Counter()
    for file in report.files:
        inside.update(file.seconds)
    width = max(map(len, (*wall, *inside)), default=0)
    for phase, seconds in wall.items():
        yield f"{phase:<{width}}  {seconds:9.3f} s"
    if inside:
        yield "of that, in all processes together:"
    for phase, seconds in inside.most_common():
        yield f"{phase:<{width}}  {seconds:9.3f} s"
