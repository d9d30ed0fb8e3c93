"""The one walk over a file: parents, document order, scopes, and indexes by node type, name and attribute.

Everything else in the model reads these maps; nothing walks the whole tree again. Only fields that carry meaning are followed:
whitespace, commas and parentheses are nodes in LibCST too, and visiting them would double the cost.
What a name refers to is left to `torchlint.syntax.names`.
"""

from __future__ import annotations

import dataclasses
from abc import ABCMeta
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import chain, count
from typing import TypeVar

import libcst as cst

Node = cst.CSTNode


class _Kind(ABCMeta):
    """The type of LibCST's classes, without the detour through `abc`: nothing is ever registered there as a virtual subclass."""

    __instancecheck__ = type.__instancecheck__


def _ask_in_c(kind: type[Node]) -> None:
    """Let nodes of this type and those below it compare and hash by identity, and be asked for their type, as every object does.

    LibCST puts methods in Python that say the same into each of its classes, and makes them abstract. The model lives in dictionaries
    keyed by nodes and asks for types all the time, where `object`'s and `type`'s own ways are several times faster.
    """
    kind.__eq__ = object.__eq__  # type: ignore[method-assign]
    kind.__hash__ = object.__hash__  # type: ignore[method-assign]
    if type(kind) is ABCMeta:
        kind.__class__ = _Kind  # type: ignore[assignment]
    for each in kind.__subclasses__():
        _ask_in_c(each)


_ask_in_c(cst.CSTNode)  # type: ignore[type-abstract]

N = TypeVar("N", bound=cst.CSTNode)

_TRIVIA = frozenset(
    """lpar rpar lbracket rbracket lbrace rbrace comma colon semicolon equal dot indent header footer leading_lines lines_after_decorators
    trailing_whitespace asynchronous encoding default_indent default_newline has_trailing_newline operator relative star_sep first second
    quote start end prefix conversion star""".split()
)
_PLAIN = frozenset({str, bool, int, cst.MaybeSentinel})
_FIELDS: dict[type[Node], tuple[str, ...]] = {}
_USUAL = 1 << 15
"""Nodes of a file of some thousand lines."""

COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
BRANCHES = (cst.If, cst.Try, cst.TryStar, cst.Match, cst.IfExp)


def fields(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a node type that hold meaning, in reverse document order (a stack hands them out in order)."""
    names = _FIELDS.get(kind)
    if names is None:
        found = [each.name for each in dataclasses.fields(kind) if each.name not in _TRIVIA and "whitespace" not in each.name]
        if kind in (cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary, cst.FormattedStringText):
            found = []
        elif kind is cst.FunctionDef:  # LibCST declares the body before the decorators
            found = ["decorators", "name", "type_parameters", "params", "returns", "body"]
        elif kind is cst.ClassDef:
            found = ["decorators", "name", "type_parameters", "bases", "keywords", "body"]
        elif kind is cst.IfExp:
            found = ["body", "test", "orelse"]
        elif kind is cst.Subscript:
            found = ["value", "slice"]
        elif kind is cst.Slice:  # `first_colon` and the like are trivia, the bounds are not
            found = ["lower", "upper", "step"]
        names = _FIELDS[kind] = tuple(reversed([name for name in found if hasattr(kind, name)]))
    return names


def children(node: Node) -> Iterator[Node]:
    """The meaningful children of a node, in document order."""
    for name in reversed(fields(type(node))):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (each for each in value if isinstance(each, Node))


def descendants(node: Node) -> Iterator[Node]:
    """The node and everything below it, in document order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(tuple(children(current))))


@cache
def _places() -> list[int]:
    """The first numbers, once for all files: those of each would take as much as the nodes' names."""
    return list(range(_USUAL))


