"""What is kept from one iteration to the next: running totals, and values put into containers.

Answers where the thing kept outlives the iteration, what is kept, whether it has already been differentiated, and whether the
total or the container is itself meant for backward. Judging that is left to the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from torchlint.facts.modules import MANAGED_STEPS
from torchlint.program import callers
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.autograd import _consumers as consumers
from torchlint.rules.autograd import _presence as presence
from torchlint.syntax.names import Binds
from torchlint.syntax.tree import Node, descendants, runs_once
from torchlint.values.events import Happens
from torchlint.values.flow import Flow
from torchlint.values.value import Kind, Value

_EMPTYING = frozenset("clear pop popleft popitem".split())
_STORING = ("append", "appendleft", "add", "insert", "extend")


@dataclass
class Kept:
    """A value that goes into something that lives on."""

    file: FileAnalysis
    node: Node
    """The statement or call that keeps it."""
    target: cst.BaseExpression
    """The total or the container."""
    value: cst.BaseExpression
    """What is added or stored."""
    loop: Node
    """The loop whose iterations it outlives, or the function that is called again and again."""

    @cached_property
    def flow(self) -> Flow:
        return self.file.flow(self.file.function(self.node))

    @cached_property
    def kept(self) -> Value:
        """What is known of the value."""
        return self.flow.values.get(self.value) or Value(node=self.value)

    @cached_property
    def into(self) -> Value:
        """What is known of the total after the addition, or of the container."""
        return Value()

    @property
    def may_be_nothing(self) -> bool:
        """Whether what is kept may be no tensor now and then: None, or the plain 0 that an empty sum is."""
        return self.kept.optional and not (isinstance(self.value, cst.Name) and presence.is_present(self.file, self.value))

    @property
    def is_spent(self) -> bool:
        """Whether backward has run through the value in the same iteration: its graph can serve nobody any more."""
        carrying = (value for value in self.kept.trained() if value.has_graph and value.kind in (Kind.TENSOR, Kind.UNKNOWN))
        return any(self._frees(call) for value in carrying for call in value.differentiated)

    def _frees(self, call: Node) -> bool:
        """Whether this backward stands in the same iteration and leaves nothing to differentiate again."""
        if call not in self.file.tree.order or not self.file.is_inside(call, self.loop):
            return False
        retained = (
            [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value in ("retain_graph", "create_graph")]
            if isinstance(call, cst.Call)
            else []
        )
        return all(isinstance(each, cst.Name) and each.value == "False" for each in retained)

    @property
    def is_windowed(self) -> bool:
        """Whether some iterations start it afresh: what is kept is bounded."""
        return rebinds(self.file, self.loop, self.target)

    @property
    def is_differentiated(self) -> bool:
        """Whether backward runs from the total or container, or from something computed from it."""
        return bool(self.into.differentiated)

    @cached_property
    def escapes(self) -> bool:
        """Whether code that is not seen may get hold of the total or container."""
        root = self.target
        while isinstance(root, (cst.Subscript, cst.Call, cst.Attribute)):
            if isinstance(root, cst.Attribute):
                return True
            root = (
                root.func.value
                if isinstance(root, cst.Call) and isinstance(root.func, cst.Attribute)
                else root.value
                if isinstance(root, cst.Subscript)
                else cst.Name("_")
            )
        if not isinstance(root, cst.Name):
            return True
        scope = self.file.names.scope(root).lookup(root.value)
        if scope is None or not isinstance(scope.node, cst.Module) and scope.node is not self.flow.node:
            return True
        if any(binding.how is Binds.PARAMETER for binding in scope.bindings[root.value]):
            return True
        flow = self.flow
        reached = [flow.returns] if flow.returns is not None else []
        reached += [value for event in flow.events.values() if event.what is Happens.OPAQUE for value in event.values]
        reached += [
            event.target
            for event in flow.events.values()
            if event.what is Happens.STORE and event.target is not None and event.target is not self.into
        ]
        return any(self.into is each for value in reached for each in value.lineage())


@dataclass
class Accumulation(Kept):
    """`target += value`, or an assignment that adds to what the target held."""

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.node) or self.flow.values.get(self.target) or Value()

    @cached_property
    def carrier(self) -> cst.BaseExpression:
        """The part of what is added that brings the graph: in a moving average the value without its weight."""
        node = self.value
        while (
            isinstance(self.node, cst.Assign)
            and isinstance(node, cst.BinaryOperation)
            and isinstance(node.operator, (cst.Multiply, cst.Divide))
        ):
            carrying = [side for side in (node.left, node.right) if side in self.flow.values and self.flow.values[side].has_graph]
            if len(carrying) != 1:
                break
            node = carrying[0]
        return node


@dataclass
class Store(Kept):
    """A value put into a container."""

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.target) or Value()

    @property
    def iterates_over_data(self) -> bool:
        """Whether the iterations are those of a loop, or of a comprehension over batches: not over the parts of a model."""
        return True

    @property
    def keeps_tensors(self) -> bool:
        """Whether the container may hold on to a tensor, rather than copy a number out of it.

        Of a thing about which nothing is known, `append` speaks of a list; `add` may be a meter's, and what is imported may be a module.
        """
        if self.into.kind is Kind.UNKNOWN:
            adds = isinstance(self.node, cst.Call) and isinstance(self.node.func, cst.Attribute) and self.node.func.attr.value == "add"
            return not adds and self.file.qualname(self.target) is None
        return self.into.kind in (Kind.LIST, Kind.DICT, Kind.TENSOR)

    @cached_property
    def takes_numbers(self) -> bool:
        """Whether every visible use of the container would do just as well with plain numbers, and no other use is hidden."""
        root = self.target
        while isinstance(root, (cst.Subscript, cst.Call)):
            root = (
                root.value
                if isinstance(root, cst.Subscript)
                else root.func.value
                if isinstance(root.func, cst.Attribute)
                else cst.Name("_")
            )
        return (
            isinstance(root, cst.Name) and not self.into.is_tensor and not self._is_shared(root) and consumers.take_numbers(self.file, root)
        )

    def _is_shared(self, root: cst.Name) -> bool:
        scope = self.file.names.scope(root).lookup(root.value)
        return scope is None or any(binding.how is Binds.PARAMETER for binding in scope.bindings[root.value])


@dataclass
class Collection(Store):
    """`[f(x) for x in loader]`: the loop is the comprehension, the container what it is assigned to."""

    is_windowed = False

    @property
    def iterates_over_data(self) -> bool:
        """Whether it runs over batches, not over the parts of a model."""
        clause = self.loop.for_in  # type: ignore[attr-defined]
        names = [each for each in descendants(clause.target) if isinstance(each, cst.Name)]
        return any(value is not None and value.batch for value in (self.flow.values.get(name) for name in names))

    @cached_property
    def into(self) -> Value:
        return self.flow.values.get(self.loop) or Value()


# -- what outlives an iteration ------------------------------------------------------------------------------------------


def rebinds(file: FileAnalysis, loop: Node, target: Node, *, always: bool = False) -> bool:
    """Whether the loop's body gives the target (or what it is part of) a new value, or empties it; `always`: in every iteration."""
    body: Node = loop.body  # type: ignore[attr-defined]

    def counts(node: Node) -> bool:
        return file.is_inside(node, body) and not (always and _is_conditional(file, node, loop))

    current: Node = target
    while True:
        if isinstance(current, cst.Name):
            scope = file.names.scope(current).lookup(current.value)
            bindings = scope.bindings[current.value] if scope is not None else []
            return (
                isinstance(loop, cst.For)
                and any(file.is_inside(binding.node, loop.target) for binding in bindings)
                or any(counts(binding.node) and _is_rebinding(file, binding.node) for binding in bindings)
                or any(counts(each) and _is_emptied(file, each) for each in file.references(current))
            )
        if isinstance(current, cst.Attribute):
            for other in file.tree.attributes.get(current.attr.value, ()):
                if counts(other) and _same(other, current) and (_is_bound(file, other) or _is_emptied(file, other)):
                    return True
            current = current.value
        elif isinstance(current, cst.Subscript):
            if any(counts(other) for other in _assigned_subscripts(file, current)):
                return True
            current = current.value
        elif isinstance(current, cst.Call) and isinstance(current.func, cst.Attribute):
            current = current.func.value
        else:
            return False


