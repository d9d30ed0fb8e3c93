"""What stands in a call of `Variable`: its arguments, what is known of the tensor, and whether it is one at all."""

from __future__ import annotations

import libcst as cst

from torchlint.model.conditions import when
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.value import Graph

_ORDER = ("data", "requires_grad", "volatile")
_TENSORS = frozenset({"torch.Tensor", "torch.autograd.Variable", "torch.autograd.variable.Variable"})


def given(call: cst.Call) -> dict[str, cst.BaseExpression] | None:
    """The arguments by name."""
    names = iter(_ORDER)
    found: dict[str, cst.BaseExpression] = {}
    for each in call.args:
        name = each.keyword.value if each.keyword is not None else next(names, None)
        if each.star or name is None:
            return None
        found[name] = each.value
    return found if "data" in found and found.keys() <= set(_ORDER) else None


def has_no_graph(file: FileAnalysis, data: cst.BaseExpression) -> bool:
    """Whether no graph leads to the tensor: there is nothing to detach."""
    value = file.value(data)
    return value.batch and not value.has_graph or value.is_tensor and value.graph is Graph.NO


def is_new(file: FileAnalysis, data: cst.BaseExpression, flag: object) -> bool:
    """Whether moreover nothing else has the tensor, so that it can stand alone."""
    if isinstance(data, (cst.Name, cst.Attribute)):
        return False  # whoever has it by its name would find the flag on it
    return (flag is False or file.value(data).fresh) and has_no_graph(file, data)


def is_no_tensor(file: FileAnalysis, call: cst.Call, data: cst.BaseExpression) -> bool:
    """Whether it comes here only where it is none: `if isinstance(x, Variable): return x`."""
    return any(each.arm is False and _asks_for_tensor(file, each.test, data) for each in when(file, call))


def _asks_for_tensor(file: FileAnalysis, test: Node, data: cst.BaseExpression) -> bool:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or):
        return any(_asks_for_tensor(file, each, data) for each in (test.left, test.right))
    if not isinstance(test, cst.Call) or not test.args or not test.args[0].value.deep_equals(data):
        return False
    if file.qualname(test.func) == "torch.is_tensor":
        return True
    if not isinstance(test.func, cst.Name) or test.func.value != "isinstance" or len(test.args) != 2:
        return False
    kinds = test.args[1].value
    named = [each.value for each in kinds.elements] if isinstance(kinds, cst.Tuple) else [kinds]
    return any(file.qualname(each) in _TENSORS for each in named)


def is_off(flag: cst.BaseExpression | None) -> bool:
    return flag is None or literal(flag) in (False, None)
