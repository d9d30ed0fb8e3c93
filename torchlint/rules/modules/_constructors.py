"""How a class of the project builds itself: where its constructor reaches that of `torch.nn.Module`, and what stands before."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.facts.classes import MODULE
from torchlint.facts.module_attributes import REGISTERING_METHODS
from torchlint.program.classes import ClassModel
from torchlint.rules.modules._registration import instance_name, is_on_instance
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind

_MEDDLING = frozenset("__new__ __call__ __getattr__ __getattribute__ __setattr__".split())
"""Methods by which a class can do without the base constructor."""
_REGISTERING = REGISTERING_METHODS | {"register_buffer", "register_parameter"}
_PARAMETER = "torch.nn.Parameter"


def first_statement(function: cst.FunctionDef) -> Node | None:
    """What a function does first, its docstring left out."""
    body = list(function.body.body)
    if body and _is_text(body[0]):
        body = body[1:]
    return body[0] if body else None


def _is_text(line: Node) -> bool:
    statement = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    return isinstance(statement, cst.Expr) and isinstance(statement.value, (cst.SimpleString, cst.ConcatenatedString))


def reaches_base_constructor(model: ClassModel, constructor: cst.FunctionDef) -> bool:
    """Whether the constructor speaks of another one, by itself or in a method that it calls, or may do without: it takes over a state."""
    return _base_constructor(model, constructor) is not None or bool(model.file.attributes_inside(constructor, "__dict__"))


def _base_constructor(model: ClassModel, constructor: cst.FunctionDef) -> Node | None:
    """The first place at which a constructor leads to another one."""
    file = model.file
    own = list(file.attributes_inside(constructor.body, "__init__"))
    helpers = [each for each in file.inside(constructor.body, cst.Attribute) if _is_constructing(model, each)]
    return min((*own, *helpers), key=file.tree.order.__getitem__, default=None)


def _is_constructing(model: ClassModel, node: cst.Attribute) -> bool:
    """`self._setup()`, where the method calls the base constructor."""
    found = model.method(node.attr.value)
    if found is None or not isinstance(node.value, cst.Name) or node.value.value != instance_name(model.file, node, model.node):
        return False
    return isinstance(found.node, cst.FunctionDef) and bool(found.file.tree.within(found.file.tree.attributes["__init__"], found.node.body))


def lacks_base_constructor(model: ClassModel) -> cst.FunctionDef | None:
    """The constructor of a module that never lets `torch.nn.Module` set itself up."""
    constructor = model.own_methods.get("__init__")
    if constructor is None or not model.is_module or any(name in each.own_methods for each in model.ancestry for name in _MEDDLING):
        return None
    if reaches_base_constructor(model, constructor) or _is_left_open(constructor):
        return None
    if all(_is_left_open(each, passes=True) for each in model.own_methods.values()):
        return None
    return constructor


def _is_left_open(function: cst.FunctionDef, passes: bool = False) -> bool:
    """`...`, or nothing but an exception: nobody is to make an instance. Where `passes`, `pass` is as good."""
    first = first_statement(function)
    only = first.body[0] if isinstance(first, cst.SimpleStatementLine) else first
    if isinstance(only, cst.Raise) or passes and isinstance(only, cst.Pass):
        return True
    return isinstance(only, cst.Expr) and isinstance(only.value, cst.Ellipsis)


def is_plain_module(model: ClassModel) -> bool:
    """Whether `torch.nn.Module` is the one base, so that `super().__init__()` can mean nothing else."""
    return model.base_names == (MODULE,) and not model.node.keywords


def takes_nothing(model: ClassModel) -> bool:
    """Whether the constructors of all bases are known and can be called without arguments."""
    if len(model.node.bases) != 1 or model.node.keywords:
        return False
    if model.base_names == (MODULE,):
        return True
    found = model.bases[0].method("__init__") if model.bases else None
    if found is None:
        return bool(model.bases) and not model.is_open
    assert isinstance(found.node, cst.FunctionDef)
    params = found.node.params
    return all(each.default is not None for each in (*params.posonly_params, *params.params, *params.kwonly_params)[1:])


def registered_too_early(model: ClassModel) -> Iterator[tuple[Node, Node]]:
    """What a constructor registers before it calls the one of its base, each with that call: modules, parameters, buffers."""
    constructor = model.own_methods.get("__init__")
    if constructor is None or not model.is_module or any("__setattr__" in each.own_methods for each in model.ancestry):
        return
    file, base = model.file, _base_constructor(model, constructor)
    if base is None or file.attributes_inside(constructor, "__dict__") or file.function(base) is not constructor:
        return
    for name, assigned in model.assignments.items():
        for method, target, value in assigned:
            if method is constructor and value is not None and not file.is_after(target, base) and not _is_property(model, name):
                if file.is_inside(base, value) or file.function(target) is not constructor:
                    continue
                made = file.value(value)
                is_parameter = isinstance(value, cst.Call) and file.qualname(value.func) == _PARAMETER
                if is_parameter or made.kind is Kind.MODULE and not made.optional:
                    yield target, base
    for call in file.inside(constructor.body, cst.Call):
        func = call.func
        registers = isinstance(func, cst.Attribute) and func.attr.value in _REGISTERING and is_on_instance(file, func, model.node)
        if registers and not file.is_after(call, base):
            yield call, base


def _is_property(model: ClassModel, name: str) -> bool:
    return model.method(name) is not None
