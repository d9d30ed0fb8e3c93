"""What an expression yields: names, attributes, operators, displays and comprehensions. Calls are in `torchlint.values.calls`."""

from __future__ import annotations

import libcst as cst

from torchlint.syntax.literals import integer, text
from torchlint.syntax.tree import Node
from torchlint.values.algebra import element, member, operate, unpacked
from torchlint.values.events import HANDED_ON
from torchlint.values.flow import Flow, evaluates
from torchlint.values.references import attribute_value, by_binding, imported
from torchlint.values.value import Function, Graph, Kind, Value, join, number

# -- names and attributes -----------------------------------------------------------------------------------------------


@evaluates(cst.Name)
def _name(flow: Flow, node: cst.Name) -> Value:
    value = flow.env.places.get(node.value)
    if value is not None:
        return value
    if node.value in ("True", "False"):
        return number(node)
    if node.value == "None":
        return Value(Kind.NONE, graph=Graph.NO, node=node)
    return by_binding(flow, node)


@evaluates(cst.Attribute)
def _attribute(flow: Flow, node: cst.Attribute) -> Value:
    place = flow.place(node)
    name = node.attr.value
    if name == "zero_grad" and not _is_looked_at(flow, node):
        flow.evaluate(node.value).uses |= {HANDED_ON}
    if place is not None:
        value = flow.env.places.get(place)
        if value is not None:
            flow.evaluate(node.value)
            return value
    base = flow.evaluate(node.value)
    if base.qualname is not None and base.kind in (Kind.UNKNOWN, Kind.FUNCTION, Kind.CLASS):
        value = imported(flow.file, flow.file.qualname(node) or f"{base.qualname}.{name}", node)
    elif base.cls is not None and base.kind in (Kind.OBJECT, Kind.MODULE):
        value = attribute_value(flow, base, node)
    else:
        value = member(base, name, node)
    if place is not None and base.definition is None:
        flow.note_part(place)
        flow.env.places[place] = value
    return value


def _is_looked_at(flow: Flow, node: Node) -> bool:
    """Whether an expression goes to a function of Python that keeps nothing of it: `print(optimizer.zero_grad)`."""
    argument = flow.file.parent(node)
    call = flow.file.parent(argument) if isinstance(argument, cst.Arg) else None
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in ("print", "callable", "id", "repr", "str")


@evaluates(cst.Tuple)
def _tuple(flow: Flow, node: cst.Tuple) -> Value:
    items = tuple(flow.evaluate(each.value) for each in node.elements)
    starred = any(isinstance(each, cst.StarredElement) for each in node.elements)
    return Value(Kind.TUPLE, graph=Graph.NO, node=node, items=None if starred else items, sources=items)


@evaluates(cst.List, cst.Set)
def _list(flow: Flow, node: cst.List | cst.Set) -> Value:
    items = tuple(flow.evaluate(each.value) for each in node.elements)
    elem: Value | None = None
    for each, element_node in zip(items, node.elements, strict=True):
        each = element(each, node) if isinstance(element_node, cst.StarredElement) else each
        elem = each if elem is None else join(elem, each)
    return Value(Kind.LIST, graph=Graph.NO, node=node, elem=elem, sources=items)


@evaluates(cst.Dict)
def _dict(flow: Flow, node: cst.Dict) -> Value:
    values = []
    entries: dict[str, Value] | None = {}
    for each in node.elements:
        value = flow.evaluate(each.value)
        if isinstance(each, cst.DictElement):
            flow.evaluate(each.key)
            key = text(each.key)
            entries = {**entries, key: value} if entries is not None and key is not None else None
        else:  # `**others`
            entries = {**entries, **value.entries} if entries is not None and value.entries is not None else None
            value = value if value.elem is None else value.elem
        values.append(value)
    elem: Value | None = None
    for value in values:
        elem = value if elem is None else join(elem, value)
    return Value(Kind.DICT, graph=Graph.NO, node=node, elem=elem, entries=entries, sources=tuple(values))


