"""How many dimensions a tensor has, and how many outputs a layer, where the code spells it out or keeps or changes their number."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from torchlint.facts.operations import operation
from torchlint.facts.tensors import CASTS
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.numerics._activations import Activation
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node
from torchlint.values.binding import bind_any
from torchlint.values.value import Kind, Value

_FIXED = {"mm": 2, "addmm": 2, "bmm": 3, "baddbmm": 3, "mv": 1}
_KEEPING = frozenset(
    """linear relu relu6 leaky_relu elu selu celu gelu silu mish hardswish tanh sigmoid softplus dropout alpha_dropout layer_norm batch_norm
    softmax log_softmax logsigmoid exp log sqrt abs neg clamp detach cuda cpu to contiguous clone float double half""".split()
)
"""Operations whose result has as many dimensions as what they are given."""
_SIZED = frozenset("zeros ones empty rand randn".split())
_SHAPES = frozenset({"view", "reshape"})
_DEEP = 12


def rank(file: FileAnalysis, value: Value, depth: int = 0) -> int | None:
    """The number of dimensions of a tensor; None where it is not certain."""
    call = value.node
    if depth > _DEEP or value.is_joined or value.original is not None or call is None or call not in file.tree.order:
        return None
    data = next((each for each in value.sources if each.kind is not Kind.MODULE), None)
    if isinstance(call, cst.BinaryOperation):
        sides = [rank(file, each, depth + 1) for each in value.sources]
        known = [each for each in sides if each is not None]
        return max(known) if known and len(known) == len(sides) else None
    if not isinstance(call, cst.Call):
        return None
    op = _operation(file, value, call)
    if op in _FIXED:
        return _FIXED[op]
    if op in _KEEPING or op in CASTS and "squeeze" not in op:
        return rank(file, data, depth + 1) if data is not None else None
    if op in _SHAPES:
        return _written(file, call.args[1:] if file.qualname(call.func) is not None else call.args)
    if op in _SIZED:
        return _written(file, call.args)
    return _flattened(file, call) if op == "flatten" else None


def outputs(made: Activation) -> int | None:
    """How many outputs (channels, of a convolution) the layer has that made a value; None where that is not spelt out."""
    layer = made.layer
    found = operation(layer.qualname) if layer is not None and layer.qualname is not None else None
    if layer is None or found is None or not isinstance(layer.node, cst.Call):
        return None
    bound = bind_any(layer.node, found.signatures)
    given = [bound.literal(name) for name in ("out_features", "out_channels") if name in bound]
    return given[0] if len(given) == 1 and isinstance(given[0], int) else None


def _operation(file: FileAnalysis, value: Value, call: cst.Call) -> str:
    """What a call does; `x.view(3, 4)` of anything unknown does what it would do with a tensor."""
    if value.op is not None:
        return value.op
    is_method = value.kind is Kind.UNKNOWN and isinstance(call.func, cst.Attribute) and file.qualname(call.func) is None
    return call.func.attr.value if is_method and isinstance(call.func, cst.Attribute) else ""


def _written(file: FileAnalysis, args: Sequence[cst.Arg]) -> int | None:
    """`(3, 4)`, `((3, 4))`: how many sizes are given one by one."""
    sizes = [arg for arg in args if arg.keyword is None]
    if any(arg.star for arg in args) or not sizes:
        return None
    if len(sizes) > 1:
        return len(sizes)
    only = sizes[0].value
    if isinstance(only, (cst.Tuple, cst.List)):
        return None if any(isinstance(each, cst.StarredElement) for each in only.elements) else len(only.elements)
    return 1 if file.value(only).kind is Kind.NUMBER else None


def _flattened(file: FileAnalysis, call: cst.Call) -> int | None:
    """`x.flatten(1)` leaves two dimensions, `x.flatten()` one."""
    args = call.args[1:] if file.qualname(call.func) is not None else call.args
    given = [literal(arg.value) for arg in args if arg.keyword is None or arg.keyword.value == "start_dim"]
    if len(given) != len(args) or len(given) > 1:
        return None
    return {0: 1, 1: 2}.get(given[0]) if given and isinstance(given[0], int) else 1 if not given else None


def is_turned(file: FileAnalysis, given: Node) -> bool:
    """`x.transpose(axis, 0)`, perhaps under a name: what is to be normalised was put first on purpose."""
    made = [each.value for each in file.names.bindings(given)] if isinstance(given, cst.Name) else [given]
    node: Node | None = made[0] if len(made) == 1 else None
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value in ("transpose", "swapaxes", "movedim"):
            return any(literal(arg.value) == 0 for arg in node.args)
        node = node.func.value if node.func.attr.value == "contiguous" else None
    return False
