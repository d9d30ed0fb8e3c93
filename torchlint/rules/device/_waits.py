"""Where the host waits for the device in every iteration of a loop over batches, and the totals that such waits feed.

A loop is hot when it runs backward itself, or moves batches to a device itself. What is known to live on the CPU never waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.modules import LOSS_MODULES
from torchlint.facts.tensors import LOSSES, SYNCHRONISING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import BRANCHES, Node, runs_once
from torchlint.values.events import Happens
from torchlint.values.value import Kind, Place, Value

_STORES = frozenset("append appendleft extend insert add".split())
_HOST_COPIES = frozenset("cpu numpy tolist".split())


@dataclass
class Wait:
    """One place where the host waits for a value."""

    file: FileAnalysis
    node: cst.BaseExpression
    """What waits: the call, or the tensor that is printed or branched on."""
    loop: cst.For | cst.While
    """The hot loop around it."""

    @cached_property
    def total(self) -> RunningTotal | None:
        """The total that the value is added to at once, where there is one."""
        return _total(self.file, self.node, self.loop)


@dataclass
class RunningTotal:
    """`total += x.item()`: what would have to change for the total to stay on the device until the loop is over."""

    name: cst.Name
    tensor: cst.BaseExpression
    """`x`."""
    is_count: bool
    """Whole numbers are added; otherwise floating-point ones."""


def waits(file: FileAnalysis) -> Iterator[Wait]:
    stalled: set[Node] = set()
    for node, subject in _candidates(file):
        loop = next(file.tree.loops(node), None)
        if loop is None or not file.relevance.may_be_hot(loop) or not _waits_for(file, node, subject) or not _is_hot(file, loop):
            continue
        if _now_and_then(file, node, loop) or _is_collected(file, node) or _is_for_environment(file, node):
            continue
        if (
            isinstance(node, cst.Call)
            and isinstance(node.func, cst.Attribute)
            and node.func.attr.value in _HOST_COPIES
            and not _trains(file, loop)
        ):
            continue  # without training, the loop is there to bring results to the host
        statement = file.statement(node)
        if statement in stalled:
            continue  # once the host has waited, the next value of the same statement is there
        stalled.add(statement)
        yield Wait(file, node, loop)


def _is_for_environment(file: FileAnalysis, node: Node) -> bool:
    """Whether the value goes into `env.step(…)`: an environment needs its action on the host."""
    for each in file.ancestors(node):
        if (
            isinstance(each, cst.Call)
            and isinstance(each.func, cst.Attribute)
            and each.func.attr.value == "step"
            and not file.is_inside(node, each.func)
        ):
            return True
        if isinstance(each, cst.Assign):
            names = [target.target for target in each.targets if isinstance(target.target, cst.Name)]
            return any(_is_stepped_with(file, use) for name in names for use in file.references(name))
        if isinstance(each, cst.BaseCompoundStatement):
            return False
    return False


def _is_stepped_with(file: FileAnalysis, use: Node) -> bool:
    argument = file.parent(use)
    call = file.parent(argument) if isinstance(argument, cst.Arg) else None
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value == "step"


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
    for each in file.tree.names.get("print", ()):
        printing = file.parent(each)
        if isinstance(printing, cst.Call) and printing.func is each:
            yield from ((part, part) for arg in printing.args for part in _printed(arg.value))
    branches: list[cst.If | cst.While] = [*file.nodes(cst.If), *file.nodes(cst.While)]
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


def _waits_for(file: FileAnalysis, node: Node, subject: Node) -> bool:
    """Whether the value may be on an accelerator, and is one that has to be waited for."""
    value = file.value(subject)
    if value.place is not Place.ACCELERATOR:
        return False
    if value.kind is Kind.TENSOR:
        return True
    return value.kind is Kind.UNKNOWN and node is not subject and not isinstance(subject, cst.Subscript)


def _is_hot(file: FileAnalysis, loop: cst.For | cst.While) -> bool:
    return not runs_once(loop) and (_trains(file, loop) or _moves_batches(file, loop))


def _trains(file: FileAnalysis, loop: Node) -> bool:
    """Whether backward runs once in every iteration of this very loop, perhaps in a function that it calls."""
    flow = file.flow(file.function(loop))
    return any(
        event.what is Happens.BACKWARD
        and next(file.tree.loops(event.site), None) is loop
        and (event.node is event.site or next(event.file.tree.loops(event.node), None) is None)  # else the loop over batches is there
        for event in flow.events.values()
    )


def _moves_batches(file: FileAnalysis, loop: cst.For | cst.While) -> bool:
    """Whether what the loop iterates over is moved to a device in it, or comes from there."""
    if not isinstance(loop, cst.For):
        return False
    flow = file.flow(file.function(loop))
    targets = [flow.values.get(each) for each in _names(loop.target)]
    if not any(value is not None and value.batch for value in targets):
        return False
    if any(value is not None and value.batch and value.place is Place.ACCELERATOR for value in targets):
        return True
    for call in file.methods("to", "cuda"):
        if file.is_inside(call, loop.body) and next(file.tree.loops(call), None) is loop and isinstance(call.func, cst.Attribute):
            moved = flow.values.get(call.func.value)
            if moved is not None and moved.batch and flow.values.get(call, Value()).place is Place.ACCELERATOR:
                return True
    return False


def _names(target: Node) -> Iterator[cst.Name]:
    if isinstance(target, cst.Name):
        yield target
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _names(element.value)


def _now_and_then(file: FileAnalysis, node: Node, loop: Node) -> bool:
    """Whether only some iterations get there, or it ends the loop."""
    child = node
    for each in file.ancestors(node):
        if each is loop:
            return False
        tried = isinstance(each, (cst.Try, cst.TryStar)) and child is each.body
        if isinstance(each, BRANCHES) and child is not getattr(each, "test", None) and not tried and not _goes_on(each, child):
            return True
        if isinstance(each, (cst.Return, cst.Yield, cst.Assert, cst.Raise, cst.ExceptHandler)):
            return True
        child = each
    return False


def _goes_on(branch: Node, child: Node) -> bool:
    """`if i < limit: … else: break`: whether the loop ends unless it gets to this branch."""
    if not isinstance(branch, cst.If) or child is not branch.body or not isinstance(branch.orelse, cst.Else):
        return False
    last = branch.orelse.body.body[-1:]
    return bool(last) and isinstance(last[0], cst.SimpleStatementLine) and isinstance(last[0].body[-1], cst.Break)


def _is_collected(file: FileAnalysis, node: Node) -> bool:
    """Whether the value goes straight into a container: a learning curve, or results for the host."""
    for each in file.ancestors(node):
        if (
            isinstance(each, cst.Call)
            and isinstance(each.func, cst.Attribute)
            and each.func.attr.value in _STORES
            and not file.is_inside(node, each.func)
        ):
            return True
        if isinstance(each, (cst.Dict, cst.ListComp, cst.DictComp)):
            return True
        if isinstance(each, cst.AugAssign):
            return file.value(each.target).kind is Kind.LIST
        if isinstance(each, cst.Assign):
            return any(isinstance(target.target, cst.Subscript) for target in each.targets)
        if isinstance(each, cst.BaseCompoundStatement):
            return False
    return False


# -- totals --------------------------------------------------------------------------------------------------------------


def _total(file: FileAnalysis, node: cst.BaseExpression, loop: cst.For | cst.While) -> RunningTotal | None:
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or node.func.attr.value != "item":
        return None
    update, name = _update(file, node)
    if update is None or name is None or next(file.tree.loops(update), None) is not loop:
        return None
    if not _starts_as_number(file, name, loop) or not _only_added_to(file, name, update, loop) or _returns(file, loop):
        return None
    tensor = node.func.value
    count = _is_count(tensor)
    return RunningTotal(name, tensor, count) if count or _is_loss(file, tensor) else None


def _update(file: FileAnalysis, node: Node) -> tuple[Node | None, cst.Name | None]:
    """The statement that adds the value, perhaps weighted, to a plain variable."""
    parent = file.parent(node)
    while isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Multiply):
        node, parent = parent, file.parent(parent)
    if isinstance(parent, cst.AugAssign) and isinstance(parent.operator, cst.AddAssign) and parent.value is node:
        return (parent, parent.target) if isinstance(parent.target, cst.Name) else (None, None)
    if isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Add) and parent.right is node:
        assign = file.parent(parent)
        if (
            isinstance(assign, cst.Assign)
            and len(assign.targets) == 1
            and isinstance(assign.targets[0].target, cst.Name)
            and isinstance(parent.left, cst.Name)
        ):
            name = assign.targets[0].target
            return (assign, name) if name.value == parent.left.value else (None, None)
    return None, None


def _starts_as_number(file: FileAnalysis, name: cst.Name, loop: Node) -> bool:
    """Whether the total is set to a number right before the loop, in the block that the loop stands in (or around a `with`)."""
    scope = file.names.scope(name).lookup(name.value)
    if scope is None or scope.node is not file.function(loop):
        return False
    outside = [
        binding for binding in scope.bindings[name.value] if not file.is_inside(binding.node, loop) and file.is_after(loop, binding.node)
    ]
    if len(outside) != 1:
        return False
    first = outside[0]
    holder = file.parent(file.statement(first.node))
    around = list(file.ancestors(loop))
    outer_loops = {each for each in around if isinstance(each, (cst.For, cst.While))}
    same_iteration = outer_loops == {each for each in file.ancestors(first.node) if isinstance(each, (cst.For, cst.While))}
    return holder in around and same_iteration and _assigned_number(file, first.node)


def _assigned_number(file: FileAnalysis, name: Node) -> bool:
    target = file.parent(name)
    if isinstance(target, cst.AssignTarget):
        assign = file.parent(target)
        return isinstance(assign, cst.Assign) and isinstance(assign.value, (cst.Integer, cst.Float))
    if isinstance(target, cst.Element):  # total, correct = 0.0, 0
        display = file.parent(target)
        holder = file.parent(display) if display is not None else None
        assign = file.parent(holder) if holder is not None else None
        if (
            isinstance(display, cst.Tuple)
            and isinstance(assign, cst.Assign)
            and isinstance(assign.value, cst.Tuple)
            and len(display.elements) == len(assign.value.elements)
        ):
            position = next(index for index, each in enumerate(display.elements) if each is target)
            return isinstance(assign.value.elements[position].value, (cst.Integer, cst.Float))
    return False


def _only_added_to(file: FileAnalysis, name: cst.Name, update: Node, loop: Node) -> bool:
    return all(file.is_inside(each, update) for each in file.references(name) if file.is_inside(each, loop))


def _returns(file: FileAnalysis, loop: Node) -> bool:
    return any(file.is_inside(each, loop) for each in (*file.nodes(cst.Return), *file.nodes(cst.Yield)))


def _is_count(node: Node) -> bool:
    """`(a == b).sum()`, `a.eq(b).sum()`: whole numbers, and int64 on the device."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or node.func.attr.value != "sum" or node.args:
        return False
    inner = node.func.value
    return (
        isinstance(inner, cst.Comparison)
        or isinstance(inner, cst.Call)
        and isinstance(inner.func, cst.Attribute)
        and inner.func.attr.value in ("eq", "ne", "gt", "lt", "ge", "le")
    )


def _is_loss(file: FileAnalysis, node: Node) -> bool:
    value = file.value(node)
    if value.has_graph or value.roots:
        return True
    made = value.node
    if not isinstance(made, cst.Call):
        return False
    path = file.qualname(made.func)
    if path is not None:
        return path.startswith("torch.nn.functional.") and path.rpartition(".")[2] in LOSSES
    return (file.value(made.func).qualname or "") in LOSS_MODULES
