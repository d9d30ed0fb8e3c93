"""Where the host waits for the device in every iteration of a hot loop, though the loop could do without.

What is known to live on the CPU never waits. A loop that has to wait once in an iteration anyway gains nothing from waiting less often.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.tensors import SYNCHRONISING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._called import PerBatch, per_batch
from torchlint.rules.device._hot import HotLoops, Iteration, Loop
from torchlint.rules.device._purposes import Purpose, purpose
from torchlint.rules.device._totals import RunningTotal, running_total
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place

_CONVERTING = frozenset(f"math.{name}" for name in vars(math) if not name.startswith("_") and callable(getattr(math, name)))
"""Python's own functions of numbers: they ask a tensor for its number."""


@dataclass
class Wait:
    """One place where the host waits for a value."""

    file: FileAnalysis
    node: cst.BaseExpression
    """What waits: the call, or the tensor that is printed or branched on."""
    loop: Iteration
    """The hot loop around it, or around the call of the function that it stands in; of a framework's, that function."""
    site: cst.BaseExpression
    """Where it happens as seen from the loop: the wait, or that call."""
    moved: tuple[Node, str] | None
    """What put the value on the device, and what to say of it."""

    @cached_property
    def total(self) -> RunningTotal | None:
        """The total that the value is added to at once, where there is one."""
        return running_total(self.file, self.node, self.loop) if not isinstance(self.loop, cst.FunctionDef) else None

    @property
    def advice(self) -> str:
        """What to do instead, at this place."""
        if self.total is not None:
            return "add up on the device, and read the total once after the loop"
        for each in self.file.ancestors(self.node):
            if isinstance(each, cst.If):
                return "keep the choice on the device with `torch.where`, or make it every so many steps"
            if isinstance(each, cst.AugAssign):
                return "add up detached tensors, and read the total every so many steps or after the loop"
            if isinstance(each, cst.Call) and isinstance(each.func, cst.Attribute) and each.func.attr.value == "step":
                return "step with a value for every so many batches, which is read once"
            if isinstance(each, cst.BaseSuite):
                break
        return "read it every so many steps, or after the loop"


@dataclass
class Stall:
    """A hot loop in which the host waits, at one place or several, and need not."""

    loop: Iteration
    waits: list[Wait]
    """In document order, one for each statement."""

    @property
    def only_adds(self) -> bool:
        """Whether every wait feeds a total that could stay on the device, so that each of them can go by itself."""
        return all(wait.total is not None for wait in self.waits)


def stalls(file: FileAnalysis) -> list[Stall]:
    """The hot loops that wait without need, in document order of their first wait."""
    hot = HotLoops(file)
    waiting: dict[Iteration, dict[Node, Wait]] = {}
    functions: dict[Node, PerBatch | None] = {}
    bound = {_branch(file, call, loop) for call in file.methods("synchronize") if (loop := _must_wait(file, hot, call)) is not None}
    """The loops, and the branches in them, that have to wait anyway."""
    for node, subject in _candidates(file):
        function = file.function(node)
        if next(file.tree.loops(node), None) is None:
            if function not in functions:
                functions[function] = per_batch(file, hot, function)
            found = functions[function]
            if found is not None and _is_read_for(found, node, subject) and found.goes(node):
                wait = _in_function(found, node, subject)
                waiting.setdefault(wait.loop, {}).setdefault(file.statement(node), wait)
            continue
        if not _may_wait(file, node, subject) or not _waits_for(file, hot, node, subject):
            continue
        loop = hot.around(node)
        if loop is None:
            continue
        what = purpose(file, node, loop, trains=hot.trains(loop), read=node is not subject)
        if what is Purpose.STAYS:
            bound.add(_branch(file, node, loop))
        elif what is Purpose.GOES:  # once the host has waited, the next value of the same statement is there
            moved = hot.evidence(file.value(subject), node)
            waiting.setdefault(loop, {}).setdefault(file.statement(node), Wait(file, node, loop, node, moved))
    stalled = ((loop, [wait for wait in waits.values() if bound.isdisjoint(file.ancestors(wait.site))]) for loop, waits in waiting.items())
    return [Stall(loop, waits) for loop, waits in stalled if waits]


