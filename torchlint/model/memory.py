"""Memory: which values share it, where it is changed in place, and where it is read after that.

What surely shares memory is told from what may (`x.reshape(…)`, an index that nobody knows, a call out of sight). A value is what one
expression yields: of one in a loop there are many, and whether a name still holds the same one is a matter of the way to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from torchlint.model.conditions import exclude
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.syntax.ways import reached
from torchlint.values.events import Event, Happens
from torchlint.values.memory import Chains, behind
from torchlint.values.value import Kind, Value

_DESCRIBES = frozenset(
    """shape size dtype device ndim dim numel requires_grad is_cuda is_leaf grad grad_fn stride layout element_size names
    requires_grad_ zero_grad retain_grad retain_graph""".split()
)
"""What a change in place leaves as it was: to ask for it is not to read."""
_FEW = 8
"""Views of views that are followed to the name of the tensor."""
_ASKS_ONLY = frozenset({"len", "isinstance", "type", "hasattr", "id"})


class Memory:
    """What may be asked of the memory of one file's values."""

    def __init__(self, file: FileAnalysis) -> None:
        self._file = file
        self._chains = Chains(file)
        self._by_memory: dict[Node, tuple[dict[int, list[tuple[int, Event]]], list[Event]]] = {}
        """For each function its changes in place, by the memory that they may be of and in their order."""

    def shares(self, one: Value, other: Value) -> bool:
        """Whether a change of one surely shows in the other; of containers, in something that they hold."""
        return one is other or any(self._chains.meet(each, with_) for each in _all(one) for with_ in _all(other))

    def may_share(self, one: Value, other: Value) -> bool:
        """Whether one may have been made of the other, or both of a third, without a copy."""
        mine = {key for each in _all(one) for key in behind(self._file, each)}
        return any(key in mine for each in _all(other) for key in behind(self._file, each))

    def changes(self, function: Node | None = None, of: Value | None = None) -> Iterator[Event]:
        """The changes in place that a function makes, in their order, those of what it calls included; else all that are written here.

        `of`: only those of memory that this value surely shares. An event's `target` is what is changed, `node` the statement, target or
        call that does it, `when` its conditions, `recorded` whether gradients are recorded there.
        """
        file = self._file
        for each in (function,) if function is not None else (file.module, *file.nodes(cst.FunctionDef), *file.nodes(cst.Lambda)):
            for event in self._changes(each, of):
                if function is not None or not event.chain:
                    yield event

    def _changes(self, function: Node, of: Value | None) -> Iterable[Event]:
        known = self._by_memory.get(function)
        if known is None:
            known = self._by_memory[function] = {}, []
            for event in self._file.flow(function).events.values():
                if event.what is Happens.CHANGE and event.target is not None:
                    known[1].append(event)
                    for key in self._keys(event.target):
                        known[0].setdefault(key, []).append((len(known[1]), event))
        if of is None:
            return known[1]
        near = {place: event for key in self._keys(of) for place, event in known[0].get(key, ())}
        return [near[place] for place in sorted(near) if self.shares(near[place].target or of, of)]

    def _keys(self, value: Value) -> set[int]:
        """What two values must have one of in common to share memory for sure."""
        return {key for each in _all(value) for key in self._chains.of(each)}

    def names(self, change: Event) -> list[cst.Name]:
        """The names that a change is made through: `x` of `x += 1`, `x.data[0] = 1`, `scale(x)`, and of `v += 1` with `v = x.view(-1)`."""
        file, target = self._file, change.target
        for changed in _changed(file, change) if target is not None else ():
            if target is not None and self.shares(file.value(changed), target):
                return [each for each in _roots(file, changed) if self.shares(file.value(each), target)]
        return []

    def may_change(self, function: Node, value: Value) -> bool:
        """Whether a function may change a value in place: itself, or by a call of what is out of sight."""
        for event in self._file.flow(function).events.values():
            given = (event.target,) if event.what is Happens.CHANGE else event.values if event.what is Happens.OPAQUE else ()
            if any(each is not None and self.may_share(each, value) for each in given):
                return True
        return False

    def reads(self, value: Value, after: Node, of: cst.Name | None = None, without: Iterable[Node] = ()) -> list[cst.Name]:
        """Where the memory of a value is read under a name after a place of the same function has been passed, as control comes to it.

        The name must hold it all the way. `of`: only this variable; `without`: only on ways that do not pass these places.
        """
        file, function = self._file, self._file.function(after)
        names = file.references(of) if of is not None else [each for each in file.flow(function).values if isinstance(each, cst.Name)]
        holding: dict[str, list[cst.Name]] = {}
        for name in names:
            held = file.value(name)
            if file.function(name) is function and self.is_read(name) and self.shares(held, value):
                holding.setdefault(name.value, []).append(name)
        found: dict[Node, None] = {}
        for reads in holding.values():
            bound = [each.node for each in file.names.bindings(reads[0]) if not isinstance(file.parent(each.node), cst.AugAssign)]
            found.update(dict.fromkeys(reached(file.tree, after, reads, (*bound, *without))))
        return [each for each in found if isinstance(each, cst.Name) and not exclude(file, after, each)]

    def is_read(self, name: cst.Name) -> bool:
        """Whether a name's appearance looks at what is in the tensor: to bind it, to write into it or to ask for its shape is not to."""
        file = self._file
        above = file.parent(name)
        if isinstance(above, cst.Attribute):
            return above.attr.value not in _DESCRIBES and not _is_target(file, above)
        if isinstance(above, cst.Subscript) and above.value is name:
            return not _is_target(file, above)
        if isinstance(above, cst.Arg):
            call = file.parent(above)
            asked = call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Name) else None
            return asked not in _ASKS_ONLY and not (above.keyword is not None and above.keyword.value == "out")
        if isinstance(above, (cst.Comparison, cst.ComparisonTarget)):
            compared = above if isinstance(above, cst.Comparison) else file.parent(above)
            operators = [each.operator for each in compared.comparisons] if isinstance(compared, cst.Comparison) else []
            return not any(isinstance(each, (cst.Is, cst.IsNot)) for each in operators)
        return not (isinstance(above, cst.Del) or _is_target(file, name))


