"""Calls of the project's own functions, methods and classes: what they return for these arguments, and what they do to them.

A function is read once, with unknown parameters; a call then puts its arguments in their place. What the function proves about a
parameter (it is stepped, differentiated, asked for `.parameters()`) holds for the argument.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from torchlint.syntax.tree import Node, descendants
from torchlint.values.algebra import element
from torchlint.values.arguments import Arguments
from torchlint.values.events import HANDED_ON, TRAINS, Condition, Event, Happens, behind
from torchlint.values.flow import Flow, calls
from torchlint.values.memory import Chains
from torchlint.values.value import Function, Graph, Kind, Place, Value

_DATA = frozenset({Kind.TENSOR, Kind.UNKNOWN, Kind.TUPLE, Kind.LIST, Kind.DICT, Kind.NUMBER, Kind.NONE, Kind.STRING})


@calls(Kind.FUNCTION)
def follow(
    flow: Flow,
    call: cst.Call,
    target: Value,
    arguments: Arguments,
    *,
    bound: Value | None = None,
    place: str | None = None,
    stepped: Value | None = None,
) -> Value:
    """A call of a function or method of the project; `bound` is what it is called on, `stepped` what all its steps are steps of."""
    assert isinstance(target.definition, Function)
    file, function = target.definition
    callee = flow.callee(target.definition)
    if callee is None:  # recursion: what it returns is being found out
        return flow.opaque(call, arguments, bound)
    given = _match(callee, function, arguments, bound)
    flow.followed[call] = callee, given
    _prove(flow, call, callee, given)
    _repeat(flow, call, callee, given, stepped)
    _change(flow, call, callee, given)
    if isinstance(function, cst.FunctionDef):
        _decorate(flow, call, function, callee)
    if isinstance(function, cst.FunctionDef) and any(
        file.qualname(each.decorator) == "contextlib.contextmanager" for each in function.decorators
    ):
        return Value(node=call)
    if callee.returns is None:
        if bound is not None and _is_left_open(function):
            return Value(node=call, sources=arguments.values)
        return Value(Kind.NONE, graph=Graph.NO, node=call)
    if isinstance(function, cst.FunctionDef) and function.asynchronous is not None:
        return Value(node=call, sources=arguments.values)
    result = _substitute(flow, call, callee.returns, given, arguments.values, {})
    result.optional |= callee.falls_through and result.node is call
    return result


def _is_left_open(function: Node) -> bool:
    """Whether a method has no body of its own: a subclass says what it does and returns."""
    body = function.body.body if isinstance(function, cst.FunctionDef) else ()
    statements = [each for line in body for each in (line.body if isinstance(line, cst.SimpleStatementLine) else (line,))]
    return all(
        isinstance(each, (cst.Pass, cst.Raise)) or isinstance(each, cst.Expr) and isinstance(each.value, (cst.BaseString, cst.Ellipsis))
        for each in statements
    )


def _match(callee: Flow, function: Node, arguments: Arguments, bound: Value | None) -> dict[int, Value]:
    """The argument for each parameter value of the callee, by the identity of the latter."""
    names = list(callee.parameters)
    if bound is not None and names and not _is_static(function):
        given = {id(callee.parameters[names[0]]): bound}
        names = names[1:]
    else:
        given = {}
    for name, value in zip(names, arguments.positional, strict=False):
        given[id(callee.parameters[name])] = value
    for name, value in arguments.keywords.items():
        if name in callee.parameters:
            given[id(callee.parameters[name])] = value
    return given


def _is_static(function: Node) -> bool:
    return isinstance(function, cst.FunctionDef) and any(
        isinstance(each.decorator, cst.Name) and each.decorator.value == "staticmethod" for each in function.decorators
    )


def _prove(flow: Flow, call: cst.Call, callee: Flow, given: dict[int, Value]) -> None:
    for parameter in callee.parameters.values():
        argument = given.get(id(parameter))
        if argument is None:
            continue
        if parameter.kind is not Kind.UNKNOWN:
            argument.refine(parameter.kind)
        if argument.kind is Kind.UNKNOWN:
            argument.uses |= parameter.uses
        else:
            argument.uses |= {each for each in parameter.uses if each == HANDED_ON or each.startswith("register_step")}
        if parameter.roots:
            argument.backpropagate(call)
            argument.scalar = argument.scalar or parameter.scalar
        elif parameter.differentiated:
            for value in argument.lineage():
                value.reached(call)
        if parameter.elem is not None and argument.kind in (Kind.LIST, Kind.DICT, Kind.UNKNOWN) and argument.elem is None:
            stored = _substitute(flow, call, parameter.elem, given, tuple(given.values()), {})
            if parameter.sources:  # the callee stores into it
                argument.elem = stored
                argument.sources = (*argument.sources, stored)


def _repeat(flow: Flow, call: cst.Call, callee: Flow, given: dict[int, Value], stepped: Value | None = None) -> None:
    """The callee's events happen here, to the arguments."""
    events = [event for event in callee.events.values() if event.what is not Happens.CHANGE]
    trains = any(event.what in TRAINS for event in events)
    conditions: dict[int, Condition] = {}
    for event in events:
        if event.what is Happens.LEAVE and not trains:
            continue  # nothing is left out that matters
        target = given.get(id(event.target), event.target) if event.target is not None else None
        for each in event.when:
            if id(each) not in conditions:
                conditions[id(each)] = each.behind(call, given)
        flow.happen(
            event.what,
            event.node,
            stepped if stepped is not None and event.what is Happens.STEP else target,
            value=given.get(id(event.value), event.value) if event.value is not None else None,
            values=tuple(given.get(id(each), each) for each in event.values),
            chain=behind(call, event.chain),
            when=tuple(conditions[id(each)] for each in event.when),
            file=event.file,
            recorded=event.recorded,
        )


