"""Calls of the constructors that torch had before `torch.tensor`: `torch.Tensor(2, 3)`, `torch.LongTensor([1, 2])`.

What they do depends on what they are given: numbers are a shape, and nothing is written into the memory; a list is data.
Here is told which of the two a call is, where the code decides it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.numerics._plain import plain_number
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import descendants

TYPES = {
    "FloatTensor": "float32",
    "DoubleTensor": "float64",
    "HalfTensor": "float16",
    "BFloat16Tensor": "bfloat16",
    "LongTensor": "int64",
    "IntTensor": "int32",
    "ShortTensor": "int16",
    "CharTensor": "int8",
    "ByteTensor": "uint8",
    "BoolTensor": "bool",
}
_NAMES = ("torch.Tensor", *(f"torch.{package}{name}" for package in ("", "cuda.") for name in TYPES))
DEFAULT_DEVICES = re.compile(r"set_default_device|set_default_tensor_type|with torch\.device\(")
"""What sets a device for all tensors: the old constructors do not obey it, and functions do."""
_FILLING = frozenset("zero_ fill_ uniform_ normal_ random_ bernoulli_ exponential_ log_normal_ geometric_ cauchy_".split())
_EXACT = 2**53


class Given(Enum):
    """What a call is given."""

    NOTHING = auto()
    SIZES = auto()
    NUMBERS = auto()
    """A list or tuple of numbers that are written out."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Legacy:
    """One such call."""

    call: cst.Call
    given: Given
    dtype: str | None
    """The type that the name says; None for `torch.Tensor`, which makes tensors of the default type."""
    is_cuda: bool
    is_certain: bool
    """Whether what it is given is certain, and no default device is set that would make a difference."""
    whole: tuple[cst.Integer, ...]
    """The whole numbers among what `torch.Tensor` is given as data: it makes floats of them."""


def legacy(file: FileAnalysis) -> Iterator[Legacy]:
    for call in file.calls(*_NAMES):
        if any(arg.star or arg.keyword is not None for arg in call.args):
            continue
        path = file.qualname(call.func) or ""
        dtype = TYPES.get(path.rpartition(".")[2])
        given, is_certain = _given(file, call)
        whole = tuple(each for each in descendants(call.args[0].value) if isinstance(each, cst.Integer)) if call.args else ()
        if given is Given.NUMBERS and dtype is None and any(each.evaluated_value > _EXACT for each in whole):
            continue
        as_floats = whole if given is Given.NUMBERS and dtype is None else ()
        yield Legacy(call, given, dtype, ".cuda." in path, is_certain and not file.is_written(DEFAULT_DEVICES), as_floats)


def _given(file: FileAnalysis, call: cst.Call) -> tuple[Given, bool]:
    """What the call is given, and whether that is certain."""
    if not call.args:
        return Given.NOTHING, True
    first = call.args[0].value
    if len(call.args) > 1 or _is_size(file, first):
        return Given.SIZES, True
    if isinstance(first, (cst.List, cst.Tuple)):
        leaves = list(_leaves(literal(first)))
        is_plain = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in leaves)
        return (Given.NUMBERS, True) if is_plain else (Given.UNKNOWN, False)
    above = file.parent(call)
    if isinstance(above, cst.Attribute) and above.attr.value in _FILLING and isinstance(file.parent(above), cst.Call):
        return Given.SIZES, False  # no data, or it would not be written over
    return Given.UNKNOWN, False


def _is_size(file: FileAnalysis, node: cst.BaseExpression) -> bool:
    """Whether an expression is certainly a whole number, or a shape: `len(x)`, `x.size(0) * 2`, `x.shape`, `x.size()`."""
    if isinstance(node, cst.Attribute):
        return node.attr.value == "shape" and file.value(node.value).is_tensor
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and not node.args:
        return node.func.attr.value == "size" and file.value(node.func.value).is_tensor
    return plain_number(file, node) is int


def _leaves(given: object) -> Iterator[object]:
    if isinstance(given, (list, tuple)):
        for each in given:
            yield from _leaves(each)
    else:
        yield given
