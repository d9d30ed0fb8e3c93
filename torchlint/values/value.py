"""The values that the flow model reasons about: what kind of thing, with or without a graph, on which device, made of what.

A `Value` stands for what one expression yields. It is shared by every name that holds it and refined in place when a later use
proves more (`x.backward()` makes `x` a tensor with a graph), so that earlier uses of the same value know it too.
UNKNOWN is the honest default; where evidence conflicts, the answer is UNKNOWN again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from torchlint.facts.tensors import MODULE_EVIDENCE
from torchlint.syntax.file import SourceFile
from torchlint.values.kinds import Graph, Kind, Place

__all__ = ["Assigned", "ClassDefinition", "Function", "Graph", "Kind", "Place", "Value", "join", "number", "other"]


class Function(NamedTuple):
    """A function, method or lambda of the project, and the file that it stands in."""

    file: SourceFile
    node: cst.CSTNode


Assigned = tuple[cst.FunctionDef, cst.Attribute, cst.BaseExpression | None]
"""The method, the target, and the assigned expression (None where it is unpacked)."""


class ClassDefinition(ABC):
    """A class of the project, as far as the values made of it need to know it; `torchlint.program.classes` reads it."""

    node: cst.ClassDef
    name: str

    @property
    @abstractmethod
    def ancestry(self) -> tuple[ClassDefinition, ...]:
        """This class and the project's classes that it inherits from, nearest first."""

    @property
    @abstractmethod
    def is_module(self) -> bool:
        """Whether instances are `torch.nn.Module`s."""

    @property
    @abstractmethod
    def is_managed(self) -> bool:
        """Whether a framework calls the methods: it clears, steps and switches gradients by itself."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether a base is unknown, so that methods and attributes may come from somewhere unseen."""

    @property
    @abstractmethod
    def instance_kind(self) -> Kind:
        """What an instance is, for a class that is no module."""

    @property
    @abstractmethod
    def has_weights(self) -> bool:
        """Whether a module holds parameters of its own or modules that do; unknown modules count as weighted."""

    @property
    @abstractmethod
    def own_methods(self) -> dict[str, cst.FunctionDef]:
        """The methods that the class itself defines."""

    @property
    @abstractmethod
    def assignments(self) -> dict[str, list[Assigned]]:
        """For each attribute set on `self`: where, in which method, and to what."""

    @abstractmethod
    def method(self, name: str) -> Function | None:
        """The method of that name, inherited ones included."""

    @abstractmethod
    def assigns(self, name: str) -> bool:
        """Whether the class or a base in the project sets this attribute on its instances."""

    @abstractmethod
    def attribute(self, name: str) -> Value | None:
        """What the attribute holds: the assignment in `__init__`, joined with those of other methods."""


_HOLDING = frozenset({Kind.LIST, Kind.TUPLE, Kind.DICT})
_ARITHMETIC = (cst.BinaryOperation, cst.AugAssign, cst.UnaryOperation)
_FAR = 200
"""Values looked at to find where a graph came from."""
_DEEP = 8
"""Operations between a value and the one that brought its graph."""


