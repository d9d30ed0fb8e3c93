"""What is done with an expression that shares a tensor's memory: written to, read and left alone, or given a name and out of sight."""

from __future__ import annotations

from enum import Enum

import libcst as cst

from torchlint.facts.operations import COPIES_IF_IT_MUST, operation
from torchlint.facts.tensors import LISTS_OF_TENSORS, NUMBERS, PAIRS, VIEWS
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node
from torchlint.values.value import Value

_INTO_NUMBERS = frozenset("item tolist numpy size dim numel type_as shape dtype device ndim is_cuda requires_grad".split())


class Done(Enum):
    READ = "read"
    """Copied, computed with, made a number: nobody can write to the memory through it."""
    WRITTEN = "written"
    SHARED = "shared"
    """Kept, handed on, or viewed: whoever has it may write."""


def may_be_leaf(tensor: Value) -> bool:
    """Whether it is a leaf, a part or another shape of one (`self.scale.squeeze()`, `weight[0]`), or was not computed in sight."""
    while not tensor.leaf and len(tensor.sources) > 0:
        made = tensor.node
        is_view = isinstance(made, cst.Subscript) or (
            isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute) and made.func.attr.value in VIEWS
        )
        if not is_view:
            break
        tensor = tensor.sources[0]
    return tensor.leaf or not isinstance(tensor.node, (cst.Call, cst.BinaryOperation, cst.UnaryOperation, cst.AugAssign))


def done_with(file: FileAnalysis, node: Node) -> Done:
    """What becomes of the memory that an expression shares."""
    parent = file.parent(node)
    if isinstance(parent, (cst.AssignTarget, cst.AugAssign)) and getattr(parent, "target", None) is node:
        return Done.WRITTEN
    if isinstance(parent, (cst.BinaryOperation, cst.UnaryOperation, cst.Comparison, cst.ComparisonTarget, cst.FormattedStringExpression)):
        return Done.READ
    if isinstance(parent, cst.AugAssign):
        return Done.READ
    if isinstance(parent, cst.Subscript) and parent.value is node:
        return done_with(file, parent)
    if isinstance(parent, cst.Attribute):
        return _method(file, parent)
    if isinstance(parent, cst.Arg):
        return _argument(file, parent)
    return Done.SHARED


def _method(file: FileAnalysis, attribute: cst.Attribute) -> Done:
    name, call = attribute.attr.value, file.parent(attribute)
    if not isinstance(call, cst.Call) or call.func is not attribute:
        return Done.READ if name in _INTO_NUMBERS else done_with(file, attribute)
    if name.endswith("_") and not name.endswith("__"):
        return Done.WRITTEN
    if name in _INTO_NUMBERS or name in NUMBERS or name in PAIRS:
        return Done.READ
    if _copies(f"torch.Tensor.{name}"):
        return Done.READ
    return done_with(file, call)


def _argument(file: FileAnalysis, argument: cst.Arg) -> Done:
    call = file.parent(argument)
    if not isinstance(call, cst.Call):
        return Done.SHARED
    if argument.keyword is not None and argument.keyword.value == "out":
        return Done.WRITTEN
    path = file.qualname(call.func)
    if path is None:
        func = call.func
        is_plain = (
            isinstance(func, cst.Name)
            and func.value in ("print", "float", "int", "len", "str", "repr", "bool", "round")
            and not file.names.bindings(func)
        )
        return Done.READ if is_plain else Done.SHARED
    if path.startswith("torch.") and path.endswith("_") and call.args[0] is argument:
        return Done.WRITTEN
    return Done.READ if _copies(path) else Done.SHARED


def _copies(path: str) -> bool:
    """Whether an operation returns memory of its own, and changes none."""
    known = operation(path)
    if known is None or not known.is_known or known.name in COPIES_IF_IT_MUST or known.name in LISTS_OF_TENSORS:
        return False
    return not known.may_share and not known.changes
