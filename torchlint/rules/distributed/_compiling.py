"""Calls of `torch.compile` that wrap the same thing anew each time: in a loop around it, or in every forward pass."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node, descendants

_RESETS = ("torch.compiler.reset", "torch._dynamo.reset", "torch._dynamo.reset_code_caches")
_LOOKS = (cst.Is, cst.IsNot, cst.In, cst.NotIn)


def wrapped_anew(file: FileAnalysis) -> Iterator[tuple[cst.Call, Node]]:
    """The calls, each with the loop or the `forward` that comes to them again and again."""
    if next(file.calls(*_RESETS), None) is not None:
        return  # a program that tries compilation itself
    for call in file.calls("torch.compile"):
        if (
            not call.args
            or call.args[0].keyword is not None
            and call.args[0].keyword.value != "model"
            or any(arg.star for arg in call.args)
        ):
            continue
        loop = next(iter(file.tree.loops(call)), None)
        if loop is not None:
            if not _is_short(loop) and not _is_left(file, call) and not _changes(file, call, loop):
                yield call, loop
        elif _is_forward(file, call) and not _is_kept(file, call):
            yield call, file.function(call)


def _is_forward(file: FileAnalysis, call: cst.Call) -> bool:
    function = file.function(call)
    owner = file.owner(function)
    return isinstance(function, cst.FunctionDef) and function.name.value == "forward" and owner is not None and owner.is_module


def _is_kept(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether a condition says that it happens once: it asks for None or a key, or what it guards is stored for the next time."""
    conditions = when(file, call)
    looks = any(isinstance(each, _LOOKS) for asked in conditions for each in _operators(asked.test))
    calls = (each for asked in conditions for each in descendants(asked.test) if isinstance(each, cst.Call))
    asks = any(isinstance(each.func, cst.Name) and each.func.value == "hasattr" for each in calls)
    assign = file.parent(call)
    stores = isinstance(assign, cst.Assign) and any(isinstance(each.target, (cst.Attribute, cst.Subscript)) for each in assign.targets)
    return looks or asks or bool(conditions) and stores


def _operators(test: Node) -> Iterator[cst.BaseCompOp]:
    for each in descendants(test):
        if isinstance(each, cst.Comparison):
            yield from (target.operator for target in each.comparisons)


def _is_short(loop: cst.For | cst.While) -> bool:
    """Whether a loop goes over a few things that are written out: the settings that are compared."""
    return isinstance(loop, cst.For) and isinstance(loop.iter, (cst.List, cst.Tuple, cst.Set, cst.Dict))


def _is_left(file: FileAnalysis, call: cst.Call) -> bool:
    """Whether the loop ends where the call has been made: a second try, a search for the first."""
    block = file.parent(file.statement(call))
    ends = (cst.Break, cst.Return, cst.Raise)
    around = (block, file.parent(block)) if block is not None else ()
    return any(each is not None and any(file.is_after(end, call) for kind in ends for end in file.inside(each, kind)) for each in around)


def _changes(file: FileAnalysis, call: cst.Call, loop: cst.For | cst.While) -> bool:
    """Whether an iteration compiles another thing than the one before, or compiles in some iterations only."""
    own = file.statement(call)
    if any(_is_set(file, each, loop, without=own) for arg in call.args for each in _places(arg.value)):
        return True
    tests = [each.test for each in when(file, call) if file.is_inside(each.test, loop.body)]
    return any(
        isinstance(part, cst.Call) or _is_set(file, part, loop, without=None)
        for test in tests
        for part in descendants(test)
        if isinstance(part, (cst.Call, cst.Name, cst.Attribute))
    )


def _places(node: Node) -> Iterator[Node]:
    return (each for each in descendants(node) if isinstance(each, (cst.Name, cst.Attribute, cst.Call)))


def _is_set(file: FileAnalysis, place: Node, loop: cst.For | cst.While, without: Node | None) -> bool:
    """Whether the loop binds a name, sets an attribute, or makes something by a call, but for what one of its statements does."""
    if isinstance(place, cst.Call):
        return True
    if isinstance(place, cst.Attribute):
        targets = [each.target for each in file.inside(loop, cst.AssignTarget)]
        return any(each.deep_equals(place) and (without is None or not file.is_inside(each, without)) for each in targets)
    if not isinstance(place, cst.Name) or place not in file.tree.order:
        return False
    bound = (each.node for each in file.names.bindings(place))
    return any(file.is_inside(each, loop) and (without is None or not file.is_inside(each, without)) for each in bound)