def _is_read_for(function: PerBatch, node: cst.BaseExpression, subject: cst.BaseExpression) -> bool:
    """Whether a function that is run for every batch waits there for what is on the device: of a framework's module, its loss is."""
    file, hot = function.file, function.hot
    if _waits_for(file, hot, node, subject):
        return True
    value = file.value(subject)
    if value.kind not in (Kind.TENSOR, Kind.UNKNOWN) or value.place is Place.CPU or not _is_read(node):
        return False
    return value.kind is Kind.TENSOR and value.has_graph if function.is_managed else function.is_given(value)


def _in_function(function: PerBatch, node: cst.BaseExpression, subject: cst.BaseExpression) -> Wait:
    file = function.file
    moved = function.hot.evidence(file.value(subject), node)
    call, loop = function.calls[0] if function.calls else (node, function.node)
    return Wait(file, node, loop, call, moved)


def _branch(file: FileAnalysis, node: Node, loop: Loop) -> Node:
    """The innermost branch of the loop that a node stands in, or the loop itself."""
    for each in file.ancestors(node):
        if each is loop:
            break
        if isinstance(each, cst.IfExp) or isinstance(each, cst.BaseSuite) and isinstance(file.parent(each), (cst.If, cst.Else)):
            return each
    return loop


def _must_wait(file: FileAnalysis, hot: HotLoops, call: cst.Call) -> Loop | None:
    """The hot loop that is made to wait on purpose, with `torch.cuda.synchronize()` or an event's."""
    loop = hot.around(call)
    return loop if loop is not None and purpose(file, call, loop, trains=True) is not Purpose.RARE else None


def _may_wait(file: FileAnalysis, node: Node, subject: Node) -> bool:
    """A cheap look before anything is read: a loop around that may be hot, or a plain read in a file that moves anything at all."""
    loops = list(file.tree.loops(node))
    if any(file.relevance.may_be_hot(loop) for loop in loops):
        return True
    return bool(loops) and node is not subject and any(file.tree.attributes.get(name) for name in ("to", "cuda"))


# -- candidates ---------------------------------------------------------------------------------------------------------


def _candidates(file: FileAnalysis) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """What may wait, and the value that it waits for, in document order."""
    return sorted(_suspects(file), key=lambda pair: file.tree.order[pair[0]])


def _suspects(file: FileAnalysis) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    for call in file.methods(*sorted(SYNCHRONISING_METHODS)):
        if isinstance(call.func, cst.Attribute) and not call.args:
            yield call, call.func.value
    for name in ("float", "int"):
        for each in file.tree.names.get(name, ()):
            converted = file.parent(each)
            if isinstance(converted, cst.Call) and converted.func is each and len(converted.args) == 1 and not file.names.bindings(each):
                yield converted, converted.args[0].value
    for converted in file.calls(*sorted(_CONVERTING)):
        if len(converted.args) == 1:
            yield converted, converted.args[0].value
    for each in file.tree.names.get("print", ()):
        printing = file.parent(each)
        if isinstance(printing, cst.Call) and printing.func is each:
            yield from ((part, part) for arg in printing.args for part in _printed(arg.value))
    branches: list[cst.If | cst.While | cst.Assert] = [*file.nodes(cst.If), *file.nodes(cst.While), *file.nodes(cst.Assert)]
    for branch in branches:
        yield from ((part, part) for part in _tested(branch.test))


def _printed(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.FormattedString):
        yield from (part.expression for part in node.parts if isinstance(part, cst.FormattedStringExpression))
    else:
        yield node


def _tested(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.BooleanOperation):
        yield from _tested(node.left)
        yield from _tested(node.right)
    elif isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        yield from _tested(node.expression)
    else:
        yield node


def _waits_for(file: FileAnalysis, hot: HotLoops, node: Node, subject: Node) -> bool:
    """Whether the value may be on an accelerator, and is one that has to be waited for."""
    value = file.value(subject)
    if value.kind is not Kind.TENSOR and (value.kind is not Kind.UNKNOWN or node is subject):
        return False
    if value.kind is Kind.UNKNOWN and isinstance(subject, cst.Subscript):  # an entry may be anything, but what is computed there
        return _is_read(node) and hot.is_computed_there(value)
    return hot.lives_there(value) or _is_read(node) and hot.is_computed_there(value)


def _is_read(node: Node) -> bool:
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
