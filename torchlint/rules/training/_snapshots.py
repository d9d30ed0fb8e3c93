"""Weights that are kept under a name while training goes on, and change with the model they are those of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.model.conditions import when
from torchlint.model.training import trained_modules
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.training._optimizers import replacements
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node, descendants
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Kind, Value

_MOVES = frozenset("to cuda cpu half float double bfloat16".split())
"""After these a module may have other tensors than those that were kept."""
_ORDER = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)


@dataclass
class Snapshot:
    """A name for weights that is taken for a copy of them."""

    statement: cst.Assign
    kept: cst.BaseExpression
    """What is given the name: `model.state_dict()`, or `model` itself."""
    use: Node
    """Where it is read when training has gone on."""
    is_restored: bool
    """It is loaded back into the very module that it belongs to."""


def snapshots(file: FileAnalysis) -> Iterator[Snapshot]:
    for statement in file.nodes(cst.Assign):
        target, kept = statement.targets[0].target, statement.value
        if len(statement.targets) != 1 or not isinstance(target, (cst.Name, cst.Attribute)):
            continue
        named = _module(kept)
        if named is None or isinstance(kept, (cst.Name, cst.Attribute)) and not isinstance(target, cst.Name):
            continue
        module = file.value(named)
        if module.kind is not Kind.MODULE or module.cls is not None and module.cls.method("state_dict") is not None:
            continue
        others = [(place, given) for place, given in _other_bindings(file, target, statement) if not _is_like(file, given, module)]
        use = _kept_in_loop(file, statement, target, module, [place for place, _ in others])
        may_be_back = use is None and isinstance(kept, cst.Call) and not others and not _is_last(file, statement)
        back = _restored(file, statement, target, module) if may_be_back else None
        if use is not None or back is not None:
            yield Snapshot(statement, kept, use or back or statement, use is None)


def _module(kept: cst.BaseExpression) -> cst.BaseExpression | None:
    if isinstance(kept, (cst.Name, cst.Attribute)):
        return kept
    func = kept.func if isinstance(kept, cst.Call) and not kept.args else None
    is_state = isinstance(func, cst.Attribute) and func.attr.value == "state_dict" and isinstance(func.value, (cst.Name, cst.Attribute))
    return func.value if isinstance(func, cst.Attribute) and is_state else None


def _other_bindings(
    file: FileAnalysis, target: cst.Name | cst.Attribute, statement: cst.Assign
) -> list[tuple[Node, cst.BaseExpression | None]]:
    """What else the name is given, and where; None is given where that cannot be seen."""
    if isinstance(target, cst.Name):
        bindings = file.names.bindings(target)
        return [(each.node, each.value) for each in bindings if file.statement(each.node) is not file.statement(statement)]
    owner = file.owner(file.function(statement))
    if owner is None or file.source(target.value) != "self":
        return [(statement, None)]
    return [(place, given) for _, place, given in owner.assignments.get(target.attr.value, ()) if place is not target]


def _is_like(file: FileAnalysis, given: cst.BaseExpression | None, module: Value) -> bool:
    """Whether a further assignment says nothing: it begins with None, or takes the same module's weights."""
    if given is None:
        return False
    named = _module(given)
    is_empty = isinstance(given, cst.Dict) and not given.elements or isinstance(given, cst.Name) and given.value == "None"
    return is_empty or literal(given) in (None, "") or named is not None and file.value(named) is module


def _reads(file: FileAnalysis, target: cst.Name | cst.Attribute) -> list[cst.Name] | list[cst.Attribute]:
    if isinstance(target, cst.Name):
        return [each for each in file.references(target) if not isinstance(file.parent(each), (cst.AssignTarget, cst.Del))]
    owner = file.owner(file.function(target))
    named = file.tree.within(file.tree.attributes.get(target.attr.value, ()), owner.node) if owner is not None else []
    return [each for each in named if not isinstance(file.parent(each), cst.AssignTarget) and file.source(each) == file.source(target)]


