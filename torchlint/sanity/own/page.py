"""What came of running a program before and after its fixes, as a page for the browser that needs nothing beside it: the verdict first.

What is filtered for stands behind the `#` of the address, `#rule=TL102&state=confirmed&text=loss`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torchlint.output import html_page
from torchlint.output.excerpt import visible
from torchlint.run.one import FileReport
from torchlint.sanity.own import report
from torchlint.sanity.own.align import PARAMETERS, TENSORS
from torchlint.sanity.own.chart import Line, chart
from torchlint.sanity.own.decide import Outcome, Verdict
from torchlint.sanity.own.judge import Judged, State
from torchlint.sanity.own.launch import Program
from torchlint.sanity.own.record import STEP, Key, Record
from torchlint.sanity.report import size

_CLASSES = {
    **dict.fromkeys((Verdict.IDENTICAL, Verdict.NOISE, Verdict.TOLERANCE, Verdict.INTENDED), "good"),
    **dict.fromkeys((Verdict.UNEXPECTED, Verdict.FAILED), "error"),
}
_STATES = {State.CONFIRMED: "error", State.REFUTED: "good", State.UNDECIDED: "warning", State.NOT_REACHED: "dim"}
_MOST = 10
"""Parameters that are listed for how far they have drifted apart."""


def as_html(outcome: Outcome, program: Program) -> str:
    states = [state for state in State if any(each.state is state for each in outcome.findings)]
    content = {
        "program": " ".join(map(visible, (str(program), *program.arguments))),
        "verdict": outcome.verdict.value,
        "kind": _CLASSES.get(outcome.verdict, "warning"),
        "reason": visible(outcome.reason),
        "told": list(map(visible, report.told(outcome))),
        "torch": outcome.original.torch if outcome.original is not None else "",
        "device": program.device,
        "trace": _trace(outcome),
        "charts": [each for each in _charts(outcome.original, outcome.fixed) if each is not None] if outcome.original is not None else [],
        "drift": _drift(outcome.original, outcome.fixed),
        "findings": [_finding(each, outcome.texts) for each in outcome.findings],
        "rules": sorted({(each.found.diagnostic.code, each.found.diagnostic.name) for each in outcome.findings}),
        "states": [(state.value, _STATES[state], sum(each.state is state for each in outcome.findings)) for state in states],
        "unseen": [
            {
                "where": visible(report.where(each.line)),
                "kind": each.kind,
                "codes": " or ".join(each.codes),
                "message": visible(each.message),
            }
            for each in outcome.unseen
        ],
    }
    return html_page.filled("sanity/own/page.html", content)


def _trace(outcome: Outcome) -> list[str]:
    crashed = [each for each in (outcome.fixed, outcome.original) if each is not None and each.how == "crashed"]
    return [visible(line) for line in crashed[0].trace.rstrip().splitlines()] if crashed else []


def _finding(judged: Judged, texts: Mapping[str, str]) -> dict[str, Any]:
    found = judged.found
    file = FileReport(Path(report.where(found.path)), (found.diagnostic,), texts[found.path])
    return html_page.finding(file, found.diagnostic) | {
        "state": judged.state.value,
        "kind": _STATES[judged.state],
        "evidence": visible(judged.evidence),
        "is_open": True,
    }


# -- drawings --------------------------------------------------------------------------------------------------------------


def _charts(before: Record, after: Record | None) -> Iterator[dict[str, Any] | None]:
    fixed = after if after is not None and after.timeline else None
    runs = [("as it is" if fixed is not None else "the run", "before", before), *([("fixed", "after", fixed)] if fixed is not None else [])]

    def drawn(title: str, points: Callable[[Record], dict[int, float]], **options: Any) -> dict[str, Any] | None:
        found = [Line(label, kind, points(record)) for label, kind, record in runs]
        return chart(title, found, **{"write": _number, **options})

    memory = {"write": size, "base": 2.0, "note": "Of the steps that were watched."}
    yield drawn("Memory that a step holds at most", lambda run: _memory(run, "peak"), **memory)
    yield drawn("Memory of a step that is alive two steps later", lambda run: _memory(run, "kept"), **memory)
    yield drawn("Values that the host asks for", lambda run: _per_step(run, lambda event: sum(event.get("waits", {}).values())))
    if any("allocated" in event for _, _, record in runs for event in record.timeline.values()):
        yield drawn(
            "Times that the host waits for the GPU", lambda run: _per_step(run, lambda event: sum(event["synchronisations"].values()))
        )
        yield drawn("GPU memory in use after a step", lambda run: _of_gpu(run, "allocated"), write=size, base=2.0)
        yield drawn("Milliseconds of a step on the GPU", lambda run: _of_gpu(run, "milliseconds"), note="Watched steps take longer.")
    if any(event.get("kept") for _, _, record in runs for event in record.timeline.values()):
        yield drawn("Graphs of earlier steps that are alive", lambda run: _per_step(run, lambda event: event.get("kept", 0)))
    several = any(len(each["losses"]) > 1 for each in before.timeline.values())
    for number in range(max(before.optimizers, 1)):
        title = f"Loss of optimizer {number + 1}" if before.optimizers > 1 else "Loss"
        note = "The mean, where a step has several." if several else ""
        yield drawn(title, functools.partial(_losses, optimizer=number), note=note, is_amount=False)
    if fixed is not None:
        apart = _apart(before, fixed)
        if any(apart.values()):
            title = "How far the parameters have drifted apart"
            note = "The largest relative difference between the norms of a parameter in both runs."
            yield chart(title, [Line("largest difference", "after", apart)], _number, note=note)


def _memory(record: Record, what: str) -> dict[int, float]:
    return {each["step"]: each[what] for each in record.memory if what in each}


def _per_step(record: Record, value: Callable[[dict[str, Any]], float]) -> dict[int, float]:
    """Of all optimizers together."""
    found: dict[int, float] = {}
    for key, event in record.timeline.items():
        if key.kind == STEP:
            found[key.number] = found.get(key.number, 0) + value(event)
    return found


def _of_gpu(record: Record, what: str) -> dict[int, float]:
    """Of the first optimizer's steps."""
    events = {key.number: event for key, event in record.timeline.items() if key.kind == STEP and key.optimizer == 0}
    return {number: event[what] for number, event in events.items() if event.get(what) is not None}


