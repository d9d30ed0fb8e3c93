"""What a run says of each finding: its sign is there, or it is not although it should be, or nothing can be said, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torchlint.sanity.own import signals
from torchlint.sanity.own.record import Record
from torchlint.sanity.own.signals import Signal
from torchlint.sanity.own.texts import Found


class State(Enum):
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDECIDED = "not decided here"
    """Its statement ran, and that says nothing for or against it."""
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Judged:
    found: Found
    state: State
    evidence: str = ""
    """What speaks for the state."""


_WAITS_ENOUGH = 3
"""Steps in which a line must have run without a wait for the run to speak against one."""
_BY_DEVICE = "TL4"
"""The family of rules about what happens between host and device."""


def judged(found: Found, record: Record, shown: list[Signal], text: str, device: str) -> Judged:
    """`text` is that of the finding's file."""
    if record.reached.get(found.number) is None:
        return Judged(found, State.NOT_REACHED)
    code = found.diagnostic.code
    for signal in shown:
        if code in signal.codes:
            return Judged(found, State.CONFIRMED, signal.message)
    if code in signals.WAITING:
        return Judged(found, *_waiting(found, record, text, device))
    if code in signals.COPYING and (copied := _number(found, record, "synchronisations")) > 1:
        return Judged(found, State.CONFIRMED, f"the host waits for the GPU there {copied} times in {record.steps} steps")
    for kind, codes in signals.CODES.items():
        if code in codes:
            return Judged(found, *_absent(found, record, kind))
    if code.startswith(_BY_DEVICE) and device == "cpu":
        return Judged(found, State.UNDECIDED, "only a run on another device than the CPU can show it")
    return Judged(found, State.UNDECIDED, "reached, and a run leaves no sign of it")


def _waiting(found: Found, record: Record, text: str, device: str) -> tuple[State, str]:
    number = max(_number(found, record, "waits", "callers"), _number(found, record, "synchronisations"))
    reached = len(record.reached[found.number])
    if number > 1:
        asked = f"{number} times" if device == "cpu" else f"{number} waits"
        told = f"it asks for a value {asked} in {record.steps} steps" if device == "cpu" else f"{asked} in {record.steps} steps"
        return State.CONFIRMED, told
    if number or min(reached, record.steps) < _WAITS_ENOUGH:
        return State.UNDECIDED, f"reached in {_steps(reached)}, which are too few to tell"
    if device == "cpu":
        rows = text.splitlines()
        if any(".to(" in rows[row - 1] for row in found.diagnostic.rows if row <= len(rows)):
            return State.UNDECIDED, "a copy to the host shows only where there is another device than the CPU"
        return State.REFUTED, f"reached, and it asks for no value of a tensor in {record.steps} steps"
    return State.REFUTED, f"reached, and the host waits for nothing there in {record.steps} steps: the values lie on the host"


def _number(found: Found, record: Record, *which: str) -> int:
    """How often these were counted in the finding's lines."""
    lines = {f"{found.path}:{row}" for row in found.diagnostic.rows}
    return sum(count for each in which for line, count in record.counted(each).items() if line in lines)


def _absent(found: Found, record: Record, kind: str) -> tuple[State, str]:
    """There is no sign of this kind."""
    reached = len(record.reached[found.number])
    least = signals.REFUTED_AFTER.get(kind)
    if kind == signals.EVALUATION:
        modes = signals.modes_without_gradients(record)
        if modes["eval"] >= signals.IN_A_ROW and not modes["train"]:
            return State.REFUTED, f"reached, and all {modes['eval']} calls without gradients run in eval mode"
        return State.UNDECIDED, f"reached, and fewer than {signals.IN_A_ROW} calls without gradients meet dropout or batch normalisation"
    if least is None:
        return State.UNDECIDED, f"reached, and no {kind} in {_steps(record.steps)}; it may come later"
    if not record.optimizers:
        return State.UNDECIDED, "no step of an optimizer was taken"
    if min(reached, record.steps) < least:
        return State.UNDECIDED, f"reached in {_steps(min(reached, record.steps))}, which are too few to tell"
    return State.REFUTED, f"reached, and no {kind} in {_steps(record.steps)}"


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number} steps"
