"""Steps of learning-rate schedulers that come before the first step of their optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.model.training import TrainingLoop, is_optimizer, loops
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.training._carried import may_alternate
from torchlint.syntax.tree import Node
from torchlint.values.events import Event, Happens
from torchlint.values.value import Kind, Value


@dataclass
class Early:
    """A scheduler's step that every iteration begins with."""

    node: Node
    step: Event
    """The optimizer's step that comes after it."""
    last: Node | None
    """The statement that ends such an iteration, in the block that the scheduler steps in; None if iterations may end elsewhere."""


def early(file: FileAnalysis) -> Iterator[Early]:
    for training in loops(file):
        for schedule in training.happening(Happens.SCHEDULE):
            step = _following(training, schedule)
            if step is not None:
                yield Early(schedule.node, step, _last(training, schedule))


def _following(training: TrainingLoop, schedule: Event) -> Event | None:
    """The optimizer's step that a scheduler's step comes before, if it does so whenever the loop begins, and nothing stepped before."""
    call, file = schedule.node, training.file
    if not isinstance(call, cst.Call) or call.args or schedule.chain or not training.is_direct(schedule):
        return None  # told which epoch it is, or what was measured
    if any(may_alternate(training, each) for each in schedule.when[training.flow.depths.get(training.node, 0) :]):
        return None  # from the second epoch on, after warming up
    if "ReduceLROnPlateau" in ((schedule.target.qualname if schedule.target is not None else None) or ""):
        return None
    own = _optimizer(schedule)
    before = True
    for event in training.flow.events.values():
        if event is schedule:
            before = False
        elif event.what is Happens.STEP and is_optimizer(event) and (own is None or event.target is own or not _is_other(event.target)):
            if before:
                return None
            if file.is_inside(event.site, training.node):
                return event if own is not None and event.target is own or own is None else None
        elif event.what is Happens.OPAQUE and before and any(_may_step(each, own) for each in event.values):
            return None
    return None


def _optimizer(schedule: Event) -> Value | None:
    """The optimizer that a scheduler was made for."""
    lineage = schedule.target.lineage() if schedule.target is not None else ()
    return next((each for each in lineage if each.kind is Kind.OPTIMIZER), None)


def _is_other(optimizer: Value | None) -> bool:
    """Whether a step is known to be that of an optimizer of its own, made in sight."""
    return optimizer is not None and isinstance(optimizer.node, cst.Call)


def _may_step(given: Value, own: Value | None) -> bool:
    return own is not None and (given is own or any(each is own for each in given.sources))


def _last(training: TrainingLoop, schedule: Event) -> Node | None:
    body = training.node.body if isinstance(training.node, (cst.For, cst.While)) else None
    statement = training.file.statement(schedule.node)
    if not isinstance(body, cst.IndentedBlock) or training.file.parent(statement) is not body:
        return None
    leaves = [each for each in training.happening(Happens.LEAVE) if next(training.file.tree.loops(each.site), None) is training.node]
    return None if leaves else body.body[-1]
