"""Tensors that were made to be trained, and are no longer leaves when the expression that makes them is done.

`torch.zeros(2, requires_grad=True).to(device)`: the name gets the result of the move, the leaf behind it is out of reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.tensors import FACTORIES, MOVES, OPERATIONS
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place, Value

MAY_KEEP = frozenset("float contiguous cpu pin_memory requires_grad_ retain_grad type to".split())
"""Methods that may well return the tensor itself: a type that it has already, a device where it is."""
_ASKED = ("retain_grad", "grad")


@dataclass(frozen=True)
class LostLeaf:
    made: cst.Call
    """The constructor of the leaf."""
    result: cst.BaseExpression
    """What is computed from it straight away, and kept in its place."""
    step: cst.BaseExpression
    """The first operation that makes another tensor of it."""
    wanted: Node
    """What shows that the leaf was meant: it is asked for its gradient, given to an optimizer, kept on an object."""
    is_parameter: bool


def lost_leaves(file: FileAnalysis) -> Iterator[LostLeaf]:
    for made in file.nodes(cst.Call):
        path = file.qualname(made.func)
        if path is None or not (path == "torch.nn.Parameter" or path in FACTORIES):
            continue
        leaf = file.value(made)
        if not leaf.leaf or not leaf.has_graph:
            continue
        result, step = _computed(file, made)
        if step is None:
            continue
        value = file.value(result)
        wanted = _wanted(file, result, value) if value.has_graph and not value.leaf else None
        if wanted is not None:
            yield LostLeaf(made, result, step, wanted, path == "torch.nn.Parameter")


def device_of(file: FileAnalysis, lost: LostLeaf) -> str | None:
    """What `device=` has to say instead of the move, where that is all that follows the constructor."""
    move = lost.step
    func = move.func if isinstance(move, cst.Call) and move is lost.result else None
    if not isinstance(move, cst.Call) or not isinstance(func, cst.Attribute) or func.value is not lost.made:
        return None
    if func.attr.value == "cuda" and not move.args:
        return '"cuda"'
    given = move.args[0] if func.attr.value == "to" and len(move.args) == 1 and not move.args[0].star else None
    return file.source(given.value) if given is not None and (given.keyword is None or given.keyword.value == "device") else None


def _computed(file: FileAnalysis, made: cst.Call) -> tuple[cst.BaseExpression, cst.BaseExpression | None]:
    """The whole of the expression that goes on from the leaf alone, and its first step that certainly makes another tensor."""
    current: cst.BaseExpression = made
    step: cst.BaseExpression | None = None
    while True:
        parent = file.parent(current)
        if isinstance(parent, cst.BinaryOperation):
            other = parent.right if parent.left is current else parent.left
            if file.value(other).kind is not Kind.NUMBER:
                return current, step
            current, step = parent, step or parent
        elif isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Minus):
            current, step = parent, step or parent
        elif isinstance(parent, cst.Attribute) and isinstance(call := file.parent(parent), cst.Call) and call.func is parent:
            name = parent.attr.value
            moves = name in MOVES and file.value(call).place is Place.ACCELERATOR and file.value(current).place is not Place.ACCELERATOR
            if not (moves or name in MAY_KEEP or name in MOVES or name in OPERATIONS) or name == "detach":
                return current, step
            current, step = call, step or (call if moves or name not in MAY_KEEP else None)
        else:
            return current, step


def _wanted(file: FileAnalysis, result: cst.BaseExpression, value: Value) -> Node | None:
    statement = file.parent(result)
    targets = [each.target for each in statement.targets] if isinstance(statement, cst.Assign) else []
    for target in targets:
        if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name) and file.owner(file.function(target)) is not None:
            return target if _is_constructor(file, target) else None
    function = file.function(result)
    for name in _ASKED:
        for attribute in file.attributes_inside(function, name):
            if file.function(attribute) is function and file.value(attribute.value) is value:
                return None if name == "retain_grad" else attribute
    for call in file.inside(function, cst.Call):
        made = file.value(call)
        if made.kind is Kind.OPTIMIZER and made.node is call and any(_holds(given, value) for given in made.sources):
            return call
    return None


def _is_constructor(file: FileAnalysis, target: Node) -> bool:
    """Whether this runs once, where an object is made: what a method sets may be a state that is computed with, and thrown away."""
    function = file.function(target)
    return isinstance(function, cst.FunctionDef) and function.name.value in ("__init__", "reset_parameters", "init_weights")


def _holds(container: Value, value: Value) -> bool:
    """Whether a list of parameters, or of groups of them, has it in it."""
    stack, seen = [container], set[int]()
    while stack:
        each = stack.pop()
        if each is value:
            return True
        if id(each) not in seen and each.kind in (Kind.LIST, Kind.TUPLE, Kind.DICT):
            seen.add(id(each))
            stack += [*each.sources, *each.parts]
    return False
