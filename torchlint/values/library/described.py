"""What is known of a value besides what it is: the operation of torch that made it, and the type of its elements where it is spelt out."""

from __future__ import annotations

import libcst as cst

from torchlint.facts import dtypes
from torchlint.facts.operations import operation
from torchlint.facts.tensors import KEEPING_DTYPE, VIEWS
from torchlint.values.arguments import Arguments
from torchlint.values.kinds import Kind
from torchlint.values.value import Value


def by_function(value: Value, call: cst.Call, path: str, arguments: Arguments) -> Value:
    """What a function of torch made: `torch.zeros(2, dtype=torch.long)`"""
    found = operation(path) if value.is_tensor or value.items else None
    if found is None:
        return value
    like = arguments.positional[0] if found.name.endswith("_like") and arguments.positional else None
    return _described(value, call, found.name, _given(arguments) or (like.dtype if like is not None else None))


def by_method(value: Value, call: cst.Call, name: str, receiver: Value, arguments: Arguments) -> Value:
    """What a method of a tensor made: `x.argmax(1)`, `x.long()`, `x.to(torch.float16)`"""
    if not (value.is_tensor or value.items and receiver.is_tensor) or operation(f"torch.Tensor.{name}") is None:
        return value
    dtype = dtypes.converted(name) or _given(arguments)
    if dtype is None and (name in KEEPING_DTYPE or name in VIEWS) and not any(each.kind is Kind.UNKNOWN for each in arguments.values):
        dtype = receiver.dtype
    return _described(value, call, name, dtype)


def by_module(value: Value, call: cst.Call, module: Value) -> Value:
    """What a module of torch made that does nothing but call an operation: `nn.Softmax(1)(x)`"""
    found = operation(module.qualname) if module.qualname is not None and module.cls is None else None
    return _described(value, call, found.name, None) if found is not None else value


def _described(value: Value, call: cst.Call, op: str, dtype: str | None) -> Value:
    for each in (value, *(value.items or ())):
        if each.node is call:
            each.op = op
    if value.node is call:
        value.dtype = dtype
    return value


def _given(arguments: Arguments) -> str | None:
    """The type that an argument names."""
    for each in arguments.values:
        if each.kind is Kind.DTYPE and each.qualname is not None:
            return dtypes.dtype(each.qualname)
    return None
