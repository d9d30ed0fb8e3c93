"""What variables of the same name are, elsewhere in the file: where `model` is trained in one function, it is a module in the next.

A name proves nothing by itself. What is proved of one variable holds for another one of its name in the same file where both are
used alike (both are called), and no third one says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import libcst as cst

from torchlint.facts.modules import LOSS_MODULES
from torchlint.facts.tensors import MODULE_EVIDENCE
from torchlint.syntax.names import Binding, Binds
from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis
from torchlint.values.value import Graph, Kind, Value

Sketch = Callable[[Analysis, Node, int], Value | None]
_DEPTH = 2
_MANY = 40
"""Calls of one name that are looked at: a file with more of them is made by a program."""
_BACKWARD = ("backward", "manual_backward")


def module(file: Analysis, function: cst.FunctionDef, name: str, sketch: Sketch) -> Value | None:
    """The module that an untyped parameter is, as far as its namesakes show; None where they do not, or disagree."""
    if not _is_called(file, function, name):
        return None
    if name not in file.namesakes:  # the same for every function that asks
        file.namesakes[name] = None
        file.namesakes[name] = _agreed(file, name, sketch)
    agreed = file.namesakes[name]
    if agreed is None:
        return None
    return Value(Kind.MODULE, qualname=agreed.qualname, definition=agreed.definition, scalar=agreed.scalar)


def _agreed(file: Analysis, name: str, sketch: Sketch) -> Value | None:
    """What all variables of the name are of which anything is proved."""
    found: list[Value] = []
    for binding in _bindings(file, name):
        value = _proved(file, binding, name, sketch)
        if value is None or value.kind is Kind.NONE:
            continue
        if value.kind is not Kind.MODULE:
            return None
        found.append(value)
    if not found:
        return None
    first = found[0]
    losses = [each.qualname in LOSS_MODULES for each in found]
    if any(losses) and not all(losses):
        return None
    agreed = all(each.qualname == first.qualname for each in found)
    return Value(
        Kind.MODULE,
        qualname=first.qualname if agreed or all(losses) else None,
        definition=first.definition if all(each.definition is first.definition for each in found) else None,
        scalar=all(each.scalar for each in found),
    )


def _bindings(file: Analysis, name: str) -> Iterator[Binding]:
    """Every binding of the name in the file, in whatever scope."""
    seen: set[Node] = set()
    for each in file.tree.names.get(name, ()):
        for binding in file.names.bindings(each):
            if binding.node not in seen:
                seen.add(binding.node)
                yield binding


def _proved(file: Analysis, binding: Binding, name: str, sketch: Sketch) -> Value | None:
    if binding.how in (Binds.FUNCTION, Binds.CLASS, Binds.IMPORT):
        return Value(Kind.FUNCTION)
    if binding.how is Binds.ASSIGN and binding.value is not None and not isinstance(binding.value, cst.Name):
        value = sketch(file, binding.value, _DEPTH)
        if value is not None:
            return value
    methods = _methods(file, name, file.function(file.parent(binding.node) or binding.node))
    if {"zero_grad", "step"} <= methods or "param_groups" in methods:
        return Value(Kind.OPTIMIZER)
    return Value(Kind.MODULE) if methods & MODULE_EVIDENCE and "step" not in methods else None


def _methods(file: Analysis, name: str, function: Node) -> set[str]:
    """What a function asks of the variable."""
    uses = file.tree.within(file.tree.names.get(name, ()), function)
    attributes = (file.parent(each) for each in uses if file.function(each) is function)
    return {each.attr.value for each in attributes if isinstance(each, cst.Attribute)}


def _is_called(file: Analysis, function: cst.FunctionDef, name: str) -> bool:
    return any(True for _ in _calls(file, name, function.body))


def _calls(file: Analysis, name: str, place: Node) -> Iterator[tuple[cst.Call, Node]]:
    """The calls `name(…)` and `self.name(…)` in a place, with the function that each stands in."""
    tree = file.tree
    for each in (*tree.within(tree.names.get(name, ()), place), *tree.within(tree.attributes.get(name, ()), place)):
        call = file.parent(each)
        if isinstance(call, cst.Call) and call.func is each:
            yield call, file.function(call)


def is_loss(file: Analysis, call: cst.Call) -> bool:
    """Whether what a namesake of the called variable returned, in another function of the file, was differentiated."""
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else call.func.value if isinstance(call.func, cst.Name) else ""
    own = file.function(call)
    if _differentiates(file, own):
        return False  # whatever is differentiated here shows here
    for other, function in islice(_calls(file, str(name), file.module), _MANY):
        if function is own or len(other.args) != len(call.args) or not _differentiates(file, function):
            continue
        flow = file.flow_or_none(function)
        value = flow.values.get(other) if flow is not None else None
        if value is not None and value.graph is Graph.YES and (value.roots or value.differentiated):
            return True
    return False


def _differentiates(file: Analysis, function: Node) -> bool:
    return any(file.tree.within(file.tree.attributes.get(name, ()), function) for name in _BACKWARD)
