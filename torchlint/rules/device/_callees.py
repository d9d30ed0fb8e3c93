"""Which function of the project a call runs, and what it is given there."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.classes import ClassModel
from torchlint.values.value import ClassDefinition, Function, Kind


@dataclass(frozen=True)
class Called:
    """A function of the project that a call runs."""

    file: FileAnalysis
    node: cst.FunctionDef


def callee(file: FileAnalysis, call: cst.Call) -> Called | None:
    """What a call runs: a function, a method, a module's `forward`."""
    found = _definition(file, call)
    if found is None or not isinstance(found.file, FileAnalysis) or not isinstance(found.node, cst.FunctionDef):
        return None
    return Called(found.file, found.node)


def backward(function: Called) -> Called | None:
    """What runs on the way back, for the `forward` of a `torch.autograd.Function`."""
    owner = function.file.owner(function.node) if function.node.name.value == "forward" else None
    found = owner.method("backward") if owner is not None and _is_differentiable(owner) else None
    if found is None or not isinstance(found.file, FileAnalysis) or not isinstance(found.node, cst.FunctionDef):
        return None
    return Called(found.file, found.node)


def _applied(file: FileAnalysis, func: cst.BaseExpression) -> Function | None:
    """The `forward` that `Rounded.apply` runs, or a name that stands for it."""
    made = file.value(func).node
    named = made if isinstance(made, cst.Attribute) and made in file.tree.order else func
    if not isinstance(named, cst.Attribute) or named.attr.value != "apply":
        return None
    owner = file.value(named.value).cls
    return owner.method("forward") if isinstance(owner, ClassModel) and _is_differentiable(owner) else None


def _is_differentiable(owner: ClassModel) -> bool:
    return "torch.autograd.Function" in owner.imported_bases


def _definition(file: FileAnalysis, call: cst.Call) -> Function | None:
    target = file.value(call.func)
    applied = _applied(file, call.func)
    if applied is not None:
        return applied
    if isinstance(target.definition, Function):
        return target.definition
    if target.kind is Kind.MODULE and isinstance(target.definition, ClassDefinition):
        return target.definition.method("forward")
    if target.kind is Kind.OBJECT and isinstance(target.definition, ClassDefinition):
        return target.definition.method("__call__")
    if isinstance(call.func, cst.Attribute):
        owner = file.value(call.func.value)
        if owner.cls is not None and owner.kind in (Kind.OBJECT, Kind.MODULE):
            return owner.cls.method(call.func.attr.value)
    return None


def arguments(file: FileAnalysis, function: cst.FunctionDef, call: cst.Call) -> dict[str, cst.BaseExpression]:
    """What a call gives a function of the project, or of another file of it, by the name of the parameter."""
    parameters = [*function.params.posonly_params, *function.params.params]
    bound = bool(parameters) and parameters[0].name.value in ("self", "ctx")
    names = [each.name.value for each in parameters][bound:]
    found = {}
    for position, arg in enumerate(call.args):
        if arg.keyword is not None:
            found[arg.keyword.value] = arg.value
        elif not arg.star and position < len(names):
            found[names[position]] = arg.value
    return found
