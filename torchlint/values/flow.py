"""One forward pass over a function, or the module's own code: what every expression yields, and what happens in which order.

Structural, without a control-flow graph: branches are joined, loop bodies run twice, a nested function is followed where it is
called. This module owns places, values and events; statements, expressions and calls register themselves here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

import libcst as cst

from torchlint.settings import Settings
from torchlint.syntax.file import SourceFile
from torchlint.syntax.literals import text
from torchlint.syntax.tree import Node
from torchlint.values import gradients
from torchlint.values.algebra import unpacked
from torchlint.values.arguments import Arguments
from torchlint.values.events import Condition, Event, Happens, answer
from torchlint.values.places import Places
from torchlint.values.value import Assigned, ClassDefinition, Function, Graph, Kind, Value, join

_IN_PLACE = frozenset({Kind.TENSOR, Kind.UNKNOWN, Kind.NDARRAY})
"""What may be a tensor or an array, so that an operator or a method changes it where it lies."""
_SELF_MADE = frozenset({Kind.MODULE, Kind.OPTIMIZER, Kind.FUNCTION, Kind.CLASS, Kind.GRAD_MODE})
"""What keeps its own graph state even when it is made or named where gradients are off."""


class Environment:
    """What the places (`x`, `self.x`, `stats['loss']`) hold at one point, whether gradients are recorded there, and what holds there."""

    __slots__ = ("alive", "grad", "places", "when")

    def __init__(self, places: Places[Value], grad: bool | None = True, alive: bool = True, when: tuple[Condition, ...] = ()) -> None:
        self.places = places
        self.grad = grad
        """True: recorded. False: not. None: depends."""
        self.alive = alive
        """False behind a return, raise, break or continue."""
        self.when = when
        """The answers on the way to this point, early exits included."""

    def copy(self) -> Environment:
        return Environment(self.places.copy(), self.grad, self.alive, self.when)

    def merge(self, others: Iterable[Environment]) -> None:
        """Become what holds when control comes from here or from any of the others."""
        living = [each for each in (self, *others) if each.alive]
        if not living:
            return
        first, *rest = living
        differing = first.places.apart([each.places for each in rest])
        places = first.places if first is self else first.places.copy()
        grad, when = first.grad, first.when
        for each in rest:
            when = _common(when, each.when)
            grad = grad if grad is each.grad else None
            for place in differing:
                known, value = places.get(place), each.places.get(place)
                if value is not None and value is not known:
                    places[place] = value if known is None else join(known, value)
        self.places, self.grad, self.alive, self.when = places, grad, True, when


def _common(a: tuple[Condition, ...], b: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """What two ways to one point have in common from the start."""
    for position, (one, other) in enumerate(zip(a, b, strict=False)):
        if one is not other:
            return a[:position]
    return min(a, b, key=len)


class Analysis(SourceFile, ABC):
    """A file together with what is known of the values in it, and of the program around it; `torchlint.program.analysis` makes them."""

    settings: Settings
    namesakes: dict[str, Value | None]
    """What the variables of one name are, in whatever function: `torchlint.values.namesakes` finds out."""

    @cached_property
    def gradient_aliases(self) -> frozenset[str]:
        """The names of what the file makes gradients of."""
        return gradients.aliases(self)

    @abstractmethod
    def flow(self, function: Node) -> Flow:
        """The pass over a function, lambda or the module; while it is still running, as far as it has come."""

    @abstractmethod
    def flow_or_none(self, function: Node) -> Flow | None:
        """The finished pass over a function; None while it is running (recursion)."""

    def value(self, node: Node) -> Value:
        """What an expression yields."""
        return self.flow(self.function(node)).values.get(node) or Value(node=node)

    @abstractmethod
    def classes(self) -> Iterator[ClassDefinition]:
        """The classes defined in this file, in document order."""

    @abstractmethod
    def class_model(self, node: cst.ClassDef) -> ClassDefinition:
        """The class that is defined there."""

    @abstractmethod
    def class_of(self, node: Node) -> ClassDefinition | None:
        """The project's class that an expression names."""

    @abstractmethod
    def method_calls(self, name: str) -> tuple[dict[cst.ClassDef, list[cst.Call]], list[cst.Call]]:
        """The calls `self.name(…)` by the class that they stand in, and all other calls of methods of this name."""

    @property
    @abstractmethod
    def subclasses(self) -> Mapping[ClassDefinition, Sequence[ClassDefinition]]:
        """The classes of this file by the classes that they inherit from, themselves left out."""

    @abstractmethod
    def owner(self, function: Node) -> ClassDefinition | None:
        """The class whose method a function is."""

    @abstractmethod
    def project_value(self, path: str, node: Node) -> Value | None:
        """What an imported name stands for, where another file of the project defines it."""

    @abstractmethod
    def called_with_gradients(self, function: cst.FunctionDef) -> bool | None:
        """Whether gradients are recorded where this file calls the function: True also where nobody does."""

    @property
    @abstractmethod
    def attribute_assignments(self) -> dict[cst.ClassDef, dict[str, list[Assigned]]]:
        """Every `self.x = …` of the file, by class and attribute, in document order."""

    @abstractmethod
    def imports_training(self, path: str) -> bool:
        """Whether an imported function or class of the project runs backward itself."""

    @abstractmethod
    def arguments_for(self, function: cst.FunctionDef, name: str, position: int) -> list[cst.BaseExpression]:
        """What the calls in this file hand over for one parameter."""

    @abstractmethod
    def methods_called_on(self, function: cst.FunctionDef, name: str) -> set[str]:
        """The attributes that a function's body, nested functions included, asks of one variable."""


