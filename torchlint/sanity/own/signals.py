"""Mistakes that a run shows by itself, whether or not the linter sees them: read from the record, without torch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torchlint.sanity.own.record import STEP, Record

_FEWEST = 4
"""Steps from which on something that grows can be told from something that is there."""
_WATCHED = 3
"""Steps that must have been watched for memory."""
_MUCH, _SHARE = 1 << 20, 10
"""Bytes of a step that are kept, and which part of all that it makes they must be at least, to be worth a word: outputs are collected and
experience is remembered on purpose."""
IN_A_ROW = 3
"""Calls without gradients between two steps that make an evaluation; one or two are how a target or a fake is computed."""


@dataclass(frozen=True, slots=True)
class Signal:
    kind: str
    message: str
    line: str
    """`path:row` of what showed it; empty where that is not known."""
    codes: tuple[str, ...]
    """The rules that are about this, the likeliest first."""


GROWING, CARRIED, UNHELD, WITHOUT, EVALUATION, TRAINING, INFINITE, RETAINED = (
    *("growing graph", "gradients not cleared", "gradients that no optimizer holds", "no gradients"),
    *("evaluation in train mode", "training in eval mode", "loss not finite", "memory kept"),
)
CODES = {
    GROWING: ("TL102", "TL101"),
    CARRIED: ("TL201",),
    UNHELD: ("TL301", "TL302", "TL212"),
    WITHOUT: ("TL202", "TL103"),
    EVALUATION: ("TL205",),
    TRAINING: ("TL206",),
    INFINITE: (),
    RETAINED: (),
}
WAITING = ("TL402", "TL403")
"""The rules that say that the host waits for the device; how often it does is counted by line."""
COPYING = ("TL401", "TL409")
"""The rules that say that the host waits for a copy, which a GPU alone shows."""
JUDGED = frozenset(WAITING).union(*CODES.values())
"""The rules of which a run can tell whether they are right."""
REFUTED_AFTER = {GROWING: 3, CARRIED: 3, UNHELD: 1, WITHOUT: 2}
"""Steps in which a finding's statement must have been reached without a signal for the run to speak against it. The other kinds never do:
their mistakes may lie in what was not run."""


def signals(record: Record) -> list[Signal]:
    steps = [event for key, event in record.timeline.items() if key.kind == STEP]
    everything = [*steps, *(each for each in record.events if each["event"] == "rest")]
    growing = list(_growing(steps))
    return [
        *growing,
        *_carried(steps),
        *_unheld(steps),
        *_without(steps),
        *_evaluations(everything),
        *_training(steps),
        *_infinite(record),
        *(_retained(record) if not growing else ()),
    ]


def waits(record: Record) -> Counter[str]:
    """How often the host waited for a value, by line of the user's files."""
    return record.counted("waits")


def modes_without_gradients(record: Record) -> Counter[str]:
    """Calls of layers that know train and eval mode, by the mode that they were in, where no gradients were recorded."""
    found: Counter[str] = Counter()
    for event in record.events:
        for _, mode, recording, calls in event.get("modes", []):
            if not recording:
                found[mode] += calls
    return found


def _growing(steps: list[dict[str, Any]]) -> Iterator[Signal]:
    kept = [event["kept"] for event in steps]
    grows = len(kept) >= _FEWEST and kept == sorted(kept) and kept[-1] - kept[1] >= (len(kept) - 2) / 2
    if grows:
        line = next(iter(steps[-1]["backward"]), steps[-1]["line"])
        message = f"the graphs of earlier steps are kept: {kept[1]} after step 2, {kept[-1]} after {len(kept)}"
        yield Signal(GROWING, message, line, CODES[GROWING])


def _carried(steps: list[dict[str, Any]]) -> Iterator[Signal]:
    for number in sorted({event["optimizer"] for event in steps}):
        own = [event for event in steps if event["optimizer"] == number]
        carrying = [event for event in own if event["carried"]]
        if len(carrying) >= 2 and len(carrying) >= (len(own) - 1) / 2:
            message = f"{len(carrying)} of {len(own)} steps use gradients that an earlier step had used already"
            yield Signal(CARRIED, message, next(iter(carrying[0]["backward"]), carrying[0]["line"]), CODES[CARRIED])


def _unheld(steps: list[dict[str, Any]]) -> Iterator[Signal]:
    asked = [event for event in steps if event["step"] <= 3]
    if asked and asked[-1]["loose"]:
        names = asked[-1]["loose"]
        message = f"{_counted(names)} given gradients in every backward and held by no optimizer: {_listed(names)}"
        yield Signal(UNHELD, message, next(iter(asked[-1]["backward"]), asked[-1]["line"]), CODES[UNHELD])


def _without(steps: list[dict[str, Any]]) -> Iterator[Signal]:
    for number in sorted({event["optimizer"] for event in steps}):
        own = [event for event in steps if event["optimizer"] == number]
        never = [name for name in own[0]["without"] if all(name in event["without"] for event in own)]
        if len(own) >= 2 and never:
            message = f"{_counted(never)} given no gradient before any of {len(own)} steps: {_listed(never)}"
            yield Signal(WITHOUT, message, own[0]["line"], CODES[WITHOUT])


def _evaluations(events: list[dict[str, Any]]) -> Iterator[Signal]:
    for event in events:
        for line, mode, recording, calls in event["modes"]:
            if mode == "train" and not recording and calls >= IN_A_ROW:
                message = f"dropout or batch normalisation in train mode in {calls} calls without gradients in a row"
                yield Signal(EVALUATION, message, line, CODES[EVALUATION])
                return


def _training(steps: list[dict[str, Any]]) -> Iterator[Signal]:
    trained: set[str] = set()
    for event in steps:
        modes: dict[str, set[str]] = {}
        for line, mode, recording, _ in event["modes"]:
            if recording:
                modes.setdefault(line, set()).add(mode)
        for line, found in modes.items():
            if found == {"eval"} and line in trained:
                message = f"step {event['step']} trains in eval mode what earlier steps trained in train mode"
                yield Signal(TRAINING, message, line, CODES[TRAINING])
                return
            if "train" in found:
                trained.add(line)


def _infinite(record: Record) -> Iterator[Signal]:
    for key, event in record.timeline.items():
        if any(not math.isfinite(value) for value, _ in event["losses"]):
            yield Signal(
                INFINITE, f"the loss of {key} is not finite", next(iter(event.get("backward", [])), event["line"]), CODES[INFINITE]
            )
            return


def _retained(record: Record) -> Iterator[Signal]:
    """Tensors of every step that was watched are still there, and no small ones. Graphs that are kept keep them too, and say so."""
    kept = [each for each in record.memory if "kept" in each and each["step"] > 3]
    if len(kept) >= _WATCHED and all(each["kept"] >= _MUCH and each["kept"] * _SHARE >= each["peak"] for each in kept):
        least, last = min(each["kept"] for each in kept), kept[-1]
        message = f"at least {least / 2**20:.1f} MiB of every step that was watched are still alive two steps later"
        yield Signal(RETAINED, message, last["line"], CODES[RETAINED])


def _counted(names: list[str]) -> str:
    return "1 parameter is" if len(names) == 1 else f"{len(names)} parameters are"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
