"""What one statement does to two variables that may hold the same tensor: reads it, changes it in place, binds the name anew.

The order of statements, and which paths lead from one to the next, are left to `torchlint.rules.numerics._aliases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import libcst as cst

from torchlint.facts.tensors import VIEWS
from torchlint.syntax.tree import Node, children, descendants
from torchlint.values.flow import Analysis

_SAME_MEMORY = frozenset({"data", "T", "mT", "H", "mH", "real", "imag"})
_VIEWING = VIEWS
_METADATA = frozenset(
    """shape size dtype device ndim dim numel requires_grad is_cuda is_leaf grad grad_fn stride layout element_size names
    requires_grad_ zero_grad""".split()
)
"""What a change in place leaves as it was: reading it is no harm."""
_ASKS_ONLY = frozenset({"len", "isinstance", "type", "hasattr"})
_IDENTITY = frozenset({"data_ptr", "untyped_storage", "storage", "is_set_to", "share_memory_"})
_NO_VALUES = frozenset({"requires_grad_", "retain_grad_", "share_memory_", "rename_"})


class Does(Enum):
    READ = "read"
    CHANGE = "change in place"
    BIND = "bind anew"
    SHARE = "give the second name"


@dataclass(frozen=True, slots=True)
class Act:
    does: Does
    name: str
    node: Node
    reads: bool = False


class Reader:
    """Reads what statements do to one pair of names."""

    def __init__(self, file: Analysis, assign: Node, new: str, old: str) -> None:
        self.file = file
        self.assign = assign
        """The statement that makes the new name another name of the old one's tensor."""
        self.new, self.old = new, old
        self.compared = False
        """The code asks whether the two are one tensor."""

    def acts(self, node: Node) -> Iterator[Act]:
        if node is self.assign:
            yield Act(Does.SHARE, self.old, node)
        elif isinstance(node, cst.Assign):
            yield from self._expression(node.value)
            for target in node.targets:
                yield from self._target(target.target)
        elif isinstance(node, cst.AnnAssign):
            if node.value is not None:
                yield from self._expression(node.value)
                yield from self._target(node.target)
        elif isinstance(node, cst.AugAssign):
            yield from self._expression(node.value)
            yield from self._changed(node.target, node, reads=True)
        elif isinstance(node, cst.Del):
            yield from self._target(node.target)
        elif isinstance(node, cst.WithItem):
            yield from self._expression(node.item)
            if node.asname is not None:
                yield from self._target(node.asname.name)
        elif isinstance(node, cst.Assert):
            self.compared = self.compared or self._expects_one(node.test)
            yield from self._expression(node)
        elif isinstance(node, (cst.Name, cst.Tuple, cst.List)) and self._is_loop_target(node):
            yield from self._target(node)
        else:
            yield from self._expression(node)

    def _expects_one(self, asserted: Node) -> bool:
        """`torch.equal(a, b)`, asserted: the author knows that the two are one."""
        names = {each.value for each in descendants(asserted) if isinstance(each, cst.Name)}
        denied = isinstance(asserted, cst.UnaryOperation) or any(isinstance(each, cst.NotEqual) for each in descendants(asserted))
        return {self.new, self.old} <= names and not denied

    def _is_loop_target(self, node: Node) -> bool:
        parent = self.file.parent(node)
        return isinstance(parent, cst.For) and parent.target is node

    def _target(self, target: Node) -> Iterator[Act]:
        if isinstance(target, cst.Name):
            if target.value in (self.new, self.old):
                yield Act(Does.BIND, target.value, target)
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                yield from self._target(element.value)
        elif isinstance(target, cst.Subscript) or isinstance(target, cst.Attribute) and target.attr.value in _SAME_MEMORY:
            yield from self._changed(target, target, reads=False)
        elif isinstance(target, cst.Attribute):
            yield from self._expression(target.value) if target.attr.value not in _METADATA else ()

    def _changed(self, target: Node, node: Node, *, reads: bool) -> Iterator[Act]:
        """The acts of a change in place of what `target` denotes; indices in it are read."""
        inner = target
        if isinstance(inner, cst.Subscript):
            for index in inner.slice:
                yield from self._expression(index)
            inner = inner.value
        root = self._root(inner)
        if root is not None:
            yield Act(Does.CHANGE, root, node, reads)
        elif not isinstance(inner, cst.Name):
            yield from self._expression(inner)

    def _root(self, node: Node) -> str | None:
        """The name whose memory an expression shows: `x`, `x.data`, `x[0]`, `x.view(-1)`, `x.mul_(2)`."""
        while True:
            if isinstance(node, cst.Name):
                return node.value if node.value in (self.new, self.old) else None
            if isinstance(node, cst.Attribute) and node.attr.value in _SAME_MEMORY:
                node = node.value
            elif isinstance(node, cst.Subscript) and all(_is_basic(each.slice) for each in node.slice):
                node = node.value
            elif (
                isinstance(node, cst.Call)
                and isinstance(node.func, cst.Attribute)
                and (node.func.attr.value in _VIEWING or _in_place(node.func.attr.value))
            ):
                node = node.func.value
            else:
                return None

    def _expression(self, node: Node) -> Iterator[Act]:
        if isinstance(node, cst.Name):
            if node.value in (self.new, self.old):
                yield Act(Does.READ, node.value, node)
        elif isinstance(node, cst.Call):
            yield from self._call(node)
        elif isinstance(node, cst.Attribute):
            if isinstance(node.value, cst.Name) and node.attr.value in _METADATA:
                return
            yield from self._expression(node.value)
        elif isinstance(node, cst.NamedExpr):
            yield from self._expression(node.value)
            yield from self._target(node.target)
        elif isinstance(node, cst.Comparison) and any(isinstance(each.operator, (cst.Is, cst.IsNot)) for each in node.comparisons):
            sides = [node.left, *(each.comparator for each in node.comparisons)]
            if not any(isinstance(each, cst.Name) and each.value == "None" for each in sides):
                self.compared = self.compared or any(isinstance(each, cst.Name) and each.value in (self.new, self.old) for each in sides)
        else:
            for child in children(node):
                yield from self._expression(child)

    def _call(self, call: cst.Call) -> Iterator[Act]:
        func = call.func
        name = func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
        method_of = func.value if isinstance(func, cst.Attribute) and self.file.qualname(func) is None else None
        if (name == "id" or name in _IDENTITY) and any(
            isinstance(each, cst.Name) and each.value in (self.new, self.old) for each in descendants(call)
        ):
            self.compared = True
            return
        if method_of is None and name in _ASKS_ONLY:
            return
        if str(name).lower().startswith("assert") and not any(word in str(name).lower() for word in ("not", "false")):
            self.compared = self.compared or any(self._expects_one(part) for part in (call, *(arg.value for arg in call.args[:1])))
        changed = self._changed_argument(call, name) if method_of is None else None
        for arg in call.args:
            root = self._root(arg.value) if arg is changed or arg.keyword is not None and arg.keyword.value == "out" else None
            if root is not None:
                yield Act(Does.CHANGE, root, call)
            else:
                yield from self._expression(arg.value)
        if method_of is None:
            return
        if _in_place(name) and self._root(method_of) is not None:
            if not isinstance(method_of, cst.Name):
                yield from (act for act in self._expression(method_of) if act.does is Does.CHANGE)
            yield Act(Does.CHANGE, self._root(method_of) or "", call, reads=True)
        elif not (isinstance(method_of, cst.Name) and name in _METADATA):
            yield from self._expression(method_of)

    def _changed_argument(self, call: cst.Call, name: str) -> cst.Arg | None:
        """The argument that a function changes in place: of `nn.init.zeros_`, of `F.relu(x, inplace=True)`."""
        if not call.args:
            return None
        path = self.file.qualname(call.func) or ""
        inplace = any(
            arg.keyword is not None and arg.keyword.value == "inplace" and isinstance(arg.value, cst.Name) and arg.value.value == "True"
            for arg in call.args
        )
        if path.startswith("torch.") and (inplace or _in_place(name) and not name.startswith("clip_grad")):
            return call.args[0]
        return None


def _in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__") and name not in _NO_VALUES


def _is_basic(index: cst.BaseSlice) -> bool:
    """Whether an index yields a view: a number, a slice. An index that is a tensor copies."""
    if isinstance(index, cst.Index):
        return (
            isinstance(index.value, (cst.Integer, cst.Ellipsis, cst.UnaryOperation))
            or isinstance(index.value, cst.Name)
            and index.value.value == "None"
        )
    return True
