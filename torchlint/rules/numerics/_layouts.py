"""In how many pieces of memory a tensor lies after its dimensions were turned, counted by its dimensions.

Dimensions that follow one another as they did before lie in one piece, and `view` can merge them. Between pieces it cannot, so that a
view with fewer dimensions than there are pieces raises, whatever the sizes: unless a dimension has size 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import integer
from torchlint.values.value import Value

_TURNING = frozenset("t transpose permute swapaxes swapdims movedim moveaxis adjoint T mT expand expand_as unfold diagonal rot90".split())
"""What leaves a tensor in another order than its dimensions say, or not in one piece."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A tensor whose dimensions were turned."""

    node: cst.BaseExpression
    """Where that happens."""
    base: cst.BaseExpression
    """What was turned."""
    pieces: int
    """The least number of pieces that it can lie in."""


def turned(file: FileAnalysis, tensor: cst.BaseExpression) -> Turned | None:
    """Where the tensor was turned, at once or under a name that holds nothing else; None where it was not, or lay in pieces before."""
    node: cst.CSTNode | None = tensor
    if isinstance(tensor, cst.Name):
        value = file.value(tensor)
        node = value.node if not value.is_joined else None
    found = _turning(node)
    if found is None or _may_lie_otherwise(file.value(found.base)) or file.function(found.node) is not file.function(tensor):
        return None
    return found


def _may_lie_otherwise(base: Value) -> bool:
    """Whether it was turned before, so that it may be in order now."""
    if base.is_joined:
        return any(_may_lie_otherwise(each) for each in base.sources)
    if base.op in _TURNING or isinstance(base.node, cst.Attribute) and base.node.attr.value in _TURNING:
        return True
    return isinstance(base.node, cst.Subscript) and any(_may_lie_otherwise(each) for each in base.sources[:1])


def _turning(node: cst.CSTNode | None) -> Turned | None:
    if isinstance(node, cst.Attribute) and node.attr.value in ("T", "mT"):
        return Turned(node, node.value, 2)
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or any(arg.star or arg.keyword for arg in node.args):
        return None
    name, base = node.func.attr.value, node.func.value
    given = [arg.value for arg in node.args]
    if len(given) == 1 and isinstance(given[0], (cst.Tuple, cst.List)):
        given = [each.value for each in given[0].elements]
    dims = [dim for dim in map(integer, given) if dim is not None]
    if len(dims) != len(given):
        return None
    if name == "t" and not dims:
        return Turned(node, base, 2)
    if name in ("transpose", "swapaxes", "swapdims") and len(dims) == 2:
        pieces = _pieces_of_swap(*sorted(dims))
        return Turned(node, base, pieces) if pieces is not None else None
    if name == "permute" and dims:
        order = [dim % len(dims) for dim in dims]
        pieces = 1 + sum(after != before + 1 for before, after in pairwise(order))
        return Turned(node, base, pieces) if sorted(order) == list(range(len(dims))) and pieces > 1 else None
    return None


def _pieces_of_swap(low: int, high: int) -> int | None:
    """The pieces after two dimensions changed places, in a tensor of no more dimensions than these show."""
    if low == high:
        return None
    if low >= 0 or high < 0:
        outside = low > 0 if low >= 0 else high < -1
        return 2 + outside + (high - low > 1)
    return 2 + (high > 0) if low == -1 else None  # `transpose(1, -1)`: the last one, behind the other


def dimensions_of(call: cst.Call) -> int | None:
    """How many dimensions the call asks for; None where that is not plain."""
    given = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    if not given or len(given) != len(call.args):
        return None
    if len(given) == 1 and isinstance(given[0], (cst.Tuple, cst.List)):
        parts = given[0].elements
        return None if any(isinstance(each, cst.StarredElement) for each in parts) else len(parts)
    return 1 if len(given) == 1 and integer(given[0]) is not None else len(given) if len(given) > 1 else None