def _is_conditional(file: FileAnalysis, node: Node, loop: Node) -> bool:
    for each in file.ancestors(node):
        if each is loop:
            return False
        if isinstance(each, (cst.If, cst.ExceptHandler)):
            return True
    return False


def _is_rebinding(file: FileAnalysis, bound: Node) -> bool:
    """Whether this binding replaces the value: `x += y` and `x = x + y` go on with it."""
    statement = file.parent(bound)
    if isinstance(statement, cst.AugAssign):
        return False
    if isinstance(statement, cst.AssignTarget):
        assign = file.parent(statement)
        return not (isinstance(assign, cst.Assign) and isinstance(bound, cst.Name) and _mentions(assign.value, bound))
    return True


def _is_bound(file: FileAnalysis, attribute: Node) -> bool:
    above = file.parent(attribute)
    if isinstance(above, cst.AssignTarget):
        assign = file.parent(above)
        return isinstance(assign, cst.Assign) and not _mentions(assign.value, attribute)
    return isinstance(above, cst.AnnAssign) and above.target is attribute


def _assigned_subscripts(file: FileAnalysis, target: cst.Subscript) -> Iterator[cst.Subscript]:
    """Where `stats['loss']`, the very same key, is given a new value."""
    for other in file.nodes(cst.Subscript):
        holder = file.parent(other)
        if other is not target and isinstance(holder, cst.AssignTarget) and other.deep_equals(target):
            assign = file.parent(holder)
            if isinstance(assign, cst.Assign) and not _mentions(assign.value, other):
                yield other