def _changed(file: FileAnalysis, change: Event) -> list[Node]:
    """The expressions, in the function that is read, of which one is what is changed."""
    site = change.site
    if isinstance(site, cst.AugAssign):
        return [site.target]
    if not isinstance(site, cst.Call):
        return [site.value] if isinstance(site, (cst.Subscript, cst.Attribute)) else []
    is_method = isinstance(site.func, cst.Attribute) and file.qualname(site.func) is None
    own: list[Node] = [site.func.value] if is_method and isinstance(site.func, cst.Attribute) else []
    given: list[Node] = [each.value for each in site.args]
    if change.chain or file.value(site.func).kind is Kind.MODULE:
        return [*own, *given]
    written: list[Node] = [each.value for each in site.args if each.keyword is not None and each.keyword.value == "out"]
    return own or written or given[:1]


def _roots(file: FileAnalysis, node: Node) -> Iterator[cst.Name]:
    """The name that an expression starts from, and those that its only value starts from in turn."""
    for _ in range(_FEW):
        while not isinstance(node, cst.Name):
            if isinstance(node, cst.Call):
                node = node.func.value if isinstance(node.func, cst.Attribute) else node.func
            elif isinstance(node, (cst.Attribute, cst.Subscript)):
                node = node.value
            else:
                return
        yield node
        bindings = file.names.bindings(node)
        if len(bindings) != 1 or bindings[0].value is None or isinstance(bindings[0].value, cst.Name):
            return
        node = bindings[0].value


def _is_target(file: FileAnalysis, node: Node) -> bool:
    """Whether an expression is what an assignment or a loop sets. The target of `x += y` is read as well."""
    child = node
    for above in file.ancestors(node):
        if isinstance(above, (cst.Tuple, cst.List, cst.Element, cst.StarredElement)):
            child = above
            continue
        if isinstance(above, (cst.AnnAssign, cst.NamedExpr, cst.For, cst.CompFor)):
            return above.target is child
        return isinstance(above, (cst.AssignTarget, cst.AsName))
    return False


def _all(value: Value) -> list[Value]:
    """The value and, of containers, what is in them."""
    held = list(value.held())
    return held if held == [value] else [value, *held]
