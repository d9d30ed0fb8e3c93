"""Which tensors are what a model made of a batch."""

from __future__ import annotations

from torchlint.values.value import Kind, Value

_KEEPING = frozenset("softmax log_softmax sigmoid tanh relu exp detach float cpu to squeeze view reshape".split())
"""Operations after which there still is one row for each example."""
_DEEP = 6


def comes_from_model(value: Value, depth: int = _DEEP) -> bool:
    """Whether a module returned the tensor, or it was computed from such a one row by row."""
    if value.is_joined or depth == 0:
        return False
    if any(each.kind is Kind.MODULE for each in value.sources):
        return True
    return value.op in _KEEPING and bool(value.sources) and comes_from_model(value.sources[0], depth - 1)