def _is_emptied(file: FileAnalysis, node: Node) -> bool:
    above = file.parent(node)
    if isinstance(above, cst.Attribute) and above.attr.value in _EMPTYING:
        return isinstance(file.parent(above), cst.Call)
    if isinstance(above, cst.Subscript) and above.value is node:
        return isinstance(file.parent(above), cst.Del)
    return isinstance(above, cst.Del)


def _same(a: Node, b: Node) -> bool:
    if isinstance(a, cst.Attribute) and isinstance(b, cst.Attribute):
        return a.attr.value == b.attr.value and _same(a.value, b.value)
    return isinstance(a, cst.Name) and isinstance(b, cst.Name) and a.value == b.value


def _mentions(node: Node, target: Node) -> bool:
    return any(
        _same(each, target) or isinstance(each, cst.Subscript) and isinstance(target, cst.Subscript) and each.deep_equals(target)
        for each in descendants(node)
    )


def outlived_loop(file: FileAnalysis, node: Node, target: Node) -> Node | None:
    """The innermost loop whose iterations the target outlives, or the function that a caller or a trainer repeats."""
    for loop in file.tree.loops(node):
        if not rebinds(file, loop, target, always=True) and not runs_once(loop):
            return loop
    return _repeated_function(file, node, target)


def _repeated_function(file: FileAnalysis, node: Node, target: Node) -> Node | None:
    function = file.function(node)
    if not isinstance(function, cst.FunctionDef) or rebinds(file, function, target):
        return None
    owner = file.owner(function)
    if owner is not None and owner.is_managed and function.name.value in MANAGED_STEPS and not isinstance(target, cst.Name):
        return function
    for call in callers.mentions(file, function):
        for loop in file.tree.loops(call):
            if isinstance(target, cst.Name) or not rebinds(file, loop, target):
                return function
    return None


# -- totals --------------------------------------------------------------------------------------------------------------


def accumulations(file: FileAnalysis) -> Iterator[Accumulation]:
    for update in file.nodes(cst.AugAssign):
        if isinstance(update.operator, (cst.AddAssign, cst.SubtractAssign)) and not isinstance(
            update.value, (cst.Integer, cst.Float, cst.List, cst.SimpleString, cst.FormattedString)
        ):
            loop = outlived_loop(file, update, update.target) if file.handles_graphs(file.function(update)) else None
            if loop is not None:
                yield Accumulation(file, update, update.target, update.value, loop)
    for assign in file.nodes(cst.Assign):
        target = assign.targets[0].target
        if (
            len(assign.targets) != 1
            or not isinstance(assign.value, cst.BinaryOperation)
            or not isinstance(target, (cst.Name, cst.Attribute, cst.Subscript))
        ):
            continue
        added = _added(assign.value, target)
        if added is None:
            continue
        loop = outlived_loop(file, assign, target) if file.handles_graphs(file.function(assign)) else None
        if loop is not None:
            yield Accumulation(file, assign, target, added, loop)


