"""What came of running a program before and after its fixes, the verdict first: for people, and as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from statistics import median
from typing import Any

from torchlint.output import count
from torchlint.output.excerpt import visible
from torchlint.sanity.own import signals
from torchlint.sanity.own.align import RANDOM
from torchlint.sanity.own.decide import Outcome, Verdict
from torchlint.sanity.own.judge import Judged
from torchlint.sanity.own.launch import Program
from torchlint.sanity.own.record import Record
from torchlint.sanity.own.texts import Found
from torchlint.sanity.report import size

EXIT = {Verdict.UNEXPECTED: 1, Verdict.FAILED: 2}
"""Of the command, where it is not 0."""


def as_text(outcome: Outcome, program: Program) -> str:
    return "\n".join(map(visible, _lines(outcome, program)))


def _lines(outcome: Outcome, program: Program) -> Iterator[str]:
    yield f"{program}: {outcome.verdict.value}{f': {outcome.reason}' if outcome.reason else ''}"
    yield from (f"  {line}" for line in told(outcome))
    ran = outcome.fixed or outcome.original
    if ran is not None and outcome.verdict in EXIT:
        yield from _trace(ran)
    if outcome.findings:
        yield ""
        yield from map(_finding, outcome.findings)
    if outcome.unseen:
        yield ""
        yield "Seen in the run, and not by the linter:"
        for signal in outcome.unseen:
            codes = f" ({' or '.join(signal.codes)})" if signal.codes else ""
            yield f"  {where(signal.line)}: {signal.kind}{codes}: {signal.message}"


def told(outcome: Outcome) -> Iterator[str]:
    """What stands behind the verdict, a sentence at a time."""
    original, fixed = outcome.original, outcome.fixed
    if original is None or outcome.verdict is Verdict.FAILED:
        return
    yield from _difference(outcome)
    yield from _compared(outcome, original)
    if outcome.noise:
        yield f"This program is not reproducible: two runs as it is differ by up to {outcome.noise:.2g} in their losses."
    yield from _costs(original, fixed)


def _trace(record: Record) -> Iterator[str]:
    if record.how == "crashed":
        yield from (f"  {line}" for line in record.trace.rstrip().splitlines())


def _difference(outcome: Outcome) -> Iterator[str]:
    difference, original = outcome.difference, outcome.original
    if difference is None or original is None:
        return
    where = difference.at(original.optimizers > 1)
    what = "the random generators" if difference.what == RANDOM else f"the {difference.what}"
    yield f"First difference: {f'{where}, ' if where else ''}{what}: {difference.detail}"
    if outcome.blamed:
        yield f"{blame(outcome)}"


def blame(outcome: Outcome) -> str:
    """Whose fixes make the difference."""
    fixes = [f"{each.diagnostic.code} ({place(each)})" for each in outcome.blamed]
    if len(fixes) == 1:
        return f"The fix that makes it: {fixes[0]}"
    return f"The fixes that make it, together or in ways that were not told apart: {', '.join(fixes)}"


def _compared(outcome: Outcome, original: Record) -> Iterator[str]:
    kind = "steps" if original.optimizers else "backwards"
    several = f" of {count(original.optimizers, 'optimizer')}" if original.optimizers > 1 else ""
    why = {"timed out": ", when its time was over", "finished": f", when it ended with status {original.status}"}.get(original.how, "")
    yield f"{original.steps} {kind}{several}{why}; {count(outcome.runs, 'run')}; {count(len(original.files), 'file')} of yours imported."
    if original.further:
        yield f"{further(outcome, original)}"
    if outcome.fixes:
        left = f"; nothing is said of the {len(outcome.unreached)} whose statements did not run" if outcome.unreached else ""
        yield f"{count(outcome.fixes, 'finding')} with a fix{left}."
    if outcome.unsafe:
        yield f"{count(outcome.unsafe, 'more finding')} with a fix that --unsafe-fixes applies."


def further(outcome: Outcome, original: Record) -> str:
    """Why the program took more steps than it was asked for."""
    more = f"It went on past step {outcome.asked} to reach more findings"
    if not outcome.unasked:
        return f"{more}, and reached the last of them before step {original.steps}."
    return f"{more}; {count(outcome.unasked, 'finding')} {'was' if outcome.unasked == 1 else 'were'} not reached all the same."


def _costs(original: Record, fixed: Record | None) -> Iterator[str]:
    if fixed is None or not fixed.steps or not original.steps:
        return
    waits = [waits_per_step(each) for each in (original, fixed)]
    if waits[0] != waits[1]:
        yield f"Waits for a value per step: {waits[0]:.2f} before, {waits[1]:.2f} after."
    synchronised = [synchronisations_per_step(each) for each in (original, fixed)]
    if synchronised[0] != synchronised[1]:
        yield f"Times that the host waits for the GPU per step: {synchronised[0]:.2f} before, {synchronised[1]:.2f} after."
    times = [milliseconds(each) for each in (original, fixed)]
    if times[0] is not None and times[1] is not None:
        yield f"Time of a step on the GPU, in the middle: {times[0]:.3g} ms before, {times[1]:.3g} ms after."
    most = [most_allocated(each) for each in (original, fixed)]
    if most[0] is not None and most[1] is not None and size(most[0]) != size(most[1]):
        yield f"GPU memory in use at most: {size(most[0])} before, {size(most[1])} after."
    memory = [memory_kept(each) for each in (original, fixed)]
    if memory[0] is not None and memory[1] is not None and memory[0] != memory[1]:
        yield f"Memory that a step leaves behind: {size(memory[0])} before, {size(memory[1])} after."
    kept = [_kept(each) for each in (original, fixed)]
    if kept[0] != kept[1]:
        yield f"Graphs of earlier steps alive at the end: {kept[0]} before, {kept[1]} after."


def memory_kept(record: Record) -> float | None:
    """Bytes of a step that are alive two steps later, in the middle of the steps that were watched; None where none was seen to its end."""
    kept = [each["kept"] for each in record.memory if "kept" in each]
    return median(kept) if kept else None


def memory_peak(record: Record) -> float | None:
    """Bytes that a step makes and holds at a time, at most."""
    return max((each["peak"] for each in record.memory), default=None)


def waits_per_step(record: Record) -> float:
    return sum(signals.waits(record).values()) / record.steps


def synchronisations_per_step(record: Record) -> float:
    """How often the host waits for the GPU in a step, as CUDA tells: for values, and for copies too."""
    return sum(record.counted("synchronisations").values()) / record.steps


def milliseconds(record: Record) -> float | None:
    """From one step's end to the next on the GPU, in the middle of all steps but the first; None where there is no GPU. What watches memory
    slows down fewer than half of the steps."""
    times = [event["milliseconds"] for key, event in record.timeline.items() if key.number > 1 and event.get("milliseconds") is not None]
    return median(times) if times else None


def most_allocated(record: Record) -> int | None:
    """Bytes of the GPU's memory that tensors have taken at most; None where there is no GPU."""
    return max((event["most_allocated"] for event in record.timeline.values() if "most_allocated" in event), default=None)


