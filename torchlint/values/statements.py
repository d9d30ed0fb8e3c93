"""What a statement does to the places and to the state of gradients: branches are joined, loop bodies run twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import libcst as cst

from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values import gradients, parameters
from torchlint.values.algebra import element, entered, grad_mode, operate
from torchlint.values.events import Happens
from torchlint.values.flow import STATEMENTS, Environment, Flow, executes
from torchlint.values.following import iterated
from torchlint.values.value import Function, Graph, Kind, Value, join, other


def run(flow: Flow) -> None:
    """The pass itself."""
    node = flow.node
    if isinstance(node, cst.Module):
        _block(flow, node.body)
        return
    parameters.enter(flow)
    if isinstance(node, cst.Lambda):
        flow.returns = flow.evaluate(node.body)
    elif isinstance(node, cst.FunctionDef):
        _suite(flow, node.body)
        flow.falls_through = flow.env.alive and flow.returned


def _suite(flow: Flow, suite: cst.BaseSuite) -> None:
    _block(flow, suite.body)


def _block(flow: Flow, body: Iterable[Node]) -> None:
    for statement in body:
        if not flow.env.alive:
            return
        if flow.env.when:
            flow.when[statement] = flow.env.when
        handler = STATEMENTS.get(type(statement))
        if handler is not None:
            handler(flow, statement)


@executes(cst.SimpleStatementLine, cst.SimpleStatementSuite)
def _line(flow: Flow, line: cst.SimpleStatementLine) -> None:
    _block(flow, line.body)


@executes(cst.Expr)
def _expression(flow: Flow, statement: cst.Expr) -> None:
    flow.evaluate(statement.value)


@executes(cst.Assign)
def _assign(flow: Flow, statement: cst.Assign) -> None:
    value = flow.evaluate(statement.value)
    for target in statement.targets:
        flow.bind(target.target, value)
        if isinstance(target.target, cst.Attribute) and target.target.attr.value == "data":
            flow.change(target.target, flow.evaluate(target.target.value))
            _descend(flow, statement, target.target, statement.value)
        if isinstance(target.target, cst.Attribute) and target.target.attr.value == "requires_grad":
            owner = flow.values.get(target.target.value)
            if owner is not None and owner.is_tensor:
                gradients.require(owner, literal(statement.value))


@executes(cst.AnnAssign)
def _annotated(flow: Flow, statement: cst.AnnAssign) -> None:
    value = flow.evaluate(statement.value) if statement.value is not None else Value(node=statement)
    if value.kind is Kind.UNKNOWN:
        parameters.annotate(flow, value, statement.annotation)
    flow.bind(statement.target, value)


@executes(cst.AugAssign)
def _augmented(flow: Flow, statement: cst.AugAssign) -> None:
    before = flow.evaluate(statement.target)
    added = flow.evaluate(statement.value)
    result = update(flow, statement, before, added)
    flow.bind(statement.target, result)
    flow.change(statement, before)
    if gradients.is_written(flow.file, statement.target, before, flow.file.gradient_aliases):
        flow.happen(Happens.REWRITE, statement)
    flow.values[statement] = result
    flow.values[statement.target] = before
    _descend(flow, statement, statement.target, statement.value)


def _descend(flow: Flow, statement: Node, target: Node, change: Node) -> None:
    """`w -= lr * w.grad` is a step, taken by hand."""
    root = gradients.leaf(target)
    if gradients.follows(root, [change]) and not gradients.is_gradient(target):
        flow.happen(Happens.STEP, statement, flow.values.get(root) or flow.evaluate(root))


@executes(cst.Return)
def _return(flow: Flow, statement: cst.Return) -> None:
    value = flow.evaluate(statement.value) if statement.value is not None else other(statement)
    flow.returns = value if flow.returns is None else join(flow.returns, value)
    flow.returned = True
    _leave(flow, statement)


@executes(cst.Raise)
def _raise(flow: Flow, statement: cst.Raise) -> None:
    if statement.exc is not None:
        flow.evaluate(statement.exc)
    _leave(flow, statement)


@executes(cst.Break, cst.Continue)
def _leave_loop(flow: Flow, statement: Node) -> None:
    if flow.leaves:
        flow.leaves[-1].append(flow.env.copy())
    _leave(flow, statement)


def _leave(flow: Flow, statement: Node) -> None:
    if flow.env.when or flow.leaves:
        flow.happen(Happens.LEAVE, statement)
    flow.env.alive = False


@executes(cst.Assert)
def _assert(flow: Flow, statement: cst.Assert) -> None:
    flow.evaluate(statement.test)


@executes(cst.Del)
def _delete(flow: Flow, statement: cst.Del) -> None:
    place = flow.place(statement.target)
    if place is not None:
        flow.env.places.forget(place)
    if isinstance(statement.target, cst.Attribute) and statement.target.attr.value == "grad":
        flow.happen(Happens.CLEAR, statement.target)


@executes(cst.If)
def _if(flow: Flow, statement: cst.If) -> None:
    flow.evaluate(statement.test)
    before = flow.env.copy()
    flow.env.when, before.when = flow.ask(statement.test, True), flow.ask(statement.test, False)
    _suite(flow, statement.body)
    after = flow.env
    flow.env = before
    if isinstance(statement.orelse, cst.If):
        _if(flow, statement.orelse)
    elif statement.orelse is not None:
        _suite(flow, statement.orelse.body)
    flow.env.merge([after])


@executes(cst.For)
def _for(flow: Flow, statement: cst.For) -> None:
    over = flow.evaluate(statement.iter)
    for each in (over, *over.sources):  # `loader`, `loader * 2`
        _ask(flow, statement.iter, each, "__iter__", "__next__")
    _loop(flow, statement, lambda: flow.bind(statement.target, iterated(flow, over, statement.target)))
    module, wants = gradients.switched(statement)
    if module is not None and module in flow.values:
        flow.values[module].frozen = not wants and not flow.env.when


def _ask(flow: Flow, node: Node, value: Value, *names: str) -> None:
    """A loader or context manager of the project may clear the gradients whenever it is asked for a batch, or entered."""
    if value.cls is None or value.kind is Kind.CLASS:
        return
    for method in map(value.cls.method, names):
        callee = flow.callee(method) if method is not None else None
        if callee is not None and any(each.what is Happens.CLEAR for each in callee.events.values()):
            flow.happen(Happens.CLEAR, node)


@executes(cst.While)
def _while(flow: Flow, statement: cst.While) -> None:
    _loop(flow, statement, lambda: flow.evaluate(statement.test))


def _loop(flow: Flow, statement: cst.For | cst.While, begin: Callable[[], object]) -> None:
    entry = flow.env.copy()
    flow.depths[statement] = len(entry.when)
    settled = flow.settled.get(statement, {})
    noted = len(flow.events)
    if statement not in flow.watched:
        flow.watched[statement] = _places_in(flow, statement)
    watched, after = flow.watched[statement], dict[str, tuple[Kind, Graph]]()
    for _ in range(2):  # the second time with what the first left behind
        flow.forget(noted)
        before, unbound = _signature(flow.env, watched), flow.unbound
        flow.unbound = set()
        flow.leaves.append([])
        begin()
        _suite(flow, statement.body)
        ends = [flow.env, *flow.leaves.pop()]
        flow.env = entry.copy()
        flow.env.merge(ends)
        after = _signature(flow.env, watched)
        carried = flow.unbound & after.keys() - before.keys()  # read before this round bound them: `except: it = iter(loader)`
        flow.unbound |= unbound
        if not carried and before.items() <= after.items() or before.items() <= settled.items() and not carried - settled.keys():
            break  # nothing new for a second time; or this is what an earlier run of the loop, inside another one, came to
    flow.settled[statement] = after
    if statement.orelse is not None:
        _suite(flow, statement.orelse.body)


@executes(cst.With)
def _with(flow: Flow, statement: cst.With) -> None:
    outer, skipped = flow.env.grad, None
    for item in statement.items:
        value = flow.evaluate(item.item)
        _ask(flow, item, value, "__enter__", "__exit__")
        if isinstance(item.item, cst.Call) and flow.file.qualname(item.item.func) == "contextlib.suppress":
            skipped = flow.env.copy()
        if value.kind is Kind.GRAD_MODE:
            flow.env.grad = grad_mode(value)
        if item.asname is not None:
            flow.bind(item.asname.name, entered(value))
    if skipped is not None:  # any part of the body may be left out
        flow.env.when = flow.ask(statement, True)
    _suite(flow, statement.body)
    flow.env.grad = outer
    if skipped is not None:
        flow.env.merge([skipped])


@executes(cst.Try, cst.TryStar)
def _try(flow: Flow, statement: cst.Try | cst.TryStar) -> None:
    before = flow.env.copy()
    if statement.handlers:
        flow.env.when = flow.ask(statement, None)
    _suite(flow, statement.body)
    ends = []
    during = before.copy()
    during.merge([flow.env])
    during.when = before.when
    handlers: tuple[cst.ExceptHandler | cst.ExceptStarHandler, ...] = tuple(statement.handlers)
    for position, handler in enumerate(handlers):
        kept, flow.env = flow.env, during.copy()
        flow.env.when = flow.ask(statement, position)
        if handler.name is not None:
            flow.bind(handler.name.name, other(handler))
        _suite(flow, handler.body)
        ends.append(flow.env)
        flow.env = kept
    if statement.orelse is not None and flow.env.alive:
        _suite(flow, statement.orelse.body)
    flow.env.merge(ends)
    if statement.finalbody is not None:
        alive, flow.env.alive = flow.env.alive, True
        _suite(flow, statement.finalbody.body)
        flow.env.alive = alive and flow.env.alive


@executes(cst.Match)
def _match(flow: Flow, statement: cst.Match) -> None:
    flow.evaluate(statement.subject)
    ends = []
    before = flow.env
    for position, case in enumerate(statement.cases):
        flow.env = before.copy()
        flow.env.when = flow.ask(statement, position)
        _suite(flow, case.body)
        ends.append(flow.env)
    flow.env = before
    flow.env.merge(ends)


@executes(cst.FunctionDef)
def _define(flow: Flow, statement: cst.FunctionDef) -> None:
    flow.env.places[statement.name.value] = Value(Kind.FUNCTION, graph=Graph.NO, node=statement, definition=Function(flow.file, statement))


@executes(cst.ClassDef)
def _class(flow: Flow, statement: cst.ClassDef) -> None:
    flow.env.places[statement.name.value] = Value(Kind.CLASS, graph=Graph.NO, node=statement, definition=flow.file.class_model(statement))


@executes(cst.Import, cst.ImportFrom)
def _import(flow: Flow, statement: cst.Import | cst.ImportFrom) -> None:
    if isinstance(statement.names, cst.ImportStar):
        return
    for alias in statement.names:
        bound: cst.BaseExpression = alias.asname.name if alias.asname is not None else alias.name
        while isinstance(bound, cst.Attribute):
            bound = bound.value
        if isinstance(bound, cst.Name):
            flow.env.places.forget(bound.value)


def update(flow: Flow, node: cst.AugAssign, before: Value, added: Value) -> Value:
    """What `before += added` leaves in the target."""
    if isinstance(node.operator, cst.AddAssign) and before.kind is Kind.LIST:
        if added.elem is not None or added.items:
            flow.store(node, before, element(added, node))
        return before
    if before.cls is not None and before.kind is Kind.OBJECT:
        return before  # it adds in its own way
    return operate(node, before, added)


def _places_in(flow: Flow, loop: Node) -> set[str]:
    """The places that a loop names: what the others hold makes no difference to how it reads."""
    tree = flow.file.tree
    nodes = [each for kind in (cst.Name, cst.Attribute, cst.Subscript) for each in tree.within(tree.nodes(kind), loop)]
    return {place for place in map(flow.place, nodes) if place is not None}


def _signature(env: Environment, watched: set[str]) -> dict[str, tuple[Kind, Graph]]:
    """What the places hold, as far as it matters for reading a loop again."""
    held = ((place, env.places.get(place)) for place in watched)
    return {place: (value.kind, value.graph) for place, value in held if value is not None}