class Tree:
    """Parents, order and indexes of one parsed module."""

    def __init__(self, module: cst.Module) -> None:
        self.module = module
        self.parents: dict[Node, Node] = {}
        self.order: dict[Node, int] = {}
        self.by_type: defaultdict[type[Node], list[Node]] = defaultdict(list)
        self.names: defaultdict[str, list[cst.Name]] = defaultdict(list)
        """Every `Name` node by its text, attribute and keyword names left out."""
        self.attributes: defaultdict[str, list[cst.Attribute]] = defaultdict(list)
        """Every attribute access by the attribute's name."""
        self._functions: dict[Node, Node] = {}
        """For each node that was asked about, and each block around it: the function."""
        self._loops: dict[Node, tuple[cst.For | cst.While, ...]] = {}
        """For each node that was asked about, and each block around it: the loops around all that it holds."""
        self._walk(module)

    def _walk(self, module: cst.Module) -> None:
        parents, by_type = self.parents, self.by_type
        names, attributes = self.names, self.attributes
        stack: list[Node] = [module]
        pop, push, extend = stack.pop, stack.append, stack.extend
        known = _FIELDS
        found: list[Node] = []
        note = found.append
        while stack:
            node = pop()
            kind = type(node)
            note(node)
            by_type[kind].append(node)
            if kind is cst.Name:
                names[node.value].append(node)  # type: ignore[attr-defined, arg-type]
                continue
            if kind is cst.Attribute:
                attributes[node.attr.value].append(node)  # type: ignore[attr-defined, arg-type]
                child = node.value  # type: ignore[attr-defined]
                parents[child] = node
                push(child)
                continue
            if kind is cst.Arg:  # its keyword is no variable
                child = node.value  # type: ignore[attr-defined]
                parents[child] = node
                push(child)
                continue
            plan = known.get(kind)
            for name in fields(kind) if plan is None else plan:
                value = getattr(node, name)
                if value is None:
                    continue
                shape = type(value)
                if shape is tuple or shape is list:
                    for each in value:
                        parents[each] = node
                    extend(value[::-1])
                elif shape in known or shape not in _PLAIN and isinstance(value, Node):
                    parents[value] = node
                    push(value)
        self.order.update(zip(found, chain(_places(), count(_USUAL)), strict=False))

    def nodes(self, kind: type[N]) -> list[N]:
        """All nodes of exactly this type, in document order."""
        return self.by_type.get(kind, [])  # type: ignore[return-value]

    def ancestors(self, node: Node) -> Iterator[Node]:
        """The nodes around this one, from its parent up to the module."""
        parents = self.parents
        current = parents.get(node)
        while current is not None:
            yield current
            current = parents.get(current)

    def is_inside(self, node: Node, ancestor: Node) -> bool:
        """Whether `node` is `ancestor` or stands somewhere in it."""
        if node is ancestor:
            return True
        first, place = self.order[ancestor], self.order.get(node)
        return place is not None and first < place <= self._ends[first]

    def end(self, node: Node) -> int:
        """The last place in the order that is taken by the node or something in it."""
        return self._ends[self.order[node]]

    @cached_property
    def _ends(self) -> _Ends:
        """For each place in the order, the last place below the node that stands there."""
        return _Ends(self.order)

    def within(self, nodes: Sequence[N], ancestor: Node) -> Sequence[N]:
        """Those of these nodes, given in document order, that stand below the ancestor (or are it): found without a look at the others."""
        first, order = self.order[ancestor], self.order
        start = bisect_left(nodes, first, key=order.__getitem__)
        return nodes[start : bisect_right(nodes, self._ends[first], lo=start, key=order.__getitem__)]

    def statement(self, node: Node) -> Node:
        """The statement line or compound statement that the node belongs to."""
        current = node
        while not isinstance(current, (cst.SimpleStatementLine, cst.BaseCompoundStatement, cst.Module)):
            parent = self.parents.get(current)
            if parent is None:
                break
            if isinstance(parent, cst.SimpleStatementSuite):
                return current
            current = parent
        return current

    def function(self, node: Node) -> Node:
        """The function, lambda or module whose code evaluates the node (decorators, defaults and annotations belong outside)."""
        parents, known, child = self.parents, self._functions, node
        if node in known:
            return known[node]
        blocks: list[Node] = []
        found: Node = self.module
        current = parents.get(node)
        while current is not None:
            kind = type(current)
            if kind is cst.IndentedBlock:
                if current in known:
                    found = known[current]
                    break
                blocks.append(current)
            elif kind is cst.FunctionDef:
                if child is current.body or child is current.params and isinstance(node, cst.Param):  # type: ignore[attr-defined]
                    found = current
                    break
            elif kind is cst.Lambda and child is current.body:  # type: ignore[attr-defined]
                found = current
                break
            child, current = current, parents.get(current)
        for block in blocks:
            known[block] = found
        known[node] = found
        return found

    def loops(self, node: Node) -> Iterator[cst.For | cst.While]:
        """The loops of the same function whose *body* holds the node, innermost first."""
        around = self._loops.get(node)
        if around is None:
            around = self._loops[node] = self._loops_around(node)
        return iter(around)

    def _loops_around(self, node: Node) -> tuple[cst.For | cst.While, ...]:
        parents, child = self.parents, node
        found: list[cst.For | cst.While] = []
        current = parents.get(node)
        while current is not None:
            kind = type(current)
            if kind is cst.IndentedBlock:
                around = self._loops.get(current)
                if around is None:
                    around = self._loops[current] = self._loops_around(current)
                return (*found, *around) if found else around
            if kind is cst.FunctionDef or kind is cst.Lambda or kind is cst.ClassDef:
                break
            if (kind is cst.For or kind is cst.While) and (child is current.body or kind is cst.While and child is current.test):  # type: ignore[attr-defined]
                found.append(current)  # type: ignore[arg-type]
            child, current = current, parents.get(current)
        return tuple(found)


