"""Who calls a function in its own file, with what, and whether gradients are recorded there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import libcst as cst

from torchlint.facts.modules import EVALUATION_STEPS, GRAD_OFF
from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis

_MANY = 100
"""Calls of methods of one name on anything but `self` that are looked at: a file with more of them is made by a program."""


def calls(file: Analysis, function: cst.FunctionDef, *, elsewhere: bool = True) -> Iterator[cst.Call]:
    """The calls of a function by name, or of a method: on `self` of its class and relatives, or (`elsewhere`) on anything else."""
    name = function.name.value
    owner = file.owner(function)
    if owner is not None:
        own, others = file.method_calls(name)
        for node in (owner.node, *(each.node for each in owner.ancestry[1:]), *(each.node for each in file.subclasses.get(owner, ()))):
            yield from own.get(node, ())
        if elsewhere:
            yield from islice(others, _MANY)
        return
    for each in file.tree.names.get(name, ()):
        call = file.parent(each)
        if isinstance(call, cst.Call) and call.func is each:
            binding = file.names.definition(each)
            if binding is not None and binding.node is function:
                yield call


def mentions(file: Analysis, function: cst.FunctionDef, *, elsewhere: bool = True) -> Iterator[Node]:
    """The calls of a function, and the places that hand it to somebody else to call, such as `optimizer.step(closure)`."""
    yield from calls(file, function, elsewhere=elsewhere)
    for each in file.tree.names.get(function.name.value, ()):
        if isinstance(file.parent(each), cst.Arg):
            binding = file.names.definition(each)
            if binding is not None and binding.node is function:
                yield each


def arguments(file: Analysis, function: cst.FunctionDef, name: str, position: int) -> list[cst.BaseExpression]:
    found = []
    for call in calls(file, function):
        if file.is_inside(call, function) or any(arg.star for arg in call.args):
            continue
        given = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == name), None)
        if given is None and position < len(call.args) and call.args[position].keyword is None:
            given = call.args[position].value
        if given is not None:
            found.append(given)
    return found


def uses(file: Analysis, function: cst.FunctionDef, name: str) -> set[str]:
    """The attributes that are asked of a variable; one that is set on it, `x.train = False`, says nothing of what it has."""
    found = set()
    for each in file.tree.within(file.tree.names.get(name, ()), function.body):
        above = file.parent(each)
        if isinstance(above, cst.Attribute) and not isinstance(file.parent(above), cst.AssignTarget):
            found.add(above.attr.value)
    return found


def recorded(file: Analysis, function: cst.FunctionDef) -> bool | None:
    """True: everybody who calls it records gradients, or nobody does. False: nobody records. None: some do."""
    owner = file.owner(function)
    if owner is not None and owner.is_managed and function.name.value in EVALUATION_STEPS:
        return False
    if function.name.value == "__init__" and owner is not None:
        return True  # called by the constructors of subclasses, whichever: what `super()` is, a name does not tell
    seen: set[bool | None] = set()
    for call in calls(file, function):
        if not file.is_inside(call, function):
            seen.add(records(file, call))
            if len(seen) > 1:
                return None
    return seen.pop() if seen else True


def records(file: Analysis, node: Node) -> bool | None:
    """Whether gradients are recorded at this place: what stands around it decides, and then the callers of its function."""
    for each in file.ancestors(node):
        kind = type(each)
        if kind is cst.With and any(_switches_off(file, item.item) for item in each.items):  # type: ignore[attr-defined]
            return False
        if isinstance(each, cst.FunctionDef):
            if any(_switches_off(file, decorator.decorator) for decorator in each.decorators):
                return False
            return file.called_with_gradients(each)
    return True


def _switches_off(file: Analysis, node: Node) -> bool:
    return file.qualname(node.func if isinstance(node, cst.Call) else node) in GRAD_OFF
