"""What an expression yields: names, attributes, operators, displays and comprehensions. Calls are in `torchlint.model.calls`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from torchlint.model import calls
from torchlint.model.happenings import Happens
from torchlint.model.kinds import Graph, Kind, Place, Value, join, number, other
from torchlint.model.names import Binds
from torchlint.model.tree import Node

if TYPE_CHECKING:
    from torchlint.model.flow import Flow

_PLAIN = frozenset({Kind.NUMBER, Kind.STRING, Kind.NONE, Kind.OTHER, Kind.DTYPE, Kind.DEVICE, Kind.NDARRAY})
_TENSOR_ATTRIBUTES = frozenset({"T", "mT", "H", "mH", "real", "imag"})


# -- names and attributes -----------------------------------------------------------------------------------------------


def _name(flow: Flow, node: cst.Name) -> Value:
    value = flow.env.places.get(node.value)
    if value is not None:
        return value
    if node.value in ("True", "False"):
        return number(node)
    if node.value == "None":
        return Value(Kind.NONE, graph=Graph.NO, node=node)
    return flow.file.free_value(flow, node)


def _attribute(flow: Flow, node: cst.Attribute) -> Value:
    place = flow.place(node)
    if place is not None:
        value = flow.env.places.get(place)
        if value is not None:
            flow.evaluate(node.value)
            return value
    name = node.attr.value
    base = flow.evaluate(node.value)
    if base.qualname is not None and base.kind in (Kind.UNKNOWN, Kind.FUNCTION, Kind.CLASS):
        value = calls.imported(flow.file, flow.file.qualname(node) or f"{base.qualname}.{name}", node)
    elif base.definition is not None and base.kind in (Kind.OBJECT, Kind.MODULE):
        value = flow.file.attribute_value(flow, base, node)
    else:
        value = member(base, name, node)
    if place is not None and base.definition is None:
        flow.note_part(place)
        flow.env.places[place] = value
    return value


def member(base: Value, name: str, node: Node) -> Value:
    """An attribute of a value whose class is not the project's own."""
    if name == "device":
        return Value(
            Kind.DEVICE, graph=Graph.NO, place=Place.CPU if base.place is Place.CPU and base.is_tensor else Place.ACCELERATOR, node=node
        )
    if name == "dtype":
        return Value(Kind.DTYPE, graph=Graph.NO, node=node)
    if name in ("ndim", "is_cuda", "requires_grad", "is_leaf", "layout"):
        return number(node)
    if name == "shape":
        return Value(Kind.TUPLE, graph=Graph.NO, node=node, elem=number(node))
    if base.is_tensor:
        if name == "data":
            return Value(Kind.TENSOR, graph=Graph.NO, place=base.place, sources=(base,), node=node, scalar=base.scalar)
        if name == "grad":
            return Value(Kind.TENSOR, graph=Graph.NO, place=base.place, node=node)
        if name in _TENSOR_ATTRIBUTES:
            return Value(Kind.TENSOR, graph=base.graph, place=base.place, sources=(base,), node=node)
    if base.kind is Kind.MODULE:
        if name in ("weight", "bias"):
            return Value(Kind.TENSOR, graph=Graph.YES, place=base.place, node=node, leaf=True)
        if name == "module":  # what DataParallel and DistributedDataParallel wrap
            return Value(Kind.MODULE, place=base.place, node=node, definition=base.definition, qualname=base.qualname)
        return Value(node=node, place=base.place, sources=(base,))
    if base.kind in _PLAIN:
        return other(node)
    if name == "data" and base.has_graph:
        return Value(graph=Graph.NO, place=base.place, sources=(base,), node=node)
    if base.graph is Graph.YES or base.sources or base.place is not Place.UNKNOWN:
        # a part of a model's output carries the output's graph, whatever the output is made of
        return Value(graph=base.graph if base.kind is Kind.UNKNOWN else Graph.MAYBE, place=base.place, sources=(base,), node=node)
    return Value(node=node, sources=(base,))


# -- containers ---------------------------------------------------------------------------------------------------------


