"""What a fix that repairs may change in a run, and what it may not, whatever it is about.

Where it is known which sign of the mistake a run shows, the sign must be gone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator
from typing import Any

from torchlint.sanity.own import signals
from torchlint.sanity.own.align import RANDOM, STEPS, Difference
from torchlint.sanity.own.record import STEP, Key, Record

DRAWS = frozenset("TL205 TL206 TL214 TL219 TL220 TL223 TL302 TL304 TL306 TL307 TL309 TL310 TL318 TL404 TL504".split())
"""Rules whose repair decides whether numbers are drawn: by a layer's mode, by layers that were not built or not called, by a sampler."""
FREEZES = frozenset("TL104 TL105 TL106 TL214 TL219 TL404".split())
"""Rules whose repair may be what keeps parameters from being trained."""
FIRST = {"TL201": 2}
"""The first step that a repair can change: before it there is nothing to clear."""


def unexpected(before: Record, after: Record, codes: Collection[str], difference: Difference, *, alone: bool = False) -> str:
    """What no repair of these rules intends; empty where there is no such thing.

    Of fixes that run `alone`, without the others that the program needs, no sign of a mistake is asked for: it may be that of another.
    """
    wrong = _wrong(before, after, frozenset(codes), difference)
    return next(wrong if alone else itertools.chain(wrong, _signs(before, after, frozenset(codes))), "")


def _wrong(before: Record, after: Record, codes: frozenset[str], difference: Difference) -> Iterator[str]:
    if after.how in ("crashed", "died"):
        if before.how != "crashed" or after.steps <= before.steps:
            yield "with its fixes the program crashes"
    elif before.how != "crashed" and difference.what == STEPS:
        yield f"{difference.key}: {difference.detail}"
    if difference.what == RANDOM and not codes & DRAWS:
        yield f"{difference.key} draws other random numbers"
    if not codes & FREEZES:
        yield from _no_longer_trained(before, after)
    first = max(FIRST.get(code, 1) for code in codes)
    if len(codes) == 1 and difference.key is not None and difference.key.kind == STEP and difference.key.number < first:
        yield f"it changes {difference.key} already, which has nothing to mend yet"
    if _is_finite(before) and not _is_finite(after):
        yield "the loss is not finite any more"


def _no_longer_trained(before: Record, after: Record) -> Iterator[str]:
    moved = _moved(before), _moved(after)
    for key, event in before.timeline.items():
        other = after.timeline.get(key)
        if other is None:
            continue
        lost = [name for name in event["parameters"] if name not in other["parameters"]]
        if lost:
            yield f"{key}: {lost[0]} is no longer among what is trained"
        lost = [name for name in event["gradients"] if name not in other["gradients"]]
        if lost:
            yield f"{key}: {lost[0]} gets no gradient any more"
        if any(event["gradients"].values()) and not any(other["gradients"].values()):
            yield f"{key}: all gradients are zero"
        if moved[0].get(key) and moved[1].get(key) is False:
            yield f"{key}: nothing is trained any more"


def _moved(record: Record) -> dict[Key, bool]:
    """Whether each step, but the first of an optimizer, changed any parameter."""
    last: dict[int, dict[str, Any]] = {}
    found = {}
    for key, event in record.timeline.items():
        if key.optimizer in last:
            found[key] = last[key.optimizer] != event["parameters"]
        last[key.optimizer] = event["parameters"]
    return found


def _signs(before: Record, after: Record, codes: frozenset[str]) -> Iterator[str]:
    first, second = ({each.kind: each for each in signals.signals(record)} for record in (before, after))
    for kind, signal in second.items():
        if kind not in first:
            if before.how != "crashed":  # which showed nothing of what came after
                yield f"it brings about what was not there before: {signal.message}"
        elif codes & set(signal.codes):
            yield f"what it is to mend is still there: {signal.message}"


def _is_finite(record: Record) -> bool:
    return all(math.isfinite(value) for event in record.timeline.values() for value, _ in event["losses"])
