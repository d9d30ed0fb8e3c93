"""One forward pass over a function, or the module's own code: what every expression yields, and what happens in which order.

Structural, without a control-flow graph: branches are joined, loop bodies run twice, a nested function is followed where it is
called. Expressions are evaluated in `torchlint.model.expressions`, calls in `torchlint.model.calls`; this module owns statements,
places and events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import libcst as cst

from torchlint.model import calls, evidence, expressions
from torchlint.model.happenings import Event, Happens
from torchlint.model.kinds import Graph, Kind, Value, join, other
from torchlint.model.tree import Node

if TYPE_CHECKING:
    from torchlint.model import FileModel
    from torchlint.model.classes import ClassModel


class Environment:
    """What the places (`x`, `self.x`, `stats['loss']`) hold at one point, and whether gradients are recorded there."""

    __slots__ = ("alive", "grad", "places")

    def __init__(self, places: dict[str, Value], grad: bool | None = True, alive: bool = True) -> None:
        self.places = places
        self.grad = grad
        """True: recorded. False: not. None: depends."""
        self.alive = alive
        """False behind a return, raise, break or continue."""

    def copy(self) -> Environment:
        return Environment(dict(self.places), self.grad, self.alive)

    def merge(self, others: Iterable[Environment]) -> None:
        """Become what holds when control comes from here or from any of the others."""
        living = [each for each in (self, *others) if each.alive]
        if not living:
            return
        first, *rest = living
        places = dict(first.places)
        grad = first.grad
        for each in rest:
            for name, value in each.places.items():
                known = places.get(name)
                places[name] = value if known is None or known is value else join(known, value)
            grad = grad if grad is each.grad else None
        self.places, self.grad, self.alive = places, grad, True


class Flow:
    """The result of the pass over one function or module."""

    def __init__(self, file: FileModel, node: Node) -> None:
        self.file = file
        self.node = node
        self.values: dict[Node, Value] = {}
        self.events: dict[tuple[Happens, Node, Node], Event] = {}
        self.returns: Value | None = None
        self.falls_through = False
        """Some paths return a value, another one reaches the end: the caller gets None there."""
        self.parameters: dict[str, Value] = {}
        self.owner: ClassModel | None = None
        """The class whose method this is."""
        self._parts: set[str] = set()
        self._returned = False
        self._settled: dict[Node, dict[str, tuple[Kind, Graph]]] = {}
        self._leaves: list[list[Environment]] = []
        self.env = Environment({})

    # -- running --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        node = self.node
        if isinstance(node, cst.Module):
            self._block(node.body)
            return
        evidence.enter(self)
        if isinstance(node, cst.Lambda):
            self.returns = self.evaluate(node.body)
        elif isinstance(node, cst.FunctionDef):
            self._suite(node.body)
            self.falls_through = self.env.alive and self._returned

    def evaluate(self, node: Node) -> Value:
        """The value of an expression at this point of the pass."""
        if isinstance(node, cst.Call):
            value = calls.evaluate(self, node)
        else:
            evaluator = expressions.EVALUATORS.get(type(node))
            value = evaluator(self, node) if evaluator is not None else Value(node=node)
        if self.env.grad is False and value.graph is not Graph.NO and value.node is node and value.kind not in _SELF_MADE:
            value.graph = Graph.NO
        self.values[node] = value
        return value

    def happen(
        self,
        what: Happens,
        node: Node,
        target: Value | None = None,
        *,
        value: Value | None = None,
        values: tuple[Value, ...] = (),
        site: Node | None = None,
        file: FileModel | None = None,
    ) -> None:
        site = site or node
        self.events[what, node, site] = Event(what, node, target, value, values, site, file or self.file)

    # -- places ---------------------------------------------------------------------------------------------------------

    def place(self, node: Node) -> str | None:
        """The name of what an assignable expression denotes, or None where it is not one fixed thing."""
        if isinstance(node, cst.Name):
            return node.value
        if isinstance(node, cst.Attribute):
            base = self.place(node.value)
            return f"{base}.{node.attr.value}" if base is not None else None
        if isinstance(node, cst.Subscript) and len(node.slice) == 1:
            index = node.slice[0].slice
            if isinstance(index, cst.Index) and isinstance(index.value, (cst.SimpleString, cst.Integer)):
                base = self.place(node.value)
                return f"{base}[{index.value.value}]" if base is not None else None
        return None

    def bind(self, target: Node, value: Value) -> None:
        """Let a target hold a value, unpacking where the target asks for it."""
        if isinstance(target, (cst.Tuple, cst.List)):
            elements = target.elements
            starred = any(isinstance(each, cst.StarredElement) for each in elements)
            for position, element in enumerate(elements):
                if value.items is not None and not starred and len(value.items) == len(elements):
                    self.bind(element.value, value.items[position])
                else:
                    self.bind(
                        element.value,
                        Value(kind=Kind.LIST) if isinstance(element, cst.StarredElement) else expressions.element(value, element.value),
                    )
            return
        place = self.place(target)
        if place is None:
            if isinstance(target, cst.Subscript):
                container = self.evaluate(target.value)
                expressions.store(self, target, container, value)
            return
        if isinstance(target, cst.Name) and target.value in self._parts:
            self._forget_parts(place)
        elif isinstance(target, cst.Attribute):
            self.evaluate(target.value)
            if target.attr.value == "grad":
                self.happen(Happens.CLEAR, target)
        elif isinstance(target, cst.Subscript):
            expressions.store(self, target, self.evaluate(target.value), value)
        if not isinstance(target, cst.Name):
            self.note_part(place)
        self.env.places[place] = value
        self.values[target] = value

    def note_part(self, place: str) -> None:
        """Remember that places like `x.y` are held, so that a new `x` makes them stale."""
        self._parts.add(place.split(".")[0].split("[")[0])

    def _forget_parts(self, name: str) -> None:
        stale = [place for place in self.env.places if place.startswith((name + ".", name + "["))]
        for place in stale:
            del self.env.places[place]

    # -- statements -----------------------------------------------------------------------------------------------------

    def _suite(self, suite: cst.BaseSuite) -> None:
        self._block(suite.body)

    def _block(self, body: Iterable[Node]) -> None:
        for statement in body:
            if not self.env.alive:
                return
            handler = _STATEMENTS.get(type(statement))
            if handler is not None:
                handler(self, statement)

    def _line(self, line: cst.SimpleStatementLine) -> None:
        self._block(line.body)

    def _expression(self, statement: cst.Expr) -> None:
        self.evaluate(statement.value)

    def _assign(self, statement: cst.Assign) -> None:
        value = self.evaluate(statement.value)
        for target in statement.targets:
            self.bind(target.target, value)

    def _annotated(self, statement: cst.AnnAssign) -> None:
        value = self.evaluate(statement.value) if statement.value is not None else Value(node=statement)
        if value.kind is Kind.UNKNOWN:
            evidence.annotate(self, value, statement.annotation)
        self.bind(statement.target, value)

    def _augmented(self, statement: cst.AugAssign) -> None:
        before = self.evaluate(statement.target)
        added = self.evaluate(statement.value)
        result = expressions.update(self, statement, before, added)
        self.bind(statement.target, result)
        self.values[statement] = result
        self.values[statement.target] = before

    def _return(self, statement: cst.Return) -> None:
        value = self.evaluate(statement.value) if statement.value is not None else other(statement)
        self.returns = value if self.returns is None else join(self.returns, value)
        self._returned = True
        self.env.alive = False

    def _raise(self, statement: cst.Raise) -> None:
        if statement.exc is not None:
            self.evaluate(statement.exc)
        self.env.alive = False

    def _leave(self, statement: Node) -> None:
        if self._leaves:
            self._leaves[-1].append(self.env.copy())
        self.env.alive = False

    def _assert(self, statement: cst.Assert) -> None:
        self.evaluate(statement.test)

    def _delete(self, statement: cst.Del) -> None:
        place = self.place(statement.target)
        if place is not None:
            self.env.places.pop(place, None)
        if isinstance(statement.target, cst.Attribute) and statement.target.attr.value == "grad":
            self.happen(Happens.CLEAR, statement.target)

    def _if(self, statement: cst.If) -> None:
        self.evaluate(statement.test)
        before = self.env.copy()
        self._suite(statement.body)
        after = self.env
        self.env = before
        if isinstance(statement.orelse, cst.If):
            self._if(statement.orelse)
        elif statement.orelse is not None:
            self._suite(statement.orelse.body)
        self.env.merge([after])

    def _for(self, statement: cst.For) -> None:
        iterated = self.evaluate(statement.iter)
        self._loop(statement, lambda: self.bind(statement.target, expressions.element(iterated, statement.target)))

    def _while(self, statement: cst.While) -> None:
        self._loop(statement, lambda: self.evaluate(statement.test))

    def _loop(self, statement: cst.For | cst.While, begin: Callable[[], object]) -> None:
        entry = self.env.copy()
        settled = self._settled.get(statement, {})
        for _ in range(2):  # the second time with what the first left behind
            before = _signature(self.env)
            self._leaves.append([])
            begin()
            self._suite(statement.body)
            ends = [self.env, *self._leaves.pop()]
            self.env = entry.copy()
            self.env.merge(ends)
            after = _signature(self.env)
            if before.items() <= after.items() or before.items() <= settled.items():
                break  # nothing new for a second time; or this is what an earlier run of the loop, inside another one, came to
        self._settled[statement] = _signature(self.env)
        if statement.orelse is not None:
            self._suite(statement.orelse.body)

    def _with(self, statement: cst.With) -> None:
        outer = self.env.grad
        for item in statement.items:
            value = self.evaluate(item.item)
            if value.kind is Kind.GRAD_MODE:
                self.env.grad = expressions.grad_mode(value)
            if item.asname is not None:
                self.bind(item.asname.name, expressions.entered(value))
        self._suite(statement.body)
        self.env.grad = outer

    def _try(self, statement: cst.Try | cst.TryStar) -> None:
        before = self.env.copy()
        self._suite(statement.body)
        ends = []
        during = before
        during.merge([self.env])
        for handler in statement.handlers:
            kept, self.env = self.env, during.copy()
            if handler.name is not None:
                self.bind(handler.name.name, other(handler))
            self._suite(handler.body)
            ends.append(self.env)
            self.env = kept
        if statement.orelse is not None and self.env.alive:
            self._suite(statement.orelse.body)
        self.env.merge(ends)
        if statement.finalbody is not None:
            alive, self.env.alive = self.env.alive, True
            self._suite(statement.finalbody.body)
            self.env.alive = alive and self.env.alive

    def _match(self, statement: cst.Match) -> None:
        self.evaluate(statement.subject)
        ends = []
        before = self.env
        for case in statement.cases:
            self.env = before.copy()
            self._suite(case.body)
            ends.append(self.env)
        self.env = before
        self.env.merge(ends)

    def _define(self, statement: cst.FunctionDef) -> None:
        self.env.places[statement.name.value] = Value(Kind.FUNCTION, graph=Graph.NO, node=statement, definition=(self.file, statement))

    def _class(self, statement: cst.ClassDef) -> None:
        self.env.places[statement.name.value] = Value(
            Kind.CLASS, graph=Graph.NO, node=statement, definition=self.file.class_model(statement)
        )

    def _import(self, statement: cst.Import | cst.ImportFrom) -> None:
        if isinstance(statement.names, cst.ImportStar):
            return
        for alias in statement.names:
            bound: cst.BaseExpression = alias.asname.name if alias.asname is not None else alias.name
            while isinstance(bound, cst.Attribute):
                bound = bound.value
            if isinstance(bound, cst.Name):
                self.env.places.pop(bound.value, None)


def _signature(env: Environment) -> dict[str, tuple[Kind, Graph]]:
    """What the places hold, as far as it matters for reading a loop again."""
    return {name: (value.kind, value.graph) for name, value in env.places.items()}


_SELF_MADE = frozenset({Kind.MODULE, Kind.OPTIMIZER, Kind.FUNCTION, Kind.CLASS, Kind.GRAD_MODE})
"""What keeps its own graph state even when it is made or named where gradients are off."""

_STATEMENTS: dict[type[Node], Callable[[Flow, Any], None]] = {
    cst.SimpleStatementLine: Flow._line,
    cst.SimpleStatementSuite: Flow._line,
    cst.Expr: Flow._expression,
    cst.Assign: Flow._assign,
    cst.AnnAssign: Flow._annotated,
    cst.AugAssign: Flow._augmented,
    cst.Return: Flow._return,
    cst.Raise: Flow._raise,
    cst.Break: Flow._leave,
    cst.Continue: Flow._leave,
    cst.Assert: Flow._assert,
    cst.Del: Flow._delete,
    cst.If: Flow._if,
    cst.For: Flow._for,
    cst.While: Flow._while,
    cst.With: Flow._with,
    cst.Try: Flow._try,
    cst.TryStar: Flow._try,
    cst.Match: Flow._match,
    cst.FunctionDef: Flow._define,
    cst.ClassDef: Flow._class,
    cst.Import: Flow._import,
    cst.ImportFrom: Flow._import,
}
