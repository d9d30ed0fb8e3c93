"""Whether a variable leaves the function that fills it: returned, stored, handed on, or within reach of code that is not seen."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd import _consumers as consumers
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Value

_HARMLESS = frozenset("format info debug warning write set_postfix set_description add_scalar".split())
"""Methods that show what they are given, and keep nothing of it."""
_REFLECTING = ("locals", "globals", "vars", "eval", "exec")
_FRAMES = ("f_locals", "currentframe", "_getframe")


def root(target: Node) -> cst.Name | None:
    """The variable that `total`, `totals["loss"]` or `parts.setdefault("loss", [])` starts from; None for an attribute of an object."""
    while isinstance(target, (cst.Subscript, cst.Call)):
        if isinstance(target, cst.Subscript):
            target = target.value
        elif isinstance(target.func, cst.Attribute):
            target = target.func.value
        else:
            return None
    return target if isinstance(target, cst.Name) else None


def is_local(file: FileAnalysis, name: cst.Name) -> bool:
    """Whether the variable belongs to the function that uses it here, and no other function, nor `locals()`, reaches it."""
    scope = file.names.scope(name).lookup(name.value)
    function = file.function(name)
    return (
        scope is not None
        and scope.node is function
        and not any(binding.how is Binds.PARAMETER for binding in scope.bindings[name.value])
        and all(file.function(each) is function for each in file.references(name))
        and not reflects(file, function)
    )


def is_confined(file: FileAnalysis, target: Node) -> bool:
    """Whether a total or container belongs to one call of a function, whose every use of it would do as well without a graph."""
    name = root(target)
    return (
        name is not None
        and not isinstance(file.function(name), cst.Module)  # what a module holds, every other file reaches
        and is_local(file, name)
        and consumers.take_values(file, name)
    )


def reflects(file: FileAnalysis, function: Node) -> bool:
    """Whether the code reads its own variables by name: `locals()`, `eval(…)`."""
    return any(file.tree.attributes.get(name) for name in _FRAMES) or any(
        not file.names.bindings(each) and (isinstance(function, cst.Module) or file.is_inside(each, function))
        for name in _REFLECTING
        for each in file.tree.names.get(name, ())
    )


def escapes(file: FileAnalysis, flow: Flow, target: Node, into: Value) -> bool:
    """Whether code that is not seen may get hold of the total or container."""
    name = root(target)
    if name is None or not is_local(file, name):
        return True
    references = file.references(name)
    if any(_is_handed_over(file, each) for each in references):
        return True
    if any(value is not None and value.roots for value in map(flow.values.get, references)):
        return True  # the variable goes backward, whatever it holds by then
    own = {id(into), *(id(flow.values.get(each)) for each in references)}  # a dictionary of totals holds its entries for itself
    reached = [flow.returns] if flow.returns is not None else []
    for event in flow.events.values():
        if event.what is Happens.OPAQUE and not _shows(event.node):
            reached += event.values
        elif event.what is Happens.STORE and event.target is not None and id(event.target) not in own:
            reached.append(event.target)
    return any(into is each for value in reached for each in value.lineage())


def _is_handed_over(file: FileAnalysis, use: Node) -> bool:
    """Whether the variable itself is an argument of a function or method of the project, or of one that is not known."""
    argument = file.parent(use)
    call = file.parent(argument) if isinstance(argument, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    if isinstance(call.func, cst.Name):
        return bool(file.names.bindings(call.func)) and file.qualname(call.func) is None
    return file.qualname(call.func) is None and not _shows(call)


def _shows(call: Node) -> bool:
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in _HARMLESS