def _kept(record: Record) -> int:
    return max((event["kept"] for event in [*record.timeline.values()][-1:] if "kept" in event), default=0)


def _finding(judged: Judged) -> str:
    diagnostic = judged.found.diagnostic
    evidence = f" ({judged.evidence})" if judged.evidence else ""
    return f"{place(judged.found)}: {diagnostic.code} {diagnostic.name}: {judged.state.value}{evidence}"


def place(found: Found) -> str:
    return f"{where(found.path)}:{found.row}"


def where(line: str) -> str:
    """From the current folder where it lies in it."""
    here = os.path.join(os.getcwd(), "")
    return line[len(here) :] if line.startswith(here) else line


def as_json(outcome: Outcome, program: Program) -> str:
    difference = outcome.difference
    return json.dumps(
        {
            "program": [*(["-m"] if program.module else []), program.target, *program.arguments],
            "verdict": outcome.verdict.value,
            "reason": outcome.reason or None,
            "first_difference": None
            if difference is None
            else {
                "what": difference.what,
                "detail": difference.detail,
                "optimizer": difference.key.optimizer + 1 if difference.key is not None else None,
                "step": difference.key.number if difference.key is not None else None,
            },
            "blamed": [_named(each) for each in outcome.blamed],
            "noise": outcome.noise if outcome.noise is None or outcome.noise < float("inf") else "inf",
            "runs": outcome.runs,
            "steps_asked": outcome.asked,
            "original": _run(outcome.original),
            "fixed": _run(outcome.fixed),
            "fixes": outcome.fixes,
            "unsafe_fixes_left": outcome.unsafe,
            "findings": [{**_named(each.found), "state": each.state.value, "evidence": each.evidence or None} for each in outcome.findings],
            "unseen": [
                {"kind": each.kind, "codes": list(each.codes), "line": each.line, "message": each.message} for each in outcome.unseen
            ],
        },
        indent=2,
    )


def _named(found: Found) -> dict[str, Any]:
    return {"code": found.diagnostic.code, "name": found.diagnostic.name, "filename": found.path, "row": found.row}


def _run(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "ended": record.how,
        "exit_status": record.status,
        "traceback": record.trace or None,
        "steps": record.steps,
        "optimizers": record.optimizers,
        "seconds": round(record.seconds, 3),
        "waits_per_step": waits_per_step(record) if record.steps else None,
        "graphs_kept": _kept(record),
        "synchronisations_per_step": synchronisations_per_step(record) if record.steps else None,
        "milliseconds_per_step": milliseconds(record),
        "gpu_bytes_most": most_allocated(record),
        "bytes_kept_per_step": memory_kept(record),
        "bytes_peak_per_step": memory_peak(record),
        "files": list(record.files),
    }