class _Ends(dict[int, int]):
    """The last place below each node, found when it is asked for: that of its last child's last child, and so on."""

    def __init__(self, order: dict[Node, int]) -> None:
        super().__init__()
        self._order = order
        self._nodes = list(order)

    def __missing__(self, place: int) -> int:
        node = self._nodes[place]
        child = _last_child(node)
        while child is not None:
            node, child = child, _last_child(child)
        end = self[place] = self._order[node]
        return end


def _last_child(node: Node) -> Node | None:
    """The last of the children that the walk knows."""
    kind = type(node)
    if kind is cst.Name:
        return None
    if kind is cst.Attribute or kind is cst.Arg:
        return node.value  # type: ignore[attr-defined, no-any-return]
    for name in fields(kind):
        value = getattr(node, name)
        if isinstance(value, (tuple, list)):
            if value:
                return value[-1]  # type: ignore[no-any-return]
        elif isinstance(value, Node):
            return value
    return None


def runs_once(loop: cst.For | cst.While) -> bool:
    """Whether the body runs at most once: it always ends by leaving the loop, or what it iterates over has one element."""
    body = loop.body.body
    last = body[-1] if body else None
    if isinstance(last, cst.SimpleStatementLine) and any(isinstance(each, (cst.Break, cst.Return, cst.Raise)) for each in last.body):
        return True
    return isinstance(loop, cst.For) and _has_one_element(loop.iter)


def _has_one_element(node: Node) -> bool:
    """`islice(batches, 1)`, `range(1)`, `batches[:1]`"""
    if isinstance(node, cst.Call) and node.args:
        name = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        wanted = {"islice": 2, "range": 1}.get(name.value if isinstance(name, cst.Name) else "")
        return wanted == len(node.args) and _is_one(node.args[-1].value)
    if isinstance(node, cst.Subscript) and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Slice):
        part = node.slice[0].slice
        return part.lower is None and part.upper is not None and _is_one(part.upper)
    return False


def _is_one(node: Node) -> bool:
    return isinstance(node, cst.Integer) and node.value == "1"
