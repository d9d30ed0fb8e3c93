"""How a variable is used: whether every use would do just as well with plain numbers in place of tensors."""

from __future__ import annotations

import libcst as cst

from torchlint.syntax.tree import Node
from torchlint.values.flow import Analysis

_DEPTH = 12
_SINKS = frozenset("len print float int round str repr bool isinstance format abs".split())
_CARRIERS = frozenset("sum min max sorted list tuple reversed enumerate zip iter next filter".split())
_PACKAGES = ("numpy.", "math.", "statistics.", "matplotlib.", "pandas.", "seaborn.", "json.")
_CONTAINER_METHODS = frozenset("append appendleft extend insert clear index count remove sort reverse add".split())
_VIEWS = frozenset("values items copy keys get pop popleft".split())
_LOGGING = frozenset("format info debug warning write set_postfix set_description add_scalar plot".split())


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


def take_numbers(file: Analysis, name: cst.Name, depth: int = _DEPTH) -> bool:
    """Whether no reference to the variable needs a tensor, and none hands it to code that is not seen."""
    return all(_takes_number(file, each, depth, each) for each in file.references(name))


def _is_same_name(node: Node, name: cst.Name) -> bool:
    """`losses = losses + [loss]` goes on with the same variable."""
    return isinstance(node, cst.Name) and node.value == name.value


def _takes_number(file: Analysis, node: Node, depth: int, origin: cst.Name) -> bool:
    parent = file.parent(node)
    if depth == 0 or parent is None:
        return False
    if isinstance(
        parent,
        (
            cst.Expr,
            cst.FormattedStringExpression,
            cst.If,
            cst.While,
            cst.Index,
            cst.AssignTarget,
            cst.Assert,
            cst.Del,
        ),
    ):
        return True
    if isinstance(parent, (cst.Comparison, cst.ComparisonTarget)):
        comparison = parent if isinstance(parent, cst.Comparison) else file.parent(parent)
        return isinstance(comparison, cst.Comparison) and not any(
            isinstance(each.operator, (cst.Is, cst.IsNot)) for each in comparison.comparisons
        )
    if isinstance(parent, cst.Arg):
        return _argument(file, parent, depth, origin)
    if isinstance(parent, cst.Attribute):
        return _attribute(file, parent, depth, origin)
    if isinstance(parent, cst.Subscript):
        return _is_store(file, parent) or _takes_number(file, parent, depth - 1, origin)
    if isinstance(parent, (cst.BinaryOperation, cst.UnaryOperation, cst.BooleanOperation, cst.IfExp)):
        if (
            isinstance(parent, cst.BinaryOperation)
            and isinstance(parent.operator, cst.Modulo)
            and isinstance(parent.left, (cst.SimpleString, cst.ConcatenatedString))
        ):
            return True
        return _takes_number(file, parent, depth - 1, origin)
    if isinstance(parent, cst.Element):
        holder = file.parent(parent)
        return holder is not None and _in_display(file, holder)
    if isinstance(parent, (cst.For, cst.CompFor)):
        return _targets(file, parent.target, depth)
    if isinstance(parent, (cst.Assign, cst.AnnAssign, cst.NamedExpr)):
        targets = [each.target for each in parent.targets] if isinstance(parent, cst.Assign) else [parent.target]
        return node in targets or all(_is_same_name(each, origin) or _targets(file, each, depth) for each in targets)
    if isinstance(parent, cst.AugAssign):
        return parent.target is node or _targets(file, parent.target, depth)
    if isinstance(parent, (cst.ListComp, cst.GeneratorExp, cst.SetComp)):
        return _takes_number(file, parent, depth - 1, origin)
    return False


def _in_display(file: Analysis, display: Node) -> bool:
    above = file.parent(display)
    while isinstance(above, cst.Element):  # nested targets: `for i, (x, y) in …`
        above = file.parent(file.parent(above) or above)
    if isinstance(above, (cst.For, cst.CompFor)):
        return True
    if isinstance(above, cst.BinaryOperation) and isinstance(above.operator, cst.Modulo):
        return True
    if isinstance(above, cst.Arg):  # `losses.append((step, loss))`
        call = file.parent(above)
        return isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in _CONTAINER_METHODS
    return isinstance(above, cst.AssignTarget)


def _argument(file: Analysis, argument: cst.Arg, depth: int, origin: cst.Name) -> bool:
    call = file.parent(argument)
    if not isinstance(call, cst.Call):
        return False
    path = file.qualname(call.func)
    if path is not None:
        return path.startswith(_PACKAGES)
    if isinstance(call.func, cst.Name) and not file.names.bindings(call.func):
        if call.func.value in _SINKS:
            return True
        return call.func.value in _CARRIERS and _takes_number(file, call, depth - 1, origin)
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in _CONTAINER_METHODS | _LOGGING


def _attribute(file: Analysis, attribute: cst.Attribute, depth: int, origin: cst.Name) -> bool:
    call = file.parent(attribute)
    if not isinstance(call, cst.Call) or call.func is not attribute:
        return False
    if attribute.attr.value in _CONTAINER_METHODS:
        return True
    if attribute.attr.value == "setdefault":
        return _takes_number(file, call, depth - 1, origin)
    return attribute.attr.value in _VIEWS and _takes_number(file, call, depth - 1, origin)


def _is_store(file: Analysis, subscript: cst.Subscript) -> bool:
    return isinstance(file.parent(subscript), cst.AssignTarget)


def _targets(file: Analysis, target: Node, depth: int) -> bool:
    """Whether what the target names is used as numbers only."""
    if isinstance(target, cst.Name):
        return depth > 1 and take_numbers(file, target, depth - 3 if depth > 3 else 1)
    if isinstance(target, (cst.Tuple, cst.List)):
        return all(_targets(file, each.value, depth) for each in target.elements)
    return False