def element(container: Value, node: Node) -> Value:
    """What iterating over a value yields."""
    held: Value | None = container.elem
    for each in container.items or ():
        held = each if held is None else join(held, each)
    if held is not None:
        if held.kind not in (Kind.TENSOR, Kind.UNKNOWN) or held.graph is Graph.NO:
            return held
        # what backward reaches through an element, it reaches through the container
        reached = Value(
            held.kind,
            graph=held.graph,
            place=held.place,
            sources=(held, container),
            node=node,
            scalar=held.scalar,
            batch=held.batch,
            leaf=held.leaf,
        )
        reached.optional = held.optional
        return reached
    if container.kind is Kind.TENSOR:
        return Value(Kind.TENSOR, graph=container.graph, place=container.place, sources=(container,), node=node)
    if container.kind is Kind.PARAMETERS:
        return Value(Kind.TENSOR, graph=Graph.YES, place=container.place, node=node, leaf=True)
    if container.kind is Kind.LOADER:
        return Value(graph=Graph.NO, place=container.place, sources=(container,), node=node, batch=True)
    if container.kind is Kind.MODULE:
        return Value(node=node)
    if container.kind in _PLAIN:
        return other(node)
    return Value(graph=container.graph, place=container.place, sources=(container,), node=node, batch=not container.has_graph)


def store(flow: Flow, node: Node, container: Value, value: Value) -> None:
    """Put a value into a container: the container is now computed from it."""
    if container is value:
        return
    container.elem = value if container.elem is None or container.elem is value else join(container.elem, value)
    container.sources = (*container.sources, value) if value not in container.sources else container.sources
    flow.happen(Happens.STORE, node, container, value=value)


def entered(value: Value) -> Value:
    """What `with value as name` binds."""
    return value if value.kind in (Kind.LOADER, Kind.MODULE, Kind.LIST) else Value(sources=(value,), graph=Graph.MAYBE)


def grad_mode(value: Value) -> bool | None:
    """Whether gradients are recorded inside a region that this value guards; None where it depends."""
    return {Graph.NO: False, Graph.YES: True, Graph.MAYBE: None}[value.graph]


def _tuple(flow: Flow, node: cst.Tuple) -> Value:
    items = tuple(flow.evaluate(each.value) for each in node.elements)
    starred = any(isinstance(each, cst.StarredElement) for each in node.elements)
    return Value(Kind.TUPLE, graph=Graph.NO, node=node, items=None if starred else items, sources=items)


def _list(flow: Flow, node: cst.List | cst.Set) -> Value:
    items = tuple(flow.evaluate(each.value) for each in node.elements)
    elem: Value | None = None
    for each, element_node in zip(items, node.elements, strict=True):
        each = element(each, node) if isinstance(element_node, cst.StarredElement) else each
        elem = each if elem is None else join(elem, each)
    return Value(Kind.LIST, graph=Graph.NO, node=node, elem=elem, sources=items)


def _dict(flow: Flow, node: cst.Dict) -> Value:
    values = []
    for each in node.elements:
        if isinstance(each, cst.DictElement):
            flow.evaluate(each.key)
        values.append(flow.evaluate(each.value))
    elem: Value | None = None
    for value in values:
        elem = value if elem is None else join(elem, value)
    return Value(Kind.DICT, graph=Graph.NO, node=node, elem=elem, sources=tuple(values))


def _comprehension(flow: Flow, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp) -> Value:
    outer = flow.env.places
    flow.env.places = dict(outer)
    clause: cst.CompFor | None = node.for_in
    while clause is not None:
        iterated = flow.evaluate(clause.iter)
        flow.bind(clause.target, element(iterated, clause.target))
        for condition in clause.ifs:
            flow.evaluate(condition.test)
        clause = clause.inner_for_in
    if isinstance(node, cst.DictComp):
        flow.evaluate(node.key)
        made = flow.evaluate(node.value)
    else:
        made = flow.evaluate(node.elt)
    flow.env.places = outer
    return Value(Kind.DICT if isinstance(node, cst.DictComp) else Kind.LIST, graph=Graph.NO, node=node, elem=made, sources=(made,))


