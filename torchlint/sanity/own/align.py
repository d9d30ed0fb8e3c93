"""Where two runs part: the first step in which something differs, and the first thing in it, in the order in which one causes the next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torchlint.sanity.own.record import Key, Record

RANDOM, LOSS, GRADIENTS, PARAMETERS, STEPS, END = "random numbers", "loss", "gradients", "parameters", "steps", "end"

TENSORS = (GRADIENTS, PARAMETERS)


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    detail: str
    """What it was and what it became."""
    key: Key | None = None
    """The step; None where it is not about one."""

    def at(self, several: bool) -> str:
        """Where it is, for programs with several optimizers as well."""
        if self.key is None:
            return ""
        return f"{self.key} of optimizer {self.key.optimizer + 1}" if several and self.key.kind == "step" else str(self.key)


def first_difference(before: Record, after: Record) -> Difference | None:
    """None if both did the same. A run that was out of time is compared as far as it came."""
    return next(differences(before, after), None)


def differences(before: Record, after: Record) -> Iterator[Difference]:
    """All steps that differ, each with the first thing that does."""
    cut = "timed out" in (before.how, after.how)
    first, second = before.timeline, after.timeline
    for key in (*first, *(each for each in second if each not in first)):
        if key in first and key in second:
            yield from _within(key, first[key], second[key])
        elif not cut:
            yield Difference(STEPS, "it is taken before, and not after" if key in first else "it is taken after, and not before", key)
    if not cut and _end(before) != _end(after):
        yield Difference(END, f"{_end(before)} became {_end(after)}")


def _end(record: Record) -> str:
    if record.how == "crashed":
        return record.last_words
    return f"exit status {record.status}" if record.how == "finished" else record.how


def _within(key: Key, before: dict, after: dict) -> Iterator[Difference]:  # type: ignore[type-arg]
    if before["random"] != after["random"]:
        yield Difference(RANDOM, "other numbers were drawn, or more or fewer of them", key)
    elif [bits for _, bits in before["losses"]] != [bits for _, bits in after["losses"]]:
        yield Difference(LOSS, f"{_losses(before)} became {_losses(after)}", key)
    else:
        for what in TENSORS:
            told = _tensors(before[what], after[what])
            if told is not None:
                yield Difference(what, told, key)
                return


def _losses(event: dict) -> str:  # type: ignore[type-arg]
    return ", ".join(f"{value:.9g}" for value, _ in event["losses"]) or "none"


def _tensors(before: dict[str, int], after: dict[str, int]) -> str | None:
    gone, new = ([name for name in one if name not in other] for one, other in ((before, after), (after, before)))
    if gone or new:
        return "; ".join(f"{_named(names)} {told}" for names, told in ((gone, "only before"), (new, "only after")) if names)
    changed = [name for name in before if before[name] != after[name]]
    return f"{_named(changed)} differ" if changed else None


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def gap(before: Record, after: Record) -> float:
    """How far apart losses are at most, relative to the larger; infinite where one of them is not there."""
    worst = 0.0
    for key, event in before.timeline.items():
        other = after.timeline.get(key)
        if other is None:
            continue
        if len(event["losses"]) != len(other["losses"]):
            return math.inf
        for (one, bits), (two, others) in zip(event["losses"], other["losses"], strict=True):
            if bits == others:
                continue
            size = abs(one - two) / max(abs(one), abs(two), 1e-12)
            worst = max(worst, size if math.isfinite(size) else math.inf)
    return worst


def within(before: Record, after: Record, tolerance: float) -> bool:
    """Whether the losses are as close as this in the first step that differs, and drift apart by no more than as much in each after it."""
    first = first_difference(before, after)
    if first is None:
        return True
    if first.key is None or first.what == RANDOM:
        return False
    for key, event in before.timeline.items():
        other = after.timeline.get(key)
        if other is None or other["random"] != event["random"] or len(event["losses"]) != len(other["losses"]):
            return False
        allowed = tolerance * (1 + max(key.number - first.key.number, 0))
        for (one, _), (two, _) in zip(event["losses"], other["losses"], strict=True):
            if not (one == two or abs(one - two) <= allowed * max(abs(one), abs(two), 1.0)):
                return False
    return all(event[what].keys() == after.timeline[key][what].keys() for key, event in before.timeline.items() for what in TENSORS)
