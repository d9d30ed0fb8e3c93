"""What a name or attribute stands for where nothing was stored under it: imports, definitions, outer variables, class attributes."""

from __future__ import annotations

import builtins

import libcst as cst

from torchlint.facts.tensors import DTYPES
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node
from torchlint.values.algebra import member
from torchlint.values.events import Happens
from torchlint.values.flow import Analysis, Flow
from torchlint.values.value import Function, Graph, Kind, Value

BUILTINS = frozenset(dir(builtins))


def imported(file: Analysis, path: str, node: Node) -> Value:
    """What an imported name stands for."""
    if path in DTYPES:
        return Value(Kind.DTYPE, graph=Graph.NO, node=node, qualname=path)
    found = file.project_value(path, node)
    if found is not None:
        return found
    last = path.rpartition(".")[2]
    kind = Kind.CLASS if last[:1].isupper() and not last.isupper() else Kind.UNKNOWN
    return Value(kind, graph=Graph.NO, node=node, qualname=path)


def by_binding(flow: Flow, node: cst.Name) -> Value:
    """A name that no place holds: an import, a definition, or a variable of an enclosing scope."""
    file = flow.file
    path = file.qualname(node)
    if path is not None:
        return imported(file, path, node)
    scope = file.names.scope(node).lookup(node.value)
    if scope is None:
        if node.value in BUILTINS:
            return Value(Kind.UNKNOWN, node=node, qualname=f"builtins.{node.value}")
        starred = (
            file.project_value(base + node.value if base.endswith(".") else f"{base}.{node.value}", node) for base in file.names.stars
        )
        return next((each for each in starred if each is not None), None) or Value(node=node)
    bindings = scope.bindings[node.value]
    if len(bindings) == 1 and bindings[0].how is Binds.FUNCTION:
        return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=Function(file, bindings[0].node))
    if len(bindings) == 1 and bindings[0].how is Binds.CLASS and isinstance(bindings[0].node, cst.ClassDef):
        return Value(Kind.CLASS, graph=Graph.NO, node=node, definition=file.class_model(bindings[0].node))
    if scope.node is not flow.node and isinstance(scope.node, (cst.FunctionDef, cst.Module)):
        outer = file.flow(scope.node)
        return outer.env.places.get(node.value) or Value(node=node)
    if scope.node is flow.node:
        flow.unbound.add(node.value)
    return Value(node=node)


def attribute_value(flow: Flow, base: Value, node: cst.Attribute) -> Value:
    """An attribute of an instance of one of the project's classes."""
    assert base.cls is not None
    name = node.attr.value
    value = base.cls.attribute(name)
    if value is not None:
        return value
    method = base.cls.method(name)
    if method is not None and isinstance(method.node, cst.FunctionDef):
        decorators = [each.decorator for each in method.node.decorators]
        if any(isinstance(each, cst.Name) and each.value in ("property", "cached_property") for each in decorators):
            callee = flow.callee(method)
            if callee is not None and any(event.what is Happens.CLEAR for event in callee.events.values()):
                flow.happen(Happens.CLEAR, node)
            return (callee.returns if callee is not None else None) or Value(node=node)
        return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=method)
    value = member(Value(base.kind, place=base.place, node=base.node), name, node)
    place = flow.place(node)
    if place is not None:
        flow.note_part(place)
        flow.env.places[place] = value
    return value