def _subscript(flow: Flow, node: cst.Subscript) -> Value:
    place = flow.place(node)
    base = flow.evaluate(node.value)
    index: list[Value] = []
    for each in node.slice:
        part = each.slice
        if isinstance(part, cst.Index):
            index.append(flow.evaluate(part.value))
        elif isinstance(part, cst.Slice):
            index += [flow.evaluate(bound) for bound in (part.lower, part.upper, part.step) if bound is not None]
    if place is not None and place in flow.env.places:
        return flow.env.places[place]
    if base.qualname is not None and base.kind is Kind.CLASS:
        return base  # `List[int]`
    single = node.slice[0].slice if len(node.slice) == 1 else None
    if base.items is not None and isinstance(single, cst.Index):
        position = _integer(single.value)
        if position is not None and -len(base.items) <= position < len(base.items):
            return base.items[position]
    if base.is_tensor:
        return Value(Kind.TENSOR, graph=base.graph, place=base.place, sources=(base, *index), node=node)
    if isinstance(single, cst.Slice) and base.kind in (Kind.LIST, Kind.TUPLE):
        return Value(base.kind, graph=Graph.NO, node=node, elem=element(base, node), sources=(base,))
    return element(base, node)


def _integer(node: Node) -> int | None:
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus) and isinstance(node.expression, cst.Integer):
        return -node.expression.evaluated_value
    return None


# -- operators ----------------------------------------------------------------------------------------------------------


def operate(node: Node, *operands: Value) -> Value:
    """An arithmetic operation: a tensor when an operand is one, with a graph when an operand has one."""
    tensors = [each for each in operands if each.is_tensor]
    known = all(each.kind in (Kind.TENSOR, Kind.NUMBER) for each in operands)
    graph = Graph.YES if any(each.has_graph for each in operands) else Graph.MAYBE
    if all(each.graph is Graph.NO for each in operands):
        graph = Graph.NO
    place = max(each.place for each in operands)
    if tensors:
        return Value(
            Kind.TENSOR, graph=graph, place=place, sources=operands, node=node, scalar=known and all(each.scalar for each in tensors)
        )
    if all(each.kind is Kind.NUMBER for each in operands):
        return number(node)
    if any(each.kind is Kind.NDARRAY for each in operands):
        return Value(Kind.NDARRAY, graph=Graph.NO, node=node, sources=operands)
    kinds = {each.kind for each in operands}
    if kinds <= {Kind.LIST, Kind.TUPLE, Kind.NUMBER} and kinds & {Kind.LIST, Kind.TUPLE}:
        elem: Value | None = None
        for each in operands:
            if each.kind is not Kind.NUMBER and (each.elem is not None or each.items):
                elem = element(each, node) if elem is None else join(elem, element(each, node))
        return Value(Kind.LIST if Kind.LIST in kinds else Kind.TUPLE, graph=Graph.NO, node=node, elem=elem, sources=operands)
    if Kind.STRING in kinds:
        return other(node)
    return Value(graph=graph, place=place, sources=operands, node=node)


def update(flow: Flow, node: cst.AugAssign, before: Value, added: Value) -> Value:
    """What `before += added` leaves in the target."""
    if isinstance(node.operator, cst.AddAssign) and before.kind is Kind.LIST:
        if added.elem is not None or added.items:
            store(flow, node, before, element(added, node))
        return before
    return operate(node, before, added)


def _binary(flow: Flow, node: cst.BinaryOperation) -> Value:
    left, right = flow.evaluate(node.left), flow.evaluate(node.right)
    if left.kind is Kind.STRING and isinstance(node.operator, (cst.Modulo, cst.Add, cst.Multiply)):
        return Value(Kind.STRING, graph=Graph.NO, node=node)
    return operate(node, left, right)


def _unary(flow: Flow, node: cst.UnaryOperation) -> Value:
    operand = flow.evaluate(node.expression)
    return number(node) if isinstance(node.operator, cst.Not) else operate(node, operand)


