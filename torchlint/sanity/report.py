"""Outcomes as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import math
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence

from torchlint.edits import Applicability
from torchlint.sanity.trials import Machine
from torchlint.sanity.verdict import FAILURES, Outcome, Verdict

COLUMNS = ("rule", "fixes", "device", "verdict", "largest difference", "measured per step")
MUTANTS = ("rule", "mutant", "device", "verdict", "largest difference", "what gave it away")
"""The columns where wrong fixes were run."""


def as_json(outcomes: Sequence[Outcome], machine: Machine) -> str:
    results = [
        {
            "code": outcome.code,
            "name": outcome.name,
            "fixes": outcome.grade.label if outcome.grade is not None else None,
            "mutant": outcome.mutant or None,
            "device": outcome.device or None,
            "device_name": machine.present.get(outcome.device),
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
    sums = {verdict.value.replace(" ", "_"): counts[verdict] for verdict in Verdict}
    return json.dumps({"torch": machine.torch, "devices": machine.present, **sums, "results": results}, indent=2)


def any_failed(outcomes: Sequence[Outcome]) -> bool:
    return any(outcome.verdict in FAILURES for outcome in outcomes)


def any_ran(outcomes: Sequence[Outcome]) -> bool:
    return any(outcome.verdict is not Verdict.SKIPPED for outcome in outcomes)


def columns(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    return MUTANTS if any(outcome.mutant for outcome in outcomes) else COLUMNS


def _finite(number: float | None) -> float | str | None:
    """JSON has no infinity."""
    return number if number is None or math.isfinite(number) else str(number)


def rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """The table's cells. A device that no rule could use takes one row."""
    found: list[tuple[str, ...]] = []
    unused = {device: codes for device in {each.device for each in outcomes} if (codes := _unused(outcomes, device))}
    for outcome in outcomes:
        if outcome.device in unused:
            continue
        largest = "" if outcome.largest is None else f"{outcome.largest:.3g}"
        told = textwrap.shorten(outcome.reason, _WIDTH, placeholder="...") if outcome.mutant else gain(outcome)
        found.append((f"{outcome.code} {outcome.name}", label(outcome), outcome.device, outcome.verdict.value, largest, told))
    found += [(f"{len(unused[device])} rules", "", device, Verdict.SKIPPED.value, "", "") for device in sorted(unused)]
    return found


def _unused(outcomes: Sequence[Outcome], device: str) -> list[str]:
    """Several rules that were all skipped on this device, for one reason."""
    here = [outcome for outcome in outcomes if outcome.device == device]
    codes = list(dict.fromkeys(outcome.code for outcome in here))
    return codes if len(codes) > 1 and {(each.verdict, each.reason) for each in here} == {(Verdict.SKIPPED, here[0].reason)} else []


_WIDTH = 100
"""Of what is told of a mutant; JSON has it in full."""


def label(outcome: Outcome) -> str:
    """Which of the rule's fixes were run: their grade, or what is wrong with the wrong one."""
    if outcome.mutant:
        return outcome.mutant
    if outcome.grade is None:
        return ""
    return "shown" if outcome.grade is Applicability.DISPLAY else outcome.grade.label


def notes(outcomes: Sequence[Outcome]) -> list[str]:
    """Why something was not proven, each reason once, and the sum of it all."""
    lines = [
        " on ".join(filter(None, (outcome.code, outcome.device)))
        + (f" called this wrong fix proven: {outcome.mutant}" if outcome.verdict is Verdict.SURVIVED else f" failed: {outcome.reason}")
        for outcome in outcomes
        if outcome.verdict in FAILURES
    ]
    for device, reason in dict.fromkeys((o.device, o.reason) for o in outcomes if o.verdict is Verdict.SKIPPED):
        codes = list(dict.fromkeys(o.code for o in outcomes if o.verdict is Verdict.SKIPPED and (o.device, o.reason) == (device, reason)))
        lines.append(f"{device} skipped for {codes[0] if len(codes) == 1 else f'{len(codes)} rules'}: {reason}")
    counts = Counter(outcome.verdict for outcome in outcomes)
    lines.append(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict] or verdict in _ALWAYS_SUMMED))
    return lines


_ALWAYS_SUMMED = (Verdict.PROVEN, Verdict.FAILED, Verdict.SKIPPED)


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
    "kernels": _pair("kernels"),
    "written": lambda before, after: f"{size(before)} -> {size(after)} written",
}


def size(count: float) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count:.0f} B"


def as_text(outcomes: Sequence[Outcome]) -> str:
    """A plain table."""
    table = [columns(outcomes), *rows(outcomes)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, "", *notes(outcomes)])


def show(outcomes: Sequence[Outcome]) -> None:
    """The same in colour, fitted to the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {verdict.value: "bold red" if verdict in FAILURES else "yellow" for verdict in Verdict}
    colours |= {Verdict.PROVEN.value: "green", Verdict.REFUTED.value: "green"}
    table = Table(*columns(outcomes), box=None, pad_edge=False, header_style="bold")
    for rule, fixes, device, verdict, largest, told in rows(outcomes):
        table.add_row(Text(rule), Text(fixes), device, Text(verdict, colours[verdict]), largest, Text(told))
    console = Console(force_terminal=True)
    console.print(table, "", *map(Text, notes(outcomes)), sep="\n")
