"""Which expressions are numbers of Python whatever the program is given: literals, lengths, results of `math`, and arithmetic of these.

Parameters are not, though an annotation or a default may call them so: callers decide.
"""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node

_CONSTANTS = frozenset({"math.pi", "math.e", "math.tau", "math.inf", "math.nan", "numpy.pi", "numpy.e"})
_WHOLE = frozenset("math.ceil math.floor math.trunc math.comb math.perm math.factorial math.gcd math.isqrt".split())
_DEEP = 8


def plain_number(file: FileAnalysis, node: Node, depth: int = _DEEP) -> type[int] | type[float] | None:
    """`int` or `float` for what is certainly one of them; None for everything else."""
    if depth == 0:
        return None
    if isinstance(node, cst.Integer):
        return int
    if isinstance(node, cst.Float) or file.qualname(node) in _CONSTANTS:
        return float
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, (cst.Minus, cst.Plus)):
        return plain_number(file, node.expression, depth - 1)
    if isinstance(node, cst.BinaryOperation):
        sides = (plain_number(file, node.left, depth - 1), plain_number(file, node.right, depth - 1))
        if None in sides or isinstance(node.operator, cst.MatrixMultiply):
            return None
        return float if float in sides or isinstance(node.operator, (cst.Divide, cst.Power)) else int
    if isinstance(node, cst.Call):
        return _called(file, node)
    if isinstance(node, cst.Subscript):
        return int if _is_length(file, node) else None
    if isinstance(node, cst.Name):
        value = file.value(node)
        made = value.node
        if made is None or value.is_joined or isinstance(made, (cst.Name, cst.Param)):
            return None
        return plain_number(file, made, depth - 1)
    return None


def _called(file: FileAnalysis, call: cst.Call) -> type[int] | type[float] | None:
    path = file.value(call.func).qualname or file.qualname(call.func) or ""
    if path in ("builtins.len", "builtins.int"):
        return int
    if path == "builtins.float":
        return float
    if path.startswith("math."):
        return int if path in _WHOLE else float
    if isinstance(call.func, cst.Attribute) and file.value(call.func.value).is_tensor:
        name = call.func.attr.value
        if name == "item":
            return float
        if name in ("numel", "dim") or name == "size" and call.args:
            return int
    return None


def _is_length(file: FileAnalysis, entry: cst.Subscript) -> bool:
    """`x.shape[0]`"""
    shape, index = entry.value, entry.slice[0].slice
    return (
        isinstance(shape, cst.Attribute)
        and shape.attr.value == "shape"
        and isinstance(index, cst.Index)
        and file.value(shape.value).is_tensor
    )
