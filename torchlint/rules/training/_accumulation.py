"""Gradients that are added up over a window of iterations before a step, and whether the loss is divided by its length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.modules import LOSS_MODULES
from torchlint.facts.tensors import LOSSES
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.training._orders import Course, courses, runs_backward_elsewhere
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Event, Happens
from torchlint.values.value import Value

_FOLLOWS_THE_SIZE = frozenset("torch.optim.SGD torch.optim.ASGD".split())
"""Optimizers whose step is as long as the gradient; what divides by a running size of it does not see a factor."""


@dataclass
class Window:
    """One step for several iterations."""

    backward: Event
    step: Event
    length: cst.BaseExpression
    """How many: `k` in `i % k == 0`."""

    @property
    def loss(self) -> cst.BaseExpression | None:
        """The expression to be divided, in `loss.backward()` and `scaler.scale(loss).backward()`."""
        call = self.backward.node
        held = call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) else None
        if isinstance(held, cst.Call):
            is_scaled = isinstance(held.func, cst.Attribute) and held.func.attr.value == "scale" and len(held.args) == 1
            return held.args[0].value if is_scaled else None
        return held if isinstance(held, cst.Name) else None


def undivided(file: FileAnalysis) -> Iterator[Window]:
    """The windows over which means are added up, each as if it were the only one."""
    for course in courses(file):
        if course.optimizer.qualname not in _FOLLOWS_THE_SIZE or runs_backward_elsewhere(course.training):
            continue
        if course.timeline.has(Happens.REWRITE, Happens.OPAQUE) or not course.training.repeats:
            continue  # the gradients are scaled by hand, or may be out of sight
        length = _length(course)
        backwards = course.timeline.all(Happens.BACKWARD)
        if length is None or len(backwards) != 1 or not course.is_here(backwards[0].event, course.step) or not _adds_up(course):
            continue
        loss = backwards[0].event.target
        if loss is not None and _is_mean(file, loss):
            yield Window(backwards[0].event, course.step, length)


def _length(course: Course) -> cst.BaseExpression | None:
    """What the step waits for, if that is the end of a window of so many iterations."""
    conditions = course.step.when[course.training.flow.depths.get(course.training.node, 0) :]
    counted = [
        each.right
        for condition in conditions
        for each in descendants(condition.test)
        if isinstance(each, cst.BinaryOperation) and isinstance(each.operator, cst.Modulo)
    ]
    if len(counted) != 1 or len(conditions) != 1 or not isinstance(conditions[0].test, cst.Comparison):
        return None
    found = literal(counted[0])
    is_more = isinstance(found, int) and found > 1 or isinstance(counted[0], (cst.Name, cst.Attribute))
    return counted[0] if is_more else None


def _adds_up(course: Course) -> bool:
    """Whether the gradients of iterations without a step are kept for the next one, and cleared with it."""
    runs = course.runs(Happens.BACKWARD, Happens.STEP, Happens.CLEAR)
    stepping = [run for run in runs if run.has(Happens.STEP)]
    waiting = [run for run in runs if not run.has(Happens.STEP) and not run.left]
    return (
        bool(stepping and waiting)
        and all(run.has(Happens.CLEAR, Happens.BACKWARD) for run in stepping)
        and all(run.has(Happens.BACKWARD) and not run.has(Happens.CLEAR) for run in waiting)
    )


def _is_mean(file: FileAnalysis, loss: Value) -> bool:
    """Whether a loss is the mean that torch's functions yield, or a sum of such, and nothing on the way divides or scales it."""
    found = False
    stack, seen = [loss], set[int]()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        node = value.node
        if isinstance(node, cst.Call) and _is_loss(file, value, node):
            if any(arg.keyword is not None and arg.keyword.value in ("reduction", "reduce", "size_average", "weight") for arg in node.args):
                return False
            found = True
        elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            stack += value.sources
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "scale":
            stack += value.sources
        else:
            return False
    return found


def _is_loss(file: FileAnalysis, value: Value, call: cst.Call) -> bool:
    path = file.qualname(call.func) or ""
    if path.startswith("torch.nn.functional."):
        return path.rpartition(".")[2] in LOSSES
    made = file.value(call.func)
    return (made.qualname or "") in LOSS_MODULES and made.scalar and _is_default(made.node)


def _is_default(made: Node | None) -> bool:
    """Whether a loss is made without a reduction of its own."""
    return isinstance(made, cst.Call) and not any(arg.star or arg.keyword is not None and "reduc" in arg.keyword.value for arg in made.args)