def _losses(record: Record, optimizer: int) -> dict[int, float]:
    events = {key.number: event["losses"] for key, event in record.timeline.items() if key.optimizer == optimizer}
    return {number: sum(value for value, _ in losses) / len(losses) for number, losses in events.items() if losses}


def _number(value: float) -> str:
    return f"{value:.4g}"


# -- parameters --------------------------------------------------------------------------------------------------------------


def _norms(before: Record, after: Record) -> Iterator[tuple[Key, dict[str, tuple[float, float]]]]:
    """By step, the norms of each parameter that both runs have."""
    for key, event in before.timeline.items():
        first, second = event.get("norms"), after.timeline.get(key, {}).get("norms")
        if first is not None and second is not None:
            yield key, {name: (norm, second[name]) for name, norm in first.items() if name in second}


def _difference(norms: tuple[float, float]) -> float:
    one, two = norms
    if not math.isfinite(one - two):
        return math.nan
    return abs(one - two) / max(abs(one), abs(two), 1e-12)


def _apart(before: Record, after: Record) -> dict[int, float]:
    found: dict[int, float] = {}
    for key, norms in _norms(before, after):
        differences = [_difference(each) for each in norms.values()]
        worst = math.nan if any(map(math.isnan, differences)) else max(differences, default=0.0)
        found[key.number] = max(found.get(key.number, 0.0), worst) if not math.isnan(worst) else worst
    return found


def _drift(before: Record | None, after: Record | None) -> dict[str, Any] | None:
    """What became of the parameters: a sentence, and those that differ most after the last step that was measured."""
    if before is None or after is None or not before.timeline or not after.timeline:
        return None
    common = [key for key in before.timeline if key in after.timeline]
    events = [(key, before.timeline[key][PARAMETERS], after.timeline[key][PARAMETERS]) for key in common]
    differing = [key for key, one, two in events if one != two]
    if not differing:
        return {"told": f"No parameter differs by a single bit in any of {len(common)} steps.", "rows": []}
    last: dict[str, tuple[Key, tuple[float, float]]] = {}
    for key, norms in _norms(before, after):
        last |= {name: (key, each) for name, each in norms.items()}
    finite = [(name, each) for name, each in last.items() if not math.isnan(_difference(each[1]))]
    most = sorted(finite, key=lambda each: (-_difference(each[1][1]), each[0]))[:_MOST]
    added = {name for key in common for what in TENSORS for name in after.timeline[key][what] if name not in before.timeline[key][what]}
    told = f"Parameters differ from {differing[0]} on."
    if added:
        told += f" {len(added)} are given gradients or held by an optimizer only with the fixes."
    if len(finite) < len(last):
        told += f" {len(last) - len(finite)} are not finite at the end."
    return {
        "told": told,
        "rows": [
            (visible(name), str(key), f"{one:.6g}", f"{two:.6g}", f"{_difference((one, two)):.2g}")
            for name, (key, (one, two)) in most
            if one != two
        ],
    }