def _added(node: cst.BaseExpression, target: Node) -> cst.BaseExpression | None:
    """In `total + x` or `0.9 * total + 0.1 * x`: what is added."""
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, (cst.Add, cst.Subtract)):
        return None
    left, right = _mentions(node.left, target), _mentions(node.right, target)
    if left == right:
        return None
    added = node.right if left else node.left
    carried = node.left if left else node.right
    if not _is_carried(carried, target):
        return None
    return added


def _is_carried(node: Node, target: Node) -> bool:
    """`total`, `0.9 * total`, or a sum that holds one of them: no call in between that could end the graph."""
    if isinstance(node, cst.BinaryOperation):
        return _is_carried(node.left, target) or _is_carried(node.right, target)
    return _same(node, target) or isinstance(node, cst.Subscript) and isinstance(target, cst.Subscript) and node.deep_equals(target)


# -- containers ----------------------------------------------------------------------------------------------------------


def stores(file: FileAnalysis) -> Iterator[Store]:
    for call in file.methods(*_STORING):
        func = call.func
        if call.args and isinstance(func, cst.Attribute) and not any(arg.keyword is not None or arg.star for arg in call.args):
            yield from _store(file, call, func.value, call.args[-1].value)
    for assign in file.nodes(cst.Assign):
        target = assign.targets[0].target
        if isinstance(target, cst.Subscript):
            yield from (store for store in _store(file, assign, target.value, assign.value) if _has_own_key(file, target, store.loop))
        elif isinstance(target, cst.Name):
            yield from _assigned(file, assign, target)
    for update in file.nodes(cst.AugAssign):
        if isinstance(update.operator, cst.AddAssign) and isinstance(update.value, (cst.List, cst.Tuple)):
            yield from _store(file, update, update.target, update.value)


def _assigned(file: FileAnalysis, assign: cst.Assign, target: cst.Name) -> Iterator[Store]:
    value = assign.value
    if isinstance(value, (cst.ListComp, cst.SetComp)) and file.handles_graphs(file.function(assign)):
        yield Collection(file, assign, target, value.elt, value)
    elif (
        isinstance(value, cst.BinaryOperation)
        and isinstance(value.operator, cst.Add)
        and isinstance(value.right, cst.List)
        and _same(value.left, target)
    ):
        yield from _store(file, assign, target, value.right)


def _has_own_key(file: FileAnalysis, target: cst.Subscript, loop: Node) -> bool:
    """Whether every iteration writes under another key, rather than over what the last one left."""
    names = [each for index in target.slice for each in descendants(index) if isinstance(each, cst.Name)]
    return any(
        rebinds(file, loop, name) or any(_is_counted(file, use) and file.is_inside(use, loop) for use in file.references(name))
        for name in names
    )


def _is_counted(file: FileAnalysis, use: Node) -> bool:
    update = file.parent(use)
    return isinstance(update, cst.AugAssign) and update.target is use


def _store(file: FileAnalysis, node: Node, target: cst.BaseExpression, value: cst.BaseExpression) -> Iterator[Store]:
    parts = [part for part in _parts(value) if not isinstance(part, (cst.SimpleString, cst.FormattedString, cst.Integer, cst.Float))]
    if parts and not file.handles_graphs(file.function(node)):
        return
    loop = outlived_loop(file, node, target) if parts else None
    if loop is not None:
        yield from (Store(file, node, target, part, loop) for part in parts)


def _parts(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """What a display holds, one by one; anything else is itself."""
    if isinstance(value, (cst.Tuple, cst.List)):
        for element in value.elements:
            yield from _parts(element.value)
    elif isinstance(value, cst.Dict):
        for entry in value.elements:
            if isinstance(entry, cst.DictElement):
                yield from _parts(entry.value)
    else:
        yield value