class Value:
    """What one expression yields, as far as it is known."""

    __slots__ = (
        "batch",
        "definition",
        "differentiated",
        "dtype",
        "elem",
        "entries",
        "fresh",
        "frozen",
        "graph",
        "graphless",
        "items",
        "kind",
        "leaf",
        "node",
        "op",
        "optional",
        "original",
        "part",
        "place",
        "pure",
        "qualname",
        "roots",
        "scalar",
        "sources",
        "uses",
    )

    def __init__(
        self,
        kind: Kind = Kind.UNKNOWN,
        *,
        graph: Graph = Graph.MAYBE,
        place: Place = Place.UNKNOWN,
        sources: tuple[Value, ...] = (),
        node: cst.CSTNode | None = None,
        elem: Value | None = None,
        items: tuple[Value, ...] | None = None,
        entries: dict[str, Value] | None = None,
        qualname: str | None = None,
        definition: ClassDefinition | Function | None = None,
        pure: bool = False,
        scalar: bool = False,
        fresh: bool = False,
        batch: bool = False,
        leaf: bool = False,
    ) -> None:
        self.kind = kind
        self.graph = graph
        self.place = place
        self.sources = sources
        """The values this one was computed from."""
        self.node = node
        """The expression that made it."""
        self.elem = elem
        """What iterating over it, or indexing it, yields."""
        self.items = items
        """The elements of a tuple, one by one."""
        self.entries = entries
        """What a dictionary holds under the keys that are spelt out."""
        self.pure = pure
        """Computed from its sources and nothing else: a graph that it carries was brought by one of them."""
        self.part = False
        """One of several things that a call returned together: whether it carries the graph that is in them is not certain."""
        self.original: Value | None = None
        """The value inside a function of the project that this one stands for where the function is called."""
        self.op: str | None = None
        """The operation of torch that made it, by the name of all its forms: `softmax`, `argmax`, `add` for `+`."""
        self.dtype: str | None = None
        """The type of a tensor's elements where the code spells it, by its one name: `int64` for `torch.long`."""
        self.qualname = qualname
        """For instances, classes and functions of imported libraries: their dotted name."""
        self.definition = definition
        """For project classes, their instances and functions: the model of the definition."""
        self.scalar = scalar
        """A tensor with exactly one element."""
        self.fresh = fresh
        """Made by a factory function of torch: shares memory with nothing."""
        self.leaf = leaf
        """A parameter or a tensor made with `requires_grad=True`: it takes gradients, and has no graph behind it."""
        self.batch = batch
        """Comes out of an iteration over something unknown: data, as far as anybody can tell, and no model's output."""
        self.frozen = False
        """A module none of whose parameters takes gradients."""
        self.graphless = False
        """It went backward, and no graph was known to lead to it: an exception, unless something out of sight gave it one."""
        self.optional = False
        """It may be None, or a plain number, instead."""
        self.roots: tuple[cst.CSTNode, ...] = ()
        """The backward calls that this very value was given to."""
        self.differentiated: tuple[cst.CSTNode, ...] = ()
        """The backward calls that reach this value: on it, or on something computed from it."""
        self.uses: frozenset[str] = frozenset()
        """The methods called on it, as long as it is not known what it is."""

    @property
    def cls(self) -> ClassDefinition | None:
        """The project's class that this is, or is an instance of."""
        return self.definition if isinstance(self.definition, ClassDefinition) else None

    @property
    def has_graph(self) -> bool:
        """Known to carry an autograd graph."""
        return self.graph is Graph.YES

    @property
    def is_tensor(self) -> bool:
        return self.kind is Kind.TENSOR

    def __repr__(self) -> str:
        return f"<{self.kind.value} graph={self.graph.name} place={self.place.name}{' scalar' if self.scalar else ''}>"

    @property
    def is_joined(self) -> bool:
        """Whether it stands for one of several values: of two branches, or of what a loop begins and goes on with."""
        return self.node is _JOINED

    def lineage(self) -> Iterator[Value]:
        """This value and everything it was computed from."""
        seen: set[int] = set()
        stack = [self]
        while stack:
            value = stack.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            yield value
            stack.extend(value.sources)
            if value.items:
                stack.extend(value.items)
            if value.entries:
                stack.extend(value.entries.values())
            if value.elem is not None:
                stack.append(value.elem)

    def trained(self) -> Iterator[Value]:
        """What a backward from here gives gradients to: the lineage, as far as the graph goes."""
        seen: set[int] = set()
        stack = [self]
        while stack:
            value = stack.pop()
            if id(value) in seen or value.graph is Graph.NO and value.kind in (Kind.TENSOR, Kind.UNKNOWN, Kind.NUMBER):
                continue
            seen.add(id(value))
            yield value
            stack.extend((*value.sources, *(value.items or ()), *(value.entries or {}).values()))
            if value.elem is not None:
                stack.append(value.elem)

    def refine(self, kind: Kind) -> None:
        """Take what a use proves, where nothing was known."""
        if self.kind is Kind.UNKNOWN:
            self.kind = kind

    def used(self, method: str) -> None:
        """Note a method call; together, calls prove what an unknown value is."""
        if self.kind is not Kind.UNKNOWN:
            return
        self.uses |= {method}
        if {"zero_grad", "step"} <= self.uses or "param_groups" in self.uses and "step" in self.uses:
            self.kind = Kind.OPTIMIZER
        elif {"scale", "step", "update"} <= self.uses or "unscale_" in self.uses:
            self.kind = Kind.SCALER
        elif {"get_last_lr", "step"} <= self.uses:
            self.kind = Kind.SCHEDULER
        elif method in MODULE_EVIDENCE and "step" not in self.uses:
            self.kind = Kind.MODULE

    def backpropagate(self, call: cst.CSTNode) -> None:
        """`call` runs backward from this value: it is a tensor with a graph, and what led to it is differentiated."""
        self.refine(Kind.TENSOR)
        self.graphless = self.graph is Graph.NO and not self.roots
        if self.graph is Graph.MAYBE:
            self.graph = Graph.YES
        self.roots = (*self.roots, call)
        for value in self.lineage():
            value.reached(call)
        self._infer_origin()
        if self.node is _JOINED:
            for each in self.sources:  # whichever of them it was, it went backward
                if each.kind in (Kind.UNKNOWN, Kind.TENSOR) and each.graph is not Graph.NO:
                    each.refine(Kind.TENSOR)
                    each.graph = Graph.YES
                    each.scalar = each.scalar or self.scalar
                    each._infer_origin()
        if any(each.place is Place.ACCELERATOR for each in self.lineage()):
            for value in self.lineage():  # what is computed with is where the data and the weights are
                if value.place is Place.UNKNOWN and (value.has_graph or value.is_tensor and value.graph is not Graph.NO):
                    value.place = Place.ACCELERATOR

    def reached(self, call: cst.CSTNode) -> None:
        """A backward call reaches this value."""
        if call not in self.differentiated:
            self.differentiated = (*self.differentiated, call)

    def _infer_origin(self) -> None:
        """Where one value alone can have brought the graph, it did, and what was computed from it on the way here carries it too.

        Nothing else is proved by a backward: of two operands, either may be plain data.
        """
        way: list[Value] = []
        origins: list[Value] = []
        seen: set[int] = set()
        self._trace(way, origins, seen)
        if len(origins) != 1 or len(seen) > _FAR or origins[0].kind not in (Kind.UNKNOWN, Kind.TENSOR):
            return
        origins[0].graph = Graph.YES
        for value in way:  # sources first
            if value.pure and value.kind in (Kind.UNKNOWN, Kind.TENSOR) and any(each.has_graph for each in value.carriers):
                value.graph = Graph.YES
        for value in reversed(way):
            if value.is_tensor and isinstance(value.node, _ARITHMETIC) and len(value.carriers) == 1:
                value.carriers[0].refine(Kind.TENSOR)  # arithmetic that yields one element was done with one
                value.carriers[0].scalar = value.carriers[0].scalar or value.scalar

    def _trace(self, way: list[Value], origins: list[Value], seen: set[int]) -> None:
        """Add this value to the way, behind what may have brought it the graph, or to the origins where nothing did."""
        if id(self) in seen or len(seen) > _FAR:
            return
        seen.add(id(self))
        for each in self.carriers:
            each._trace(way, origins, seen)
        (way if self.carriers else origins).append(self)

    @property
    def carriers(self) -> list[Value]:
        """The sources that may have brought the graph; none where the value may have it from elsewhere."""
        sources = self.parts if self.kind in _HOLDING else self.sources if self.pure else ()
        divided = isinstance(self.node, cst.BinaryOperation) and isinstance(self.node.operator, cst.Divide) and len(sources) == 2
        if divided and isinstance(sources[1].node, (cst.Param, cst.Name, cst.Attribute)):
            sources = sources[:1]  # divided by a setting, such as the number of steps
        return [each for each in sources if each.may_carry]

    def settle(self, depth: int = _DEEP) -> None:
        """Take over the graph of what it was computed from, where that came to light afterwards: `total += loss * n; loss.backward()`."""
        if self.graph is Graph.MAYBE and self.pure and depth > 0:
            for each in self.carriers:
                each.settle(depth - 1)
                if each.has_graph:
                    self.graph = Graph.YES

    @property
    def may_carry(self) -> bool:
        """Whether a graph may be in it, as far as is known: plain data, numbers and detached tensors hold none."""
        if self.kind in (Kind.UNKNOWN, Kind.TENSOR):
            return self.graph is not Graph.NO and not self.batch
        if self.kind in _HOLDING:
            return not self.parts or any(each.may_carry for each in self.parts)
        return self.kind in (Kind.MODULE, Kind.OBJECT, Kind.PARAMETERS)

    @property
    def parts(self) -> tuple[Value, ...]:
        """What a container is known to hold."""
        held = (*(self.items or ()), *(self.entries or {}).values())
        return held if held or self.elem is None else (self.elem,)

    @property
    def holds_graph(self) -> bool:
        """Known to carry a graph, or to be a tuple or dictionary that holds something that does."""
        return any(each.has_graph and each.kind in (Kind.UNKNOWN, Kind.TENSOR) for each in self.held())

    def held(self) -> Iterator[Value]:
        """This value, or for a container what is in it."""
        seen: set[int] = set()
        stack = [self]
        while stack:
            value = stack.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if value.kind in _HOLDING:
                stack.extend(value.parts)
            else:
                yield value