def _change(flow: Flow, call: cst.Call, callee: Flow, given: dict[int, Value]) -> None:
    """What the callee changes in place of what it is given is changed here; what else it changes is its own."""
    if callee.changed_parameters is None:
        callee.changed_parameters = list(_changed_parameters(callee))
    for event, parameter in callee.changed_parameters:
        changed = given.get(id(parameter))
        if changed is not None:
            when = tuple(each.behind(call, given) for each in event.when)
            chain = behind(call, event.chain)
            flow.happen(event.what, event.node, changed, chain=chain, when=when, file=event.file, recorded=event.recorded)


def _changed_parameters(callee: Flow) -> Iterator[tuple[Event, Value]]:
    chains = Chains(callee.file)
    parameters = {id(each) for each in callee.parameters.values() if each.kind not in (Kind.MODULE, Kind.OBJECT)}
    for event in callee.events.values():
        if event.what is Happens.CHANGE and event.target is not None:
            lies_in = (each for key, (each, _) in chains.of(event.target).items() if key in parameters)
            yield from ((event, each) for each in lies_in)


def _decorate(flow: Flow, call: cst.Call, function: cst.FunctionDef, callee: Flow) -> None:
    """What a decorator of the project wraps around a function may clear the gradients."""
    for each in function.decorators:
        named = each.decorator.func if isinstance(each.decorator, cst.Call) else each.decorator
        found = callee.file.names.definition(named) if isinstance(named, cst.Name) else None
        if found is None or not isinstance(found.node, cst.FunctionDef) or found.node is function:
            continue
        if any(clears(flow, Function(callee.file, inner)) for inner in descendants(found.node) if isinstance(inner, cst.FunctionDef)):
            flow.happen(Happens.CLEAR, call)


def clears(flow: Flow, function: Function) -> bool:
    """Whether a function of the project clears gradients on some way."""
    callee = flow.callee(function)
    return callee is not None and any(event.what is Happens.CLEAR for event in callee.events.values())


def _substitute(
    flow: Flow, call: Node, value: Value, given: dict[int, Value], arguments: tuple[Value, ...], done: dict[int, Value]
) -> Value:
    """A value of the callee as the caller sees it."""
    argument = given.get(id(value))
    if argument is not None:
        return argument
    if id(value) in done:
        return done[id(value)]
    if value.kind in (
        Kind.MODULE,
        Kind.OPTIMIZER,
        Kind.OBJECT,
        Kind.FUNCTION,
        Kind.CLASS,
        Kind.DEVICE,
        Kind.SCALER,
        Kind.LOADER,
    ) and not any(id(each) in given for each in value.sources):
        return value  # the thing itself
    result = Value(
        value.kind,
        graph=value.graph,
        place=value.place,
        node=call,
        sources=arguments,
        qualname=value.qualname,
        definition=value.definition,
        scalar=value.scalar,
        batch=value.batch,
    )
    result.optional, result.op, result.dtype = value.optional, value.op, value.dtype
    done[id(value)] = result
    if value.kind is Kind.TENSOR:
        if value.graph is Graph.MAYBE and any(each.has_graph for each in _inputs(value, given)):
            result.graph = Graph.YES
        if value.place is Place.UNKNOWN and any(each.place is Place.ACCELERATOR for each in _inputs(value, given)):
            result.place = Place.ACCELERATOR
    if flow.env.grad is False:
        result.graph = Graph.NO
    result.original = value
    if value.roots or value.differentiated:
        result.differentiated = (call,)
        result.roots = (call,) if value.roots else ()
    if value.entries is not None:
        result.entries = {key: _substitute(flow, call, each, given, arguments, done) for key, each in value.entries.items()}
    if value.elem is not None:
        result.elem = _substitute(flow, call, value.elem, given, arguments, done)
    if value.items is not None:
        result.items = tuple(_substitute(flow, call, each, given, arguments, done) for each in value.items)
        result.sources = result.items
    return result