class Flow:
    """The result of the pass over one function or module."""

    def __init__(self, file: Analysis, node: Node) -> None:
        self.file = file
        self.node = node
        self.values: dict[Node, Value] = {}
        self.events: dict[tuple[Happens, Node, tuple[cst.Call, ...]], Event] = {}
        """In the order of the last pass over each loop."""
        self.depths: dict[Node, int] = {}
        """For each loop, how many conditions lead to it."""
        self.when: dict[Node, tuple[Condition, ...]] = {}
        """For each statement that is reached only under conditions, what must hold."""
        self.returns: Value | None = None
        self.falls_through = False
        """Some paths return a value, another one reaches the end: the caller gets None there."""
        self.parameters: dict[str, Value] = {}
        self.owner: ClassDefinition | None = None
        """The class whose method this is."""
        self._parts: dict[str, set[str]] = {}
        self.returned = False
        self.followed: dict[cst.Call, tuple[Flow, dict[int, Value]]] = {}
        """For each call of a function of the project its pass, and what was given for its parameters, by their identity."""
        self.settled: dict[Node, dict[str, tuple[Kind, Graph]]] = {}
        self.watched: dict[Node, set[str]] = {}
        """For each loop, the places that it names."""
        self.unbound: set[str] = set()
        """The function's own variables that were read where nothing was bound to them on the way."""
        self.leaves: list[list[Environment]] = []
        self.env = Environment(Places())
        self.changed_parameters: list[tuple[Event, Value]] | None = None
        """The changes in place of what the function is given, each with the parameter: worked out for the first caller."""

    # -- running --------------------------------------------------------------------------------------------------------

    def evaluate(self, node: Node) -> Value:
        """The value of an expression at this point of the pass."""
        evaluator = EVALUATORS.get(type(node))
        value = evaluator(self, node) if evaluator is not None else Value(node=node)
        if self.env.grad is False and value.graph is not Graph.NO and value.node is node and value.kind not in _SELF_MADE:
            value.graph = Graph.NO
        self.values[node] = value
        return value

    def call(self, call: cst.Call, target: Value, arguments: Arguments) -> Value:
        """What calling a value yields: a function, a class, a module, or something unknown."""
        known = target.kind is Kind.MODULE or target.definition is not None
        caller = (CALLERS.get(target.kind) if known else None) or CALLERS[Kind.UNKNOWN]
        return caller(self, call, target, arguments)

    def opaque(self, call: cst.Call, arguments: Arguments, receiver: Value | None = None) -> Value:
        """A call that cannot be followed: it may do anything to what it is given, and what it returns is computed from that."""
        values = arguments.values if receiver is None else (receiver, *arguments.values)
        self.happen(Happens.OPAQUE, call, values=values)
        return Value(node=call, sources=values)

    def callee(self, function: Function) -> Flow | None:
        """The finished pass over a function of the project; None while it is running (recursion)."""
        assert isinstance(function.file, Analysis)
        return function.file.flow_or_none(function.node)

    def store(self, node: Node, container: Value, value: Value) -> None:
        """Put a value into a container: the container is now computed from it."""
        if container is value:
            return
        is_first = container.entries is not None or container.elem is None
        if isinstance(node, cst.Subscript) and container.kind in (Kind.DICT, Kind.UNKNOWN) and is_first:
            key = text(node.slice[0].slice.value) if isinstance(node.slice[0].slice, cst.Index) else None
            entries = container.entries or {}
            container.entries = {**entries, key: join(entries[key], value) if key in entries else value} if key is not None else None
        container.elem = value if container.elem is None or container.elem is value else join(container.elem, value)
        container.sources = (*container.sources, value) if value not in container.sources else container.sources
        self.happen(Happens.STORE, node, container, value=value)
        if isinstance(node, cst.Subscript):
            self.change(node, container)

    def change(self, node: Node, changed: Value, *, recorded: bool = True) -> None:
        """Note that a value is changed in place, if it can be; `recorded`: False where what does it switches gradients off itself."""
        if changed.kind in _IN_PLACE:
            self.happen(Happens.CHANGE, node, changed, recorded=recorded)

    def happen(
        self,
        what: Happens,
        node: Node,
        target: Value | None = None,
        *,
        value: Value | None = None,
        values: tuple[Value, ...] = (),
        chain: tuple[cst.Call, ...] = (),
        when: tuple[Condition, ...] = (),
        file: SourceFile | None = None,
        recorded: bool | None = True,
    ) -> None:
        """Note an event; `chain`, `when` and `recorded` are those of the callee where a call repeats it."""
        key = what, node, chain
        self.events.pop(key, None)
        recorded = self.env.grad if recorded or self.env.grad is False else recorded
        self.events[key] = Event(what, node, file or self.file, target, value, values, chain, (*self.env.when, *when), recorded)

    def forget(self, noted: int) -> None:
        """Drop all events but the first ones: what follows is read again, and more is known by now."""
        for key in list(islice(reversed(self.events), len(self.events) - noted)):
            del self.events[key]

    def ask(self, test: Node, arm: Hashable) -> tuple[Condition, ...]:
        """What holds where a test comes out so, with all that holds here."""
        return *self.env.when, answer(test, arm, self.values)

    def under(self, test: Node, arm: Hashable, expression: Node) -> Value:
        """The value of an expression that is evaluated only where a test comes out so."""
        outer, self.env.when = self.env.when, self.ask(test, arm)
        value = self.evaluate(expression)
        self.env.when = outer
        return value

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
            for position, part in enumerate(elements):
                if value.items is not None and not starred and len(value.items) == len(elements):
                    self.bind(part.value, value.items[position])
                else:
                    self.bind(
                        part.value,
                        Value(kind=Kind.LIST) if isinstance(part, cst.StarredElement) else unpacked(value, part.value),
                    )
            return
        place = self.place(target)
        if isinstance(target, cst.Subscript):
            self._read_index(target)
        if place is None:
            if isinstance(target, cst.Subscript):
                if gradients.is_gradient(target):
                    self.happen(Happens.CLEAR if gradients.fills(target, value) else Happens.REWRITE, target)
                container = self.evaluate(target.value)
                self.store(target, container, value)
            return
        if isinstance(target, cst.Name) and target.value in self._parts:
            self._forget_parts(place)
        elif isinstance(target, cst.Attribute):
            self.evaluate(target.value)
            if gradients.is_gradient(target):
                is_new = target.attr.value == "grad" and not gradients.is_only_changed(self.file, target)
                self.happen(Happens.CLEAR if is_new else Happens.REWRITE, target)
        elif isinstance(target, cst.Subscript):
            self.store(target, self.evaluate(target.value), value)
        if not isinstance(target, cst.Name):
            self.note_part(place)
        self.env.places[place] = value
        self.values[target] = value

    def _read_index(self, entry: cst.Subscript) -> None:
        """What an entry is chosen by is read, also where the entry is written: `x[x > 1] = 0`."""
        for each in entry.slice:
            part = each.slice
            bounds = (part.lower, part.upper, part.step) if isinstance(part, cst.Slice) else (getattr(part, "value", None),)
            for node in bounds:
                if node is not None:
                    self.evaluate(node)

    def note_part(self, place: str) -> None:
        """Remember that places like `x.y` are held, so that a new `x` makes them stale."""
        self._parts.setdefault(place.split(".")[0].split("[")[0], set()).add(place)

    def _forget_parts(self, name: str) -> None:
        for place in self._parts[name]:
            self.env.places.forget(place)


