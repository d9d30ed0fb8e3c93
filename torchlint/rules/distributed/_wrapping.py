"""Models that `DistributedDataParallel` wraps: how, and which of their backward passes bring gradients to the other ranks for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.model.program import Program
from torchlint.model.training import TrainingLoop, loops
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Event, Happens

DDP = "torch.nn.parallel.DistributedDataParallel"
_TAKING = {
    "find_unused_parameters": re.compile(r"(?:^|\.)(?:DistributedDataParallel|DDPStrategy|DDPPlugin|DistributedDataParallelKwargs)$"),
    "ddp_find_unused_parameters": re.compile(r"(?:^|\.)\w*TrainingArguments$"),
}
"""What passes the argument on to `DistributedDataParallel`: torch itself, Lightning, accelerate and transformers."""
_HELD_BACK = re.compile(r"\bno_sync\b|\brequire_backward_grad_sync\b|\bset_requires_gradient_sync\b|\bno_backward_sync\b")


def searching(file: FileAnalysis) -> Iterator[cst.Arg]:
    """The arguments that have `DistributedDataParallel` search for parameters without gradients."""
    for call in file.nodes(cst.Call):
        for arg in call.args:
            taking = _TAKING.get(arg.keyword.value) if arg.keyword is not None else None
            if taking is not None and literal(arg.value) is True and taking.search(file.qualname(call.func) or ""):
                yield arg


def synchronized(file: FileAnalysis) -> Iterator[tuple[Event, Event]]:
    """The backward passes of several that one step uses, each of which sends its gradients around; with that step."""
    if next(file.calls(DDP), None) is None or Program(file).managers or file.is_written(_HELD_BACK):
        return
    found: dict[Node, tuple[Event, Event]] = {}
    for training in loops(file):
        for step in training.steps:
            backwards = [each for each in training.happening(Happens.BACKWARD) if _is_one_of_several(training, each, step)]
            for each in backwards:
                if each.file is file:
                    found.setdefault(each.node, (each, step))
    yield from found.values()


def _is_one_of_several(training: TrainingLoop, backward: Event, step: Event) -> bool:
    """Whether a backward runs in a loop within the loop of the step, or the step is left out in most iterations: it is counted."""
    if not training.is_direct(backward):
        return True
    asked = {each.question for each in backward.when}
    return any(
        isinstance(part, cst.BinaryOperation) and isinstance(part.operator, cst.Modulo)
        for each in step.when
        if each.question not in asked
        for part in descendants(each.test)
    )