def number(node: cst.CSTNode | None = None) -> Value:
    return Value(Kind.NUMBER, graph=Graph.NO, place=Place.CPU, node=node)


def other(node: cst.CSTNode | None = None) -> Value:
    return Value(Kind.OTHER, graph=Graph.NO, place=Place.CPU, node=node)


def join(a: Value, b: Value) -> Value:
    """What is known of a value that is one of the two: what they agree on. `None` is no evidence."""
    if a is b or b in a.sources and isinstance(a.node, _Joined):
        return a
    if a.kind is Kind.NONE:
        a, b = b, a
    sources = (a, b)
    started = False
    """A sum that begins with a plain number, which it still is where the loop has no iterations."""
    if b.kind is Kind.NONE:
        kind, graph, place = a.kind, a.graph, a.place
    else:
        kind = a.kind if a.kind is b.kind else Kind.UNKNOWN
        started = (
            isinstance(a.node, (cst.Integer, cst.Float)) and b.has_graph or isinstance(b.node, (cst.Integer, cst.Float)) and a.has_graph
        )
        graph = a.graph if a.graph is b.graph else Graph.YES if started else Graph.MAYBE
        place = max(a.place, b.place)
    same = b.kind is Kind.NONE
    joined = Value(
        kind,
        graph=graph,
        place=place,
        sources=sources,
        node=_JOINED,
        elem=a.elem if same or a.elem is b.elem else _join_optional(a.elem, b.elem),
        items=a.items if same else None,
        entries=a.entries if same else None,
        qualname=a.qualname if same or a.qualname == b.qualname else None,
        definition=a.definition if same or a.definition is b.definition else None,
        scalar=a.scalar if same else a.scalar and b.scalar,
        fresh=a.fresh if same else a.fresh and b.fresh,
    )
    joined.op = a.op if same or a.op == b.op else None
    joined.dtype = a.dtype if same or a.dtype == b.dtype else None
    joined.frozen = a.frozen and (same or b.frozen)
    joined.optional = a.optional or b.optional or same and a.kind is not Kind.NONE or started
    return joined


def _join_optional(a: Value | None, b: Value | None) -> Value | None:
    return a or b if a is None or b is None else join(a, b)


class _Joined(cst.Pass):
    """Marks values that stand for one of several."""


_JOINED = _Joined()
