"""Whether Python would go through a tensor element by element, and through more than a few."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.literals import literal
from torchlint.values.value import Kind, Value

_FEW = 16
"""So many elements take no time worth speaking of, whoever goes through them."""


def is_costly(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    """Whether an expression is a tensor, and not known to have but a few elements along its first dimension."""
    value = file.value(node)
    if value.kind is not Kind.TENSOR or value.optional or value.scalar:
        return False
    length = _length(file, value)
    return length is None or length > _FEW


def _length(file: FileAnalysis, value: Value) -> int | None:
    """How long a tensor is that is written out, or made with a length that is."""
    made = value.node
    if not isinstance(made, cst.Call) or not made.args:
        return None
    path, first = file.qualname(made.func) or "", made.args[0]
    if path in ("torch.stack", "torch.cat", "torch.tensor", "torch.as_tensor") and isinstance(first.value, (cst.List, cst.Tuple)):
        return len(first.value.elements)
    if not value.fresh or first.keyword is not None or first.star:
        return None
    size = literal(first.value)
    length = size[0] if isinstance(size, (tuple, list)) and size else size
    return length if isinstance(length, int) else None
