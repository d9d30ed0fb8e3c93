"""How a variable is used: whether every use would do just as well with plain numbers, or with tensors that have no graph."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from torchlint.facts import tensors as known
from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis

_DEPTH = 12
_SINKS = frozenset("len print float int round str repr bool isinstance format abs".split())
_CARRIERS = frozenset("sum min max sorted list tuple reversed enumerate zip iter next filter".split())
_PACKAGES = ("numpy.", "math.", "statistics.", "matplotlib.", "pandas.", "seaborn.", "json.")
_CONTAINER_METHODS = frozenset("append appendleft extend insert clear sort reverse add".split())
_VIEWS = frozenset("values items copy keys get pop popleft".split())
_LOGGING = frozenset("format info debug warning write set_postfix set_description add_scalar plot".split())
_STORING = frozenset("append appendleft extend insert add".split())
_ENDS = frozenset("item tolist numpy detach shape ndim dtype device size dim numel".split())
"""What a tensor says of itself that is the same without a graph, and hands on no graph."""
_MOVES = frozenset("to cpu cuda".split())
_TORCH = ("torch.", "torch.nn.functional.")
_GRAPH_READS = ("requires_grad", "grad_fn", "is_leaf", "retain_grad", "register_hook")
_HALF = ("bfloat16", "float16", "half")


def read_graphs(file: Analysis, function: Node) -> bool:
    """Whether the function asks some tensor about its graph, or compares tensors by identity."""
    asked = (each for name in _GRAPH_READS for each in file.attributes_inside(function, name))
    if any(not isinstance(file.parent(each), cst.AssignTarget) for each in asked):
        return True
    return any(
        isinstance(target.operator, (cst.Is, cst.IsNot))
        and not (isinstance(target.comparator, cst.Name) and target.comparator.value in ("None", "True", "False"))
        for comparison in file.inside(function, cst.Comparison)
        for target in comparison.comparisons
    )


def mentions_half(file: Analysis) -> bool:
    """Whether the file speaks of half precision: sums of such tensors round, sums of the numbers in them do not."""
    return any(file.tree.attributes.get(name) or file.tree.names.get(name) for name in _HALF)


def take_numbers(file: Analysis, name: cst.Name) -> bool:
    """Whether no reference to the variable needs a tensor, and none hands it to code that is not seen."""
    return _Reader(file, tensors=False).take(name)


def take_values(file: Analysis, name: cst.Name) -> bool:
    """Whether no reference to the variable needs a graph or asks for it, and none hands it to code that is not seen."""
    return _Reader(file, tensors=True).take(name)


def _is_same_name(node: Node, name: cst.Name) -> bool:
    """`losses = losses + [loss]` goes on with the same variable."""
    return isinstance(node, cst.Name) and node.value == name.value


def _is_text(node: Node) -> bool:
    return isinstance(node, (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString))


@dataclass(frozen=True)
class _Reader:
    """Follows a variable through everything that is done with it; what it does not know is no."""

    file: Analysis
    tensors: bool
    """Whether it still holds tensors, on which methods and functions of torch may be called."""

    def take(self, name: cst.Name, depth: int = _DEPTH) -> bool:
        return all(self._use(each, depth, each) for each in self.file.references(name))

    def _use(self, node: Node, depth: int, origin: cst.Name) -> bool:
        parent = self.file.parent(node)
        if depth == 0 or parent is None:
            return False
        if isinstance(parent, cst.Index):
            return not self.tensors
        if isinstance(parent, (cst.Expr, cst.FormattedStringExpression, cst.If, cst.While, cst.AssignTarget, cst.Assert, cst.Del)):
            return True
        if isinstance(parent, (cst.Comparison, cst.ComparisonTarget)):
            comparison = parent if isinstance(parent, cst.Comparison) else self.file.parent(parent)
            return isinstance(comparison, cst.Comparison) and self._compares(comparison)
        if isinstance(parent, cst.Arg):
            return self._argument(parent, depth, origin)
        if isinstance(parent, cst.Attribute):
            return self._attribute(parent, depth, origin)
        if isinstance(parent, cst.Subscript):
            return isinstance(self.file.parent(parent), cst.AssignTarget) or self._use(parent, depth - 1, origin)
        if isinstance(parent, (cst.BinaryOperation, cst.UnaryOperation, cst.BooleanOperation, cst.IfExp)):
            if isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Modulo) and _is_text(parent.left):
                return True
            return self._use(parent, depth - 1, origin)
        if isinstance(parent, cst.Element):
            holder = self.file.parent(parent)
            return holder is not None and self._in_display(holder, depth)
        if isinstance(parent, (cst.For, cst.CompFor)):
            return self._targets(parent.target, depth)
        if isinstance(parent, (cst.Assign, cst.AnnAssign, cst.NamedExpr)):
            targets = [each.target for each in parent.targets] if isinstance(parent, cst.Assign) else [parent.target]
            if isinstance(parent, cst.NamedExpr) and node is parent.value and not self._use(parent, depth - 1, origin):
                return False
            return node in targets or all(_is_same_name(each, origin) or self._targets(each, depth) for each in targets)
        if isinstance(parent, cst.AugAssign):
            return parent.target is node or self._targets(parent.target, depth)
        if isinstance(parent, (cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp)):
            return self._use(parent, depth - 1, origin)
        return False

    def _compares(self, comparison: cst.Comparison) -> bool:
        """Whether the outcome is that of the numbers, and not of which tensor it is."""
        return not any(
            isinstance(each.operator, (cst.Is, cst.IsNot))
            or self.tensors
            and isinstance(each.operator, (cst.In, cst.NotIn))
            and not _is_text(comparison.left)
            for each in comparison.comparisons
        )

    def _in_display(self, display: Node, depth: int) -> bool:
        above = self.file.parent(display)
        while isinstance(above, cst.Element):  # nested targets: `for i, (x, y) in …`
            above = self.file.parent(self.file.parent(above) or above)
        if isinstance(above, (cst.For, cst.CompFor)):
            return True
        if isinstance(above, cst.BinaryOperation) and isinstance(above.operator, cst.Modulo):
            return True
        if isinstance(above, cst.Arg):  # `losses.append((step, loss))`
            call = self.file.parent(above)
            return isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and self._is_stored(call.func, depth)
        return isinstance(above, cst.AssignTarget)

    def _argument(self, argument: cst.Arg, depth: int, origin: cst.Name) -> bool:
        call = self.file.parent(argument)
        if not isinstance(call, cst.Call):
            return False
        path = self.file.qualname(call.func)
        if path is not None:
            return path.startswith(_PACKAGES) or self.tensors and self._is_handed_to_torch(call, path, depth, origin)
        if isinstance(call.func, cst.Name) and not self.file.names.bindings(call.func):
            if call.func.value in _SINKS:
                return call.func.value != "abs" or not self.tensors or self._use(call, depth - 1, origin)
            return call.func.value in _CARRIERS and self._use(call, depth - 1, origin)
        if not isinstance(call.func, cst.Attribute):
            return False
        return self._is_logged(call.func) or self._is_stored(call.func, depth)

    def _is_handed_to_torch(self, call: cst.Call, path: str, depth: int, origin: cst.Name) -> bool:
        owner, _, name = path.rpartition(".")
        if f"{owner}." not in _TORCH:
            return False
        return name == "tensor" or name in known.WITHOUT_GRAPH or name in known.OPERATIONS and self._use(call, depth - 1, origin)

    def _is_logged(self, func: cst.Attribute) -> bool:
        return func.attr.value in _LOGGING and self.file.value(func.value).cls is None

    def _is_stored(self, func: cst.Attribute, depth: int) -> bool:
        """Whether it goes into a container that is used as harmlessly; for numbers, any container is."""
        return func.attr.value in _STORING and (not self.tensors or isinstance(func.value, cst.Name) and self._targets(func.value, depth))

    def _attribute(self, attribute: cst.Attribute, depth: int, origin: cst.Name) -> bool:
        name = attribute.attr.value
        if self.tensors and name in _ENDS:
            return True
        call = self.file.parent(attribute)
        if not isinstance(call, cst.Call) or call.func is not attribute:
            return False
        if name in _CONTAINER_METHODS:
            return True
        if name in _VIEWS or name == "setdefault":
            return self._use(call, depth - 1, origin)
        operates = name in _MOVES or name in known.OPERATIONS or name in known.REDUCTIONS
        return self.tensors and (name in known.WITHOUT_GRAPH or operates and self._use(call, depth - 1, origin))

    def _targets(self, target: Node, depth: int) -> bool:
        """Whether what the target names is used as harmlessly."""
        if isinstance(target, cst.Name):
            is_local = self.file.names.scope(target).lookup(target.value)
            outer = is_local is None or isinstance(is_local.node, cst.Module)
            return not (self.tensors and outer) and depth > 1 and self.take(target, depth - 3 if depth > 3 else 1)
        if isinstance(target, (cst.Tuple, cst.List)):
            return all(self._targets(each.value, depth) for each in target.elements)
        return False