@evaluates(cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
def _comprehension(flow: Flow, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp) -> Value:
    outer, when = flow.env.places, flow.env.when
    flow.env.places = outer.copy()
    clause: cst.CompFor | None = node.for_in
    while clause is not None:
        iterated = flow.evaluate(clause.iter)
        flow.bind(clause.target, element(iterated, clause.target))
        flow.env.when = flow.ask(clause.iter, True)  # there may be nothing to iterate over
        for condition in clause.ifs:
            flow.evaluate(condition.test)
            flow.env.when = flow.ask(condition.test, True)
        clause = clause.inner_for_in
    if isinstance(node, cst.DictComp):
        flow.evaluate(node.key)
        made = flow.evaluate(node.value)
    else:
        made = flow.evaluate(node.elt)
    flow.env.places, flow.env.when = outer, when
    return Value(Kind.DICT if isinstance(node, cst.DictComp) else Kind.LIST, graph=Graph.NO, node=node, elem=made, sources=(made,))


@evaluates(cst.Subscript)
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
        position = integer(single.value)
        if position is not None and -len(base.items) <= position < len(base.items):
            return base.items[position]
    if base.entries is not None and isinstance(single, cst.Index):
        held = base.entries.get(text(single.value) or "")
        if held is not None:
            return held
    if base.is_tensor:
        return Value(Kind.TENSOR, graph=base.graph, place=base.place, sources=(base, *index), node=node, pure=True)
    if isinstance(single, cst.Slice) and base.kind in (Kind.LIST, Kind.TUPLE):
        return Value(base.kind, graph=Graph.NO, node=node, elem=element(base, node), sources=(base,))
    is_named = isinstance(single, cst.Index) and text(single.value) is not None
    entry = unpacked(base, node, is_alike=not (is_named and base.entries))
    if place is not None and base.kind is Kind.UNKNOWN and is_named:
        flow.note_part(place)  # asked for again, it is the same one
        flow.env.places[place] = entry
    return entry


# -- operators ----------------------------------------------------------------------------------------------------------


_OPERATIONS: dict[type[Node], str] = {
    cst.Add: "add",
    cst.Subtract: "sub",
    cst.Multiply: "mul",
    cst.Divide: "div",
    cst.FloorDivide: "floor_divide",
    cst.Modulo: "remainder",
    cst.Power: "pow",
    cst.MatrixMultiply: "matmul",
    cst.BitAnd: "bitwise_and",
    cst.BitOr: "bitwise_or",
    cst.BitXor: "bitwise_xor",
    cst.Minus: "neg",
    cst.BitInvert: "bitwise_not",
    cst.Equal: "eq",
    cst.NotEqual: "ne",
    cst.LessThan: "lt",
    cst.LessThanEqual: "le",
    cst.GreaterThan: "gt",
    cst.GreaterThanEqual: "ge",
}
"""What tensors make of Python's operators."""


def _by_operator(value: Value, operator: Node) -> Value:
    if value.is_tensor:
        value.op = _OPERATIONS.get(type(operator))
    return value


@evaluates(cst.BinaryOperation)
def _binary(flow: Flow, node: cst.BinaryOperation) -> Value:
    left, right = flow.evaluate(node.left), flow.evaluate(node.right)
    if left.kind is Kind.STRING and isinstance(node.operator, (cst.Modulo, cst.Add, cst.Multiply)):
        return Value(Kind.STRING, graph=Graph.NO, node=node)
    return _by_operator(operate(node, left, right), node.operator)


@evaluates(cst.UnaryOperation)
def _unary(flow: Flow, node: cst.UnaryOperation) -> Value:
    operand = flow.evaluate(node.expression)
    return number(node) if isinstance(node.operator, cst.Not) else _by_operator(operate(node, operand), node.operator)


@evaluates(cst.Comparison)
def _compare(flow: Flow, node: cst.Comparison) -> Value:
    values = [flow.evaluate(node.left)]
    identity = False
    for target in node.comparisons:
        values.append(flow.evaluate(target.comparator))
        identity = identity or isinstance(target.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn))
    if identity or not any(each.is_tensor or each.kind is Kind.UNKNOWN for each in values):
        return number(node)
    kind = Kind.TENSOR if any(each.is_tensor for each in values) else Kind.UNKNOWN
    compared = Value(kind, graph=Graph.NO, place=max(each.place for each in values), sources=tuple(values), node=node)
    if compared.is_tensor and len(node.comparisons) == 1:
        compared.op, compared.dtype = _OPERATIONS.get(type(node.comparisons[0].operator)), "bool"
    return compared


@evaluates(cst.BooleanOperation)
def _boolean(flow: Flow, node: cst.BooleanOperation) -> Value:
    return join(flow.evaluate(node.left), flow.under(node.left, isinstance(node.operator, cst.And), node.right))


@evaluates(cst.IfExp)
def _conditional(flow: Flow, node: cst.IfExp) -> Value:
    flow.evaluate(node.test)
    return join(flow.under(node.test, True, node.body), flow.under(node.test, False, node.orelse))


@evaluates(cst.NamedExpr)
def _walrus(flow: Flow, node: cst.NamedExpr) -> Value:
    value = flow.evaluate(node.value)
    flow.bind(node.target, value)
    return value


@evaluates(cst.Lambda)
def _lambda(flow: Flow, node: cst.Lambda) -> Value:
    return Value(Kind.FUNCTION, graph=Graph.NO, node=node, definition=Function(flow.file, node))


@evaluates(cst.FormattedString)
def _formatted(flow: Flow, node: cst.FormattedString) -> Value:
    for part in node.parts:
        if isinstance(part, cst.FormattedStringExpression):
            flow.evaluate(part.expression)
    return Value(Kind.STRING, graph=Graph.NO, node=node)


@evaluates(cst.SimpleString, cst.ConcatenatedString)
def _string(flow: Flow, node: Node) -> Value:
    return Value(Kind.STRING, graph=Graph.NO, node=node)


@evaluates(cst.Integer, cst.Float, cst.Imaginary)
def _literal(flow: Flow, node: Node) -> Value:
    return number(node)


@evaluates(cst.Await)
def _awaited(flow: Flow, node: cst.Await) -> Value:
    return flow.evaluate(node.expression)


@evaluates(cst.Yield)
def _yield(flow: Flow, node: cst.Yield) -> Value:
    if isinstance(node.value, cst.From):
        flow.evaluate(node.value.item)
    elif node.value is not None:
        given = flow.evaluate(node.value)
        flow.returns = given if flow.returns is None else join(flow.returns, given)
    return Value(node=node)