def iterated(flow: Flow, value: Value, node: Node) -> Value:
    """What iterating over a value yields; an object of the project is asked through its own `__iter__`."""
    own = value.cls.method("__iter__") if value.cls is not None and value.kind in (Kind.OBJECT, Kind.LOADER, Kind.DATASET) else None
    callee = flow.callee(own) if own is not None else None
    if callee is None or callee.returns is None:
        return element(value, node)
    given = {id(next(iter(callee.parameters.values()), None)): value}
    return _substitute(flow, node, callee.returns, given, (value,), {})


def _inputs(value: Value, given: dict[int, Value]) -> list[Value]:
    return [given[id(each)] for each in value.trained() if id(each) in given]


@calls(Kind.CLASS)
def construct(flow: Flow, call: cst.Call, target: Value, arguments: Arguments) -> Value:
    """An instance of a class of the project."""
    model = target.cls
    assert model is not None
    kind = Kind.MODULE if model.is_module else model.instance_kind
    return Value(
        kind,
        graph=Graph.NO if kind is not Kind.MODULE else Graph.MAYBE,
        node=call,
        definition=model,
        sources=arguments.values,
    )


def forward(flow: Flow, call: cst.Call, module: Value, arguments: Arguments, place: Place) -> Value:
    """The output of a module that the project defines."""
    model = module.cls
    assert model is not None
    values = arguments.values
    found = model.method("forward")
    recorded = flow.env.grad is not False
    weights = model.has_weights and not module.frozen
    graph = Graph.NO if not recorded else Graph.YES if weights or any(each.has_graph for each in values) else Graph.MAYBE
    output = Value(graph=graph, place=place, sources=(module, *values), node=call)
    if found is None or module.frozen and graph is not Graph.YES:
        return output
    callee = flow.callee(found)
    if callee is not None and isinstance(found.node, cst.FunctionDef):
        _decorate(flow, call, found.node, callee)
    if callee is None or callee.returns is None:
        return output
    given = _match(callee, found.node, arguments, module)
    flow.followed[call] = callee, given
    if any(event.what in TRAINS for event in callee.events.values()):
        _repeat(flow, call, callee, given)
    _change(flow, call, callee, given)
    shape = _substitute(flow, call, callee.returns, given, values, {})
    _settle(shape, graph, place, {id(each) for argument in values for each in argument.lineage()})
    return shape


def _settle(value: Value, graph: Graph, place: Place, done: set[int]) -> None:
    """Give the parts of a module's output the graph and the place that the call has, where the method itself left them open.

    `done` holds what has been seen, and what is not to be touched: the inputs.
    """
    if id(value) in done:
        return
    done.add(id(value))
    if value.kind in (Kind.TENSOR, Kind.UNKNOWN, Kind.TUPLE, Kind.LIST, Kind.DICT):
        if value.kind in (Kind.TENSOR, Kind.UNKNOWN) and value.graph is not Graph.NO and (graph is not Graph.YES or _uses_weights(value)):
            value.graph = graph
        value.place = max(value.place, place) if value.place is not Place.CPU else place
    for part in (*value.parts, *((value.elem,) if value.elem is not None else ())):
        _settle(part, graph, place, done)


def _uses_weights(value: Value) -> bool:
    """Whether more than the arguments of the method went into what it returns: a layer, a parameter, or something unknown."""
    return value.original is None or any(
        each.kind not in _DATA or not each.pure and not each.sources and not isinstance(each.node, cst.Param)
        for each in value.original.trained()
        if each.graph is not Graph.NO or each.kind not in _DATA
    )