def _kept_in_loop(
    file: FileAnalysis, statement: cst.Assign, target: cst.Name | cst.Attribute, module: Value, others: list[Node]
) -> Node | None:
    """Where it is read after a loop that goes on to train the module, if it was taken on one of several ways through that."""
    loops = [each for each in file.tree.loops(statement) if module.node not in file.tree.order or not file.is_inside(module.node, each)]
    flow = file.flow(file.function(statement))
    loop = loops[-1] if loops else None
    if loop is None or not _trains(flow, loop, module) or _ends_loop(file, statement):
        return None
    if any(each is statement or each in file.tree.order and file.is_inside(each, loop) for each in others):
        return None  # it may be copied there
    conditions = when(file, statement)[len(when(file, loop)) :]
    if _is_last(file, statement):
        return None
    if (
        not conditions
        or isinstance(statement.value, (cst.Name, cst.Attribute))
        and not any(_is_improvement(each.test) for each in conditions)
    ):
        return None
    return next((each for each in _reads(file, target) if file.is_after(each, loop) and not file.is_inside(each, loop)), None)


def _trains(flow: Flow, loop: Node, module: Value) -> bool:
    for event in flow.events.values():
        if event.target is not None and event.site in flow.file.tree.order and flow.file.is_inside(event.site, loop):
            if event.what is Happens.STEP and id(module) in trained_modules(event.target):
                return True
            if event.what is Happens.BACKWARD and any(each is module for each in event.target.lineage()):
                return True
    return False


def _ends_loop(file: FileAnalysis, statement: cst.Assign) -> bool:
    """Whether the loop is left once the weights are taken."""
    block = file.parent(file.statement(statement))
    last = block.body[-1] if isinstance(block, cst.IndentedBlock) else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], (cst.Break, cst.Return, cst.Raise))


def _is_last(file: FileAnalysis, statement: cst.Assign) -> bool:
    """Whether the last one taken is the last there is: its iteration is among those that take one."""
    return any(
        _holds_at_last(loop, each.test) for loop in file.tree.loops(statement) for each in when(file, statement)[len(when(file, loop)) :]
    )


def _holds_at_last(loop: Node, test: Node) -> bool:
    """Whether a condition names the last iteration: `epoch == epochs - 1` in `for epoch in range(epochs)`."""
    return isinstance(loop, cst.For) and any(
        isinstance(each, cst.Comparison)
        and each.left.deep_equals(loop.target)
        and isinstance(each.comparisons[0].operator, cst.Equal)
        and isinstance(bound := each.comparisons[0].comparator, cst.BinaryOperation)
        and isinstance(bound.operator, cst.Subtract)
        and literal(bound.right) == 1
        for each in (test, *descendants(test))
    )


def _is_improvement(test: Node) -> bool:
    return any(isinstance(each, cst.ComparisonTarget) and isinstance(each.operator, _ORDER) for each in (test, *descendants(test)))


def _restored(file: FileAnalysis, statement: cst.Assign, target: cst.Name | cst.Attribute, module: Value) -> Node | None:
    """Where it is loaded back into the module after something was done with that, if nothing else is done with it."""
    home, reads = file.function(statement), _reads(file, target)
    loads = [_loading(file, each) for each in reads]
    if not isinstance(target, cst.Name) or None in loads or any(file.function(each) is not home for each in reads):
        return None
    for each, load in zip(reads, loads, strict=True):
        if load is None or not file.is_after(each, statement) or file.value(load) is not module:
            return None
        between = [node for node in file.nodes(cst.Name) if file.value(node) is module and _is_between(file, node, statement, load)]
        if not between or _may_be_replaced(file, home, module, statement, load):
            return None
    return loads[0] if loads else None


def _loading(file: FileAnalysis, read: Node) -> cst.BaseExpression | None:
    """The module that loads it here."""
    call = file.parent(file.parent(read) or read)
    func = call.func if isinstance(call, cst.Call) and isinstance(file.parent(read), cst.Arg) else None
    return func.value if isinstance(func, cst.Attribute) and func.attr.value == "load_state_dict" else None


def _is_between(file: FileAnalysis, node: Node, statement: cst.Assign, load: Node) -> bool:
    return file.is_after(node, statement) and file.is_after(load, node) and not file.is_inside(node, file.statement(statement))


def _may_be_replaced(file: FileAnalysis, home: Node, module: Value, statement: cst.Assign, load: Node) -> bool:
    """Whether the module may have got other tensors since: it is moved, or given new parts."""
    moves = (call for name in _MOVES for call in file.methods(name) if isinstance(call.func, cst.Attribute))
    moved = any(file.value(call.func.value) is module and _is_between(file, call, statement, load) for call in moves)  # type: ignore[attr-defined]
    return moved or any(_is_between(file, each, statement, load) for each in replacements(file, home, module))
