"""What a loop over batches makes anew in every iteration although it has to remember the ones before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.model.training import TrainingLoop
from torchlint.rules.training._carried import may_alternate
from torchlint.rules.training._optimizers import Built
from torchlint.values.events import Happens
from torchlint.values.value import Kind, Value

_DDP = "torch.nn.parallel.DistributedDataParallel"
_STARTS_AFRESH = ("load_state_dict", "reset_parameters", "apply", "deepcopy")
"""Calls after which a loop begins with other weights, so that each iteration is a training of its own."""


@dataclass
class Rebuilt:
    call: cst.Call
    message: str


def rebuilt(training: TrainingLoop) -> Iterator[Rebuilt]:
    file, loop = training.file, training.node
    direct = [event for event in training.events if event.what in (Happens.BACKWARD, Happens.STEP) and training.is_direct(event)]
    if {event.what for event in direct} != {Happens.BACKWARD, Happens.STEP} or not training.repeats or training.is_managed:
        return
    calls = file.tree.within(file.nodes(cst.Call), loop)
    if any(_name(each) in _STARTS_AFRESH for each in calls):
        return
    for call in calls:
        statement = file.statement(call)
        if next(file.tree.loops(call), None) is not loop or file.function(call) is not training.flow.node:
            continue
        conditions = training.flow.when.get(statement, ())[training.flow.depths.get(loop, 0) :]
        if any(may_alternate(training, each) for each in conditions):
            continue  # now and then
        value = training.flow.values.get(call)
        if value is not None and value.node is call:
            message = _message(training, call, value)
            if message is not None:
                yield Rebuilt(call, message)


def _message(training: TrainingLoop, call: cst.Call, value: Value) -> str | None:
    if value.kind is Kind.OPTIMIZER and value.qualname is not None:
        made = Built(training.file, call, value)
        if made.keeps_state and made.modules and all(_is_older(training, each) for each in made.modules):
            return "the optimizer is made anew for every batch and forgets its momentum and averages each time"
    if value.kind is Kind.SCHEDULER and value.sources and _is_older(training, value.sources[0]):
        return "the scheduler is made anew for every batch and begins its schedule each time"
    if training.file.qualname(call.func) == _DDP and value.sources and _is_older(training, value.sources[0]):
        return "the model is wrapped anew for every batch, which costs a broadcast of all weights and adds hooks each time"
    return None


def _is_older(training: TrainingLoop, value: Value) -> bool:
    """Whether something is known to be made before the loop."""
    if not isinstance(value.node, (cst.Call, cst.Param)) or value.is_joined:
        return False
    return value.node not in training.file.tree.order or not training.file.is_inside(value.node, training.node)


def _name(call: cst.Call) -> str:
    func = call.func
    return func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
