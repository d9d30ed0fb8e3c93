"""Whether it is felt that `volatile` does nothing: somebody sets it, and a model records a graph that is never differentiated."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from torchlint.model.conditions import when
from torchlint.model.dataflow import consumers, ways
from torchlint.program.analysis import FileAnalysis
from torchlint.program.callers import records
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Graph, Kind, Value

_SWITCHES_GRAD = re.compile(r"\b(?:no_grad|inference_mode|set_grad_enabled)\b")
_PACKAGES = ("torch.", "numpy.")


def is_felt(file: FileAnalysis, call: cst.Call, flag: cst.BaseExpression) -> bool:
    """Whether gradients are recorded that this flag was to prevent: those of a model that gets the tensor, here or from the caller."""
    if records(file, call) is False or not _is_set(file, call, flag):
        return False
    reached = list(_computed(file, file.value(call)))
    if literal(flag) is True and any(_is_on_the_way(file, call, root) for each in reached for root in each.roots):
        return False  # the graph is wanted: the flag of a target changes nothing
    return _is_handed_over(file, call, reached) or _is_returned(file, call, reached)


def _is_on_the_way(file: FileAnalysis, call: cst.Call, root: Node) -> bool:
    """Whether who comes by the call may come by a backward: they do not stand under opposite answers."""
    if root not in file.tree.order:
        return True
    arms = {each.question: each.arm for each in when(file, call)}
    return all(arms.get(each.question, each.arm) == each.arm for each in when(file, root))


def place(file: FileAnalysis, call: cst.Call) -> Node:
    """Around what gradients would be switched off instead: the function, or at the top of a file the block."""
    function = file.function(call)
    if not isinstance(function, cst.Module):
        return function
    return next((each for each in file.ancestors(call) if isinstance(each, cst.BaseSuite)), function)


def _is_set(file: FileAnalysis, call: cst.Call, flag: cst.BaseExpression) -> bool:
    """Whether it is ever on: not a parameter that is False unless it is given, and that nobody gives."""
    function = file.function(call)
    if not isinstance(flag, cst.Name) or not isinstance(function, cst.FunctionDef):
        return True
    taken = [*function.params.posonly_params, *function.params.params, *function.params.kwonly_params]
    place = next((index for index, each in enumerate(taken) if each.name.value == flag.value), None)
    if place is None or taken[place].default is None or literal(taken[place].default) is not False:
        return True
    given = file.arguments_for(function, flag.value, place)
    return any(literal(each) is not False for each in given) or file.is_written_elsewhere(re.compile(rf"\b{flag.value}\s*=\s*True\b"))


def _computed(file: FileAnalysis, start: Value) -> Iterator[Value]:
    """The value, and what is computed from it before its graph is cut."""
    stack, seen = [start], set[int]()
    while stack:
        each = stack.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            stack += [after for after in consumers(file, each) if not _is_cut(after)]


def _is_cut(value: Value) -> bool:
    if value.op == "detach" or isinstance(value.node, cst.Attribute) and value.node.attr.value == "data":
        return True
    return value.graph is Graph.NO and any(each.graph is not Graph.NO for each in value.sources if each.kind in (Kind.UNKNOWN, Kind.TENSOR))


def _is_handed_over(file: FileAnalysis, call: cst.Call, reached: list[Value]) -> bool:
    """Whether a model, or something unknown, is given the tensor; what torch and Python do with it records nothing by itself."""
    held = {id(each) for each in reached}
    for each in file.inside(file.function(call), cst.Call):
        if (
            each is not call
            and _may_record(file, each)
            and any(id(way) in held for arg in each.args for way in ways(file.value(arg.value)))
        ):
            return True
    return False


def _may_record(file: FileAnalysis, call: cst.Call) -> bool:
    path = file.qualname(call.func)
    if path is not None:
        return not path.startswith(_PACKAGES)
    return not isinstance(call.func, cst.Name) or bool(file.names.bindings(call.func))


def _is_returned(file: FileAnalysis, call: cst.Call, reached: list[Value]) -> bool:
    function: Node = file.function(call)
    returned = file.flow(function).returns
    if not isinstance(function, cst.FunctionDef) or returned is None:
        return False
    held = {id(each) for each in returned.lineage()}
    if not any(id(each) in held for each in reached):
        return False
    return not (file.is_named_elsewhere(function.name.value) and file.is_written_elsewhere(_SWITCHES_GRAD))
