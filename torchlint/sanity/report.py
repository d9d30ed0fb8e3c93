"""Outcomes as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence

from torchlint.sanity.verdict import Outcome, Verdict

COLUMNS = ("rule", "device", "verdict", "largest difference", "measured per step")


def as_json(outcomes: Sequence[Outcome], torch: str) -> str:
    results = [
        {
            "code": outcome.code,
            "name": outcome.name,
            "device": outcome.device or None,
            "verdict": outcome.verdict.value,
            "reason": outcome.reason or None,
            "effect": outcome.effect.value if outcome.effect else None,
            "largest_difference": _finite(outcome.largest),
            "changed": list(outcome.changed),
            "differences": [
                {
                    "aspect": difference.aspect,
                    "where": difference.where,
                    "before": difference.before,
                    "after": difference.after,
                    "size": _finite(difference.size),
                }
                for difference in outcome.differences
            ],
            "costs": {name: {"before": before, "after": after} for name, (before, after) in outcome.costs.items()},
        }
        for outcome in outcomes
    ]
    counts = Counter(outcome.verdict for outcome in outcomes)
    return json.dumps({"torch": torch, **{verdict.value: counts[verdict] for verdict in Verdict}, "results": results}, indent=2)


def any_failed(outcomes: Sequence[Outcome]) -> bool:
    return any(outcome.verdict is Verdict.FAILED for outcome in outcomes)


def _finite(number: float | None) -> float | str | None:
    """JSON has no infinity."""
    return number if number is None or math.isfinite(number) else str(number)


def rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """The table's cells. A device that no rule could use takes one row."""
    found: list[tuple[str, ...]] = []
    skipped = Counter((outcome.device, outcome.reason) for outcome in outcomes if outcome.verdict is Verdict.SKIPPED)
    per_device = Counter(outcome.device for outcome in outcomes)
    for outcome in outcomes:
        if outcome.verdict is Verdict.SKIPPED and skipped[outcome.device, outcome.reason] == per_device[outcome.device] > 1:
            continue
        largest = "" if outcome.largest is None else f"{outcome.largest:.3g}"
        found.append((f"{outcome.code} {outcome.name}", outcome.device, outcome.verdict.value, largest, gain(outcome)))
    for (device, _), count in skipped.items():
        if count == per_device[device] > 1:
            found.append((f"{count} rules", device, Verdict.SKIPPED.value, "", ""))
    return found


def notes(outcomes: Sequence[Outcome]) -> list[str]:
    """Why something was not proven, each reason once, and the sum of it all."""
    lines = [
        " on ".join(filter(None, (outcome.code, outcome.device))) + f" failed: {outcome.reason}"
        for outcome in outcomes
        if outcome.verdict is Verdict.FAILED
    ]
    for device, reason in dict.fromkeys((o.device, o.reason) for o in outcomes if o.verdict is Verdict.SKIPPED):
        codes = [o.code for o in outcomes if o.verdict is Verdict.SKIPPED and (o.device, o.reason) == (device, reason)]
        lines.append(f"{device} skipped for {codes[0] if len(codes) == 1 else f'{len(codes)} rules'}: {reason}")
    counts = Counter(outcome.verdict for outcome in outcomes)
    lines.append(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict))
    return lines


def gain(outcome: Outcome) -> str:
    """What the fix changes about what the program costs."""
    parts = []
    for name, write in _WRITE.items():
        before, after = outcome.costs.get(name, (0.0, 0.0))
        if before != after:
            parts.append(write(before, after))
    return ", ".join(parts)


def _pair(unit: str) -> Callable[[float, float], str]:
    return lambda before, after: f"{before:g} -> {after:g} {unit}"


_WRITE: dict[str, Callable[[float, float], str]] = {
    "bytes": lambda before, after: f"{size(before)} -> {size(after)}",
    "nodes": _pair("graph nodes"),
    "waits": _pair("waits"),
    "synchronisations": _pair("synchronisations"),
    "copies": _pair("copies"),
    "seconds": lambda before, after: f"time x{after / before:.2f}",
}


def size(count: float) -> str:
    return f"{count / 1024:.1f} KiB" if count >= 1024 else f"{count:.0f} B"


def as_text(outcomes: Sequence[Outcome]) -> str:
    """A plain table."""
    table = [COLUMNS, *rows(outcomes)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, "", *notes(outcomes)])


def show(outcomes: Sequence[Outcome]) -> None:
    """The same in colour, fitted to the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {Verdict.PROVEN.value: "green", Verdict.FAILED.value: "bold red", Verdict.SKIPPED.value: "yellow"}
    table = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
    for rule, device, verdict, largest, gained in rows(outcomes):
        table.add_row(Text(rule), device, Text(verdict, colours[verdict]), largest, Text(gained))
    console = Console(force_terminal=True)
    console.print(table, "", *map(Text, notes(outcomes)), sep="\n")