# -- who evaluates what: each module of this layer registers the kinds of nodes and values that it knows -------------------

Evaluator = Callable[[Flow, Any], Value]
Statement = Callable[[Flow, Any], None]
Caller = Callable[[Flow, cst.Call, Value, Arguments], Value]
E = TypeVar("E", bound=Evaluator)
S = TypeVar("S", bound=Statement)
C = TypeVar("C", bound=Callable[..., Value])

EVALUATORS: dict[type[Node], Evaluator] = {}
STATEMENTS: dict[type[Node], Statement] = {}
CALLERS: dict[Kind, Caller] = {}


def evaluates(*kinds: type[Node]) -> Callable[[E], E]:
    """Register what yields the value of expressions of these types."""

    def register(evaluator: E) -> E:
        EVALUATORS.update(dict.fromkeys(kinds, evaluator))
        return evaluator

    return register


def executes(*kinds: type[Node]) -> Callable[[S], S]:
    """Register what carries out statements of these types."""

    def register(statement: S) -> S:
        STATEMENTS.update(dict.fromkeys(kinds, statement))
        return statement

    return register


def calls(kind: Kind) -> Callable[[C], C]:
    """Register what happens where a value of this kind is called."""

    def register(caller: C) -> C:
        CALLERS[kind] = caller
        return caller

    return register
