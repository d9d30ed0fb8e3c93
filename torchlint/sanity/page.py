"""Outcomes as a page for the browser that needs nothing beside it: every rule by device, what its fix changed, and what that saves.

What is filtered for stands behind the `#` of the address, `#rule=TL102&verdict=failed&text=bytes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from torchlint.output.html_page import filled
from torchlint.rulebook import url
from torchlint.sanity import report
from torchlint.sanity.trials import Machine
from torchlint.sanity.verdict import Outcome, Verdict
from torchlint.selection import named

_CLASSES = {Verdict.PROVEN: "good", Verdict.REFUTED: "good", Verdict.FAILED: "error", Verdict.SURVIVED: "error", Verdict.SKIPPED: "dim"}
_UNITS = {
    "bytes": "memory kept",
    "nodes": "nodes of autograd graphs kept",
    "waits": "waits for the device",
    "synchronisations": "synchronisations that CUDA counts",
    "copies": "copies to the device",
    "kernels": "kernels that are run",
    "written": "bytes that kernels write",
}
_WIDTH = 300
"""Of the longer of two bars, in the units of the drawing."""


def as_html(outcomes: Sequence[Outcome], machine: Machine) -> str:
    *reasons, summary = report.notes(outcomes)
    devices = list(dict.fromkeys(each.device for each in outcomes if each.device))
    rules = [(code, list(group)) for code, group in groupby(sorted(outcomes, key=lambda each: each.code), key=lambda each: each.code)]
    content = {
        "summary": summary,
        "reasons": reasons,
        "torch": machine.torch,
        "machine": list(machine.present.items()),
        "devices": devices,
        "wrong_fixes": any(each.mutant for each in outcomes),
        "verdicts": [each.value for each in Verdict if any(outcome.verdict is each for outcome in outcomes)],
        "rows": [row for _, found in rules for row in _rows(found, devices)],
        "rules": [_rule(found) for _, found in rules],
    }
    return filled("sanity/page.html", content)


def _rows(outcomes: Sequence[Outcome], devices: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The table's rows for one rule: one for each grade of its fixes, or for each wrong fix."""
    fixes = dict.fromkeys(map(report.label, outcomes))
    for kind in fixes:
        found = [each for each in outcomes if report.label(each) == kind]
        largest = [each.largest for each in found if each.largest is not None]
        yield {
            **_names(found),
            "fixes": kind,
            "cells": [_verdict(each) for device in devices for each in _on(device, found)],
            "largest": f"{max(largest):.3g}" if largest else "",
            "told": next(filter(None, (each.reason if each.mutant else report.gain(each) for each in found)), ""),
        }


def _on(device: str, outcomes: Sequence[Outcome]) -> list[Outcome | None]:
    """What became of it on the device. What could not even be begun is the same on all."""
    return [next((each for each in outcomes if each.device in (device, "")), None)]


def _verdict(outcome: Outcome | None) -> dict[str, str]:
    if outcome is None:
        return {"text": "", "class": "dim"}
    return {"text": outcome.verdict.value, "class": _CLASSES.get(outcome.verdict, "warning")}


def _names(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "code": outcomes[0].code,
        "name": outcomes[0].name,
        "verdicts": "\n".join(sorted({each.verdict.value for each in outcomes})),
    }


def _rule(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    patches = {report.label(each): each.patch for each in outcomes if each.patch}
    return {
        **_names(outcomes),
        "url": next((url(rule) for rule in named(outcomes[0].code)), None),
        "effect": next((each.effect.value for each in outcomes if each.effect is not None), ""),
        "outcomes": [_outcome(each) for each in outcomes if each.verdict is not Verdict.SKIPPED],
        "skipped": list(dict.fromkeys((each.device, each.reason) for each in outcomes if each.verdict is Verdict.SKIPPED)),
        "patches": list(patches.items()),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "fixes": report.label(outcome),
        "device": outcome.device,
        "verdict": _verdict(outcome),
        "reason": outcome.reason,
        "largest": "" if outcome.largest is None else f"{outcome.largest:.3g}",
        "changed": ", ".join(outcome.changed),
        "differences": [str(each) for each in outcome.differences],
        "costs": [_bars(name, *outcome.costs[name]) for name in _UNITS if any(outcome.costs.get(name, ()))],
    }


def _bars(name: str, before: float, after: float) -> dict[str, Any]:
    """Two bars of one cost, the longer of them over the whole width."""
    most = max(before, after)
    return {
        "name": _UNITS[name],
        "bars": [
            {"label": label, "class": kind, "width": round(_WIDTH * value / most, 1), "value": _amount(name, value)}
            for label, kind, value in (("with the mistake", "before", before), ("fixed", "after", after))
        ],
    }


def _amount(name: str, value: float) -> str:
    return report.size(value) if name in ("bytes", "written") else f"{value:g}"