def _compare(flow: Flow, node: cst.Comparison) -> Value:
    values = [flow.evaluate(node.left)]
    identity = False
    for target in node.comparisons:
        values.append(flow.evaluate(target.comparator))
        identity = identity or isinstance(target.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn))
    if identity or not any(each.is_tensor or each.kind is Kind.UNKNOWN for each in values):
        return number(node)
    kind = Kind.TENSOR if any(each.is_tensor for each in values) else Kind.UNKNOWN
    return Value(kind, graph=Graph.NO, place=max(each.place for each in values), sources=tuple(values), node=node)


def _boolean(flow: Flow, node: cst.BooleanOperation) -> Value:
    return join(flow.evaluate(node.left), flow.evaluate(node.right))


def _conditional(flow: Flow, node: cst.IfExp) -> Value:
    flow.evaluate(node.test)
    return join(flow.evaluate(node.body), flow.evaluate(node.orelse))


def _walrus(flow: Flow, node: cst.NamedExpr) -> Value:
    value = flow.evaluate(node.value)
    flow.bind(node.target, value)
    return value


def _lambda(flow: Flow, node: cst.Lambda) -> Value:
    return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=(flow.file, node))


def _formatted(flow: Flow, node: cst.FormattedString) -> Value:
    for part in node.parts:
        if isinstance(part, cst.FormattedStringExpression):
            flow.evaluate(part.expression)
    return Value(Kind.STRING, graph=Graph.NO, node=node)


def _string(flow: Flow, node: Node) -> Value:
    return Value(Kind.STRING, graph=Graph.NO, node=node)


def _literal(flow: Flow, node: Node) -> Value:
    return number(node)


def _awaited(flow: Flow, node: cst.Await) -> Value:
    return flow.evaluate(node.expression)


def _yield(flow: Flow, node: cst.Yield) -> Value:
    if isinstance(node.value, cst.From):
        flow.evaluate(node.value.item)
    elif node.value is not None:
        given = flow.evaluate(node.value)
        flow.returns = given if flow.returns is None else join(flow.returns, given)
    return Value(node=node)


def by_binding(flow: Flow, node: cst.Name) -> Value:
    """A name that no place holds: an import, a definition, or a variable of an enclosing scope."""
    file = flow.file
    path = file.qualname(node)
    if path is not None:
        return calls.imported(file, path, node)
    scope = file.names.scope(node).lookup(node.value)
    if scope is None:
        return Value(Kind.UNKNOWN, node=node, qualname=f"builtins.{node.value}") if node.value in calls.BUILTINS else Value(node=node)
    bindings = scope.bindings[node.value]
    if len(bindings) == 1 and bindings[0].how is Binds.FUNCTION:
        return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=(file, bindings[0].node))
    if len(bindings) == 1 and bindings[0].how is Binds.CLASS and isinstance(bindings[0].node, cst.ClassDef):
        return Value(Kind.CLASS, graph=Graph.NO, node=node, definition=file.class_model(bindings[0].node))
    if scope.node is not flow.node and isinstance(scope.node, (cst.FunctionDef, cst.Module)):
        outer = file.flow(scope.node)
        return outer.env.places.get(node.value) or Value(node=node)
    return Value(node=node)


EVALUATORS: dict[type[Node], Callable[..., Value]] = {
    cst.Name: _name,
    cst.Attribute: _attribute,
    cst.Tuple: _tuple,
    cst.List: _list,
    cst.Set: _list,
    cst.Dict: _dict,
    cst.ListComp: _comprehension,
    cst.SetComp: _comprehension,
    cst.DictComp: _comprehension,
    cst.GeneratorExp: _comprehension,
    cst.Subscript: _subscript,
    cst.BinaryOperation: _binary,
    cst.UnaryOperation: _unary,
    cst.Comparison: _compare,
    cst.BooleanOperation: _boolean,
    cst.IfExp: _conditional,
    cst.NamedExpr: _walrus,
    cst.Lambda: _lambda,
    cst.FormattedString: _formatted,
    cst.SimpleString: _string,
    cst.ConcatenatedString: _string,
    cst.Integer: _literal,
    cst.Float: _literal,
    cst.Imaginary: _literal,
    cst.Await: _awaited,
    cst.Yield: _yield,
}
