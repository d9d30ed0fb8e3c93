"""What asks for a value that a device may still be computing: reads, conversions, prints of a tensor and branches on one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import libcst as cst

from torchlint.facts.geometric import pools, reads_sizes
from torchlint.facts.operations import operation
from torchlint.facts.tensors import SYNCHRONISING_METHODS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._hot import HotLoops
from torchlint.syntax.tree import Node
from torchlint.values.value import Kind, Place, Value

_CONVERTING = frozenset(f"math.{name}" for name in vars(math) if not name.startswith("_") and callable(getattr(math, name)))
"""Python's own functions of numbers: they ask a tensor for its number."""
_BY_VALUE = frozenset("torch.unique torch.Tensor.unique torchvision.ops.nms torchvision.ops.batched_nms torchvision.ops.boxes.nms".split())
"""Functions written in Python or elsewhere, of which no schema says that the size of what they return is a matter of values."""
_COMPARING = frozenset("eq ne gt lt ge le bool any all isfinite isnan logical_and logical_or logical_not".split())
_DEEP = 3


def candidates(file: FileAnalysis) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """What may wait, and the value that it waits for, in document order."""
    return sorted(_suspects(file), key=lambda pair: file.tree.order[pair[0]])


def _suspects(file: FileAnalysis) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    for call in file.methods(*sorted(SYNCHRONISING_METHODS)):
        if isinstance(call.func, cst.Attribute) and not call.args:
            yield call, call.func.value
    yield from _reads_of_old(file)
    for name in ("float", "int"):
        for each in file.tree.names.get(name, ()):
            converted = file.parent(each)
            if isinstance(converted, cst.Call) and converted.func is each and len(converted.args) == 1 and not file.names.bindings(each):
                yield converted, converted.args[0].value
    for converted in file.calls(*sorted(_CONVERTING)):
        if len(converted.args) == 1:
            yield converted, converted.args[0].value
    for each in file.tree.names.get("print", ()):
        printing = file.parent(each)
        if isinstance(printing, cst.Call) and printing.func is each:
            yield from ((part, part) for part in shown(printing) if not is_read_of_old(file, part))
    branches: list[cst.If | cst.While | cst.Assert] = [*file.nodes(cst.If), *file.nodes(cst.While), *file.nodes(cst.Assert)]
    for branch in branches:
        yield from ((part, part) for part in _tested(branch.test))


def _reads_of_old(file: FileAnalysis) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    for each in file.tree.attributes.get("data", ()):
        entry = file.parent(each)
        if isinstance(entry, cst.Subscript) and is_read_of_old(file, entry):
            yield entry, each.value


def is_read_of_old(file: FileAnalysis, node: Node) -> bool:
    """`loss.data[0]`, which read the number before tensors had `.item()`, and fails since."""
    if not isinstance(node, cst.Subscript) or not isinstance(node.value, cst.Attribute) or node.value.attr.value != "data":
        return False
    index = node.slice[0].slice if len(node.slice) == 1 else None
    if not isinstance(index, cst.Index) or not isinstance(index.value, cst.Integer) or index.value.value != "0":
        return False
    value = file.value(node.value.value)
    return value.scalar or bool(value.roots)


def _printed(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.FormattedString):
        yield from (part.expression for part in node.parts if isinstance(part, cst.FormattedStringExpression))
    else:
        yield node


def shown(call: cst.Call) -> Iterator[cst.BaseExpression]:
    """What a call is given to show."""
    for arg in call.args:
        yield from _printed(arg.value)


def _tested(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.BooleanOperation):
        yield from _tested(node.left)
        yield from _tested(node.right)
    elif isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        yield from _tested(node.expression)
    else:
        yield node


def waits_for(file: FileAnalysis, hot: HotLoops, node: Node, subject: Node) -> bool:
    """Whether the value may be on an accelerator, and is one that has to be waited for."""
    value = file.value(subject)
    if value.kind is not Kind.TENSOR and (value.kind is not Kind.UNKNOWN or node is subject):
        return False
    if value.kind is Kind.UNKNOWN and isinstance(subject, cst.Subscript):  # an entry may be anything, but what is computed there
        return is_read(node) and hot.is_computed_there(value)
    if value.kind is Kind.UNKNOWN and isinstance(subject, cst.Attribute) and not is_read(node):
        return False  # `int(batch.batch_size)`: a number, as likely as not
    return hot.lives_there(value) or is_read(node) and hot.is_computed_there(value)


def is_read(node: Node) -> bool:
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)


def sized_by_value(file: FileAnalysis, within: Node) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """What waits because the size of its result is a matter of values, `x.nonzero()` and `x[x > 0]`, and what it looks at."""
    for call in file.inside(within, cst.Call):
        path = file.qualname(call.func)
        subject = call.args[0].value if call.args else None
        if subject is not None and _is_pooled(file, call):
            yield call, subject
            continue
        if path is None and isinstance(call.func, cst.Attribute):
            path, subject = f"torch.Tensor.{call.func.attr.value}", call.func.value
        if path is None or subject is None or not path.startswith("torch") or path.rpartition(".")[2] in SYNCHRONISING_METHODS:
            continue
        known = operation(path) if path.startswith("torch.") else None
        if path in _BY_VALUE or _is_sized(path, call) or known is not None and known.narrowed(_count(call, subject), ()).waits:
            yield call, subject
    for entry in file.inside(within, cst.Subscript):
        index = entry.slice[0].slice
        if isinstance(index, cst.Index) and not isinstance(file.parent(entry), (cst.AssignTarget, cst.AugAssign)):
            mask = file.value(index.value)
            if mask.kind in (Kind.TENSOR, Kind.UNKNOWN) and _is_mask(mask):
                yield entry, index.value


def _is_pooled(file: FileAnalysis, call: cst.Call) -> bool:
    made = file.value(call.func).node
    return isinstance(made, cst.Call) and made in file.tree.order and pools(file.qualname(made.func) or "")


def _is_sized(path: str, call: cst.Call) -> bool:
    named = [arg.keyword.value for arg in call.args if arg.keyword is not None]
    return reads_sizes(path, len(call.args) - len(named), named)


def _count(call: cst.Call, subject: cst.BaseExpression) -> int:
    """How many arguments are given by position, the receiver among them."""
    given = sum(arg.keyword is None for arg in call.args)
    return given if call.args and call.args[0].value is subject else given + 1


def _is_mask(value: Value, deep: int = _DEEP) -> bool:
    """`x > 0`, `~done & valid`"""
    node = value.node
    if isinstance(node, cst.Comparison):
        return True
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _COMPARING:
        return True
    masking = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, (cst.BitAnd, cst.BitOr, cst.BitXor))
    inverting = isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.BitInvert)
    return deep > 0 and (masking or inverting) and any(_is_mask(source, deep - 1) for source in value.sources)


def asks_for(file: FileAnalysis, value: Value, node: Node, subject: Node) -> bool:
    """Whether a read or conversion has to wait for the value if that is computed on a device: it is no number, array or text."""
    if value.kind is Kind.UNKNOWN and not is_read(node):
        return node is not subject and isinstance(subject, cst.Call) and (file.qualname(subject.func) or "").startswith("torch.")
    return value.place is not Place.CPU and value.kind in (Kind.TENSOR, Kind.UNKNOWN)
