"""Inputs that `forward` changes in place while the caller still needs them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind


def changed_inputs(file: FileAnalysis) -> Iterator[tuple[Node, str, cst.Name]]:
    """Where a `forward` changes its argument, the argument's name, and where a caller uses what it gave again."""
    for owner in file.classes():
        forward = owner.own_methods.get("forward")
        if forward is None or not owner.is_module or forward.decorators:
            continue
        parameters = [*forward.params.posonly_params, *forward.params.params][1:]
        changes = [(place, each, _change(file, forward, each.name)) for place, each in enumerate(parameters)]
        if not any(change is not None for _, _, change in changes):
            continue
        calls = list(_calls_of(file, owner))
        for place, param, change in changes:
            used = next((again for call in calls if (again := _used_again(file, call, place, param.name.value)) is not None), None)
            if change is not None and used is not None:
                yield change, param.name.value, used


def _change(file: FileAnalysis, forward: cst.FunctionDef, name: cst.Name) -> Node | None:
    """The first thing that happens to a parameter, if it changes what was handed in."""
    for use in _in_turn(file, name):
        if use is name or file.function(use) is not forward:
            continue
        above = file.parent(use)
        if isinstance(above, cst.AssignTarget) or isinstance(above, cst.AnnAssign) and above.target is use:
            return None  # another value from here on
        if isinstance(above, cst.AugAssign) and above.target is use:
            return above
        if isinstance(above, cst.Subscript) and above.value is use:
            target = file.parent(above)
            if isinstance(target, cst.AssignTarget) or isinstance(target, cst.AugAssign) and target.target is above:
                return above
        if isinstance(above, cst.Attribute) and isinstance(call := file.parent(above), cst.Call) and call.func is above:
            method = above.attr.value
            if method.endswith("_") and not method.startswith("_") and method not in ("requires_grad_", "retain_grad_"):
                return call
        if isinstance(above, cst.Arg) and isinstance(call := file.parent(above), cst.Call) and _works_in_place(file, call, use):
            return call
    return None


def _in_turn(file: FileAnalysis, name: cst.Name) -> list[cst.Name]:
    """The uses of a variable as they are evaluated: what is assigned comes before what it is assigned to."""
    order = file.tree.order
    return sorted(file.references(name), key=lambda use: (order[file.statement(use)], isinstance(file.parent(use), cst.AssignTarget)))


def _works_in_place(file: FileAnalysis, call: cst.Call, given: cst.Name) -> bool:
    """`F.relu(x, inplace=True)`, and `self.relu(x)` where that was made with `inplace=True`."""
    if not call.args or call.args[0].value is not given:
        return False
    path = file.qualname(call.func)
    if path is not None:
        return path.startswith("torch.nn.functional.") and _says_in_place(call)
    made = file.value(call.func)
    is_layer = made.kind is Kind.MODULE and (made.qualname or "").startswith("torch.nn.") and made.cls is None
    return is_layer and isinstance(made.node, cst.Call) and made.node is not call and _says_in_place(made.node)


def _says_in_place(call: cst.Call) -> bool:
    given = (arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "inplace")
    return any(isinstance(arg.value, cst.Name) and arg.value.value == "True" for arg in given)


def _calls_of(file: FileAnalysis, owner: ClassModel) -> Iterator[cst.Call]:
    """The calls of instances of the class in this file."""
    for call in file.nodes(cst.Call):
        if isinstance(call.func, (cst.Name, cst.Attribute)) and call.args and file.qualname(call.func) is None:
            value = file.value(call.func)
            if value.kind is Kind.MODULE and value.cls is owner:
                yield call


def _used_again(file: FileAnalysis, call: cst.Call, place: int, name: str) -> cst.Name | None:
    """Where the variable that was handed over is read after the call, before it stands for something else."""
    given = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == name), None)
    if given is None and place < len(call.args) and call.args[place].keyword is None and not call.args[place].star:
        given = call.args[place].value
    if not isinstance(given, cst.Name):
        return None
    statement = file.statement(call)
    for use in _in_turn(file, given):
        if file.function(use) is not file.function(call) or use is given:
            continue
        above = file.parent(use)
        if file.statement(use) is statement:
            if isinstance(above, cst.AssignTarget):
                return None  # x = block(x)
            if isinstance(above, cst.BinaryOperation) or file.is_after(use, given):
                return use  # x + block(x): the sum is of what the block left
        elif file.is_after(use, given):
            return None if isinstance(above, cst.AssignTarget) else use
    return None
